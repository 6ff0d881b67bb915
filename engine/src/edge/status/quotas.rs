//! Which organizations send more than their quotas, as `status` tells it.

use jiff::Timestamp;
use linesman_domain::quotas::{self, LeftRow};
use linesman_domain::{Error, remembered};
use linesman_schemas::{OrgName, QuotaKind};

use crate::store::Lane;

/// How many organizations are named.
const NAMED_MOST: usize = 10;

/// What people should know of quotas.
///
/// # Errors
/// The state cannot be read.
pub(super) fn notices(lanes: &[Lane], now: Timestamp) -> Result<Vec<String>, Error> {
    let (mut notices, mut further, today) = (Vec::new(), 0_u64, quotas::day_of(now));
    for lane in lanes {
        for row in quotas::all(lane) {
            let (org, row) = row?;
            let is_exhausted = |kind| row.was_exhausted(kind);
            let is_daily = is_exhausted(QuotaKind::Messages) || is_exhausted(QuotaKind::Bytes);
            let Some(left) = row.left.as_ref().filter(|_| row.day >= today) else { continue };
            if notices.len() == NAMED_MOST {
                further += 1;
                continue;
            }
            let ids = match is_exhausted(QuotaKind::RememberedIds) {
                true => Some(remembered::counted(lane, &org)?.unwrap_or_default()),
                false => None,
            };
            notices.push(told(&org, left, is_daily, ids));
        }
    }
    if further > 0 {
        notices.push(format!("{further} organizations more send more than their quotas"));
    }
    Ok(notices)
}

/// What is told of one: what was left undecided of it today, for a quota of the day (`is_daily`) or for that of the ids that are
/// remembered, of which there are so many whatever the day is.
fn told(org: &OrgName, left: &LeftRow, is_daily: bool, ids: Option<u64>) -> String {
    let LeftRow { messages, bytes, .. } = left;
    let left = format!("{messages} messages of {bytes} bytes are left undecided today");
    match ids {
        None => format!("`{org}` sends more than its quota: {left}"),
        Some(ids) => {
            let daily = if is_daily { "more than its quota of a day, and " } else { "" };
            format!(
                "`{org}` sends {daily}more problems than its quota lets be remembered: {left}; {ids} host-event-IDs count, and \
                 problems that are new are left until some are forgotten or the quota is raised, also on another day"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_with_the_day_and_what_does_not_is_told_apart() {
        let (org, left) = ("acme".parse().unwrap(), LeftRow { messages: 3, bytes: 90, first: 1, last: 9 });
        let said = "3 messages of 90 bytes are left undecided today";
        assert_eq!(told(&org, &left, true, None), format!("`acme` sends more than its quota: {said}"));
        let ids = told(&org, &left, false, Some(10));
        let expected =
            format!("`acme` sends more problems than its quota lets be remembered: {said}; 10 host-event-IDs count");
        assert!(ids.starts_with(&expected) && ids.ends_with("also on another day"), "{ids}");
        let both = told(&org, &left, true, Some(10));
        assert!(both.starts_with("`acme` sends more than its quota of a day, and more problems than"), "{both}");
    }
}
