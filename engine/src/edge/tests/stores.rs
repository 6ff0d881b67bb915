//! Stores that earlier programs wrote are shown: every list to its end, and each item.
//!
//! How many there are stands beside them, in `tests/fixtures/stores/<format>/lists`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::{BOUNDS, WALK_MOST};
use super::fixture::{Fixture, nobody};
use super::lists::{LISTS, all};
use crate::metrics::Metrics;

/// `stores` of the fixtures.
fn stores() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/stores")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}

/// Where an item is shown by itself.
fn path(list: &str, item: &Value) -> String {
    let text = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
    match list {
        "devices" => format!("devices/{}/{}", text("organization"), text("serial_number")),
        "intelligence" => format!("intelligence/{}/{}", text("organization"), text("id")),
        "organizations" => format!("organizations/{}", text("name")),
        "cases" => format!("cases/{}", text("incident")),
        _ => format!("{list}/{}", text("id")),
    }
}

#[tokio::test]
async fn lists_show_what_earlier_programs_wrote() {
    let folders = fs::read_dir(stores()).unwrap().map(|entry| entry.unwrap().path());
    for format in folders.filter(|path| path.is_dir()) {
        let dir = tempfile::tempdir().unwrap();
        copy(&format.join("state"), &dir.path().join("state"));
        let (_, metrics) = Metrics::recorder().unwrap();
        let edge = Fixture::in_dir(dir, WALK_MOST, BOUNDS, nobody().await, metrics).await;
        let mut found = String::new();
        for (list, _) in LISTS {
            let items = all(&edge, list, "", 100).await;
            for item in &items {
                let path = format!("/api/v1/{}", path(list, item));
                assert_eq!(edge.get(&path).await.status(), 200, "{path}");
            }
            found.push_str(&format!("{list} {}\n", items.len()));
        }
        let status: Value = edge.get("/api/v1/status").await.json().await.unwrap();
        for pending in status["pending"].as_array().unwrap() {
            found.push_str(&format!("pending {} {}\n", pending["destination"].as_str().unwrap(), pending["reactions"]));
        }
        let expected = format.join("lists");
        if std::env::var_os("LINESMAN_BLESS").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        assert_eq!(fs::read_to_string(&expected).unwrap(), found, "{}", format.display());
    }
}
