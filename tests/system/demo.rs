//! The demo on a terminal: it kills its engine and shows that nothing is lost, and gives the terminal back.

use linesman_tests::{World, on_terminal};
use serde_json::json;

#[tokio::test]
async fn whoever_watches_sees_the_kill_pauses_asks_for_help_and_ends_it() {
    let steps = json!([
        ["wait", "Acme Corp"],
        ["wait", "is killed (SIGKILL)"],
        ["wait", "Nothing lost, nothing doubled"],
        ["press", "p"],
        ["wait", "PAUSED"],
        ["press", "?"],
        ["wait", "export LINESMAN_DATA_DIR="],
        ["press", "?"],
        ["wait", "Last events"],
        ["press", "p"],
        ["wait", "sent bundle"],
        ["press", "q"],
    ]);
    let shown = on_terminal((100, 30), &steps, &["demo"]).await.unwrap();
    assert_eq!((shown.code, shown.is_restored), (0, true), "{shown:?}");
    assert!(shown.left.contains("none lost, none twice. Its engine was killed once"), "{}", shown.left);
    let (_, data) = shown.left.split_once("Its data, ").unwrap();
    let (data, _) = data.split_once(", are gone").unwrap();
    assert!(!std::path::Path::new(data).exists(), "{data}");
    // What customers have is told by the names that people know.
    for word in ["Bolt Logistics", "Cobalt Clinics", "Delta Dairies", "Intelligence, and whom it concerns"] {
        assert!(shown.screen.contains(word), "{word}");
    }
}

#[tokio::test]
async fn a_signal_ends_it_and_the_terminal_is_as_it_was() {
    let world = World::new().unwrap();
    let folder = world.path("demo");
    let steps = json!([["wait", "the partner's engine runs"], ["signal", 15]]);
    let shown = on_terminal((60, 20), &steps, &["demo", "--data-dir", folder.to_str().unwrap()]).await.unwrap();
    assert_eq!((shown.code, shown.is_restored), (0, true), "{shown:?}");
    assert!(shown.left.contains("Its data stay in ") && shown.left.contains("goes on with them"), "{}", shown.left);
    // Neither server runs on.
    for data in ["data", "delta/data"] {
        let Ok(record) = std::fs::read(folder.join(data).join("nats/server.json")) else { continue };
        let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
        let runs = std::fs::read_to_string(format!("/proc/{}/cmdline", record["pid"])).unwrap_or_default();
        assert!(!runs.contains("demo"), "{runs}");
    }
}

#[tokio::test]
async fn for_programs_it_is_lines_of_json_on_a_terminal_too() {
    let steps = json!([["wait", "{\"event\":{"], ["wait", "trigger.incident.detected\"}"], ["signal", 15]]);
    let shown = on_terminal((80, 24), &steps, &["demo", "--json"]).await.unwrap();
    assert!(shown.is_restored, "{shown:?}");
    assert!(!shown.screen.contains("Last events"), "{shown:?}");
    let first = shown.screen.lines().find(|line| line.starts_with("{\"event\"")).unwrap();
    let event: serde_json::Value = serde_json::from_str(first.trim()).unwrap();
    assert!(event["subject"].is_string() && event["event"]["specversion"] == "1.0", "{event}");
}
