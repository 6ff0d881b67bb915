//! Answers of the API for people: tables as wide as the terminal, and cards.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use anstyle::{AnsiColor, Style};
use console::{Alignment, measure_text_width, pad_str, truncate_str};
use serde_json::Value;

use crate::harmless::in_line;

/// A column of a table: its title, the JSON pointer of what stands in it (RFC 6901), and how that is said.
pub(in crate::cli) struct Column {
    title: &'static str,
    pointer: &'static str,
    said: fn(&Value) -> String,
    is_whole: bool,
    is_spare: bool,
}

impl Column {
    /// The same, cut in no terminal: what stands in it is told apart by its ends, or asked for.
    pub(in crate::cli) const fn whole(self) -> Self {
        Self { is_whole: true, ..self }
    }

    /// The same, left out of a terminal that has no room for it.
    pub(in crate::cli) const fn spare(self) -> Self {
        Self { is_spare: true, ..self }
    }

    fn is_cut(&self) -> bool {
        // By its id a thing is asked for.
        !self.is_whole && self.pointer != "/id"
    }
}

/// A column.
pub(in crate::cli) const fn column(title: &'static str, pointer: &'static str) -> Column {
    said_column(title, pointer, plain)
}

/// A column whose values are said in words of their own.
pub(in crate::cli) const fn said_column(
    title: &'static str,
    pointer: &'static str,
    said: fn(&Value) -> String,
) -> Column {
    Column { title, pointer, said, is_whole: false, is_spare: false }
}

/// What lies between two columns.
const GAP: &str = "  ";
/// The least width that a column is cut to, in characters.
const NARROW: usize = 8;

/// How wide the terminal is; none where the output goes elsewhere, and nothing is cut.
pub(in crate::cli) fn width() -> Option<usize> {
    let is_terminal = std::io::stdout().is_terminal();
    is_terminal.then(|| usize::from(console::Term::stdout().size().1)).filter(|width| *width > 0)
}

/// Rows beside each other under titles. In a terminal columns that can be spared are left out, the last first, and the widest
/// of the others cut, until a row fits a line.
pub(in crate::cli) fn table(items: &[Value], columns: &[Column], width: Option<usize>) -> String {
    let mut columns: Vec<&Column> = columns.iter().collect();
    let mut widths = widths_of(items, &columns);
    if let Some(room) = width {
        while !fits(&columns, &widths, room)
            && let Some(at) = columns.iter().rposition(|column| column.is_spare)
        {
            columns.remove(at);
            widths.remove(at);
        }
        narrow(&columns, &mut widths, room);
    }
    let rows: Vec<Vec<String>> = items.iter().map(|item| cells(item, &columns)).collect();
    let mut text = String::new();
    let bold = Style::new().bold();
    let titles = columns.iter().map(|column| column.title.to_owned()).collect::<Vec<_>>();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{bold}{}{bold:#}", line(&titles, &widths, |_, cell| cell));
    for row in &rows {
        let painted = line(row, &widths, |at, cell| match columns.get(at) {
            Some(column) => paint(column.pointer, cell),
            None => cell,
        });
        let _ = writeln!(text, "{painted}");
    }
    text
}

fn widths_of(items: &[Value], columns: &[&Column]) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|column| measure_text_width(column.title)).collect();
    for item in items {
        for (width, cell) in widths.iter_mut().zip(cells(item, columns)) {
            *width = (*width).max(measure_text_width(&cell));
        }
    }
    widths
}

/// Whether columns fit a line once they are cut as far as they may be.
fn fits(columns: &[&Column], widths: &[usize], room: usize) -> bool {
    let least = |(column, width): (&&Column, &usize)| if column.is_cut() { (*width).min(NARROW) } else { *width };
    columns.iter().zip(widths).map(least).sum::<usize>() + gaps(widths) <= room
}

const fn gaps(widths: &[usize]) -> usize {
    GAP.len() * widths.len().saturating_sub(1)
}

fn cells(item: &Value, columns: &[&Column]) -> Vec<String> {
    columns.iter().map(|column| item.pointer(column.pointer).map(column.said).unwrap_or_default()).collect()
}

/// Takes from the widest columns until all fit.
fn narrow(columns: &[&Column], widths: &mut [usize], room: usize) {
    while widths.iter().sum::<usize>() + gaps(widths) > room {
        let cut = widths.iter_mut().zip(columns).filter(|(_, column)| column.is_cut());
        match cut.map(|(width, _)| width).max() {
            Some(widest) if *widest > NARROW => *widest -= 1,
            _ => break,
        }
    }
}

fn line(cells: &[String], widths: &[usize], paint: impl Fn(usize, String) -> String) -> String {
    let mut line = String::new();
    for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let cut = truncate_str(cell, *width, "…");
        let is_last = at + 1 == cells.len();
        let padded = if is_last { cut } else { pad_str(&cut, *width, Alignment::Left, None).into_owned().into() };
        line.push_str(&paint(at, padded.into_owned()));
        if !is_last {
            line.push_str(GAP);
        }
    }
    line.trim_end().to_owned()
}

/// Colours the words people look for; removed by whoever prints where there is no terminal.
fn paint(pointer: &str, cell: String) -> String {
    let style = match cell.trim() {
        "Critical" | "failed" | "sealed" | "suspended" | "open" => AnsiColor::Red.on_default().bold(),
        "High" | "waiting" | "withheld" => AnsiColor::Yellow.on_default(),
        "completed" | "closed" | "running" => AnsiColor::Green.on_default(),
        _ if pointer == "/id" => AnsiColor::Cyan.on_default(),
        _ => return cell,
    };
    format!("{style}{cell}{style:#}")
}

/// One thing: a line for each of its fields, those of a part indented.
pub(in crate::cli) fn card(item: &Value) -> String {
    let mut text = String::new();
    fields(&mut text, item, 0);
    text
}

fn fields(text: &mut String, item: &Value, depth: usize) {
    let Value::Object(members) = item else { return };
    let dim = Style::new().dimmed();
    let indent = "  ".repeat(depth);
    let width = members.keys().map(|name| name.len()).max().unwrap_or_default();
    for (name, value) in members {
        match value {
            Value::Null => {}
            Value::Array(items) if items.is_empty() => {}
            Value::Object(_) => {
                let _ = writeln!(text, "{indent}{dim}{name}{dim:#}");
                fields(text, value, depth + 1);
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                let _ = writeln!(text, "{indent}{dim}{name}{dim:#}");
                for item in items {
                    let _ = writeln!(text, "{indent}  -");
                    fields(text, item, depth + 2);
                }
            }
            Value::String(long) if long.contains('\n') => {
                let _ = writeln!(text, "{indent}{dim}{name}{dim:#}");
                for line in long.lines() {
                    let _ = writeln!(text, "{indent}  {}", in_line(line));
                }
            }
            value => {
                let _ = writeln!(text, "{indent}{dim}{name:<width$}{dim:#}  {}", plain(value));
            }
        }
    }
}

/// A value as one line of text.
pub(in crate::cli) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => in_line(&time(text).unwrap_or_else(|| text.clone())),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => in_line(&other.to_string()),
    }
}

/// A text of several lines, such as a difference, as lines in which nothing moves a cursor.
pub(in crate::cli) fn lines(value: Option<&Value>) -> Vec<String> {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    text.trim_matches('\n').lines().map(in_line).collect()
}

/// A time to the second, as people read it; none where the text is no time.
fn time(text: &str) -> Option<String> {
    if !text.ends_with('Z') || !text.contains('T') {
        return None;
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: [Column; 3] =
        [column("ID", "/id"), column("HOST", "/device/host_name"), column("SYNOPSIS", "/synopsis")];

    fn strip(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_table_is_as_wide_as_what_it_holds_or_the_terminal() {
        let items = [
            json!({"id": "acme-1", "device": {"host_name": "edge-1.example"}, "synopsis": "FRU offline in slot 2"}),
            json!({"id": "acme-12", "device": null, "synopsis": "größer 日本 \u{1b}[31m"}),
        ];
        assert_eq!(
            strip(&table(&items, &COLUMNS, None)),
            "ID       HOST            SYNOPSIS\n\
             acme-1   edge-1.example  FRU offline in slot 2\n\
             acme-12                  größer 日本 \\u001b[31m\n"
        );
        let narrow = strip(&table(&items, &COLUMNS, Some(32)));
        assert!(narrow.lines().all(|line| measure_text_width(line) <= 32), "{narrow}");
        assert!(narrow.contains("FRU offli…"), "{narrow}");
        assert_eq!(strip(&table(&[], &COLUMNS, Some(80))), "ID  HOST  SYNOPSIS\n");
    }

    #[test]
    fn what_a_thing_is_asked_for_by_is_cut_in_no_terminal() {
        let columns = [
            column("ORGANIZATION", "/organization"),
            column("ID", "/id"),
            column("STATE", "/state").whole(),
            column("PRODUCT", "/product").spare(),
            column("ERROR", "/error"),
        ];
        let error = "it shows another host key than the one that is pinned";
        let item = |state: &str| json!({"organization": "a-rather-long-name", "id": "1f3870be274f6c49", "state": state, "product": "mx240", "error": error});
        let items = [item("host-key-changed"), item("host-key-unknown")];
        let shown = strip(&table(&items, &columns, Some(56)));
        assert!(shown.lines().all(|line| measure_text_width(line) <= 56), "{shown}");
        for word in ["1f3870be274f6c49", "host-key-changed", "host-key-unknown"] {
            assert!(shown.contains(word), "{shown}");
        }
        assert!(!shown.contains("PRODUCT") && shown.contains("ERROR"), "{shown}");
        assert!(strip(&table(&items, &columns, Some(80))).contains("mx240"));
    }

    #[test]
    fn a_card_shows_what_there_is() {
        let item = json!({
            "id": "acme-1", "owner": null, "detected": "2026-11-21T10:15:02.123Z",
            "device": {"host_name": "edge-1"}, "notes": [{"text": "two\nlines"}], "links": ["a", "b"], "cc": [],
        });
        assert_eq!(
            strip(&card(&item)),
            "detected  2026-11-21 10:15:02Z\ndevice\n  host_name  edge-1\nid        acme-1\nlinks     a, b\n\
             notes\n  -\n    text\n      two\n      lines\n"
        );
    }
}
