//! What a record says goes when its time is over; its hash stays.

use std::ops::Bound;

use jiff::Timestamp;

use super::{AuditRow, HEADS, Log, Owner, named, record_key};
use crate::Error;
use crate::desk::Desk;

/// Lets go of bodies of records before `before`, in the logs behind the key `after`: so many records and bytes at a
/// time. The key of the last log that is done, where there may be more to do, and how many records went.
pub(crate) fn age(
    desk: &mut Desk,
    before: Timestamp,
    after: &[u8],
    most: usize,
    bytes_most: usize,
) -> Result<(Option<Vec<u8>>, u64), Error> {
    let prefix = HEADS.prefix(&[], &[]);
    let (mut done, mut looked_at, mut bytes) = (after.to_vec(), 0, 0);
    let mut gone = 0;
    loop {
        let from = if done.is_empty() { Bound::Included(prefix.as_slice()) } else { Bound::Excluded(done.as_slice()) };
        let Some((key, _)) = desk.first(from, &prefix)? else { return Ok((None, gone)) };
        if let Some(owner) = named(HEADS.own(&key)) {
            let mut index = Log::open(desk.state(), &owner)?.oldest()?;
            while let Some(row) = due(desk, &owner, index, before)? {
                if looked_at >= most || bytes >= bytes_most {
                    return Ok((Some(done), gone));
                }
                bytes += row.body.as_ref().map_or(0, String::len);
                let aged = AuditRow { body: None, leaf: row.leaf, detail: String::new() };
                desk.write(record_key(&owner.to_string(), index), &aged)?;
                (index, looked_at, gone) = (index + 1, looked_at + 1, gone + 1);
            }
        }
        looked_at += 1;
        done = key;
    }
}

/// The row of a record that has its body, and has it for too long.
fn due(desk: &Desk, owner: &Owner, index: u64, before: Timestamp) -> Result<Option<AuditRow>, Error> {
    let log = Log::open(desk.state(), owner)?;
    let is_due = log.record(index)?.is_some_and(|(record, _)| record.time < before);
    if is_due { log.row(index) } else { Ok(None) }
}
