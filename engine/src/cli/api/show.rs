//! Answers of the API for people: tables as wide as the terminal, and cards.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use anstyle::{AnsiColor, Style};
use console::{Alignment, measure_text_width, pad_str, truncate_str};
use jiff::Timestamp;
use serde_json::Value;

use crate::harmless::in_line;

/// A column of a table: its title, the JSON pointer of what stands in it (RFC 6901), and how that is said.
pub(in crate::cli) struct Column {
    title: &'static str,
    pointer: &'static str,
    said: Option<fn(&Value) -> String>,
    is_key: bool,
    is_whole: bool,
    is_spare: bool,
    is_name: bool,
}

impl Column {
    /// The same, by which a row is told from others: it is there in the narrowest terminal, and cut in none. The first of
    /// a table is such a one, and so is an id.
    pub(in crate::cli) const fn key(self) -> Self {
        Self { is_key: true, ..self }
    }

    /// The same, cut in no terminal: what stands in it is told apart by its ends, or asked for.
    pub(in crate::cli) const fn whole(self) -> Self {
        Self { is_whole: true, ..self }
    }

    /// The same, by which people know what a row is of, such as a host name: it is cut only once what can be spared is left out
    /// and all others are as narrow as they may be, and left out last.
    pub(in crate::cli) const fn name(self) -> Self {
        Self { is_name: true, ..self }
    }

    /// The same, the first to be left out of a terminal that has no room for it.
    pub(in crate::cli) const fn spare(self) -> Self {
        Self { is_spare: true, ..self }
    }

    /// How what stands there is said to somebody at a moment, or as it is.
    fn told(&self, value: &Value, now: Option<Timestamp>) -> String {
        match (self.said, value, now) {
            (Some(said), ..) => said(value),
            (None, Value::String(text), Some(now)) => {
                moment(text).map_or_else(|| plain(value), |time| relative(time, now))
            }
            (None, ..) => plain(value),
        }
    }
}

/// A column.
pub(in crate::cli) const fn column(title: &'static str, pointer: &'static str) -> Column {
    Column { title, pointer, said: None, is_key: false, is_whole: false, is_spare: false, is_name: false }
}

/// A column whose values are said in words of their own.
pub(in crate::cli) const fn said_column(
    title: &'static str,
    pointer: &'static str,
    said: fn(&Value) -> String,
) -> Column {
    Column { said: Some(said), ..column(title, pointer) }
}

/// Where a table is shown.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::cli) struct Room {
    /// How wide a terminal is; none where the output goes elsewhere, and nothing is cut.
    width: Option<usize>,
    /// Now, where times are told from it.
    now: Option<Timestamp>,
}

/// The room there is. `is_exact`: times are in UTC on a terminal too, as they are elsewhere.
pub(in crate::cli) fn room(is_exact: bool) -> Room {
    let is_terminal = std::io::stdout().is_terminal();
    let width = is_terminal.then(|| usize::from(console::Term::stdout().size().1)).filter(|width| *width > 0);
    Room { width, now: (is_terminal && !is_exact).then(Timestamp::now) }
}

/// What lies between two columns.
const GAP: &str = "  ";
/// The least width that a column is cut to, in characters.
const NARROW: usize = 8;
/// The same of what a row is of, while others can be spared for it.
const NAMED: usize = 32;

/// Rows beside each other under titles. In a terminal columns give way until a row fits a line: those that say nothing in
/// any row are left out, then those that can be spared, the last first, and the widest of the others cut; then of these too the last.
/// What a row is of is cut behind these, and left out last. What tells a row from others stays, and stays whole.
pub(in crate::cli) fn table(items: &[Value], columns: &[Column], room: Room) -> String {
    let mut columns: Vec<(&Column, bool)> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| (column, at == 0 || column.is_key || column.pointer == "/id"))
        .collect();
    let mut rows: Vec<Vec<String>> = items.iter().map(|item| cells(item, &columns, room.now)).collect();
    let mut widths = widths_of(&rows, &columns);
    if let Some(width) = room.width {
        while widths.iter().sum::<usize>() + gaps(&widths) > width
            && let Some(at) = empty(&columns, &rows)
        {
            leave_out(at, &mut columns, &mut widths, &mut rows);
        }
        while !fits(&columns, &widths, width)
            && let Some(at) = least(&columns)
        {
            leave_out(at, &mut columns, &mut widths, &mut rows);
        }
        narrow(&columns, &mut widths, width);
    }
    let mut text = String::new();
    let bold = Style::new().bold();
    let titles = columns.iter().map(|(column, _)| column.title.to_owned()).collect::<Vec<_>>();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{bold}{}{bold:#}", line(&titles, &widths, |_, cell| cell));
    for row in &rows {
        let painted = line(row, &widths, |at, cell| match columns.get(at) {
            Some((column, _)) => paint(column.pointer, cell),
            None => cell,
        });
        let _ = writeln!(text, "{painted}");
    }
    text
}

/// A column, and whether a row is told from others by it.
type Shown<'a> = (&'a Column, bool);

/// One that says nothing in any row.
fn empty(columns: &[Shown<'_>], rows: &[Vec<String>]) -> Option<usize> {
    let says_nothing = |at: usize| !rows.is_empty() && rows.iter().all(|row| row.get(at).is_some_and(String::is_empty));
    (0..columns.len()).rev().find(|at| says_nothing(*at) && columns.get(*at).is_some_and(|(_, is_key)| !is_key))
}

fn leave_out(at: usize, columns: &mut Vec<Shown<'_>>, widths: &mut Vec<usize>, rows: &mut [Vec<String>]) {
    columns.remove(at);
    widths.remove(at);
    for row in rows {
        row.remove(at);
    }
}

/// The one that is left out next.
fn least(columns: &[Shown<'_>]) -> Option<usize> {
    let spare = columns.iter().rposition(|(column, is_key)| column.is_spare && !is_key);
    let told = columns.iter().rposition(|(column, is_key)| !column.is_name && !is_key);
    spare.or(told).or_else(|| columns.iter().rposition(|(_, is_key)| !is_key))
}

fn widths_of(rows: &[Vec<String>], columns: &[Shown<'_>]) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|(column, _)| measure_text_width(column.title)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(measure_text_width(cell));
        }
    }
    widths
}

fn is_cut((column, is_key): &Shown<'_>) -> bool {
    !column.is_whole && !is_key
}

/// Whether columns fit a line once they are cut as far as they may be. What a row is of is cut once nothing is left that can be
/// spared.
fn fits(columns: &[Shown<'_>], widths: &[usize], room: usize) -> bool {
    let has_spare = columns.iter().any(|(column, is_key)| column.is_spare && !is_key);
    let least = |(shown, width): (&Shown<'_>, &usize)| match is_cut(shown) {
        false => *width,
        true if shown.0.is_name && has_spare => (*width).min(NAMED),
        true => (*width).min(NARROW),
    };
    columns.iter().zip(widths).map(least).sum::<usize>() + gaps(widths) <= room
}

const fn gaps(widths: &[usize]) -> usize {
    GAP.len() * widths.len().saturating_sub(1)
}

fn cells(item: &Value, columns: &[Shown<'_>], now: Option<Timestamp>) -> Vec<String> {
    let cell = |(column, _): &Shown<'_>| item.pointer(column.pointer).map(|value| column.told(value, now));
    columns.iter().map(|column| cell(column).unwrap_or_default()).collect()
}

/// Takes from the widest columns until all fit; from those that say what a row is of once the others have no more to give.
fn narrow(columns: &[Shown<'_>], widths: &mut [usize], room: usize) {
    for is_name in [false, true] {
        while widths.iter().sum::<usize>() + gaps(widths) > room {
            let cut = widths.iter_mut().zip(columns).filter(|(_, shown)| is_cut(shown) && shown.0.is_name == is_name);
            match cut.map(|(width, _)| width).max() {
                Some(widest) if *widest > NARROW => *widest -= 1,
                _ => break,
            }
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
    Some(moment(text)?.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

fn moment(text: &str) -> Option<Timestamp> {
    if !text.ends_with('Z') || !text.contains('T') {
        return None;
    }
    text.parse().ok()
}

/// From where on the day is told.
const DAYS_MOST: i64 = 60;

/// A time as far from another as people say it; the day where that is long.
fn relative(time: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(time.as_second());
    let far = match seconds.unsigned_abs() {
        far @ 0..60 => format!("{far} s"),
        far @ 60..3_600 => format!("{} min", far / 60),
        far @ 3_600..172_800 => format!("{} h", far / 3_600),
        far if far < DAYS_MOST.unsigned_abs() * 86_400 => format!("{} d", far / 86_400),
        _ => return time.strftime("%Y-%m-%d").to_string(),
    };
    if seconds < 0 { format!("in {far}") } else { format!("{far} ago") }
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

    fn wide(width: usize) -> Room {
        Room { width: Some(width), now: None }
    }

    #[test]
    fn times_are_told_from_now_where_that_is_wanted() {
        let now: Timestamp = "2026-11-21T10:15:00Z".parse().unwrap();
        for (time, expected) in [
            ("2026-11-21T10:14:55Z", "5 s ago"),
            ("2026-11-21T10:03:00Z", "12 min ago"),
            ("2026-11-20T10:14:00.123Z", "24 h ago"),
            ("2026-11-11T10:14:00Z", "10 d ago"),
            ("2026-11-24T10:16:00Z", "in 3 d"),
            ("2026-01-02T03:04:05Z", "2026-01-02"),
            ("2027-11-24T10:16:00Z", "2027-11-24"),
        ] {
            let told = |now| {
                strip(&table(
                    &[json!({"id": "a", "at": time})],
                    &[column("ID", "/id"), column("AT", "/at")],
                    Room { width: None, now },
                ))
            };
            assert_eq!(told(Some(now)), format!("ID  AT\na   {expected}\n"));
            assert!(told(None).contains(&time[..10]) && told(None).ends_with("Z\n"), "{}", told(None));
        }
        // What only looks like one stays as it is.
        assert_eq!(column("X", "/x").told(&json!("NOT A TIMEZ"), Some(now)), "NOT A TIMEZ");
    }

    /// Every table that a command prints, with long values in all its columns.
    #[test]
    fn no_table_wraps_or_cuts_what_tells_its_rows_apart() {
        const LONG: &str = "a-value-of-thirty-two-characters";
        for (name, columns) in super::super::tables::TABLES {
            let mut item = json!({});
            for (at, column) in columns.iter().enumerate() {
                let is_key = at == 0 || column.is_key || column.pointer == "/id";
                let value = if is_key { format!("key-{at}-of-20-letters") } else { format!("{at}-{LONG}-{LONG}") };
                put(&mut item, column.pointer, value);
            }
            let shown = strip(&table(&[item], columns, wide(80)));
            assert!(shown.lines().all(|line| measure_text_width(line) <= 80), "{name}:\n{shown}");
            for (at, column) in columns.iter().enumerate() {
                let is_key = at == 0 || column.is_key || column.pointer == "/id";
                let is_said = column.said.is_some();
                assert!(!is_key || is_said || shown.contains(&format!("key-{at}-of-20-letters")), "{name}:\n{shown}");
            }
        }
    }

    /// Every table again, with names as long as people give them.
    #[test]
    fn no_table_cuts_what_a_row_is_of_before_what_it_says_of_it() {
        let mut count = 0;
        for (name, columns) in super::super::tables::TABLES {
            for named in columns.iter().filter(|column| column.is_name) {
                let mut item = json!({});
                for (at, column) in columns.iter().enumerate() {
                    let is_key = at == 0 || column.is_key || column.pointer == "/id";
                    let said = if is_key {
                        "acme-17".to_owned()
                    } else {
                        "what is said at some length of this row here".to_owned()
                    };
                    let said = if column.is_whole { "5 min ago".to_owned() } else { said };
                    let said = if column.is_name { "edge".to_owned() } else { said };
                    put(
                        &mut item,
                        column.pointer,
                        if std::ptr::eq(column, named) { "edge-router-17.example".to_owned() } else { said },
                    );
                }
                let shown = strip(&table(&[item], columns, wide(80)));
                let titles = shown.lines().next().unwrap();
                let has_spare = columns.iter().any(|column| column.is_spare && titles.contains(column.title));
                // Whatever else is cut has its least width then.
                let has_more = has_spare || shown.contains("what is s");
                let is_whole = shown.contains("edge-router-17.example") || named.said.is_some();
                assert!(is_whole || !has_more, "{name}, {}:\n{shown}", named.title);
                count += 1;
            }
        }
        assert!(count > 10, "{count}");
        let item = json!({"id": "acme-1", "device": {"host_name": "edge-router-17.example"}, "synopsis": "FPC 3 is offline since the fan failed"});
        let shown = |columns: &[Column]| strip(&table(std::slice::from_ref(&item), columns, wide(50)));
        assert!(shown(&COLUMNS).contains("edge-router-17.exam…"), "all alike:\n{}", shown(&COLUMNS));
        let named = [column("ID", "/id"), column("HOST", "/device/host_name").name(), column("SYNOPSIS", "/synopsis")];
        assert!(shown(&named).contains("edge-router-17.example  FPC 3"), "{}", shown(&named));
    }

    /// Puts a value where a pointer says.
    fn put(item: &mut Value, pointer: &str, value: String) {
        let mut at = item;
        for part in pointer.trim_start_matches('/').split('/') {
            at = &mut at[part];
        }
        *at = value.into();
    }

    #[test]
    fn a_table_is_as_wide_as_what_it_holds_or_the_terminal() {
        let items = [
            json!({"id": "acme-1", "device": {"host_name": "edge-1.example"}, "synopsis": "FRU offline in slot 2"}),
            json!({"id": "acme-12", "device": null, "synopsis": "größer 日本 \u{1b}[31m"}),
        ];
        assert_eq!(
            strip(&table(&items, &COLUMNS, Room::default())),
            "ID       HOST            SYNOPSIS\n\
             acme-1   edge-1.example  FRU offline in slot 2\n\
             acme-12                  größer 日本 \\u001b[31m\n"
        );
        let narrow = strip(&table(&items, &COLUMNS, wide(32)));
        assert!(narrow.lines().all(|line| measure_text_width(line) <= 32), "{narrow}");
        assert!(narrow.contains("FRU offli…"), "{narrow}");
        assert_eq!(strip(&table(&[], &COLUMNS, wide(80))), "ID  HOST  SYNOPSIS\n");
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
        let shown = strip(&table(&items, &columns, wide(66)));
        assert!(shown.lines().all(|line| measure_text_width(line) <= 66), "{shown}");
        for word in ["1f3870be274f6c49", "host-key-changed", "host-key-unknown"] {
            assert!(shown.contains(word), "{shown}");
        }
        assert!(!shown.contains("PRODUCT") && shown.contains("ERROR"), "{shown}");
        assert!(strip(&table(&items, &columns, wide(80))).contains("mx240"));
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
