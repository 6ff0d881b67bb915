//! Answers of the API for people: tables as wide as the terminal, and cards.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use anstyle::{AnsiColor, Style};
use console::{Alignment, measure_text_width, pad_str, truncate_str};
use serde_json::Value;

/// A column of a table: its title, the JSON pointer of what stands in it (RFC 6901), and how that is said.
pub(in crate::cli) struct Column {
    title: &'static str,
    pointer: &'static str,
    said: fn(&Value) -> String,
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
    Column { title, pointer, said }
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

/// Rows beside each other under titles. In a terminal the widest columns are cut until a row fits a line.
pub(in crate::cli) fn table(items: &[Value], columns: &[Column], width: Option<usize>) -> String {
    let rows: Vec<Vec<String>> = items.iter().map(|item| cells(item, columns)).collect();
    let mut widths: Vec<usize> = columns.iter().map(|column| measure_text_width(column.title)).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(measure_text_width(cell));
        }
    }
    if let Some(room) = width {
        narrow(&mut widths, room);
    }
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

fn cells(item: &Value, columns: &[Column]) -> Vec<String> {
    columns.iter().map(|column| item.pointer(column.pointer).map(column.said).unwrap_or_default()).collect()
}

/// Takes from the widest columns until all fit.
fn narrow(widths: &mut [usize], room: usize) {
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > room {
        match widths.iter_mut().max() {
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
                    let _ = writeln!(text, "{indent}  {}", harmless(line));
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
        Value::String(text) => harmless(&time(text).unwrap_or_else(|| text.clone())),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => harmless(&other.to_string()),
    }
}

/// Text without what a terminal would take for orders, or show in another order than it stands in.
pub(in crate::cli) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_directing(c) { ' ' } else { c }).collect()
}

/// Whether a character directs how others are written, and is none itself (Unicode UAX #9, explicit formatting).
const fn is_directing(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
             acme-12                  größer 日本  [31m\n"
        );
        let narrow = strip(&table(&items, &COLUMNS, Some(32)));
        assert!(narrow.lines().all(|line| measure_text_width(line) <= 32), "{narrow}");
        assert!(narrow.contains("FRU offli…"), "{narrow}");
        assert_eq!(strip(&table(&[], &COLUMNS, Some(80))), "ID  HOST  SYNOPSIS\n");
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
