//! Groups of the commands by which data is gathered from devices without scripts.

use linesman_schemas::OrgName;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Directives, DirectivesGroup};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ReachedRow, all, name_of};
use crate::Error;
use crate::activations::pushes;
use crate::commands::{Answer, UNCHANGED};
use crate::desk::Desk;
use crate::state::Base;
use crate::table::{Key, Row, Table};

/// How many groups an organization has at most.
pub const GROUPS_MOST: usize = 200;

/// A group of commands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectivesRow {
    /// The commands in their order, a line each.
    pub commands: Vec<String>,
}

impl Row for DirectivesRow {}

/// The table of groups of commands, by name.
pub const DIRECTIVES: Table<DirectivesRow> = Table::new(b'(');

/// A group's key.
pub fn directives_key(org: &OrgName, name: &str) -> Key<DirectivesRow> {
    DIRECTIVES.key(&[org.as_str()], name.as_bytes())
}

/// An organization's groups of commands, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn directives(
    base: &(impl Base + ?Sized),
    org: &OrgName,
) -> impl Iterator<Item = Result<(String, DirectivesRow), Error>> {
    DIRECTIVES.rows(base, &[org.as_str()]).map(|row| row.map(|(own, row)| (name_of(&own), row)))
}

/// The commands of the groups that a device names, in their order, each once; groups that there are not have none.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn commands(base: &(impl Base + ?Sized), org: &OrgName, device: &ReachedRow) -> Result<Vec<String>, Error> {
    let mut commands = Vec::new();
    for group in &device.directives {
        for command in Table::read(base, &directives_key(org, group))?.unwrap_or_default().commands {
            if !commands.contains(&command) {
                commands.push(command);
            }
        }
    }
    Ok(commands)
}

/// Does what is asked of a group of commands.
pub(crate) fn ask(desk: &mut Desk, org: &OrgName, verb: &Directives) -> Result<Answer, Error> {
    let key = directives_key(org, verb.group());
    let known = desk.read(&key)?;
    let before = known.as_ref().map_or(Value::Null, shown);
    let answer = match (verb, known) {
        (Directives::Remove(_), None) => {
            Answer::refused(Verdict::NotFound, format!("`{org}` has no directives group `{}`", verb.group()))
        }
        (Directives::Remove(_), Some(_)) => match named_by(desk, org, verb.group())? {
            Some(device) => {
                let detail = format!("the device `{device}` names it, or more devices do: `device set --directives`");
                Answer::refused(Verdict::Conflict, detail)
            }
            None => {
                desk.remove(key);
                Answer::done("removed", before, Value::Null)
            }
        },
        (Directives::Set(_), None) if DIRECTIVES.rows(desk.state(), &[org.as_str()]).nth(GROUPS_MOST - 1).is_some() => {
            Answer::refused(Verdict::Conflict, format!("an organization has at most {GROUPS_MOST} directives groups"))
        }
        (Directives::Set(DirectivesGroup { commands, .. }), known) => {
            if let Some(refused) = refusal(desk, commands) {
                return Ok(refused.about(&verb.group()));
            }
            let row = DirectivesRow { commands: commands.clone() };
            match known {
                Some(known) if known == row => Answer::done(UNCHANGED, before, shown(&row)),
                known => {
                    desk.write(key, &row)?;
                    match known {
                        Some(_) => Answer::done("changed", before, shown(&row)),
                        None => Answer::created(shown(&row)),
                    }
                }
            }
        }
    };
    Ok(answer.about(&verb.group()))
}

/// Why commands are not run on devices where changes of those need approval, unless they only ask.
pub(super) fn refusal(desk: &Desk, commands: &[String]) -> Option<Answer> {
    let other = commands.iter().find(|command| !asks_only(command)).filter(|_| pushes::are_approved(desk))?;
    let detail = format!(
        "what changes devices needs approval here, and `{}` may: data is gathered by `show` and `request support information` alone",
        linesman_rules::excerpt(other)
    );
    Some(Answer::refused(Verdict::Forbidden, detail))
}

/// What may stand behind a `|` and writes nothing anywhere.
const PIPES: [&str; 9] = ["count", "display", "except", "find", "hold", "last", "match", "no-more", "trim"];

/// Whether a command can only ask, as Junos reads it and as a shell does, which devices without NETCONF may hand it to.
fn asks_only(command: &str) -> bool {
    let is_plain = |c: char| !matches!(c, ';' | '&' | '<' | '>' | '`' | '$' | '\\' | '(' | ')' | '\'' | '\n');
    let mut parts = command.split('|').map(str::trim);
    let begin = parts.next().unwrap_or_default();
    let is_asked = begin.starts_with("show ") || begin == "request support information";
    let is_read = |pipe: &str| pipe.split_whitespace().next().is_some_and(|word| PIPES.contains(&word));
    is_asked && command.chars().all(is_plain) && parts.all(is_read)
}

/// The first device that names a group.
fn named_by(desk: &Desk, org: &OrgName, group: &str) -> Result<Option<String>, Error> {
    for device in all(desk.state(), org) {
        let (name, row) = device?;
        if row.directives.iter().any(|named| named == group) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn shown(row: &DirectivesRow) -> Value {
    json!({"commands": row.commands})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_change_a_device_does_not_only_ask() {
        for (command, expected) in [
            ("show version", true),
            ("show configuration | display xml", true),
            ("show log messages | match \"error\" | last 100", true),
            ("request support information", true),
            ("request support information | no-more", true),
            ("show version | save /var/tmp/a", false),
            ("show version; touch a", false),
            ("show version $(touch a)", false),
            ("show version > a", false),
            ("request system reboot", false),
            ("request support information x", false),
            ("configure", false),
            ("showing", false),
            ("", false),
        ] {
            assert_eq!(asks_only(command), expected, "{command}");
        }
    }
}
