//! Exports: a log in lines of JSON, or a table in CSV.
//!
//! ```text
//! {"format":"linesman-audit-1","origin":"linesman/.../acme","size":2,"root":"<hex>","checkpoint":"<signed note>"}
//! {"index":0,"leaf":"<hex>"}
//! {"index":1,"leaf":"<hex>","record":{"index":1,...},"detail":"created"}
//! ```
//!
//! Only a whole log has the first line, and can be verified. Of several one stands behind the other, and the first line of
//! all names them (`logs`). Lines of records that were chosen say first whose log they
//! are of (`organization`). A record stands there byte for byte as it was hashed; one
//! whose time is over has its hash alone, and the checkpoint says up to which that is so. `detail` is for people, and
//! nothing proves it.

use std::borrow::Cow;

use linesman_domain::audit::{AuditRow, Hash};
use linesman_schemas::audit::Record;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::checkpoint::Checkpoint;

/// What the first line calls itself.
pub(super) const FORMAT: &str = "linesman-audit-1";
/// The columns of a table.
const COLUMNS: [&str; 16] = [
    "organization",
    "index",
    "time",
    "actor",
    "chain",
    "node",
    "operation",
    "place",
    "about",
    "outcome",
    "detail",
    "old",
    "new",
    "command",
    "rule_book",
    "leaf",
];

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header<'a> {
    #[serde(borrow)]
    pub(super) format: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) origin: Cow<'a, str>,
    pub(super) size: u64,
    pub(super) root: Hash,
    /// The same, signed.
    #[serde(borrow)]
    pub(super) checkpoint: Cow<'a, str>,
    /// The names of all logs of the export, where they are several and this is the first.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub(super) logs: Vec<Cow<'a, str>>,
}

/// A record's line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<'a> {
    pub(super) index: u64,
    pub(super) leaf: Hash,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) record: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<Cow<'a, str>>,
}

impl<'a> Line<'a> {
    fn of(index: u64, row: &'a AuditRow) -> Result<Self, serde_json::Error> {
        let record = row.body.as_deref().map(serde_json::from_str::<&RawValue>).transpose()?;
        let detail = record.is_some().then_some(Cow::Borrowed(row.detail.as_str()));
        Ok(Self { index, leaf: row.leaf, record, detail })
    }
}

/// Writes the first line of a whole log: how far it has grown, and the note that says so. The first of several names them
/// all.
///
/// # Errors
/// It has no form in JSON.
pub fn header(
    out: &mut Vec<u8>,
    checkpoint: &Checkpoint,
    note: &str,
    logs: &[String],
) -> Result<(), serde_json::Error> {
    let Checkpoint { origin, size, root, .. } = checkpoint;
    let (format, origin) = (Cow::Borrowed(FORMAT), Cow::Borrowed(origin.as_str()));
    let logs = logs.iter().map(|log| Cow::Borrowed(log.as_str())).collect();
    write(out, &Header { format, origin, size: *size, root: *root, checkpoint: Cow::Borrowed(note), logs })
}

/// Writes a record's line.
///
/// # Errors
/// What is stored of it is no JSON.
pub fn line(out: &mut Vec<u8>, index: u64, row: &AuditRow) -> Result<(), serde_json::Error> {
    write(out, &Line::of(index, row)?)
}

/// Writes the line of a record that was chosen from a log.
///
/// # Errors
/// What is stored of it is no JSON.
pub fn chosen(out: &mut Vec<u8>, owner: &str, index: u64, row: &AuditRow) -> Result<(), serde_json::Error> {
    #[derive(Serialize)]
    struct Chosen<'a> {
        organization: &'a str,
        #[serde(flatten)]
        line: Line<'a>,
    }
    write(out, &Chosen { organization: owner, line: Line::of(index, row)? })
}

fn write(out: &mut Vec<u8>, line: &impl Serialize) -> Result<(), serde_json::Error> {
    serde_json::to_writer(&mut *out, line)?;
    out.push(b'\n');
    Ok(())
}

/// Writes the names of a table's columns.
pub fn columns(out: &mut Vec<u8>) {
    cells(out, COLUMNS.map(Cow::Borrowed));
}

/// Writes a record of a log as a line of a table.
///
/// # Errors
/// What is stored of it is no record.
pub fn cells_of(out: &mut Vec<u8>, owner: &str, index: u64, row: &AuditRow) -> Result<(), serde_json::Error> {
    let record: Option<Record> = row.body.as_deref().map(serde_json::from_str).transpose()?;
    let (owner, index, leaf) = (owner.to_owned(), index.to_string(), row.leaf.to_string());
    let cell = |of: fn(&Record) -> String| record.as_ref().map(of).unwrap_or_default();
    let line = [
        owner,
        index,
        cell(|record| record.time.to_string()),
        cell(|record| record.actor.clone()),
        cell(|record| record.chain.join(" ")),
        cell(|record| record.node.clone()),
        cell(|record| record.operation.clone()),
        cell(|record| record.place.clone()),
        cell(|record| record.about.clone().unwrap_or_default()),
        cell(|record| record.outcome.as_str().to_owned()),
        row.detail.clone(),
        cell(|record| record.old.to_string()),
        cell(|record| record.new.to_string()),
        cell(|record| record.command.to_string()),
        cell(|record| record.rule_book.to_string()),
        leaf,
    ];
    cells(out, line.map(Cow::Owned));
    Ok(())
}

/// A line of RFC 4180. What a spreadsheet would take for a formula gets an apostrophe before it.
pub(crate) fn cells<'a>(out: &mut Vec<u8>, cells: impl IntoIterator<Item = Cow<'a, str>>) {
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        let apostrophe = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        if apostrophe.is_empty() && !cell.contains([',', '"', '\n', '\r']) {
            out.extend_from_slice(cell.as_bytes());
        } else {
            let quoted = cell.replace('"', "\"\"");
            out.extend([b"\"", apostrophe.as_bytes(), quoted.as_bytes(), b"\""].concat());
        }
    }
    out.extend_from_slice(b"\r\n");
}
