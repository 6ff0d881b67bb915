//! What is wrong with an organization's reactions holds up nobody else's; what is wrong with a destination leaves it alone.

use super::*;

impl Lane {
    /// A lane with cases of some organizations for the upstream, so many of each.
    fn with_cases_of(cases: &[(&str, u64)]) -> Self {
        let mut lane = Self::at(level::NEWEST);
        for (org, _) in cases {
            lane.organization(org, "Send all information");
        }
        lane.rules(1, &[("open", OPEN_CASE)], Settings::default());
        for (org, count) in cases {
            for number in 1..=*count {
                lane.bundle(org, "a", number, "High");
            }
        }
        lane
    }

    fn says(&mut self, org: &str, incident: u64, outcome: &Value) {
        let is_it =
            |row: &PendingRow| row.incident == Some(incident) && row.org.as_ref().is_some_and(|of| of.as_str() == org);
        let (id, row) = self.pending().into_iter().find(|(_, row)| is_it(row)).unwrap();
        let report = json!({"attempt": {"reaction": id, "attempt": row.attempt, "requests": 1, "outcome": outcome}});
        self.take(org, "result", report.to_string().as_bytes());
    }

    /// How long all are left alone, and how long an organization's, in seconds.
    fn rests(&self, org: &str) -> (Option<i64>, Option<i64>) {
        let rest = |key| {
            self.row::<reactions::CircuitRow>(&key)?.open_until.map(|until| until.duration_since(self.now).as_secs())
        };
        (rest(reactions::circuit("jss")), rest(reactions::own("jss", org)))
    }

    fn later(&mut self, seconds: i64) {
        self.now = self.now.checked_add(seconds.seconds()).unwrap();
    }
}

#[test]
fn an_organization_whose_cases_fail_holds_nobody_else_up() {
    let mut lane = Lane::with_cases_of(&[("acme", 6), ("bolt", 1)]);
    for round in 0..4 {
        for incident in 1..=6 {
            lane.says("acme", incident, &failed("unavailable", None));
        }
        let (all, own) = lane.rests("acme");
        assert_eq!(all, None, "round {round}");
        assert!(own.is_some_and(|rest| rest >= 30), "its own are left alone");
        lane.later(1_000);
    }
    assert_eq!(lane.rests("bolt"), (None, None));
    lane.says("bolt", 1, &accepted());
    assert!(lane.rests("acme").1.is_some(), "that another's is taken says nothing of its own");
    lane.says("acme", 1, &accepted());
    assert_eq!(lane.rests("acme"), (None, None));
}

#[test]
fn a_reaction_that_fails_alone_waits_alone() {
    let mut lane = Lane::with_cases_of(&[("acme", 2)]);
    for _ in 0..8 {
        lane.says("acme", 1, &failed("unavailable", None));
        lane.later(400);
    }
    assert_eq!(lane.rests("acme"), (None, None));
    // With a second one it is not alone.
    for _ in 0..5 {
        lane.says("acme", 2, &failed("unavailable", None));
    }
    assert_eq!(lane.rests("acme"), (None, Some(30)));
    lane.later(31);
    lane.says("acme", 2, &failed("unavailable", None));
    assert_eq!(lane.rests("acme"), (None, Some(60)), "a probe that fails");
}

#[test]
fn a_destination_that_fails_several_is_left_alone_by_all() {
    let mut lane = Lane::with_cases_of(&[("acme", 4), ("bolt", 4), ("cobalt", 1)]);
    for incident in 1..=4 {
        lane.says("acme", incident, &failed("unavailable", None));
    }
    lane.says("bolt", 1, &failed("unavailable", None));
    assert_eq!(lane.rests("cobalt").0, None, "one organization counts for half");
    lane.says("bolt", 2, &failed("unavailable", None));
    assert_eq!(lane.rests("cobalt"), (Some(30), None));
    lane.later(31);
    lane.says("bolt", 3, &failed("unavailable", None));
    assert_eq!(lane.rests("cobalt").0, Some(60), "a probe that fails");
    lane.later(61);
    lane.says("cobalt", 1, &accepted());
    assert_eq!(lane.rests("cobalt"), (None, None));
}

#[test]
fn what_a_destination_asks_for_all_get() {
    let mut lane = Lane::with_cases_of(&[("acme", 1), ("bolt", 1)]);
    lane.says("acme", 1, &failed("overloaded", Some(900)));
    assert_eq!(lane.rests("bolt"), (Some(900), None));
}
