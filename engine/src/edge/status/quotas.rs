//! Which organizations send more than their quotas of a day, as `status` tells it.

use jiff::Timestamp;
use linesman_domain::Error;
use linesman_domain::quotas::{self, LeftRow};

use crate::store::Lane;

/// How many organizations are named.
const NAMED_MOST: usize = 10;

/// What people should know of quotas.
///
/// # Errors
/// The state cannot be read.
pub(super) fn notices(lanes: &[Lane], now: Timestamp) -> Result<Vec<String>, Error> {
    let (mut notices, mut further, today) = (Vec::new(), 0_u64, quotas::day_of(now));
    for row in lanes.iter().flat_map(quotas::all) {
        let (org, row) = row?;
        let Some(LeftRow { messages, bytes, .. }) = row.left.filter(|_| row.day >= today) else { continue };
        if notices.len() == NAMED_MOST {
            further += 1;
            continue;
        }
        notices.push(format!(
            "`{org}` sends more than its quota: {messages} messages of {bytes} bytes are left undecided today"
        ));
    }
    if further > 0 {
        notices.push(format!("{further} organizations more send more than their quotas"));
    }
    Ok(notices)
}
