//! Where sources go on.

use linesman_schemas::control::{Control, SourceCursor};

use super::*;
use crate::sources::{self, CursorRow};

fn report(cursor: &str, number: u64) -> SourceCursor {
    SourceCursor { source: "bulletins".parse().unwrap(), cursor: Some(cursor.to_owned()), number }
}

impl Lane {
    /// A report, a batch of its own; how many rows it changed besides the position and the span.
    fn goes_on(&mut self, report: SourceCursor) -> usize {
        let bytes = serde_json::to_vec(&Control::Cursor(report.clone())).unwrap();
        self.decide("", "ctl", &bytes, Content::Cursor(report));
        self.commit().writes.rows.len() - 2
    }

    fn cursor(&self) -> Option<(String, u64)> {
        let row = sources::read(&self.base, &"bulletins".parse().unwrap()).unwrap();
        row.map(|CursorRow { cursor, number, reported }| {
            assert_eq!(reported, self.now);
            (cursor.unwrap(), number)
        })
    }
}

#[test]
fn a_cursor_that_comes_again_or_late_changes_nothing() {
    let mut lane = Lane::new();
    assert_eq!(lane.cursor(), None);
    assert_eq!(lane.goes_on(report("a", 1)), 1);
    assert_eq!(lane.goes_on(report("b", 2)), 1);
    lane.reopens = true;
    // The second again, the first overtaken, another one of the same number, one before all others.
    for late in [report("b", 2), report("a", 1), report("c", 2), report("d", 0)] {
        assert_eq!(lane.goes_on(late), 0);
    }
    assert_eq!(lane.cursor(), Some(("b".to_owned(), 2)));
    // It may lead back to where it was.
    assert_eq!(lane.goes_on(report("a", 3)), 1);
    assert_eq!(lane.cursor(), Some(("a".to_owned(), 3)));
    let elsewhere = SourceCursor { source: "b".parse().unwrap(), ..report("z", 1) };
    assert_eq!(lane.goes_on(elsewhere), 1, "each source has its own");
    assert_eq!(lane.cursor(), Some(("a".to_owned(), 3)));
    assert!(lane.events.is_empty(), "{:?}", lane.subjects());
}

#[test]
fn level_1_knows_no_sources() {
    let mut lane = Lane::at(1);
    assert_eq!(lane.goes_on(report("a", 1)), 0);
    assert_eq!((lane.cursor(), lane.subjects()), (None, vec!["_provider.dead.command-undecodable"]));
}

#[test]
fn another_lane_than_the_first_sets_a_cursor_aside() {
    let mut lane = Lane::new();
    let parts = Parts {
        lane: 1,
        stream: "s".to_owned(),
        payload_most: 4096,
        judge: Rc::clone(&lane.judge),
        book: None,
        room: Arc::default(),
    };
    lane.domain = Domain::open(Box::new(lane.base.handle()), parts).unwrap();
    assert_eq!(lane.goes_on(report("a", 1)), 1, "the count of the day's letters");
    assert_eq!(lane.cursor(), None);
    assert_eq!(lane.subjects(), ["_provider.dead.command-undecodable"]);
}
