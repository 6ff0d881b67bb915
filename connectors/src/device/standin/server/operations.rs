//! What a stand-in device does: the operations of RFC 6241 and those of Junos, on the configurations of its store.

use std::sync::Arc;
use std::time::Duration;

use super::statements::{Statement, merge, parse, text, xml};
use super::store::{Refusal, Which};
use super::tree::Element;
use super::{Facts, Shared, locked};
use crate::device::netconf::scan::escaped;

/// After what time a commit is rolled back that says nothing else.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(600);

/// What stands within a reply.
pub(super) struct Answer(pub(super) String);

/// The operations of a session.
pub(super) struct Operations {
    pub(super) shared: Arc<Shared>,
    pub(super) session: u32,
}

type Done = Result<String, Refusal>;

const OK: &str = "<ok/>";

impl Operations {
    pub(super) fn carry_out(&mut self, operation: &Element) -> Answer {
        Answer(self.act(operation).unwrap_or_else(|refusal| error(&refusal)))
    }

    fn act(&mut self, operation: &Element) -> Done {
        match operation.name.as_str() {
            "get" | "get-config" => self.get_config(operation),
            "edit-config" => self.edit_config(operation),
            "lock" => self.within(|store, session| store.lock(which(operation, "target")?, session)),
            "unlock" => self.within(|store, session| store.unlock(which(operation, "target")?, session)),
            "lock-configuration" => self.within(|store, session| store.lock(Which::Candidate, session)),
            "unlock-configuration" => self.within(|store, session| store.unlock(Which::Candidate, session)),
            "validate" => self.within(|store, _| store.validate(which(operation, "source")?)),
            "commit" => self.commit(operation, Duration::from_secs),
            "commit-configuration" if operation.has("check") => {
                self.within(|store, _| store.validate(Which::Candidate))
            }
            "commit-configuration" => {
                let answer = self.commit(operation, |minutes| Duration::from_secs(60 * minutes))?;
                Ok(format!(
                    "<commit-results><routing-engine><name>re0</name>{answer}</routing-engine></commit-results>"
                ))
            }
            "cancel-commit" => self.within(|store, session| store.cancel(session, operation.text_of("persist-id"))),
            "discard-changes" => self.within(super::store::Store::discard),
            "close-session" | "kill-session" => Ok(OK.to_owned()),
            "load-configuration" => self.load(operation),
            "get-configuration" => self.get_configuration(operation),
            "command" => self.command(operation),
            "get-commit-information" => Ok(self.commits()),
            "get-system-information" => Ok(information(&self.shared.setup.facts)),
            other => match self.shared.setup.rpcs.get(other) {
                Some(answer) => Ok(answer.clone()),
                None => {
                    Err(Refusal::new("operation-not-supported", format!("syntax error, expecting <command>: {other}")))
                }
            },
        }
    }

    fn within(&self, act: impl FnOnce(&mut super::store::Store, u32) -> Result<(), Refusal>) -> Done {
        act(&mut locked(&self.shared.store), self.session).map(|()| OK.to_owned())
    }

    fn get_config(&self, operation: &Element) -> Done {
        let which = if operation.name == "get" { Which::Running } else { which(operation, "source")? };
        let configuration = xml(locked(&self.shared.store).statements(which));
        Ok(format!(
            "<data><configuration xmlns=\"http://xml.juniper.net/xnm/1.1/xnm\">{configuration}</configuration></data>"
        ))
    }

    fn edit_config(&self, operation: &Element) -> Done {
        let which = which(operation, "target")?;
        let config = operation.child("config").ok_or(Refusal::new("missing-element", "config is missing"))?;
        let is_whole = operation.text_of("default-operation") == Some("replace");
        let missing = locked(&self.shared.store).edit(which, Statement::of(config), is_whole, self.session)?;
        match missing.first() {
            Some(missing) => Err(Refusal::new("data-missing", format!("statement not found: {missing}"))),
            None => Ok(OK.to_owned()),
        }
    }

    fn commit(&self, operation: &Element, time: fn(u64) -> Duration) -> Done {
        let is_confirmed = operation.has("confirmed");
        let timeout = match operation.text_of("confirm-timeout") {
            None => CONFIRM_TIMEOUT,
            Some(number) => time(number.parse().map_err(|_| Refusal::new("invalid-value", "confirm-timeout"))?),
        };
        let (persist, id) = (operation.text_of("persist"), operation.text_of("persist-id"));
        let is_junos = operation.name == "commit-configuration";
        let number = locked(&self.shared.store).commit(self.session, (is_confirmed, is_junos), persist, id)?;
        if is_confirmed {
            let shared = Arc::downgrade(&self.shared);
            tokio::spawn(async move {
                tokio::time::sleep(timeout).await;
                if let Some(shared) = shared.upgrade() {
                    locked(&shared.store).expire(number);
                }
            });
        }
        Ok(OK.to_owned())
    }

    fn load(&self, operation: &Element) -> Done {
        let action = operation.attribute("action").unwrap_or_else(|| "merge".to_owned());
        let is_whole = matches!(action.as_str(), "override" | "update");
        let read = |read: Result<Vec<Statement>, String>| match read {
            Ok(statements) => Ok(statements),
            Err(message) => Err(Refusal::new("syntax-error", message)),
        };
        let statements = match (operation.text_of("configuration-set"), operation.text_of("configuration-text")) {
            (Some(lines), _) => {
                // Each line by itself, as if they were loaded one after the other.
                let mut missing = Vec::new();
                for line in lines.lines() {
                    let statement = Statement::line(line).map_err(|message| Refusal::new("syntax-error", message))?;
                    let statement: Vec<Statement> = statement.into_iter().collect();
                    missing.extend(locked(&self.shared.store).edit(
                        Which::Candidate,
                        statement,
                        false,
                        self.session,
                    )?);
                }
                return Ok(loaded(&missing));
            }
            (_, Some(text)) => read(parse(text))?,
            _ => match operation.child("configuration") {
                Some(configuration) => Statement::of(configuration),
                None => return Err(Refusal::new("missing-element", "configuration is missing")),
            },
        };
        let missing = locked(&self.shared.store).edit(Which::Candidate, statements, is_whole, self.session)?;
        Ok(loaded(&missing))
    }

    fn get_configuration(&self, operation: &Element) -> Done {
        let store = locked(&self.shared.store);
        if operation.attribute("compare").is_some() {
            let rollback = operation.attribute("rollback").and_then(|number| number.parse().ok()).unwrap_or(0);
            let difference =
                store.compare(rollback).ok_or(Refusal::new("invalid-value", "there is no such rollback"))?;
            return Ok(format!(
                "<configuration-information><configuration-output>\n{}</configuration-output>\
                 </configuration-information>",
                escaped(&difference)
            ));
        }
        let is_committed = operation.attribute("database").as_deref() == Some("committed");
        let statements = store.statements(if is_committed { Which::Running } else { Which::Candidate });
        let mut wanted = Vec::new();
        merge(&mut wanted, operation.child("configuration").map(Statement::of).unwrap_or_default());
        let statements = filtered(statements, &wanted);
        match operation.attribute("format").as_deref() {
            Some("text") => Ok(format!("<configuration-text>\n{}</configuration-text>", escaped(&text(&statements)))),
            _ => Ok(format!("<configuration>{}</configuration>", xml(&statements))),
        }
    }

    /// The last commit, which tells whether it waits to be confirmed.
    fn commits(&self) -> String {
        let waits = match locked(&self.shared.store).is_pending() {
            true => {
                "<comment>commit confirmed, rollback in 3mins</comment><commit-confirmed>rollback pending</commit-confirmed>"
            }
            false => "",
        };
        format!(
            "<commit-information><commit-history><sequence-number>0</sequence-number>{waits}</commit-history></commit-information>"
        )
    }

    fn command(&self, operation: &Element) -> Done {
        let command = operation.text.trim();
        let is_xml = operation.attribute("format").as_deref() == Some("xml");
        let asked = if is_xml { format!("{command} | display xml") } else { command.to_owned() };
        match self.shared.setup.commands.get(&asked) {
            Some(answer) if is_xml => Ok(answer.clone()),
            Some(answer) => Ok(format!("<output>\n{}</output>", escaped(answer))),
            None => Err(Refusal::new("operation-failed", format!("syntax error, unknown command: {command}"))),
        }
    }
}

/// What of statements a filter wants: all where it is empty.
fn filtered(statements: &[Statement], wanted: &[Statement]) -> Vec<Statement> {
    if wanted.is_empty() {
        return statements.to_vec();
    }
    let kept = statements.iter().filter_map(|statement| {
        let head = statement.words.split(' ').next();
        let found = wanted.iter().find(|wanted| {
            let name = wanted.words.split(' ').next();
            wanted.words == statement.words || (wanted.words.split(' ').nth(1).is_none() && name == head)
        })?;
        let inner = found.children.as_deref().unwrap_or_default();
        let children = statement.children.as_ref().map(|children| filtered(children, inner));
        Some(statement.with(children))
    });
    kept.collect()
}

/// Which configuration an operation is about.
fn which(operation: &Element, place: &str) -> Result<Which, Refusal> {
    let place = operation.child(place).ok_or(Refusal::new("missing-element", format!("{place} is missing")))?;
    match place.children.first().map(|child| child.name.as_str()) {
        Some("running") => Ok(Which::Running),
        Some("candidate") => Ok(Which::Candidate),
        _ => Err(Refusal::new("invalid-value", "there is no such configuration")),
    }
}

/// What Junos says when it has loaded something.
fn loaded(missing: &[String]) -> String {
    let warnings: String = missing
        .iter()
        .map(|statement| {
            format!(
                "<rpc-error><error-severity>warning</error-severity><error-path>[edit]</error-path>\
                 <error-message>\nstatement not found: {}\n</error-message></rpc-error>",
                escaped(statement)
            )
        })
        .collect();
    format!("<load-configuration-results>{warnings}<ok/></load-configuration-results>")
}

fn error(refusal: &Refusal) -> String {
    let info = refusal
        .session
        .map(|session| format!("<error-info><session-id>{session}</session-id></error-info>"))
        .unwrap_or_default();
    format!(
        "<rpc-error><error-type>application</error-type><error-tag>{}</error-tag>\
         <error-severity>error</error-severity><error-message>{}</error-message>{info}</rpc-error>",
        refusal.tag,
        escaped(&refusal.message)
    )
}

fn information(facts: &Facts) -> String {
    format!(
        "<system-information><hardware-model>{}</hardware-model><os-name>junos</os-name><os-version>{}</os-version>\
         <serial-number>{}</serial-number><host-name>{}</host-name></system-information>",
        escaped(&facts.model),
        escaped(&facts.version),
        escaped(&facts.serial_number),
        escaped(&facts.host_name)
    )
}
