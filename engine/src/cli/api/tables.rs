//! Every table that a command prints, for what is promised of all of them.

use super::show::Column;

/// Whose each is and what it is called there, and its columns.
pub(super) const TABLES: &[(&str, &[Column])] = &[
    ("activation COLUMNS", &super::activation::COLUMNS),
    ("address COLUMNS", &super::address::COLUMNS),
    ("approval COLUMNS", &super::approval::COLUMNS),
    ("audit COLUMNS", &super::audit::COLUMNS),
    ("case COLUMNS", &super::case::COLUMNS),
    ("clock COLUMNS", &super::clock::COLUMNS),
    ("contract COLUMNS", &super::contract::COLUMNS),
    ("dead COLUMNS", &super::dead::COLUMNS),
    ("dead GROUPED", &super::dead::GROUPED),
    ("device COLUMNS", &super::device::COLUMNS),
    ("device DRIFT_COLUMNS", &super::device::DRIFT_COLUMNS),
    ("directives-group COLUMNS", &super::directives_group::COLUMNS),
    ("each BECAME", &super::each::BECAME),
    ("files COLUMNS", &super::files::COLUMNS),
    ("group COLUMNS", &super::group::COLUMNS),
    ("incident COLUMNS", &super::incident::COLUMNS),
    ("incident HISTORY", &super::incident::HISTORY),
    ("intel AFFECTED", &super::intel::AFFECTED),
    ("intel ASSOCIATIONS", &super::intel::ASSOCIATIONS),
    ("intel COLUMNS", &super::intel::COLUMNS),
    ("jmb-error COLUMNS", &super::jmb_error::COLUMNS),
    ("lane COLUMNS", &super::lane::COLUMNS),
    ("level COLUMNS", &super::level::COLUMNS),
    ("manager CHANGED", &super::manager::CHANGED),
    ("manager COLUMNS", &super::manager::COLUMNS),
    ("manager GROUPS", &super::manager::GROUPS),
    ("manager LINKS", &super::manager::LINKS),
    ("mode COUNTS", &super::mode::COUNTS),
    ("org COLUMNS", &super::org::COLUMNS),
    ("org STEPS", &super::org::STEPS),
    ("place COLUMNS", &super::place::COLUMNS),
    ("policy COLUMNS", &super::policy::COLUMNS),
    ("preview VALUES", &super::preview::VALUES),
    ("scripts BUNDLES", &super::scripts::BUNDLES),
    ("scripts DEVICES", &super::scripts::DEVICES),
    ("scripts FILES", &super::scripts::FILES),
    ("service COLUMNS", &super::service::COLUMNS),
    ("service ROLLED_OUT", &super::service::ROLLED_OUT),
    ("session COLUMNS", &super::session::COLUMNS),
    ("status DESTINATIONS", &super::status::DESTINATIONS),
    ("status JOBS", &super::status::JOBS),
    ("status LANES", &super::status::LANES),
    ("status PARTNER", &super::status::PARTNER),
    ("status SOURCES", &super::status::SOURCES),
    ("status STREAMS", &super::status::STREAMS),
    ("status UPSTREAM", &super::status::UPSTREAM),
    ("subscription COLUMNS", &super::subscription::COLUMNS),
    ("token COLUMNS", &super::token::COLUMNS),
    ("value COLUMNS", &super::value::COLUMNS),
    ("consumers COLUMNS", &crate::cli::consumers::COLUMNS),
    ("trials PARAMETERS", &crate::cli::trials::PARAMETERS),
];

/// Whoever adds a table adds it above.
#[test]
fn none_is_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
    let files = [folder.clone(), folder.join("api")].into_iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let count = |file: std::path::PathBuf| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        text.lines()
            .filter(|line| line.starts_with("pub(in crate::cli) const ") && line.contains(": [Column; "))
            .count()
    };
    assert_eq!(files.map(|entry| count(entry.unwrap().path())).sum::<usize>(), TABLES.len());
}
