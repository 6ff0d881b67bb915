//! The demo's screen: lines of a width and a height from what is known. No terminal is asked, and none is needed.
//!
//! What comes from outside passes [`in_line`] before it is measured; a line is never wider, and there are never more
//! lines, than there is room for.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use console::{Alignment, measure_text_width, pad_str, truncate_str};

use super::super::super::line;
use super::board::{Board, Counts, Engine, Message, Told};
use crate::harmless::in_line;

/// The columns behind the customer's name: long titles, short ones, and how wide each is with its gap.
const LONG: [(&str, usize); 7] =
    [("Inc. open", 10), ("Waiting", 8), ("Cases", 7), ("Closed", 7), ("Withheld", 9), ("Messages", 9), ("Dead", 6)];
const SHORT: [(&str, usize); 7] =
    [("Open", 5), ("Wait", 6), ("Case", 6), ("Shut", 6), ("Held", 6), ("Msgs", 6), ("Dead", 5)];
/// From what width on the long ones have room.
const LONG_FROM: usize = 76;
/// How much room a customer's name has at least; where it has less it stands in a line of its own.
const NAME_LEAST: usize = 10;
/// How many columns what is meant by something stands behind.
const MEANT: usize = 12;
/// From how many lines on parts are set apart.
const AIRY_FROM: usize = 26;
/// The help: what is pressed, what the columns count, and what the lines below them do.
const KEYS: [(&str, &str); 4] = [
    ("q  Ctrl-C", "end the demo"),
    ("p  space", "no more bundles come; what is under way goes on, until the key is pressed again"),
    ("?  h", "this page, and back"),
    ("n  b", "of a page that is longer than the screen: what comes next, and back"),
];
const COUNTED: [&str; 7] = [
    "incidents that are open, whatever they came of; somebody completes each after a while",
    "cases that wait for an id of the support system",
    "cases that are open at the support system, which works on them and closes them",
    "cases that it has closed",
    "cases that may not leave: the customer's filter level lets nothing out",
    "intelligence messages that the customer was told of",
    "what was set aside: broken bundles, organizations that there are not",
];
const BELOW: [(&str, &str); 3] = [
    (
        "published",
        "bundles that the demo has put into the partner's log itself, and how many of them tell of a problem",
    ),
    (
        "incidents",
        "those of these problems, open and completed: one of each. Others come of bundles that are collected from devices, and of \
         what the end customer reports",
    ),
    ("support", "cases that it was ever given"),
];

/// The screen.
pub(super) fn lines(board: &Board, width: usize, height: usize) -> Vec<String> {
    let mut screen = Screen { lines: Vec::new(), width };
    screen.title(board);
    if board.is_help {
        screen.help(board, height);
    } else {
        let is_airy = height >= AIRY_FROM;
        screen.engine(board);
        screen.apart(is_airy);
        screen.customers(board);
        screen.apart(is_airy);
        screen.proof(board);
        screen.apart(is_airy);
        let room = height.saturating_sub(screen.lines.len());
        screen.messages(board, (room / 3).saturating_sub(1));
        screen.apart(is_airy);
        let room = height.saturating_sub(screen.lines.len() + 1);
        screen.events(board, room);
    }
    screen.lines.truncate(height);
    screen.lines
}

/// How many pages the help has.
pub(super) fn help_pages(board: &Board, width: usize, height: usize) -> usize {
    let mut screen = Screen { lines: Vec::new(), width };
    screen.title(board);
    let (count, room) = (help(board, width).len(), height.saturating_sub(screen.lines.len()));
    if count <= room { 1 } else { count.div_ceil(room.saturating_sub(1).max(1)) }
}

/// The help's lines.
fn help(board: &Board, width: usize) -> Vec<String> {
    let mut page = Screen { lines: Vec::new(), width };
    for (keys, does) in KEYS {
        page.defined(keys, does);
    }
    page.lines.push(String::new());
    for text in &board.look {
        page.wrap(text);
    }
    page.lines.push(String::new());
    for ((title, _), counted) in columns(width).into_iter().zip(COUNTED) {
        page.defined(title, counted);
    }
    page.lines.push(String::new());
    for (line, tells) in BELOW {
        page.defined(line, tells);
    }
    page.lines
}

/// The columns that a width has room for.
const fn columns(width: usize) -> [(&'static str, usize); 7] {
    if width >= LONG_FROM { LONG } else { SHORT }
}

struct Screen {
    lines: Vec<String>,
    width: usize,
}

impl Screen {
    /// A line of one style, cut where it is too long.
    fn put(&mut self, style: Style, text: &str) {
        let text = in_line(text);
        let cut = truncate_str(&text, self.width, "…");
        self.lines.push(match cut.is_empty() {
            true => String::new(),
            false => format!("{style}{cut}{style:#}"),
        });
    }

    /// A text of one style, whose words go on below where it is too long, behind so many columns.
    fn flow(&mut self, style: Style, text: &str, indent: usize) {
        let indent = if indent + NAME_LEAST > self.width { 0 } else { indent };
        let mut row = String::new();
        let mut rows = Vec::new();
        for word in in_line(text).split(' ') {
            let gap = usize::from(!row.is_empty());
            if gap > 0 && measure_text_width(&row) + gap + measure_text_width(word) > self.width {
                rows.push(std::mem::replace(&mut row, " ".repeat(indent) + word));
            } else {
                row.push_str(if gap > 0 { " " } else { "" });
                row.push_str(word);
            }
        }
        rows.push(row);
        rows.iter().for_each(|row| self.put(style, row));
    }

    /// What is meant by something.
    fn defined(&mut self, what: &str, meant: &str) {
        self.flow(Style::new(), &format!("{what:<MEANT$}{meant}"), MEANT);
    }

    fn title(&mut self, board: &Board) {
        let seconds = board.elapsed.as_secs();
        let pause = if board.is_paused { "  PAUSED" } else { "" };
        let (told, keys) =
            (format!("Linesman demo  {:02}:{:02}{pause}", seconds / 60, seconds % 60), "q quit  p pause  ? help");
        let bold = Style::new().bold();
        match told.len() + keys.len() + 3 <= self.width {
            true => self.put(bold, &format!("{told}   {keys}")),
            false => [told.as_str(), keys].into_iter().for_each(|text| self.put(bold, text)),
        }
    }

    /// The help, or one page of it where it is longer than the screen.
    fn help(&mut self, board: &Board, height: usize) {
        let pages = help_pages(board, self.width, height);
        let lines = help(board, self.width);
        if pages == 1 {
            self.lines.extend(lines);
            return;
        }
        let (page, room) = (board.help_page.min(pages - 1), height.saturating_sub(self.lines.len() + 1).max(1));
        self.lines.extend(lines.into_iter().skip(page * room).take(room));
        self.put(Style::new().bold(), &format!("n next  b back   page {} of {pages}", page + 1));
    }

    /// A line whose rest goes on below where it is too long: what is to be copied is whole.
    fn wrap(&mut self, text: &str) {
        let mut row = String::new();
        for c in in_line(text).chars() {
            if measure_text_width(&row) + measure_text_width(c.encode_utf8(&mut [0; 4])) > self.width {
                self.lines.push(std::mem::take(&mut row));
            }
            row.push(c);
        }
        self.lines.push(row);
    }

    fn apart(&mut self, is_airy: bool) {
        if is_airy {
            self.lines.push(String::new());
        }
    }

    fn engine(&mut self, board: &Board) {
        let (style, text) = match &board.engine {
            Engine::Starting => (AnsiColor::Yellow.on_default(), "the partner's engine starts".to_owned()),
            Engine::Running => (AnsiColor::Green.on_default(), "the partner's engine runs".to_owned()),
            Engine::Doomed(seconds) => (
                AnsiColor::Yellow.on_default().bold(),
                format!("in {seconds} s the partner's engine is killed (SIGKILL), and bundles go on coming"),
            ),
            Engine::Killed => (
                AnsiColor::Red.on_default().bold(),
                "the partner's engine was killed (SIGKILL), and starts again; bundles go on coming".to_owned(),
            ),
        };
        self.flow(style, &text, 0);
    }

    fn customers(&mut self, board: &Board) {
        let columns = columns(self.width);
        let room = self.width.saturating_sub(columns.iter().map(|(_, width)| width).sum());
        let titles = columns.map(|(title, width)| format!("{title:>width$}")).concat();
        let who = if room < NAME_LEAST { String::new() } else { fit("Customer", room) };
        self.put(Style::new().underline(), &format!("{who}{titles}"));
        for customer in &board.customers {
            self.counts(&customer.name, customer.counts(), room, columns, Style::new());
        }
        self.counts("all, and nobody's", board.sum(), room, columns, Style::new().bold());
    }

    fn counts(&mut self, name: &str, counts: Counts, room: usize, columns: [(&str, usize); 7], style: Style) {
        let counts = counts.columns().into_iter().zip(columns);
        let cells: String = counts.map(|(count, (_, width))| format!("{count:>width$}")).collect();
        if room < NAME_LEAST {
            self.put(style, name);
            self.put(style, &cells);
            return;
        }
        self.put(style, &format!("{}{cells}", fit(&in_line(name), room)));
    }

    /// What the log has taken in against what was decided, and what the kill has changed of that.
    fn proof(&mut self, board: &Board) {
        let ledger = &board.ledger;
        let (cases, twice) = board.at_support;
        let is_good = ledger.doubled() == 0 && twice == 0;
        let style = if is_good { Style::new() } else { AnsiColor::Red.on_default().bold() };
        let doubled = if ledger.doubled() == 0 { "none".to_owned() } else { ledger.doubled().to_string() };
        let doubled_cases = if twice == 0 { "none".to_owned() } else { twice.to_string() };
        let (problems, awaited) = (ledger.problems(), ledger.awaited());
        let made = problems.saturating_sub(awaited);
        self.flow(style, &format!("published: {} bundles, of these {problems} problems", ledger.bundles()), 0);
        self.flow(style, &format!("incidents of these: {made}, {awaited} under way, {doubled} twice"), 0);
        self.flow(style, &format!("support system: {cases} cases, {doubled_cases} twice"), 0);
        let Some(back) = &board.back else { return };
        let told = format!("killed, and back after {}; {} bundles came meanwhile", seconds(back.away), back.meanwhile);
        self.flow(Style::new(), &told, 0);
        match awaited {
            0 if is_good => {
                let told = format!("Nothing lost, nothing doubled: {problems} problems, an incident of each");
                self.flow(AnsiColor::Green.on_default().bold(), &told, 0);
            }
            _ => {
                let told = format!("{made} of {problems} problems have their incident, the others are under way");
                self.flow(Style::new(), &told, 0);
            }
        }
    }

    fn messages(&mut self, board: &Board, most: usize) {
        if board.messages.is_empty() || most == 0 {
            return;
        }
        self.put(Style::new().underline(), "Intelligence, and whom it concerns");
        // Those that concern somebody first; of these the latest.
        let (told, others): (Vec<&Message>, Vec<&Message>) =
            board.messages.iter().rev().partition(|message| !message.concerns.is_empty());
        for message in told.into_iter().chain(others).take(most) {
            let whom: Vec<String> = message.concerns.iter().map(|(name, count)| format!("{name} ({count})")).collect();
            let whom = if whom.is_empty() { "nobody".to_owned() } else { whom.join(", ") };
            let whom = truncate_str(&in_line(&whom), self.width / 2, "…").into_owned();
            let room = self.width.saturating_sub(measure_text_width(&whom) + 2);
            let title = fit(&in_line(&format!("{} {}", message.kind, message.title)), room);
            self.put(Style::new(), &format!("{title}  {whom}"));
        }
    }

    fn events(&mut self, board: &Board, most: usize) {
        self.put(Style::new().underline(), "Last events");
        let skipped = board.events.len().saturating_sub(most);
        for told in board.events.iter().skip(skipped) {
            self.event(told);
        }
    }

    fn event(&mut self, told: &Told) {
        let Told { clock, whose, channel, name, text } = told;
        let clock = clock.get(..8).unwrap_or(clock);
        let (who, what) = if self.width >= 100 { (18, 26) } else { (self.width / 6 + 1, self.width / 4) };
        // What happened is told by its name alone.
        let named = if channel == "trigger" { name.clone() } else { format!("{channel} {name}") };
        let row = format!("{clock:<8} {} {} {}", fit(&in_line(whose), who), fit(&in_line(&named), what), in_line(text));
        self.put(line::colour(channel), &row);
    }
}

/// A text of exactly so many columns, cut or filled.
fn fit(text: &str, width: usize) -> String {
    pad_str(&truncate_str(text, width, "…"), width, Alignment::Left, None).into_owned()
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use linesman_schemas::event::Received;
    use serde_json::{Value, json};

    use super::super::board::Return;
    use super::*;

    const HOSTILE: &str = "größer 日本語の長い名前\u{202e}\u{1b}[2J\u{1b}]0;title\u{7}\n\r\u{9b}31m and so on, for as long as it likes to";

    fn heard(board: &mut Board, subject: &str, about: &str, data: Value) {
        let event = Received {
            specversion: "1.0".to_owned(),
            id: "e".to_owned(),
            source: "/organizations/acme".to_owned(),
            kind: "linesman.kind".to_owned(),
            subject: Some(about.to_owned()),
            time: "2026-11-21T10:15:02.5Z".parse().unwrap(),
            data,
        };
        board.heard(subject, &event);
    }

    /// Everything at once, with names and texts as nobody should choose them.
    fn board() -> Board {
        let mut board = Board::new();
        board.customers[1].name = HOSTILE.to_owned();
        board.look =
            vec!["export LINESMAN_DATA_DIR=/tmp/linesman-demo-0123456789abcdef/a-long-name/and-more/data".to_owned()];
        for number in 0..60 {
            let id = format!("edge-{number}");
            board.sent("bolt", "bundle", &id, Some(&id));
            let data = json!({"id": id, "host_event_id": id, "priority": "Critical", "synopsis": HOSTILE, "event_type": "E",
                "device": {"host_name": HOSTILE}});
            heard(&mut board, "out.bolt.trigger.incident.detected", &format!("bolt-{number}"), data);
            let message = json!({"id": id, "kind": "alert", "title": HOSTILE, "organization": "bolt", "count": 3});
            heard(&mut board, "out.bolt.trigger.intelligence.matched", &id, message);
            heard(&mut board, HOSTILE, &id, Value::Null);
            heard(&mut board, "out.bolt.dead.bundle-undecodable", &id, json!({"detail": HOSTILE}));
        }
        (board.engine, board.at_support) = (Engine::Killed, (12, 0));
        board.back = Some(Return { away: Duration::from_millis(2_345), meanwhile: 3 });
        board
    }

    fn strip(line: &str) -> String {
        anstream::adapter::strip_str(line).to_string()
    }

    #[test]
    fn a_screen_of_any_size_has_no_line_too_wide_and_none_too_many() {
        let mut board = board();
        let sizes = [(80, 24), (60, 20), (200, 50), (120, 30), (20, 5), (1, 1), (300, 100), (9, 40)];
        for ((width, height), is_help) in sizes.into_iter().flat_map(|size| [(size, false), (size, true)]) {
            board.is_help = is_help;
            let lines = lines(&board, width, height);
            assert!(lines.len() <= height, "{width}x{height}: {}", lines.len());
            for line in lines {
                let plain = strip(&line);
                assert!(measure_text_width(&plain) <= width, "{width}x{height}: {plain}");
                assert!(!plain.chars().any(crate::harmless::steers), "{plain:?}");
            }
        }
        assert!(lines(&Board::default(), 0, 0).is_empty());
    }

    #[test]
    fn what_matters_is_on_the_smallest_screen_too() {
        for (width, height) in [(80, 24), (60, 24), (40, 40), (200, 50)] {
            let text = lines(&board(), width, height).iter().map(|line| strip(line)).collect::<Vec<_>>().join("\n");
            // Lines may go on below.
            let flowing = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for word in [
                "q quit",
                "was killed (SIGKILL)",
                "Acme Corp",
                "Delta Dairies",
                "größer",
                "published: 60 bundles, of these 60 problems",
                "incidents of these: 60, 0 under way, none twice",
                "support system: 12 cases, none twice",
                "killed, and back after 2.3 s; 3 bundles came meanwhile",
                "Nothing lost, nothing doubled: 60 problems, an incident of each",
                "Intelligence, and whom it concerns",
                "Last events",
                "starts again; bundles go on coming",
            ] {
                assert!(flowing.contains(word), "{width}x{height} lacks `{word}`:\n{text}");
            }
        }
    }

    #[test]
    fn the_usual_screen_in_full() {
        let mut board = Board::new();
        board.elapsed = Duration::from_secs(83);
        board.engine = Engine::Running;
        board.is_paused = true;
        board.sent("acme", "bundle", "edge-01-1", Some("edge-01-1"));
        let data = json!({"host_event_id": "edge-01-1", "priority": "Critical", "synopsis": "FPC 3 offline", "event_type": "FRU",
            "device": {"host_name": "edge-01"}});
        heard(&mut board, "out.acme.trigger.incident.detected", "acme-1", data);
        let changed =
            json!({"actor": "policy urgent", "changed": ["case"], "old": {"case": null}, "new": {"case": "waiting"}});
        heard(&mut board, "out.acme.trigger.incident.changed", "acme-1", changed);
        let text = lines(&board, 80, 24).iter().map(|line| strip(line).trim_end().to_owned()).collect::<Vec<_>>();
        let expected = "\
Linesman demo  01:23  PAUSED   q quit  p pause  ? help
the partner's engine runs
Customer                 Inc. open Waiting  Cases Closed Withheld Messages  Dead
Acme Corp                        1       1      0      0        0        0     0
Bolt Logistics                   0       0      0      0        0        0     0
Cobalt Clinics                   0       0      0      0        0        0     0
Delta Dairies                    0       0      0      0        0        0     0
all, and nobody's                1       1      0      0        0        0     0
published: 1 bundles, of these 1 problems
incidents of these: 1, 0 under way, none twice
support system: 0 cases, none twice
Last events
         Acme Corp      sent bundle          edge-01-1
10:15:02 Acme Corp      incident.detected    Critical edge-01 FRU: FPC 3 offline
10:15:02 Acme Corp      incident.changed     policy urgent: case none -> waiting";
        assert_eq!(text.join("\n"), expected);
    }

    #[test]
    fn nothing_of_the_help_is_lost_on_a_narrow_or_low_terminal() {
        let mut board = board();
        board.is_help = true;
        for (width, height) in [(80, 24), (60, 24), (40, 24), (40, 12), (80, 50)] {
            let (mut shown, pages) = (Vec::new(), help_pages(&board, width, height));
            for page in 0..pages {
                board.help_page = page;
                let lines = lines(&board, width, height);
                assert!(lines.len() <= height, "{width}x{height}");
                shown.extend(lines.iter().map(|line| strip(line)));
            }
            assert!(
                pages == 1 || shown.iter().any(|line| line.contains(&format!("page {pages} of {pages}"))),
                "{shown:?}"
            );
            assert!(!shown.iter().any(|line| line.contains('…')), "{width}x{height}: {shown:?}");
            let flowing = shown.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
            let titles = columns(width).map(|(title, _)| title).into_iter().zip(COUNTED);
            for (what, meant) in KEYS.into_iter().chain(BELOW).chain(titles) {
                let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
                let is_whole = |page: &str| page.contains(&format!("{what} {meant}"));
                // One that goes on on the next page has what pages are told apart by between.
                let is_cut =
                    pages > 1 && meant.split(' ').all(|word| flowing.contains(word)) && flowing.contains(&what);
                assert!(is_whole(&flowing) || is_cut, "{width}x{height} lacks `{what} {meant}`: {flowing}");
            }
            assert!(shown.concat().contains(&board.look[0]) || pages > 1, "{width}x{height}: {shown:?}");
        }
        board.help_page = 99;
        assert!(
            lines(&board, 40, 12).iter().any(|line| strip(line).contains("page")),
            "beyond the last there is the last"
        );
    }

    #[test]
    fn the_help_has_the_keys_the_words_and_whole_paths() {
        let mut board = board();
        board.is_help = true;
        let text = lines(&board, 60, 50).iter().map(|line| strip(line)).collect::<Vec<_>>();
        assert!(text.join("\n").contains("Held"), "{text:?}");
        assert!(text.join("").contains(&board.look[0]), "{text:?}");
    }
}
