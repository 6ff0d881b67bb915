//! `docs/managers.md` says what is so. `LINESMAN_BLESS=1` writes its table of operations anew.

use std::collections::BTreeMap;
use std::path::PathBuf;

use linesman_schemas::{IncidentStep, Privilege, Right};

use crate::rights::OPERATIONS;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/managers.md")
}

/// The document up to what stands between a marker and the next `<!-- end -->`, that, and the rest.
fn cut(document: &str, name: &str) -> [String; 3] {
    let marker = format!("<!-- {name} -->\n");
    let (before, rest) = document.split_once(&marker).unwrap_or_else(|| panic!("no {marker}"));
    let (section, behind) = rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{marker} has no end"));
    [format!("{before}{marker}"), section.to_owned(), format!("<!-- end -->{behind}")]
}

/// The first cells of a table's rows, without its head.
fn words(document: &str, name: &str) -> Vec<String> {
    let [_, section, _] = cut(document, name);
    let cell = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    section.lines().filter_map(cell).collect()
}

/// What each operation takes, by that.
fn table() -> String {
    let mut rows: Vec<(String, Vec<&str>)> = Vec::new();
    let mut places = BTreeMap::new();
    for (operation, need) in OPERATIONS {
        let need = need.to_string();
        let at = *places.entry(need.clone()).or_insert(rows.len());
        if at == rows.len() {
            rows.push((need, Vec::new()));
        }
        rows[at].1.push(operation);
    }
    rows.sort();
    let row = |(need, operations): &(String, Vec<&str>)| {
        let operations: Vec<String> = operations.iter().map(|operation| format!("`{operation}`")).collect();
        format!("| {need} | {} |\n", operations.join(", "))
    };
    format!("| it takes | for |\n|---|---|\n{}", rows.iter().map(row).collect::<String>())
}

#[test]
fn privileges_rights_and_what_operations_take_are_those_there_are() {
    let document = std::fs::read_to_string(path()).unwrap();
    assert_eq!(words(&document, "privileges"), Privilege::ALL.map(Privilege::as_str));
    assert_eq!(words(&document, "rights"), Right::ALL.map(Right::as_str));
    assert_eq!(words(&document, "incidents"), IncidentStep::ALL.map(IncidentStep::as_str));
    let [before, told, behind] = cut(&document, "operations");
    if std::env::var_os("LINESMAN_BLESS").is_some() {
        std::fs::write(path(), format!("{before}{}{behind}", table())).unwrap();
        return;
    }
    assert_eq!(told, table(), "docs/managers.md is not current; LINESMAN_BLESS=1 writes it");
}
