//! CSV files (RFC 4180) of what is imported and exported: columns by the names in their first line, in any order.
//!
//! All lines are looked at before anything is done, and all that is wrong with them is told, each by its line.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use csv::{ReaderBuilder, StringRecord, Writer};

/// The largest file, in bytes.
const FILE_MOST: usize = 64 << 20;
/// How many faults are told.
const FAULTS_MOST: usize = 100;

/// A file as it was read.
pub(super) struct Sheet {
    headers: Vec<String>,
    records: Vec<(u64, StringRecord)>,
    faults: Vec<(u64, String)>,
}

/// A line: what stands in its columns.
pub(super) struct Line<'a> {
    headers: &'a [String],
    record: &'a StringRecord,
}

impl Line<'_> {
    /// What stands in a column, without blanks around it; nothing where there is no such column.
    pub(super) fn get(&self, column: &str) -> String {
        let at = self.headers.iter().position(|header| header == column);
        at.and_then(|at| self.record.get(at)).unwrap_or_default().trim().to_owned()
    }
}

impl Sheet {
    /// Reads a file that has all of some columns and may have others, and no more.
    pub(super) fn read(path: &Path, required: &[&str], optional: &[&str]) -> anyhow::Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        if bytes.len() > FILE_MOST {
            bail!("`{}` has more than {FILE_MOST} bytes", path.display());
        }
        // What some spreadsheets begin with.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(bytes);
        let headers: Vec<String> = match reader.headers() {
            Ok(headers) => headers.iter().map(|header| header.trim().to_owned()).collect(),
            Err(error) => bail!("line 1: {}", said(&error)),
        };
        let mut faults = Vec::new();
        for wanted in required.iter().filter(|wanted| !headers.iter().any(|header| header == *wanted)) {
            faults.push((1, format!("there is no column `{wanted}`")));
        }
        for (at, header) in headers.iter().enumerate() {
            if !required.iter().chain(optional).any(|known| header == known) {
                faults.push((
                    1,
                    format!("`{header}` is no column of these: {}", [required, optional].concat().join(", ")),
                ));
            } else if headers.iter().take(at).any(|before| before == header) {
                faults.push((1, format!("there are two columns `{header}`")));
            }
        }
        let mut records = Vec::new();
        for record in reader.records() {
            match record {
                Ok(record) => {
                    let number = record.position().map_or(0, csv::Position::line);
                    if record.len() == headers.len() {
                        records.push((number, record));
                    } else {
                        faults.push((
                            number,
                            format!("has {} fields, and there are {} columns", record.len(), headers.len()),
                        ));
                    }
                }
                Err(error) => faults.push((error.position().map_or(0, csv::Position::line), said(&error))),
            }
        }
        Ok(Self { headers, records, faults })
    }

    /// Whether the first line of a file has a column.
    pub(super) fn has_column(path: &Path, column: &str) -> anyhow::Result<bool> {
        let bytes = std::fs::read(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let first = ReaderBuilder::new().flexible(true).from_reader(bytes).headers().cloned();
        Ok(first.is_ok_and(|headers| headers.iter().any(|header| header.trim() == column)))
    }

    /// What the lines say, each looked at by `look`, and named by `name` once in the file.
    ///
    /// # Errors
    /// All that is wrong, by line.
    pub(super) fn lines<T>(
        mut self,
        look: impl Fn(&Line<'_>) -> Result<T, String>,
        name: impl Fn(&T) -> String,
    ) -> anyhow::Result<Vec<T>> {
        let mut known: BTreeMap<String, u64> = BTreeMap::new();
        let mut found = Vec::with_capacity(self.records.len());
        let headers = if self.faults.iter().any(|(line, _)| *line == 1) { Vec::new() } else { self.headers };
        let records = if headers.is_empty() { Vec::new() } else { self.records };
        for (number, record) in &records {
            match look(&Line { headers: &headers, record }) {
                Ok(one) => match known.insert(name(&one), *number) {
                    Some(before) => {
                        self.faults.push((*number, format!("`{}` stands in line {before} already", name(&one))))
                    }
                    None => found.push(one),
                },
                Err(fault) => self.faults.push((*number, fault)),
            }
        }
        if self.faults.is_empty() {
            return Ok(found);
        }
        self.faults.sort();
        let count = self.faults.len();
        let mut told: Vec<String> =
            self.faults.into_iter().take(FAULTS_MOST).map(|(line, fault)| format!("line {line}: {fault}")).collect();
        if count > FAULTS_MOST {
            told.push(format!("and {} more", count - FAULTS_MOST));
        }
        bail!("nothing is imported:\n{}", told.join("\n"))
    }
}

/// What is wrong, without where.
fn said(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "is no UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

/// Prints a file.
pub(super) fn print(headers: &[&str], lines: impl Iterator<Item = Vec<String>>) -> anyhow::Result<()> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(headers)?;
    for line in lines {
        writer.write_record(line)?;
    }
    let text = String::from_utf8(writer.into_inner().context("a CSV file is written")?)?;
    out!("{text}");
    Ok(())
}
