//! That the NATS server's clock is not the lanes', as `status` tells it.

use jiff::{SignedDuration, Timestamp};
use linesman_domain::clock::Doubt;

/// What people should know of it: of the lane that is the furthest apart and whether it waits for them, and in how many it is so.
pub(super) fn notice(doubts: &[(u32, Doubt, bool)]) -> Option<String> {
    let (lane, doubt, waits) = doubts.iter().max_by_key(|(_, doubt, _)| doubt.ahead.unsigned_abs())?;
    let (lanes, apart) = (doubts.len(), told(doubt.ahead));
    let since = Timestamp::from_second(doubt.since.as_second()).unwrap_or(doubt.since);
    let of = format!("in {lanes} lanes, the furthest lane {lane} since {since}");
    Some(match (doubt.ahead.is_negative(), doubt.is_slow) {
        (false, _) if *waits => format!(
            "the clocks of the NATS server and of this engine say that it is {apart} later than in the log ({of}), which is not \
             believed until somebody confirms it: what falls due goes on by what passes, from there; if they are right, \
             `linesman clock confirm`, and if not, set both right"
        ),
        (false, _) => format!(
            "the NATS server's clock is {apart} ahead and is not believed ({of}): what falls due goes on by what passes; set \
             that clock right, or this engine's where that is the wrong one"
        ),
        (true, false) => format!(
            "the NATS server's clock is {apart} behind this engine's ({of}): what falls due goes on by what passes; set the \
             wrong one right"
        ),
        (true, true) => format!(
            "the NATS server's clock was ahead and was believed: the log's time is {apart} ahead ({of}), goes on at half its \
             pace and is right again within twice that time"
        ),
    })
}

/// How long, in its largest unit.
fn told(apart: SignedDuration) -> String {
    let seconds = apart.unsigned_abs().as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_furthest_lane_is_named_with_what_to_do() {
        let doubt = |hours, is_slow| Doubt {
            ahead: SignedDuration::from_hours(hours),
            since: "2026-11-21T10:00:00.5Z".parse().unwrap(),
            is_slow,
        };
        assert_eq!(notice(&[]), None);
        let ahead = notice(&[(0, doubt(3, false), false), (4, doubt(8_760, false), false)]).unwrap();
        let found =
            "is 365 days ahead and is not believed (in 2 lanes, the furthest lane 4 since 2026-11-21T10:00:00Z)";
        assert!(ahead.contains(found), "{ahead}");
        let waits = notice(&[(4, doubt(8_760, false), true)]).unwrap();
        assert!(waits.contains("365 days later than in the log (in 1 lanes"), "{waits}");
        assert!(waits.contains("`linesman clock confirm`"), "{waits}");
        assert!(notice(&[(0, doubt(-3, false), false)]).unwrap().contains("is 3 h behind this engine's"));
        assert!(notice(&[(0, doubt(-1, true), false)]).unwrap().contains("the log's time is 60 min ahead"));
    }
}
