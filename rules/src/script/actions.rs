//! The functions by which a script asks for something to be done. Each only records an intent.
//!
//! What can be refused by the words alone is judged by functions of its own, which the check of a policy
//! asks too.

use std::any::TypeId;
use std::fmt::Display;
use std::rc::Rc;
use std::sync::LazyLock;

use linesman_schemas::command::{CASE_REFERENCE_MOST, CaseWords, Handling, NOTE_MOST};
pub use linesman_schemas::notification::Holds as Parameter;
use linesman_schemas::notification::{KINDS, Kind, Notification};
use linesman_schemas::reaction::FollowUp;
use linesman_schemas::{ApprovalRule, Priority};
use rhai::{Dynamic, Engine, ImmutableString, Map};

use super::budget::{Fault, Run, refuse};
use super::{Intent, collecting, json};
use crate::diagnostic::{excerpt, quoted, suggest};
use crate::subject::SubjectKind;

/// What `submit_case` may be told.
pub(super) const CASE_KEYS: [&str; 7] = ["synopsis", "comments", "priority", "cc", "follow_up", "reference", "address"];

/// The upstreams, whose reactions are cases; no policy publishes under their names, nor under those of notifications.
const UPSTREAMS: [&str; 1] = ["jss"];

/// The names that came to belong to connectors when policies published under them already. INVARIANT (decided again):
/// a run takes them, and only the check of a new policy does not.
const TAKEN_SINCE: [&str; 2] = ["device", "partner"];

/// What an action costs besides its bytes.
const COST: usize = 10;

/// An action as a script calls it.
#[derive(Debug)]
pub struct Action {
    /// Its name.
    pub name: &'static str,
    /// What it is given; all but the first `required` may be left out.
    pub parameters: Vec<(&'static str, Parameter)>,
    /// How many parameters must be given.
    pub required: usize,
    /// Whether it is refused when the trigger is about no incident.
    pub needs_incident: bool,
}

impl Action {
    /// How it is called: `log(message[, #{ ... }])`; what may be left out stands in brackets.
    pub fn signature(&self) -> String {
        let mut text = format!("{}(", self.name);
        for (number, (name, parameter)) in self.parameters.iter().enumerate() {
            let separator = if number == 0 { "" } else { ", " };
            let written = match parameter {
                Parameter::Text => (*name).to_owned(),
                Parameter::Map => "#{ ... }".to_owned(),
            };
            if number < self.required {
                text.push_str(&format!("{separator}{written}"));
            } else {
                text.push_str(&format!("[{separator}{written}]"));
            }
        }
        text.push(')');
        text
    }
}

/// All actions: those on incidents, one for each kind of notification, and publication.
pub static ACTIONS: LazyLock<Vec<Action>> = LazyLock::new(|| {
    let action = |name, parameters: &[(&'static str, Parameter)], required, needs_incident| Action {
        name,
        parameters: parameters.to_vec(),
        required,
        needs_incident,
    };
    let mut actions = vec![
        action("submit_case", &[("case", Parameter::Map)], 0, true),
        action("forward_case", &[], 0, true),
        action("handle_case", &[], 0, true),
    ];
    actions.extend(KINDS.iter().map(|kind| {
        let parameters: Vec<_> = kind.arguments.iter().map(|argument| (argument.name, argument.holds)).collect();
        action(kind.connector, &parameters, kind.required, false)
    }));
    actions.extend([
        action("set_priority", &[("priority", Parameter::Text)], 1, true),
        action("assign", &[("owner", Parameter::Text)], 1, true),
        action("close_incident", &[("note", Parameter::Text)], 1, true),
        action(collecting::COLLECT, &[("data", Parameter::Map)], 0, true),
        action("require_approval", &[("rule", Parameter::Text)], 1, false),
        action("publish", &[("name", Parameter::Text), ("data", Parameter::Map)], 2, false),
    ]);
    actions
});

/// Why something is refused, and what would not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Refusal {
    pub(super) fn new(message: String, help: impl Into<Option<String>>) -> Self {
        Self { message, help: help.into() }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        refuse(match refusal.help {
            Some(help) => format!("{}: {help}", refusal.message),
            None => refusal.message,
        })
    }
}

/// Teaches an engine the actions.
pub(super) fn register(engine: &mut Engine, run: &Rc<Run>) {
    let r = Rc::clone(run);
    engine.register_fn("submit_case", move || submit_case(&r, &Map::new()));
    let r = Rc::clone(run);
    engine.register_fn("submit_case", move |map: Map| submit_case(&r, &map));
    for (name, handling) in [("forward_case", Handling::Forward), ("handle_case", Handling::Own)] {
        let r = Rc::clone(run);
        engine.register_fn(name, move || route_case(&r, name, handling));
    }
    KINDS.iter().for_each(|kind| register_notification(engine, run, kind));
    let r = Rc::clone(run);
    engine.register_fn("set_priority", move |word: ImmutableString| set_priority(&r, &word));
    let r = Rc::clone(run);
    engine.register_fn("assign", move |owner: ImmutableString| assign(&r, &owner));
    let r = Rc::clone(run);
    engine.register_fn("close_incident", move |note: ImmutableString| close_incident(&r, &note));
    let r = Rc::clone(run);
    engine.register_fn("require_approval", move |word: ImmutableString| require_approval(&r, &word));
    let r = Rc::clone(run);
    engine.register_fn("publish", move |name: ImmutableString, data: Map| publish(&r, &name, &data));
}

/// The function of a kind of notification, with each number of arguments that it takes.
fn register_notification(engine: &mut Engine, run: &Rc<Run>, kind: &'static Kind) {
    for given in kind.required..=kind.arguments.len() {
        let types: Vec<TypeId> = kind.arguments.iter().take(given).map(|argument| type_of(argument.holds)).collect();
        let run = Rc::clone(run);
        engine.register_raw_fn(kind.connector, types, move |_, arguments| notify(&run, kind, arguments));
    }
}

fn type_of(parameter: Parameter) -> TypeId {
    match parameter {
        Parameter::Text => TypeId::of::<ImmutableString>(),
        Parameter::Map => TypeId::of::<Map>(),
    }
}

fn submit_case(run: &Run, map: &Map) -> Result<(), Fault> {
    require_incident(run, "submit_case")?;
    let mut case = CaseWords::default();
    let mut bytes = 64;
    for (key, value) in map {
        let mut text = || text_of(key, value, &mut bytes);
        match key.as_str() {
            "synopsis" => case.synopsis = Some(text()?),
            "comments" => case.comments = Some(text()?),
            "priority" => case.priority = Some(read_priority(&text()?)?),
            "follow_up" => case.follow_up = Some(read_follow_up(&text()?)?),
            "reference" => {
                let reference = text()?;
                read_reference(&reference)?;
                case.reference = Some(reference);
            }
            "address" => case.address = Some(text()?),
            "cc" => case.cc = Some(texts_of(key, value, &mut bytes)?),
            unknown => return Err(unknown_case_key(unknown).into()),
        }
    }
    record(run, Intent::SubmitCase(case), bytes)
}

fn route_case(run: &Run, name: &'static str, handling: Handling) -> Result<(), Fault> {
    require_incident(run, name)?;
    record(run, Intent::RouteCase(handling), 8)
}

fn notify(run: &Run, kind: &'static Kind, arguments: &[&mut Dynamic]) -> Result<(), Fault> {
    let mut bytes = 0;
    let mut content = serde_json::Map::new();
    let refused = |fault: &dyn Display| refuse(format!("`{}`: {fault}", kind.connector));
    for (argument, given) in kind.arguments.iter().zip(arguments) {
        let value = if let Ok(text) = given.as_immutable_string_ref() {
            bytes += text.len();
            serde_json::Value::String(text.to_string())
        } else if let Ok(map) = given.as_map_ref() {
            serde_json::Value::Object(json::object(&map, &mut bytes).map_err(|fault| refused(&fault))?)
        } else {
            // The engine calls it with the types it is registered for.
            continue;
        };
        content.insert(argument.name.to_owned(), value);
    }
    let notification = Notification::new(kind, content).map_err(|fault| refused(&fault))?;
    record(run, Intent::Notify(notification), bytes)
}

fn set_priority(run: &Run, word: &str) -> Result<(), Fault> {
    require_incident(run, "set_priority")?;
    record(run, Intent::SetPriority(read_priority(word)?), 8)
}

fn assign(run: &Run, owner: &str) -> Result<(), Fault> {
    require_incident(run, "assign")?;
    read_owner(owner)?;
    record(run, Intent::Assign(owner.to_owned()), owner.len())
}

fn close_incident(run: &Run, note: &str) -> Result<(), Fault> {
    require_incident(run, "close_incident")?;
    read_note(note)?;
    record(run, Intent::CloseIncident(note.to_owned()), note.len())
}

fn require_approval(run: &Run, word: &str) -> Result<(), Fault> {
    record(run, Intent::RequireApproval(read_rule(word)?), 8)
}

fn publish(run: &Run, name: &str, data: &Map) -> Result<(), Fault> {
    read_publication(name)?;
    let mut bytes = name.len();
    let data = json::object(data, &mut bytes).map_err(|fault| refuse(format!("`publish`: {fault}")))?;
    record(run, Intent::Publish { name: name.to_owned(), data }, bytes)
}

pub(super) fn record(run: &Run, intent: Intent, bytes: usize) -> Result<(), Fault> {
    run.charge(COST)?;
    run.intend(intent, bytes)
}

pub(super) fn require_incident(run: &Run, action: &str) -> Result<(), Fault> {
    let kind = run.subject();
    if kind.has_incident() { Ok(()) } else { Err(no_incident(action, kind).into()) }
}

/// Refuses an action on incidents where the trigger is about something else.
pub(super) fn no_incident(action: &str, kind: SubjectKind) -> Refusal {
    Refusal::new(format!("`{action}` needs an incident, and this trigger is about {}", kind.with_article()), None)
}

/// Refuses a note that is none, or longer than those of people.
pub(super) fn read_note(note: &str) -> Result<(), Refusal> {
    let refused = |what: String| Err(Refusal::new(format!("`close_incident` is given {what}"), None));
    if note.trim().is_empty() {
        return refused("an empty text".to_owned());
    }
    if note.chars().count() > NOTE_MOST {
        return refused(format!("more than {NOTE_MOST} characters"));
    }
    Ok(())
}

/// Refuses a reference of a case that is not of one line, or longer than those of people.
pub(super) fn read_reference(reference: &str) -> Result<(), Refusal> {
    let refused = |what: String| Err(Refusal::new(format!("`reference` of `submit_case` is a text {what}"), None));
    if reference.chars().any(char::is_control) {
        return refused("of one line".to_owned());
    }
    if reference.chars().count() > CASE_REFERENCE_MOST {
        return refused(format!("of at most {CASE_REFERENCE_MOST} characters"));
    }
    Ok(())
}

/// Refuses a key that `submit_case` does not know.
pub(super) fn unknown_case_key(key: &str) -> Refusal {
    let help = suggest(key, CASE_KEYS.into_iter());
    Refusal::new(format!("`submit_case` knows no key `{}`", excerpt(key)), help)
}

/// Reads a priority.
pub(super) fn read_priority(word: &str) -> Result<Priority, Refusal> {
    word.parse().map_err(|_| {
        let help = suggest(word, Priority::ALL.iter().map(|priority| priority.as_str()));
        Refusal::new(format!("`{}` is not a priority", excerpt(word)), help)
    })
}

/// Reads a way to follow up.
pub(super) fn read_follow_up(text: &str) -> Result<FollowUp, Refusal> {
    let found = FollowUp::ALL.into_iter().find(|(_, spelling)| *spelling == text);
    found.map(|(follow_up, _)| follow_up).ok_or_else(|| {
        let known = quoted(FollowUp::ALL.iter().map(|(_, spelling)| *spelling));
        Refusal::new(format!("`{}` is no way to follow up", excerpt(text)), format!("known are {known}"))
    })
}

/// Reads how many persons it takes to approve.
pub(super) fn read_rule(word: &str) -> Result<ApprovalRule, Refusal> {
    const RULES: [ApprovalRule; 2] = [ApprovalRule::OnePerson, ApprovalRule::TwoPerson];
    RULES.into_iter().find(|rule| rule.as_str() == word).ok_or_else(|| {
        let help = suggest(word, RULES.iter().map(|rule| rule.as_str()));
        Refusal::new(format!("`{}` is no rule of approvals", excerpt(word)), help)
    })
}

/// Refuses an owner without a name.
pub(super) fn read_owner(owner: &str) -> Result<(), Refusal> {
    if owner.is_empty() { Err(Refusal::new("`assign` is given an empty text".to_owned(), None)) } else { Ok(()) }
}

/// Refuses a name under which no policy publishes.
pub(super) fn read_publication(name: &str) -> Result<(), Refusal> {
    if !is_token(name) {
        let refused = format!("`publish` under `{}`", excerpt(name));
        let help = "a name has letters, digits, `_` and `-`, beginning with a letter or digit, at most 64".to_owned();
        return Err(Refusal::new(refused, help));
    }
    if UPSTREAMS.contains(&name) || Kind::of(name).is_some() {
        return Err(taken(name));
    }
    Ok(())
}

/// Refuses a name under which no new policy publishes.
pub(super) fn check_publication(name: &str) -> Result<(), Refusal> {
    read_publication(name)?;
    if TAKEN_SINCE.contains(&name) { Err(taken(name)) } else { Ok(()) }
}

fn taken(name: &str) -> Refusal {
    Refusal::new(format!("`publish` under `{name}`"), "the name belongs to a built-in connector".to_owned())
}

fn text_of(key: &str, value: &Dynamic, bytes: &mut usize) -> Result<String, Fault> {
    match value.as_immutable_string_ref() {
        Ok(text) => {
            *bytes += text.len();
            Ok(text.to_string())
        }
        Err(_) => Err(refuse(format!("`{key}` of `submit_case` is a text, not {}", json::describe(value)))),
    }
}

fn texts_of(key: &str, value: &Dynamic, bytes: &mut usize) -> Result<Vec<String>, Fault> {
    match value.as_array_ref() {
        Ok(items) => items.iter().map(|item| text_of(key, item, bytes)).collect(),
        Err(_) => Err(refuse(format!("`{key}` of `submit_case` is a list of texts, not {}", json::describe(value)))),
    }
}

/// A token of a subject: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`.
fn is_token(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 64
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}
