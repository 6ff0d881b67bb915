//! What a line of text says of configuration: whether it is some, begins some, or is the command that shows it.

use memchr::memmem;

use super::vocabulary::{is_below, is_change, is_edit, is_top};
use crate::bytes::{at, from, is_blank, part, skip};

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// A prompt, with a command that shows no configuration.
    Prompt,
    /// A prompt with the command that shows it, or the command alone: what follows is configuration.
    Command,
    /// A prompt with a statement that changes it, and where the statement begins.
    Change(usize),
    /// A statement: `set ...`.
    Statement,
    /// A line of a configuration that stands outside of its blocks.
    Loose,
    /// A block begins: `system {`.
    Block,
    /// What looks like the beginning of a block, whatever its name is.
    Curly,
    /// The place that a comparison is about: `[edit system]`.
    Comparison,
    /// Something else.
    Other,
}

const GREATER: &[u8] = b"&gt;";

/// Judges a line, without its end.
pub(super) fn judge(line: &[u8]) -> Line {
    let line = line.trim_ascii_end();
    if let Some(prompt) = prompt(line) {
        let command = from(line, prompt.command);
        return if shows_configuration(command) || (prompt.is_editing && shows_what_is_edited(command)) {
            Line::Command
        } else if is_change(first(command)) || (prompt.is_editing && is_edit(first(place_passed(command)))) {
            Line::Change(prompt.command)
        } else {
            Line::Prompt
        };
    }
    let bare = line.trim_ascii_start();
    let mut words = bare.split(|&byte| is_blank(byte)).filter(|word| !word.is_empty());
    let head = words.next().unwrap_or_default();
    let next = words.next().unwrap_or_default();
    if is_change(head) && (is_top(next) || next == b"version") {
        return Line::Statement;
    }
    if is_heading(bare) && shows_configuration(unmarked(bare)) {
        return Line::Command;
    }
    if bare.starts_with(b"[edit") && matches!(at(bare, 5), b' ' | b']') {
        return Line::Comparison;
    }
    if bare.starts_with(b"## Last ") || is_version(head, next, bare) {
        return Line::Loose;
    }
    // Attributes of statements, and marks of a comparison.
    let marked = [&b"inactive:"[..], b"protect:", b"+", b"-", b"!"].contains(&head);
    let head = if marked { next } else { head };
    let opens = bare.ends_with(b"{") || memmem::find(bare, b" { ").is_some() && bare.ends_with(b"}");
    if opens && (is_top(head) || (is_below(head) && bare.ends_with(b"{"))) {
        return Line::Block;
    }
    if opens && is_curly(bare) {
        return Line::Curly;
    }
    if bare.ends_with(b";") && is_top(head) {
        return Line::Loose;
    }
    Line::Other
}

fn first(command: &[u8]) -> &[u8] {
    part(command, 0, skip(command, 0, |byte| !is_blank(byte)))
}

/// The first word of a text, as far as it has the letters of a command.
pub(super) fn first_word(text: &[u8]) -> &[u8] {
    part(text, 0, skip(text, 0, |byte| byte.is_ascii_lowercase()))
}

fn is_version(head: &[u8], next: &[u8], bare: &[u8]) -> bool {
    head == b"version" && next.ends_with(b";") && bare.ends_with(next) && next.first().is_some_and(u8::is_ascii_digit)
}

/// Whether a line opens a block as configurations have them anywhere: `ge-0/0/0 {`, `policy-statement "A B" {`.
fn is_curly(bare: &[u8]) -> bool {
    const WORDS_MOST: usize = 8;
    const OTHERS: [&[u8]; 12] = [
        b"if",
        b"else",
        b"for",
        b"while",
        b"do",
        b"switch",
        b"struct",
        b"enum",
        b"union",
        b"class",
        b"function",
        b"try",
    ];
    let Some(words) = bare.strip_suffix(b" {") else { return false };
    let mut all = words.split(|&byte| is_blank(byte)).filter(|word| !word.is_empty());
    let mut keyword = all.next().unwrap_or_default();
    if matches!(keyword, b"inactive:" | b"protect:" | b"replace:" | b"+" | b"-" | b"!") {
        keyword = all.next().unwrap_or_default();
    }
    let is_keyword = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-./:<*>".contains(byte);
    !keyword.is_empty()
        && keyword.iter().all(is_keyword)
        && keyword.last() != Some(&b':')
        && !OTHERS.contains(&keyword)
        && all.clone().count() < WORDS_MOST
        && all.all(|word| word.last() != Some(&b':') && !word.iter().any(|byte| b"=(){}$|,;".contains(byte)))
}

/// A prompt, `user@host> `.
pub(super) struct Prompt {
    /// Where it ends, with its sign.
    pub(super) end: usize,
    /// Where the command begins.
    pub(super) command: usize,
    /// Whether configuration is edited there.
    is_editing: bool,
}

/// The prompt that a line begins with.
pub(super) fn prompt(line: &[u8]) -> Option<Prompt> {
    const PROMPT_MOST: usize = 128;
    let start = skip(line, 0, is_blank);
    let word = start + part(line, start, start + PROMPT_MOST).iter().position(|&byte| byte == b'@')?;
    let end = skip(part(line, 0, start + PROMPT_MOST), word, |byte| !b"># %&".contains(&byte));
    let user = part(line, start, word);
    if user.is_empty() || user.iter().any(|&byte| is_blank(byte) || b"\"'=:,;(<".contains(&byte)) {
        return None;
    }
    let length = match at(line, end) {
        b'>' | b'#' | b'%' => 1,
        b'&' if from(line, end).starts_with(GREATER) => GREATER.len(),
        _ => return None,
    };
    let behind = end + length;
    // A shell has the directory in it.
    let is_editing = at(line, end) == b'#' && !part(line, word, end).iter().any(|byte| b"~/:".contains(byte));
    let is_one = behind == line.len() || line.get(behind).is_some_and(u8::is_ascii_whitespace);
    is_one.then(|| Prompt { end: behind, command: skip(line, behind, is_blank), is_editing })
}

/// Whether what stands behind a prompt is a command for what is shown rather than text.
pub(super) fn is_operational(command: &[u8]) -> bool {
    const VERBS: [&[u8]; 17] = [
        b"show",
        b"request",
        b"clear",
        b"ping",
        b"traceroute",
        b"monitor",
        b"file",
        b"restart",
        b"start",
        b"test",
        b"quit",
        b"exit",
        b"configure",
        b"edit",
        b"op",
        b"commit",
        b"run",
    ];
    let mut words = command.split(|&byte| is_blank(byte)).filter(|word| !word.is_empty());
    let verb = words.next().unwrap_or_default();
    let others: Vec<&[u8]> = words.collect();
    // `show your badge.` is a sentence.
    VERBS.contains(&verb) && !others.iter().any(|word| matches!(word.last(), Some(b'{' | b'.' | b'!' | b';')))
}

/// A command of the editor without what goes to another place first: `top edit system`.
fn place_passed(command: &[u8]) -> &[u8] {
    let verb = first(command);
    if !matches!(verb, b"top" | b"up") {
        return command;
    }
    let rest = from(command, verb.len()).trim_ascii_start();
    from(rest, skip(rest, 0, |byte| byte.is_ascii_digit())).trim_ascii_start()
}

/// Whether a command of the editor shows configuration: all that it shows is some.
fn shows_what_is_edited(command: &[u8]) -> bool {
    let verb = first(place_passed(command));
    verb.len() >= 2 && b"show".starts_with(verb)
}

/// Whether a line may be a heading: a command alone, or with marks around it.
fn is_heading(bare: &[u8]) -> bool {
    const HEADING_MOST: usize = 256;
    bare.len() <= HEADING_MOST
}

/// A heading without its marks.
fn unmarked(bare: &[u8]) -> &[u8] {
    let start = skip(bare, 0, |byte| byte.is_ascii_punctuation() || is_blank(byte));
    let heading = from(bare, start);
    let word = b"command:";
    if heading.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)) {
        return from(heading, word.len()).trim_ascii_start();
    }
    heading
}

/// Whether a line is the heading of another command's output: neither indented nor a comment.
pub(super) fn is_other_heading(line: &[u8]) -> bool {
    if is_blank(at(line, 0)) || line.starts_with(b"/*") {
        return false;
    }
    let heading = unmarked(line.trim_ascii());
    is_heading(heading)
        && [&b"show "[..], b"request ", b"file ", b"monitor "].iter().any(|word| heading.starts_with(word))
        && !heading.ends_with(b";")
        && !shows_configuration(heading)
}

/// The marks that a heading begins with, `--- show version ---`; none where it is indented or has fewer than three.
pub(super) fn heading_marks(line: &[u8]) -> Option<&[u8]> {
    let first = at(line, 0);
    let end = skip(line, 0, |byte| byte == first);
    (end >= 3 && b"-#=*".contains(&first) && is_operational(unmarked(line.trim_ascii_end())))
        .then(|| part(line, 0, end))
}

/// Whether a line begins with the time as lines of logs do: `Nov 21 10:15:01`, `2026-11-21T10:15`.
pub(super) fn is_stamped(line: &[u8]) -> bool {
    const MONTHS: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let has_form = |text: &[u8], form: &[u8]| {
        text.len() >= form.len()
            && text.iter().zip(form).all(|(byte, sign)| match sign {
                b'0' => byte.is_ascii_digit(),
                b'T' => matches!(byte, b'T' | b' '),
                b'_' => is_blank(*byte) || byte.is_ascii_digit(),
                _ => byte == sign,
            })
    };
    (MONTHS.contains(&part(line, 0, 3)) && has_form(from(line, 3), b" _0 00:00:00"))
        || has_form(line, b"0000-00-00T00:00")
}

/// Whether a line has the form of those of a configuration in braces: it ends like one, or is a comment.
pub(super) fn is_of_braces(line: &[u8]) -> bool {
    let bare = line.trim_ascii();
    bare.is_empty()
        || matches!(bare.last(), Some(b';' | b'{' | b'}'))
        || [&b"#"[..], b"/*", b"*/", b"---("].iter().any(|head| bare.starts_with(head))
        || [&b"; #"[..], b"{ #", b"} #", b"; /*", b"{ /*", b"} /*"]
            .iter()
            .any(|mark| memmem::find(bare, mark).is_some())
}

/// Whether a command shows configuration, also where its words are abbreviated, from the editor or from a shell.
fn shows_configuration(command: &[u8]) -> bool {
    let command = match first(command) {
        b"run" | b"cli" => {
            let rest = from(command, 3).trim_ascii_start();
            let rest = rest.strip_prefix(b"-c").unwrap_or(rest);
            from(rest, skip(rest, 0, |byte| is_blank(byte) || byte == b'"' || byte == b'\''))
        }
        _ => command,
    };
    let command = part(command, 0, skip(command, 0, |byte| byte != b'"' && byte != b'\''));
    let mut words = command.split(|&byte| is_blank(byte)).filter(|word| !word.is_empty());
    let (verb, noun, more) =
        (words.next().unwrap_or_default(), words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is = |word: &[u8], full: &[u8], least: usize| word.len() >= least && full.starts_with(word);
    if is(verb, b"show", 2) {
        return is(noun, b"configuration", 4)
            || (noun == b"|" && is(more, b"compare", 3))
            || (is(noun, b"system", 3) && (is(more, b"rollback", 4) || is(more, b"configuration", 4)));
    }
    let shows_file = (verb == b"file" && is(noun, b"show", 2)) || matches!(verb, b"cat" | b"more" | b"less" | b"zcat");
    shows_file && (memmem::find(command, b"/config/").is_some() || memmem::find(command, b"juniper.conf").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        for (line, expected) in [
            ("root@edge-01> show configuration | display set", Line::Command),
            ("root@edge-01&gt; show configuration", Line::Command),
            ("root@edge-01> show conf snmp", Line::Command),
            ("root@edge-01# show | compare", Line::Command),
            ("root@edge-01% cat /config/juniper.conf", Line::Command),
            ("root@edge-01% cli -c \"show configuration\"", Line::Command),
            ("root@edge-01# run show configuration interfaces", Line::Command),
            ("root@edge-01# show", Line::Command),
            ("root@edge-01# show interfaces", Line::Command),
            ("root@edge-01# top show", Line::Command),
            ("root@edge-01# run show interfaces", Line::Prompt),
            ("root@edge-01# commit", Line::Prompt),
            ("root@edge-01:~# show x", Line::Prompt),
            ("root@edge-01# edit protocols bgp group x", Line::Change(14)),
            ("root@edge-01# wildcard delete interfaces x", Line::Change(14)),
            ("ge-0/0/0 {", Line::Curly),
            ("policy-statement \"A B\" {", Line::Block),
            ("vmhost {", Line::Block),
            ("openconfig-interfaces:interfaces {", Line::Block),
            ("set openconfig-bgp:bgp global x", Line::Statement),
            ("if (x) {", Line::Other),
            ("interface_stats {", Line::Other),
            ("\"x\": {", Line::Other),
            ("{master:0}", Line::Other),
            ("### show configuration ###", Line::Command),
            ("Command: show configuration security", Line::Command),
            ("root@edge-01> show chassis fpc", Line::Prompt),
            ("root@edge-01>", Line::Prompt),
            ("root@edge-01# set system host-name x", Line::Change(14)),
            ("set protocols bgp group x", Line::Statement),
            ("deactivate interfaces ge-0/0/0", Line::Statement),
            ("version 21.4R3;", Line::Loose),
            ("## Last commit: 2026-11-21 by ann", Line::Loose),
            ("apply-groups [ a b ];", Line::Loose),
            ("system {", Line::Block),
            ("  inactive: protocols {", Line::Block),
            ("snmp { community x; }", Line::Block),
            ("bgp {", Line::Block),
            ("[edit system]", Line::Comparison),
            ("Nov 21 10:15:01 edge-01 mgd[1]: set system clock", Line::Other),
            ("system uptime is 4 days", Line::Other),
            ("set your expectations", Line::Other),
            ("Peer                     AS      InPkt", Line::Other),
        ] {
            assert_eq!(judge(line.as_bytes()), expected, "{line}");
        }
        assert!(is_other_heading(b"--- show version ---") && !is_other_heading(b"show configuration"));
        assert!(!is_other_heading(b"/* request x */") && !is_other_heading(b"    show on map"));
    }
}
