//! What policies make of triggers.
//!
//! Filters come first, natively, from the index over all policies; only matching ones enter Rhai. Every policy sees the
//! subject as it was when the trigger fired; their intents are applied in the order of the policies' names. A policy that
//! fails has none of its intents applied.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use linesman_rules::{Book, Edition, Failure, FailureKind, Intent, Judge, Policy, Scratch, Subject};
use linesman_schemas::dead_letter::LineColumn;
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{OrgName, PolicyName};

use super::cases;
use super::dead_letters::policy_dead;
use super::desk::Desk;
use super::devices::Devices;
use super::follow::Follow;
use super::intelligence::matching;
use super::organizations::Organizations;
use super::{Error, expiries};

/// From here on every step of a script counts, and its functions charge for what they make.
const COUNTED: u32 = 13;

/// From here on functions that are not listed are refused, and callbacks that answer with what is no answer fail.
const HELD: u32 = 15;

/// From here on steps of scripts with a large literal cost more.
const WEIGHED: u32 = 17;

/// A trigger that has fired.
pub(crate) struct Fired {
    pub(crate) trigger: Trigger,
    /// Id of its event.
    pub(crate) event: String,
    /// What it is about: an incident, an intelligence message's id, or the index of a record of the audit.
    pub(crate) about: String,
    /// Whether it is the provider's to know although it concerns an organization: policies of the organization's own do not
    /// judge it, and what is said of it is said to the provider.
    pub(crate) is_providers: bool,
}

impl Fired {
    /// Who is told of it, and of what policies have to say on it.
    pub(crate) fn told<'a>(&self, org: &'a OrgName) -> Cow<'a, OrgName> {
        if self.is_providers { Cow::Owned(OrgName::provider()) } else { Cow::Borrowed(org) }
    }

    /// Whether a policy may judge it.
    fn is_for(&self, policy: &Policy) -> bool {
        !(self.is_providers && policy.has_owner())
    }
}

/// The policies that apply, and what runs them.
pub(crate) struct Policies {
    book: Arc<Book>,
    judge: Rc<RefCell<Judge>>,
    scratch: Scratch,
    matching: Vec<Arc<Policy>>,
    /// How much of the processor's time a run may take.
    time_most: Option<Duration>,
    /// The policies that do not judge the input at hand, and by which text where others of it would.
    aside: Vec<Aside>,
}

/// A policy that does not judge.
pub(crate) struct Aside {
    pub(crate) policy: PolicyName,
    /// SHA-256 of its text, where only that one does not.
    pub(crate) version: Option<String>,
}

impl Aside {
    fn is_of(&self, policy: &Policy) -> bool {
        self.policy == *policy.name() && self.version.as_ref().is_none_or(|version| version == policy.hash())
    }
}

impl Policies {
    pub(crate) fn new(book: Arc<Book>, judge: Rc<RefCell<Judge>>) -> Self {
        let (scratch, matching, aside) = (Scratch::default(), Vec::new(), Vec::new());
        Self { book, judge, scratch, matching, time_most: None, aside }
    }

    /// Bounds the processor time of each run from here on.
    pub(crate) fn bound(&mut self, most: Option<Duration>) {
        self.time_most = most;
    }

    /// Has these not judge the input at hand.
    pub(crate) fn set_aside(&mut self, policies: Vec<Aside>) {
        self.aside = policies;
    }

    /// Judges by other policies from here on.
    pub(crate) fn replace(&mut self, book: Arc<Book>) {
        self.book = book;
    }

    /// Those that it judges by.
    pub(crate) fn book(&self) -> Arc<Book> {
        Arc::clone(&self.book)
    }

    /// Whether any policy reacts to a trigger.
    pub(crate) fn listen(&self, trigger: Trigger) -> bool {
        self.book.reacts_to(trigger)
    }

    /// Whether there is a policy of a name.
    pub(crate) fn has(&self, name: &PolicyName) -> bool {
        self.book.policies().iter().any(|policy| policy.name() == name)
    }

    /// The policies that are to judge a subject on a trigger, in order of name. `subject` makes what they share: it is
    /// asked only where there are any.
    pub(crate) fn matching(
        &mut self,
        org: &OrgName,
        fired: Fired,
        seen: &dyn Subject,
        subject: impl FnOnce() -> Rc<dyn Subject>,
    ) -> Vec<Follow> {
        self.book.matching(org, fired.trigger, seen, &mut self.scratch, &mut self.matching);
        self.matching.retain(|policy| fired.is_for(policy));
        if self.matching.is_empty() {
            return Vec::new();
        }
        let (fired, subject) = (Rc::new(fired), subject());
        let judged = |policy: &Arc<Policy>| Follow::Judge(Arc::clone(policy), Rc::clone(&fired), Rc::clone(&subject));
        self.matching.iter().map(judged).collect()
    }

    /// The policy of that name, if it matches a subject.
    pub(crate) fn one(
        &mut self,
        org: &OrgName,
        trigger: Trigger,
        seen: &dyn Subject,
        name: &PolicyName,
    ) -> Option<Arc<Policy>> {
        self.book.matching(org, trigger, seen, &mut self.scratch, &mut self.matching);
        self.matching.iter().find(|policy| policy.name() == name).cloned()
    }

    /// What a policy wants; where it fails, a dead letter says so.
    pub(crate) fn judge(
        &self,
        desk: &mut Desk,
        (organizations, devices): (&Organizations, &mut Devices),
        org: &OrgName,
        policy: &Policy,
        fired: &Fired,
        subject: &Rc<dyn Subject>,
    ) -> Result<Result<Vec<Intent>, Failure>, Error> {
        // An organization that fires a trigger exists; without one there is nothing to judge.
        let view = if org.is_provider() { Some(expiries::provider()) } else { organizations.view(org) };
        let Some(view) = view else { return Ok(Ok(Vec::new())) };
        desk.tally.policy(policy.name()).matches += 1;
        let has_devices = policy.asks_devices() && desk.is_at(matching::LEVEL) && !org.is_provider();
        let devices = if has_devices { Some(devices.inventory(desk, org)?) } else { None };
        let edition = if desk.is_at(WEIGHED) {
            Edition::Fourth
        } else if desk.is_at(HELD) {
            Edition::Third
        } else if desk.is_at(COUNTED) {
            Edition::Second
        } else {
            Edition::First
        };
        let judged = if self.aside.iter().any(|aside| aside.is_of(policy)) {
            Err(set_aside())
        } else {
            let mut judge = self.judge.borrow_mut();
            judge.bound(self.time_most);
            let judged = judge.react_among(policy, Rc::clone(subject), &view, devices, edition);
            let counted = desk.tally.policy(policy.name());
            counted.runs += 1;
            counted.operations += judge.operations();
            if matches!(&judged, Err(failure) if failure.kind == FailureKind::Time) {
                return Err(Error::Overtime { policy: policy.name().clone(), version: policy.hash().to_owned() });
            }
            judged.and_then(|intents| as_known(desk, intents))
        };
        if let Err(failure) = &judged {
            desk.tally.policy_failure(policy.name(), failure.kind.as_str());
            let place = failure.line.map(|line| LineColumn { line, column: failure.column.unwrap_or(1) });
            let detail = format!("{}: {}", failure.kind.as_str(), failure.message);
            policy_dead(desk, org, policy, fired, detail, place)?;
        }
        Ok(judged)
    }
}

/// Why a policy that is set aside wants nothing.
fn set_aside() -> Failure {
    let message = "it takes more of the processor's time than a run may, and is set aside".to_owned();
    Failure { kind: FailureKind::Time, message, line: None, column: None }
}

/// What a policy wants, as far as its level knows it. INVARIANT (decided again): below [`cases::FURTHER`] a case has no key of
/// what it knows from there on.
fn as_known(desk: &Desk, intents: Vec<Intent>) -> Result<Vec<Intent>, Failure> {
    let later = |intent: &Intent| match intent {
        Intent::SubmitCase(words) if words.reference.is_some() => Some("reference"),
        Intent::SubmitCase(words) if words.address.is_some() => Some("address"),
        _ => None,
    };
    match intents.iter().find_map(later).filter(|_| !desk.is_at(cases::FURTHER)) {
        Some(key) => {
            let message = format!("`submit_case` knows `{key}` from engine level {} on", cases::FURTHER);
            Err(Failure { kind: FailureKind::Refused, message, line: None, column: None })
        }
        None => Ok(intents),
    }
}
