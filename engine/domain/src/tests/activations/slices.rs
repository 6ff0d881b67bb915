//! How many lines are rendered before others have their turn.

use super::*;

/// In how many slices lines are rendered at a level, and what devices have then.
fn rendered(level: u32, is_alone: bool) -> (usize, Devices) {
    let mut network = Network::at(level, vec![service("limit", &LIMIT)]);
    for number in 3..=96 {
        let place = format!("acme/berlin/line-{number}");
        network.does(&json!({"set_place": {"place": place, "device": "pe-berlin"}}));
    }
    network.lane.decided(&subscribe("acme", "cap", "limit", &["burst=1k"], true));
    let mut slices = 0;
    while network.lane.domain.has_work() {
        network.lane.decide("", "ctl", b"", Content::Continue { is_alone });
        network.lane.commit();
        slices += 1;
    }
    network.settle();
    (slices, network.devices)
}

#[test]
fn slices_are_small_beside_others_and_large_alone_and_come_to_the_same() {
    let (beside, devices) = rendered(level::NEWEST, false);
    assert_eq!(devices["pe-berlin"].len(), 96);
    assert_eq!(rendered(level::NEWEST, true), (4, devices.clone()), "98 lines, 25 at once");
    assert_eq!(beside, 25, "4 at once");
    assert_eq!(rendered(7, true), (25, devices), "level 7 knows nothing of being alone");
}
