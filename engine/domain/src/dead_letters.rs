//! What is set aside: inputs that cannot be handled, policies and reactions that failed.

use base64::Engine as _;
use linesman_rules::Policy;
use linesman_schemas::OrgName;
use linesman_schemas::dead_letter::{DeadLetter, FailedPolicy, INLINE_MOST, LineColumn, Reason};

use super::Error;
use super::desk::Desk;
use super::follow::DEPTH_MOST;
use super::input::Input;
use super::letters;
use super::outgoing::Topic;
use super::policies::Fired;

/// A dead letter about a policy or a reaction.
pub(crate) struct Letter {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
    pub(crate) place: Option<LineColumn>,
    pub(crate) sequence: u64,
    pub(crate) subject: String,
    pub(crate) policy: Option<FailedPolicy>,
    pub(crate) reaction: Option<String>,
}

impl Letter {
    pub(crate) fn new(reason: Reason, detail: String, sequence: u64) -> Self {
        Self { reason, detail, place: None, sequence, subject: String::new(), policy: None, reaction: None }
    }
}

impl From<Letter> for DeadLetter {
    fn from(letter: Letter) -> Self {
        let Letter { reason, detail, place, sequence, subject, policy, reaction } = letter;
        Self { reason, detail, place, sequence, subject, policy, reaction, length: 0, bytes: None, counted: None }
    }
}

/// What the digest has of a dead letter: neither text for people nor where in a text somebody else's parser stumbled;
/// and the input's bytes are those of the log.
fn covered(letter: &DeadLetter) -> DeadLetter {
    DeadLetter {
        detail: String::new(),
        place: None,
        bytes: None,
        subject: letter.subject.clone(),
        policy: letter.policy.clone(),
        reaction: letter.reaction.clone(),
        counted: letter.counted.clone(),
        ..*letter
    }
}

/// Says a dead letter of an organization.
pub(crate) fn say(
    desk: &mut Desk,
    org: &OrgName,
    about: Option<&str>,
    letter: impl Into<DeadLetter>,
) -> Result<(), Error> {
    let letter = letter.into();
    desk.tally.dead(Some(org), letter.reason);
    letters::count(desk, letter.reason)?;
    let topic = Topic::Dead(Some(org.clone()), letter.reason);
    let covered = covered(&letter);
    desk.say_covered(&topic, org, about, letter, Some(covered)).map(drop)
}

/// Why an input is set aside.
pub(crate) struct Why<'a> {
    pub(crate) reason: Reason,
    pub(crate) detail: &'a str,
    pub(crate) place: Option<LineColumn>,
}

/// Sets an input of an organization's subject aside; none where nobody knows the organization.
pub(crate) fn set_aside(desk: &mut Desk, org: Option<&OrgName>, input: &Input<'_>, why: &Why<'_>) -> Result<(), Error> {
    desk.tally.input(input.kind, "dead");
    let letter = of_input(input, why);
    match org {
        Some(org) => say(desk, org, None, letter),
        None => say_of_provider(desk, &Topic::Dead(None, why.reason), input, letter),
    }
}

/// Sets a control message aside.
pub(crate) fn set_aside_control(desk: &mut Desk, input: &Input<'_>, why: &Why<'_>) -> Result<(), Error> {
    desk.tally.input("ctl", "dead");
    say_of_provider(desk, &Topic::ProviderDead(why.reason), input, of_input(input, why))
}

fn say_of_provider(desk: &mut Desk, topic: &Topic, input: &Input<'_>, letter: DeadLetter) -> Result<(), Error> {
    desk.tally.dead(None, letter.reason);
    letters::count(desk, letter.reason)?;
    let covered = covered(&letter);
    desk.say_of_provider(topic, input.sequence, None, letter, Some(covered)).map(drop)
}

fn of_input(input: &Input<'_>, why: &Why<'_>) -> DeadLetter {
    let is_small = input.bytes.len() <= INLINE_MOST;
    DeadLetter {
        reason: why.reason,
        detail: why.detail.to_owned(),
        place: why.place,
        sequence: input.sequence,
        subject: if input.org.is_empty() { "ctl".to_owned() } else { format!("in.{}.{}", input.org, input.kind) },
        policy: None,
        reaction: None,
        length: input.bytes.len(),
        bytes: is_small.then(|| base64::engine::general_purpose::STANDARD.encode(input.bytes)),
        counted: None,
    }
}

/// Reports a policy that failed; the others go on.
pub(crate) fn policy_dead(
    desk: &mut Desk,
    org: &OrgName,
    policy: &Policy,
    fired: &Fired,
    detail: String,
    place: Option<LineColumn>,
) -> Result<(), Error> {
    let failed = FailedPolicy {
        name: policy.name().clone(),
        version: policy.hash().to_owned(),
        on: fired.trigger,
        trigger: fired.event.clone(),
        about: fired.about.clone(),
    };
    desk.tally.policy(policy.name()).last = Some((fired.told(org).into_owned(), detail.clone()));
    let letter = Letter { place, policy: Some(failed), ..Letter::new(Reason::PolicyFailed, detail, desk.sequence) };
    say(desk, &fired.told(org), Some(&fired.about), letter)
}

/// Says that what policies did on triggers has led to this one, and leads no further.
pub(crate) fn too_deep(desk: &mut Desk, org: &OrgName, fired: &Fired) -> Result<(), Error> {
    let detail = format!("depth: {} followed from what policies did on more than {DEPTH_MOST} triggers", fired.trigger);
    say(desk, org, Some(&fired.about), Letter::new(Reason::PolicyFailed, detail, desk.sequence))
}
