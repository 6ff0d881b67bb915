//! A configuration as statements in braces, as Junos writes it; read, joined, written as text and as XML.
//!
//! It knows no schema: a leaf of two words replaces one that begins with the same, all others are told apart by all they
//! say.

use super::tree::Element;
use crate::device::netconf::scan::escaped;

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) words: String,
    /// What stands in its braces; none of a leaf.
    pub(super) children: Option<Vec<Statement>>,
    mark: Mark,
}

/// What is to become of what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Merge,
    Replace,
    Delete,
}

/// Reads a text.
///
/// # Errors
/// In which line something is wrong, and what.
pub(super) fn parse(text: &str) -> Result<Vec<Statement>, String> {
    super::super::super::syntax::check_text(text)?;
    let mut open: Vec<(String, Vec<Statement>)> = vec![(String::new(), Vec::new())];
    let mut words = String::new();
    let mut is_quoted = false;
    let mut chars = text.lines().map(uncommented).flat_map(|line| line.chars().chain(['\n']).collect::<Vec<_>>());
    while let Some(c) = chars.next() {
        match c {
            '\\' if is_quoted => words.extend([c].into_iter().chain(chars.next())),
            '"' => {
                is_quoted = !is_quoted;
                words.push(c);
            }
            c if is_quoted => words.push(c),
            '{' => open.push((std::mem::take(&mut words), Vec::new())),
            '}' => {
                let (words, children) = open.pop().unwrap_or_default();
                let statement = Statement::new(&words, Some(children));
                open.last_mut().ok_or("a brace is closed that was not opened")?.1.push(statement);
            }
            ';' => {
                let leaves = leaves(&std::mem::take(&mut words));
                open.last_mut().ok_or("a statement outside")?.1.extend(leaves);
            }
            c => words.push(c),
        }
    }
    Ok(open.pop().unwrap_or_default().1)
}

fn uncommented(line: &str) -> &str {
    if line.trim_start().starts_with('#') { "" } else { line }
}

/// A leaf; one for each value where it has several.
fn leaves(words: &str) -> Vec<Statement> {
    let list = words.split_once('[').and_then(|(key, list)| Some((key, list.trim_end().strip_suffix(']')?)));
    match list {
        Some((key, list)) => {
            list.split_whitespace().map(|value| Statement::new(&format!("{key} {value}"), None)).collect()
        }
        None => vec![Statement::new(words, None)],
    }
}

impl Statement {
    fn new(words: &str, children: Option<Vec<Self>>) -> Self {
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let marked = |mark| words.strip_prefix(mark).map(|words| words.trim_start().to_owned());
        match (marked("replace:"), marked("delete:")) {
            (Some(words), _) => Self { words, children, mark: Mark::Replace },
            (_, Some(words)) => Self { words, children, mark: Mark::Delete },
            _ => Self { words, children, mark: Mark::Merge },
        }
    }

    /// A statement in others, as a line of `set` or `delete` says it.
    pub(super) fn line(line: &str) -> Result<Option<Self>, String> {
        let (verb, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let mark = match verb {
            "" => return Ok(None),
            "set" => Mark::Merge,
            "delete" => Mark::Delete,
            other => return Err(format!("unknown command `{other}`")),
        };
        let words: Vec<&str> = rest.splitn(3, ' ').collect();
        let leaf = |words: &str, mark| Self { words: words.to_owned(), children: None, mark };
        let within =
            |words: &str, inner| Self { words: words.to_owned(), children: Some(vec![inner]), mark: Mark::Merge };
        Ok(Some(match words.as_slice() {
            ["groups", name, rest] => within("groups", within(name, leaf(rest, mark))),
            ["groups", name] if mark == Mark::Delete => within("groups", leaf(name, mark)),
            ["groups", name] => within("groups", Self { children: Some(Vec::new()), ..leaf(name, mark) }),
            _ => leaf(rest, mark),
        }))
    }

    /// The statements of an element `configuration` or `config`.
    pub(super) fn of(element: &Element) -> Vec<Self> {
        element.children.iter().flat_map(Self::of_child).collect()
    }

    fn of_child(element: &Element) -> Vec<Self> {
        if element.name == "configuration" {
            return Self::of(element);
        }
        let name = element.text_of("name").map(|name| format!(" {name}")).unwrap_or_default();
        let value = if element.text.is_empty() { String::new() } else { format!(" {}", element.text) };
        let is_bare = element.name == "statement";
        let words = if is_bare { element.text.clone() } else { format!("{}{name}{value}", element.name) };
        let inner = element.children.iter().filter(|child| child.name != "name");
        let children: Vec<Self> = inner.flat_map(Self::of_child).collect();
        let mark = match element.attribute("operation").or_else(|| element.attribute("replace")).as_deref() {
            Some("delete" | "remove") => Mark::Delete,
            Some("replace" | "create") => Mark::Replace,
            _ if element.attribute("delete").is_some() => Mark::Delete,
            _ => Mark::Merge,
        };
        let is_leaf = children.is_empty() && (name.is_empty() || is_bare);
        // A group stands in `groups`, and goes by its name there.
        if let Some(group) = element.text_of("name").filter(|_| element.name == "groups") {
            let group = Self { words: group.to_owned(), children: Some(children), mark };
            return vec![Self { words: "groups".to_owned(), children: Some(vec![group]), mark: Mark::Merge }];
        }
        vec![Self { words, children: (!is_leaf).then_some(children), mark }]
    }

    /// The same with something else in its braces.
    pub(super) fn with(&self, children: Option<Vec<Self>>) -> Self {
        Self { words: self.words.clone(), children, mark: self.mark }
    }

    fn key(&self) -> Option<&str> {
        let (key, value) = self.words.split_once(' ')?;
        (self.children.is_none() && !value.contains(' ') && key != "apply-groups").then_some(key)
    }
}

/// Joins statements into others. What is to be deleted and is not there is told.
pub(super) fn merge(target: &mut Vec<Statement>, source: Vec<Statement>) -> Vec<String> {
    let mut missing = Vec::new();
    for statement in source {
        let is_same = |known: &Statement| known.words == statement.words;
        let at = target.iter().position(is_same);
        match (statement.mark, at) {
            (Mark::Delete, Some(at)) => drop(target.remove(at)),
            (Mark::Delete, None) => missing.push(statement.words),
            (Mark::Replace, Some(at)) => {
                let (statement, lacked) = settled(statement);
                missing.extend(lacked);
                target.remove(at);
                target.insert(at, statement);
            }
            (Mark::Merge, Some(at)) => {
                let known = target.get_mut(at).and_then(|known| known.children.as_mut());
                if let (Some(known), Some(children)) = (known, statement.children) {
                    missing.extend(merge(known, children));
                }
            }
            (_, None) => {
                target.retain(|known| known.key().is_none() || known.key() != statement.key());
                let (statement, lacked) = settled(statement);
                missing.extend(lacked);
                target.push(statement);
            }
        }
    }
    // What has nothing in it any more is no statement; a group may be empty.
    target
        .retain(|statement| statement.words != "groups" || statement.children.as_ref().is_some_and(|c| !c.is_empty()));
    missing
}

/// A statement as it is there, with nothing to become of it any more; and what was to be deleted in it.
fn settled(statement: Statement) -> (Statement, Vec<String>) {
    let mut missing = Vec::new();
    let children = statement.children.map(|inner| {
        let mut children = Vec::new();
        missing = merge(&mut children, inner);
        children
    });
    (Statement { words: statement.words, children, mark: Mark::Merge }, missing)
}

/// As text.
pub(super) fn text(statements: &[Statement]) -> String {
    let mut out = String::new();
    write(statements, 0, &mut out);
    out
}

fn write(statements: &[Statement], depth: usize, out: &mut String) {
    let indent = "    ".repeat(depth);
    for statement in statements.iter().filter(|statement| !statement.words.starts_with("apply-groups ")) {
        match &statement.children {
            Some(children) => {
                *out += &format!("{indent}{} {{\n", statement.words);
                write(children, depth + 1, out);
                *out += &format!("{indent}}}\n");
            }
            None => *out += &format!("{indent}{};\n", statement.words),
        }
    }
    let applied: Vec<&str> = statements.iter().filter_map(|known| known.words.strip_prefix("apply-groups ")).collect();
    match applied.as_slice() {
        [] => {}
        [one] => *out += &format!("{indent}apply-groups {one};\n"),
        several => *out += &format!("{indent}apply-groups [ {} ];\n", several.join(" ")),
    }
}

/// As XML, so that [`Statement::of`] makes the same of it.
pub(super) fn xml(statements: &[Statement]) -> String {
    let mut out = String::new();
    for statement in statements {
        let (head, rest) = statement.words.split_once(' ').unwrap_or((&statement.words, ""));
        let is_name = head.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            && head.starts_with(|c: char| c.is_ascii_alphabetic());
        match &statement.children {
            Some(groups) if statement.words == "groups" => {
                for group in groups {
                    let inner = xml(group.children.as_deref().unwrap_or_default());
                    out += &format!("<groups><name>{}</name>{inner}</groups>", escaped(&group.words));
                }
            }
            None if is_name && rest.is_empty() => out += &format!("<{head}/>"),
            None if is_name && !rest.contains(' ') => out += &format!("<{head}>{}</{head}>", escaped(rest)),
            None => out += &format!("<statement>{}</statement>", escaped(&statement.words)),
            Some(children) => {
                let (head, name) = if is_name { (head, rest) } else { ("statements", statement.words.as_str()) };
                let name = if name.is_empty() { String::new() } else { format!("<name>{}</name>", escaped(name)) };
                out += &format!("<{head}>{name}{}</{head}>", xml(children));
            }
        }
    }
    out
}

/// What is wrong with a configuration as a whole: groups that are applied and not there.
pub(super) fn faults(statements: &[Statement]) -> Vec<String> {
    let groups = statements.iter().filter(|statement| statement.words == "groups");
    let known: Vec<&str> =
        groups.filter_map(|groups| groups.children.as_ref()).flatten().map(|group| group.words.as_str()).collect();
    let applied = statements.iter().filter_map(|statement| statement.words.strip_prefix("apply-groups "));
    applied.filter(|name| !known.contains(name)).map(str::to_owned).collect()
}
