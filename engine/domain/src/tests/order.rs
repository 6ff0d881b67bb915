//! Everything queued for an upstream that was away goes out in the order in which it was decided.

use super::*;

impl Lane {
    /// The reactions of an upstream in the order in which they are due, by the number of their incident.
    fn queue(&self) -> Vec<u64> {
        let queued = reactions::queue(&self.base, "jss", "acme").map(Result::unwrap);
        queued.map(|queued| self.row(&reactions::key(&queued.id)).unwrap().incident.unwrap()).collect()
    }

    fn told(&mut self, incident: u64, outcome: &Value) {
        let found = self.pending().into_iter().find(|(_, row)| row.incident == Some(incident));
        let (id, row) = found.unwrap();
        let report = json!({"attempt": {"reaction": id, "attempt": row.attempt, "requests": 1, "outcome": outcome}});
        self.take("acme", "result", report.to_string().as_bytes());
    }

    fn second(&mut self) {
        self.now = self.now.checked_add(1.second()).unwrap();
    }

    /// A lane with six cases for the upstream, decided a second apart.
    fn with_cases(level: u32) -> Self {
        let mut lane = Self::at(level);
        lane.organization("acme", "Send all information");
        lane.rules(1, &[("open", OPEN_CASE)], Settings::default());
        for number in 1..=6 {
            lane.second();
            lane.bundle("acme", "a", number, "High");
        }
        assert_eq!(lane.queue(), [1, 2, 3, 4, 5, 6]);
        lane
    }
}

#[test]
fn what_was_tried_before_the_outage_was_noticed_keeps_its_place() {
    let mut lane = Lane::with_cases(level::NEWEST);
    for number in 1..=4 {
        lane.told(number, &failed("unavailable", None));
    }
    assert_eq!(lane.queue()[..2], [5, 6], "it may be their own fault");
    lane.told(5, &failed("unavailable", None));
    assert_eq!(lane.queue(), [1, 2, 3, 4, 5, 6], "it is the upstream's");
    for _ in 0..3 {
        lane.now = lane.now.checked_add(1.hour()).unwrap();
        lane.told(1, &failed("unavailable", None));
        assert_eq!(lane.queue(), [1, 2, 3, 4, 5, 6], "a try in between loses no place");
    }
    lane.told(1, &accepted());
    lane.told(2, &failed("unavailable", None));
    assert_eq!(lane.queue()[0], 3, "the upstream is back: this one's failure is its own");
}

#[test]
fn what_an_upstream_that_is_too_busy_turns_away_keeps_its_place() {
    let mut lane = Lane::with_cases(level::NEWEST);
    lane.told(1, &failed("overloaded", Some(60)));
    assert_eq!(lane.queue(), [1, 2, 3, 4, 5, 6]);
    let circuit = lane.row(&reactions::circuit("jss")).unwrap();
    assert_eq!(circuit.open_until.unwrap().duration_since(lane.now).as_secs(), 60, "nobody is tried before");
}

#[test]
fn one_that_fails_by_itself_holds_nobody_up() {
    let mut lane = Lane::with_cases(level::NEWEST);
    for number in [2, 3] {
        lane.told(1, &failed("unavailable", None));
        lane.told(number, &accepted());
        assert_ne!(lane.queue()[0], 1);
    }
    assert!(lane.row(&reactions::circuit("jss")).is_none());
}

#[test]
fn places_are_kept_from_level_8_on() {
    let mut lane = Lane::with_cases(7);
    for number in 1..=5 {
        lane.told(number, &failed("unavailable", None));
    }
    assert_eq!(lane.queue()[0], 6);
}
