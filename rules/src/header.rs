//! The header of a policy: its one call of `policy(#{ ... })`, read from the syntax tree.

use linesman_schemas::OrgName;
use rhai::{AST, Expr, FnCallExpr, Position, Stmt};

use crate::diagnostic::{Code, Faults, LineColumn, excerpt, suggest};
use crate::filter::{self, Where};
use crate::literal::{self, Entry, Literal, Spanned};
use crate::subject::SubjectKind;
use crate::triggers::{self, Triggers};

/// The keys a header knows.
const KEYS: [&str; 3] = ["on", "where", "organizations"];

/// What a header says.
pub(crate) struct Header {
    pub(crate) triggers: Triggers,
    /// Where it names them.
    pub(crate) triggers_at: LineColumn,
    pub(crate) filter: Where,
    /// The entries it was made of.
    pub(crate) filters: Vec<Entry>,
    /// The organizations it is limited to; none means all.
    pub(crate) organizations: Option<Vec<OrgName>>,
    /// The same as they stand there, each with its place.
    pub(crate) organizations_at: Vec<(OrgName, LineColumn)>,
}

/// Reads the header of a script; `has_owner` tells that it is an organization's own.
pub(crate) fn read(ast: &AST, has_owner: bool, faults: &mut Faults) -> Option<Header> {
    let (call, at) = find_call(ast, faults)?;
    let [argument] = call.args.as_slice() else {
        faults.add(Code::Header, at, format!("`policy` takes one map and is given {} values", call.args.len()));
        return None;
    };
    let Spanned { value: Literal::Map(entries), .. } = literal::read(argument) else {
        faults.add_with_help(
            Code::Header,
            at,
            "`policy` takes a map",
            "write `policy(#{ on: \"...\", where: #{ ... } });`",
        );
        return None;
    };
    report_unknown_keys(&entries, has_owner, faults);
    let organizations_at = match entry(&entries, "organizations") {
        Some(entry) if !has_owner => read_organizations(entry, faults),
        _ => None,
    };
    let organizations = organizations_at.as_ref().map(|named| {
        let mut names: Vec<OrgName> = named.iter().map(|(name, _)| name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    });
    let on = entry(&entries, "on");
    let triggers = read_triggers(on, at, faults)?;
    let triggers_at = on.map_or(at, |on| on.value.at);
    let filter = entry(&entries, "where");
    let filters = match filter.map(|filter| &filter.value.value) {
        Some(Literal::Map(filters)) => filters.clone(),
        _ => Vec::new(),
    };
    let filter = filter.map_or_else(Where::default, |entry| read_filter(entry, triggers.kind(), faults));
    let organizations_at = organizations_at.unwrap_or_default();
    Some(Header { triggers, triggers_at, filter, filters, organizations, organizations_at })
}

/// The first call of `policy`; everything else at the top of the script is a fault.
fn find_call<'a>(ast: &'a AST, faults: &mut Faults) -> Option<(&'a FnCallExpr, LineColumn)> {
    let mut first = None;
    for statement in ast.statements() {
        match as_call(statement) {
            Some((call, position)) if call.name == "policy" => {
                let at = position.into();
                match first {
                    None => first = Some((call, at)),
                    Some(_) => faults.add(Code::Header, at, "`policy` is called a second time"),
                }
            }
            _ if matches!(statement, Stmt::Noop(_)) => {}
            _ => faults.add_with_help(
                Code::Header,
                statement.position().into(),
                "only `policy(...)` and functions stand outside of functions",
                "move this into `react`",
            ),
        }
    }
    if first.is_none() {
        let help = "write `policy(#{ on: \"...\", where: #{ ... } });` above `react`";
        faults.add_with_help(Code::Header, LineColumn::WHOLE, "`policy(...)` is missing", help);
    }
    first
}

fn as_call(statement: &Stmt) -> Option<(&FnCallExpr, Position)> {
    match statement {
        Stmt::FnCall(call, position) => Some((call, *position)),
        Stmt::Expr(expr) => match &**expr {
            Expr::FnCall(call, position) => Some((call, *position)),
            _ => None,
        },
        _ => None,
    }
}

fn entry<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.key == key)
}

fn report_unknown_keys(entries: &[Entry], has_owner: bool, faults: &mut Faults) {
    for entry in entries {
        if has_owner && entry.key == "organizations" {
            let message = "`organizations` is for policies of all organizations, and this is one organization's own";
            faults.add(Code::UnknownKey, entry.at, message);
        } else if !KEYS.contains(&entry.key.as_str()) {
            let help = suggest(&entry.key, KEYS.into_iter());
            faults.add_with_help(
                Code::UnknownKey,
                entry.at,
                format!("unknown key `{}` of `policy`", excerpt(&entry.key)),
                help,
            );
        }
    }
}

fn read_triggers(entry: Option<&Entry>, call: LineColumn, faults: &mut Faults) -> Option<Triggers> {
    let Some(entry) = entry else {
        let help = format!("name the trigger: one of {}", triggers::known());
        faults.add_with_help(Code::Header, call, "`on` is missing", help);
        return None;
    };
    triggers::read(&entry.value, faults)
}

fn read_filter(entry: &Entry, kind: SubjectKind, faults: &mut Faults) -> Where {
    match &entry.value.value {
        Literal::Map(entries) => filter::compile(entries, kind, faults),
        other => {
            faults.add(
                Code::WrongType,
                entry.value.at,
                format!("`where` is a map of filters, not {}", other.describe()),
            );
            Where::default()
        }
    }
}

fn read_organizations(entry: &Entry, faults: &mut Faults) -> Option<Vec<(OrgName, LineColumn)>> {
    let Literal::List(items) = &entry.value.value else {
        let message = format!("`organizations` is a list of names, not {}", entry.value.value.describe());
        faults.add(Code::WrongType, entry.value.at, message);
        return None;
    };
    if items.is_empty() {
        faults.add(Code::NeverMatches, entry.value.at, "the list of `organizations` is empty and would match nothing");
    }
    let mut names: Vec<(OrgName, LineColumn)> = Vec::with_capacity(items.len());
    for item in items {
        match &item.value {
            Literal::Text(name) => match name.parse() {
                Ok(name) => names.push((name, item.at)),
                Err(error) => faults.add(Code::Name, item.at, error.to_string()),
            },
            other => faults.add(
                Code::WrongType,
                item.at,
                format!("an organization is named by a text, not by {}", other.describe()),
            ),
        }
    }
    Some(names)
}
