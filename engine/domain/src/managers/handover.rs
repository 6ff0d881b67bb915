//! Whom somebody has granted anything who is gone is their granter's: written down in slices, after it holds.
//!
//! It holds at once, since whoever reads goes through who is gone ([`settled`]), and what is written is what is read. So
//! it is the same before, between and after the slices, and a row less is read at every question.

use std::ops::Bound;

use linesman_schemas::directory::Grant;
use linesman_schemas::{Login, OrgName};

use super::row::was;
use super::{GONE, GrantRow, MANAGERS, ManagerRow, Managers, key, owner};
use crate::Error;
use crate::desk::Desk;
use crate::jobs::{SLICE_BYTES, SLICE_ROWS};
use crate::rights::{Member, settled};
use crate::table::{self, Key};

/// Managers of an organization, or without one the provider's people, are handed over behind the row `after`, a slice of
/// them; then those who are gone: of an organization they go, of the provider's they are handed over too, since managers
/// in other lanes may name them. The last row's key where there is more to do, and how many there were.
///
/// `is_last`: nobody has gone since the first slice. Otherwise nobody's row goes: who was handed over by now may name
/// them, and another job will find out.
pub(crate) fn hand_over(
    desk: &mut Desk,
    managers: &mut Managers,
    org: Option<&OrgName>,
    after: &[u8],
    is_last: bool,
) -> Result<(Option<Vec<u8>>, u64), Error> {
    let here = MANAGERS.prefix(&[owner(org)], &[]);
    if after.is_empty() || after.starts_with(&here) {
        let (last, count) = slice(desk, &here, after, |desk, row| hand_over_one(desk, managers, org, &here, row))?;
        // Those who are gone are behind nobody yet.
        return Ok((last.or_else(|| Some(GONE.prefix(&[owner(org)], &[]))), count));
    }
    let gone = GONE.prefix(&[owner(org)], &[]);
    match org {
        Some(_) if !is_last => Ok((None, 0)),
        // INVARIANT (a row that is named stays): of an organization only its own managers name who is gone, and by now
        // none does.
        Some(_) => slice(desk, &gone, after, |desk, (key, _)| {
            desk.remove_found(key);
            Ok(())
        }),
        None => slice(desk, &gone, after, |desk, row| shorten(desk, managers, &gone, row)),
    }
}

/// The rows behind `after` whose keys begin with `front`, as many as a slice has.
fn slice(
    desk: &mut Desk,
    front: &[u8],
    after: &[u8],
    mut each: impl FnMut(&mut Desk, (Vec<u8>, Vec<u8>)) -> Result<(), Error>,
) -> Result<(Option<Vec<u8>>, u64), Error> {
    let mut last = if after.is_empty() { front.to_vec() } else { after.to_vec() };
    let (mut count, mut bytes) = (0, 0);
    // No row has the front alone as its key.
    while let Some((key, row)) = desk.first(Bound::Excluded(&last), front)? {
        if count >= SLICE_ROWS || bytes >= SLICE_BYTES {
            return Ok((Some(last), count as u64));
        }
        (count, bytes) = (count + 1, bytes + key.len() + row.len());
        last.clone_from(&key);
        each(desk, (key, row))?;
    }
    Ok((None, count as u64))
}

fn hand_over_one(
    desk: &mut Desk,
    managers: &mut Managers,
    org: Option<&OrgName>,
    front: &[u8],
    (found, bytes): (Vec<u8>, Vec<u8>),
) -> Result<(), Error> {
    let own = found.strip_prefix(front).and_then(|own| std::str::from_utf8(own).ok());
    let Some(name) = own.and_then(|own| own.parse().ok()) else { return Ok(()) };
    let row: ManagerRow = table::decode(&found, &bytes)?;
    let member = row.clone().member(Login::new(org.cloned(), name));
    let Some(grant) = handed_over(desk, managers, &member)? else { return Ok(()) };
    desk.write(key(&member.login), &ManagerRow { grant: (&grant).into(), ..row })?;
    managers.changed(&member.login);
    Ok(())
}

/// Of one of the provider's people who is gone: the way up goes through none who is.
fn shorten(
    desk: &mut Desk,
    managers: &mut Managers,
    front: &[u8],
    (found, bytes): (Vec<u8>, Vec<u8>),
) -> Result<(), Error> {
    let Some(was) = found.strip_prefix(front).and_then(|own| was(None, own)) else { return Ok(()) };
    let key: Key<GrantRow> = super::gone_key(&was);
    let row: GrantRow = table::decode(&found, &bytes)?;
    let member = Member { login: was.login, number: was.number, grant: row.into() };
    let Some(grant) = handed_over(desk, managers, &member)? else { return Ok(()) };
    desk.write(key, &(&grant).into())?;
    managers.changed_directory();
    Ok(())
}

/// What somebody was granted, if that is another's by now. A way that breaks off stays as it is.
fn handed_over(desk: &Desk, managers: &Managers, member: &Member) -> Result<Option<Grant>, Error> {
    let grant = settled(&managers.known(desk), member)?;
    Ok((grant.granter.is_some() && grant != member.grant).then_some(grant))
}
