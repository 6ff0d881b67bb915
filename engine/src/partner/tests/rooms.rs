//! The two listeners know nothing of each other.

use std::fs;
use std::path::Path;

/// What this room takes of the edge: the transport, the way of commands, what is recorded of refusals, and doors.
const SHARED: [&str; 4] =
    ["crate::edge::transport", "crate::edge::commands", "crate::edge::refusals", "crate::edge::logins::doors"];

#[test]
fn the_partner_listener_takes_of_the_edge_what_is_shared_and_nothing_else() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/partner");
    let mut seen = 0;
    for entry in fs::read_dir(room).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for import in text.lines().filter(|line| line.contains("crate::edge::")) {
            assert!(SHARED.iter().any(|shared| import.contains(shared)), "{}: {import}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}
