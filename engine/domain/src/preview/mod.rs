//! What a command would do, found out without doing it.
//!
//! ```text
//! rows of a lane --> overlay --> decided as the lane would, its work in slices too --> what differs is told, all else dropped
//! ```
//!
//! Nothing is written, said or sent: what is decided stays in the overlay, and goes with it. Timers do not fire, policies
//! hear of nothing, and devices answer nothing: what is told is what they would be told.
//!
//! | room | what |
//! |---|---|
//! | here | what is asked, how it is decided, and within which bounds |
//! | `changes` | what devices would be told, and what could not be told to them |
//! | `values` | which values would change |
//! | `sight` | what whoever asks is told of it |

mod changes;
mod sight;
mod values;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use jiff::Timestamp;
use linesman_rules::{Book, Judge, Limits};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, Verb};
use linesman_schemas::control::{InstallationSection, Settings};
use linesman_schemas::{CommandId, OrgName, Place, Principal};
use serde_json::Value;

pub use changes::Change;
pub use sight::Sight;
pub use values::{Standing, ValueChange};

use super::activations;
use super::activations::leaves::Leaves;
use super::activations::wanted::Scope;
use super::approvals::Approvals;
use super::commands::{self, Answer, Wrong};
use super::desk::{Desk, Setting};
use super::devices::Devices;
use super::directory::Directory;
use super::faults::Faults;
use super::intelligence::exposures::Exposures;
use super::jobs::Jobs;
use super::managers::Managers;
use super::organizations::Organizations;
use super::overrides::Overrides;
use super::places::Ties;
use super::policies::Policies;
use super::position::{self, Position};
use super::rule_book::Books;
use super::services::{Catalog, Services};
use super::shelf::Shelf;
use super::sightings::Sightings;
use super::spans::Spans;
use super::state::{Base, State};
use super::{Domain, Error, level};

/// How many access lines are rendered, in slices.
const LINES_MOST: usize = 10_000;
/// How many bytes are said, of all that would be, before it is enough.
const BYTES_MOST: usize = 64 << 20;
/// How many events are as large as they are: nothing of them leaves.
const PAYLOAD_MOST: usize = 1 << 20;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Which lane has the organization.
    pub lane: u32,
    /// The provider's people and groups, as that lane knows them.
    pub directory: Arc<Directory>,
    /// The organization.
    pub organization: OrgName,
    /// What would be done.
    pub asked: Asked,
    /// When, by the clock of whoever asks; the log's counts where it is later.
    pub now: Timestamp,
}

/// What would be done.
#[derive(Debug, Clone)]
pub enum Asked {
    /// Somebody would ask for something.
    Command(Principal, Box<Verb>),
    /// The rule book would have these services and parameters of all, whatever would break by them where it is forced.
    Services {
        /// The services and the parameters.
        catalog: Arc<Catalog>,
        /// Whether it is forced.
        is_forced: bool,
    },
}

/// What a command would do.
#[derive(Debug, PartialEq, Eq)]
pub struct Preview {
    /// What would become of it.
    pub verdict: Verdict,
    /// What would be done, or why not.
    pub detail: String,
    /// When what is told of devices comes about, where that is only when a schedule begins: none where it is at once.
    pub begins: Option<Timestamp>,
    /// Whether all of it was found out, within the bounds.
    pub is_complete: bool,
    /// How many access lines it affects, of those that are seen.
    pub lines: u64,
    /// What their devices would be told: the first of it, by line and activation.
    pub changes: Vec<Change>,
    /// How much more of it there is.
    pub more_changes: u64,
    /// Values that would change, at the place and at the lines: the first of them.
    pub values: Vec<ValueChange>,
    /// How many more there are.
    pub more_values: u64,
    /// What would be wrong after it: why it is refused, or what would then stand as failed and does not yet.
    pub wrong: Vec<Wrong>,
    /// How much more of it there is.
    pub more_wrong: u64,
}

/// Finds out what a command would do on the rows of a lane, told as far as it is seen. `goes_on` is asked again and again
/// whether it is to be gone on with.
///
/// # Errors
/// The base cannot be read, or was decided at a level that this program does not know.
pub fn preview(
    base: Box<dyn Base>,
    question: Question,
    sight: &Sight<'_>,
    goes_on: &dyn Fn() -> bool,
) -> Result<Preview, Error> {
    let mut domain = Domain::to_preview(base, &question)?;
    let Question { organization: org, asked, now, .. } = question;
    let (answer, mut is_complete) = match &asked {
        Asked::Command(principal, verb) => {
            let (principal, verb) = (principal.clone(), Verb::clone(verb));
            domain.decide_whole(&org, &Command { id: id(), principal, node: String::new(), verb }, now, goes_on)?
        }
        Asked::Services { catalog, .. } => domain.load_whole(&org, catalog, now, goes_on)?,
    };
    let (mut verdict, mut detail, mut wrong, is_all) = answer.into_parts();
    is_complete &= is_all;
    let mut found = changes::found(domain.desk.state(), &org, sight)?;
    let mut begins = None;
    if let (Asked::Command(_, verb), true) = (&asked, verdict == Verdict::Done && is_complete && !found.tells())
        && let Some((due, is_whole)) = domain.begin(verb, goes_on)?
    {
        begins = Some(due);
        is_complete &= is_whole;
        found = changes::found(domain.desk.state(), &org, sight)?;
    }
    let state = domain.desk.state();
    let (place, given) = match &asked {
        Asked::Command(_, verb) => {
            let given = match &**verb {
                Verb::Subscription(verb) if verdict == Verdict::Done => values::given_with(verb),
                _ => None,
            };
            (verb.place(Some(&org)), given)
        }
        Asked::Services { .. } => (Some(Place::Organization(org.clone())), None),
    };
    let lines = found.lines.iter().cloned();
    let values = values::found(state, (place, lines), given.as_ref(), sight, goes_on)?;
    is_complete &= values.is_complete;
    match &asked {
        Asked::Command(..) => wrong.extend(found.wrong),
        Asked::Services { .. } => commands::wrong::add(&mut wrong, found.wrong, |wrong| wrong),
    }
    wrong.retain(|wrong| wrong.place.as_ref().is_none_or(|place| (sight.sees)(place)));
    let mut wrong = commands::wrong::once(wrong, |wrong| wrong);
    if let Asked::Services { is_forced, .. } = asked
        && !wrong.is_empty()
    {
        let told = commands::held::told(wrong.iter().map(Wrong::told));
        (verdict, detail) = match is_forced {
            true => (verdict, format!("{detail}; but this fails: {told}")),
            false => (Verdict::Conflict, format!("it would break what stands: {told}")),
        };
    }
    wrong.iter_mut().for_each(|wrong| wrong.detail = sight.cut(&org, &wrong.detail));
    Ok(Preview {
        verdict,
        // What is missing of whoever asks, and who in the chain above has it not, is told as where it is refused.
        detail: if verdict == Verdict::Forbidden { detail } else { sight.cut(&org, &detail) },
        begins,
        is_complete,
        lines: found.lines.len() as u64,
        changes: found.changes,
        more_changes: found.more,
        values: values.changes,
        more_values: values.more,
        wrong,
        more_wrong: found.more_wrong,
    })
}

/// By what the command is known that is none.
fn id() -> CommandId {
    #[expect(clippy::expect_used, reason = "the id is a constant, and one")]
    "preview".parse().expect("`preview` is a command's id")
}

impl Domain {
    /// One that decides on a lane's rows what concerns an organization's places, and no more: it has none of the lane's
    /// other organizations, sightings, policies, timers and work.
    fn to_preview(base: Box<dyn Base>, question: &Question) -> Result<Self, Error> {
        let position = position::read(&*base)?.unwrap_or_else(|| Position::start(String::new()));
        level::check(position.level)?;
        let services = Services::new(Some(Arc::new(Catalog::read(&*base)?)));
        let state = State::new(base);
        let (organizations, counts) = Organizations::open_one(&state, &question.organization)?;
        let managers = Managers::open(&state, question.lane, Some(Arc::clone(&question.directory)))?;
        let (settings, installation) = (Settings::default(), InstallationSection::default());
        let mut desk = Desk::new(Setting {
            lane: question.lane,
            state,
            settings,
            installation,
            payload_most: PAYLOAD_MOST,
            next_timer: None,
        });
        if let Some(counts) = counts {
            desk.open_counts(&question.organization, counts);
        }
        let judge = Rc::new(RefCell::new(Judge::new(Limits::default())));
        Ok(Self {
            position,
            desk,
            organizations,
            sightings: Sightings::default(),
            devices: Devices::new(),
            policies: Policies::new(Arc::new(Book::build(Vec::new())), judge),
            managers,
            books: Books::new(None),
            services,
            leaves: Leaves::default(),
            ties: Ties::default(),
            jobs: Jobs::default(),
            approvals: Approvals::default(),
            meters: crate::quotas::Meters::default(),
            clock: crate::clock::Clock::default(),
            spans: Spans::default(),
            overrides: Overrides::default(),
            exposures: Exposures::default(),
        })
    }

    /// Decides a command and the work that follows from it; whether that is all of it. That managers are handed over who
    /// were granted something by one who goes with a place is no matter of devices.
    fn decide_whole(
        &mut self,
        org: &OrgName,
        command: &Command,
        now: Timestamp,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<(Answer, bool), Error> {
        self.position.now = self.position.now.max(now);
        self.begin_next();
        let answer = match commands::refusal(&self.desk, &self.managers, Some(org), command)? {
            Some(refused) => refused,
            None => self.carry_out(org, command)?,
        };
        Ok((answer, self.work_off(goes_on)?))
    }

    /// Has a lane take up services, and decides the work that follows from it for an organization.
    fn load_whole(
        &mut self,
        org: &OrgName,
        catalog: &Arc<Catalog>,
        now: Timestamp,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<(Answer, bool), Error> {
        self.position.now = self.position.now.max(now);
        self.begin_next();
        let place = Place::Organization(org.clone());
        // Each with versions of its own: they are read anew where the parameters of all are others.
        let before = Faults::read(self.desk.state(), &Shelf::default(), &place, goes_on)?;
        self.services.take_up(&mut self.desk, catalog)?;
        let after = Faults::read(self.desk.state(), &Shelf::default(), &place, goes_on)?;
        let broken = after.beyond(&before);
        self.render(&place, Scope::default())?;
        let is_whole = self.work_off(goes_on)? && before.is_all && after.is_all;
        Ok((Answer::done("loaded", Value::Null, Value::Null).naming(broken), is_whole))
    }

    /// Where a command has given a schedule that begins later, what is decided then, as all else stands now: when that is,
    /// and whether it is all of it.
    fn begin(&mut self, verb: &Verb, goes_on: &dyn Fn() -> bool) -> Result<Option<(Timestamp, bool)>, Error> {
        let Verb::Subscription(verb) = verb else { return Ok(None) };
        let (place, name) = (verb.at(), verb.name());
        let Some(id) = commands::activations::scheduled(&self.desk, verb)? else { return Ok(None) };
        let key = activations::key(place, name, &id);
        let row = self.desk.read(&key)?.filter(|row| !row.is_enabled);
        let Some(due) = row.and_then(|row| row.changes) else { return Ok(None) };
        self.position.now = self.position.now.max(due);
        self.begin_next();
        if activations::wake(&mut self.desk, key.as_bytes(), due)?.is_some() {
            self.render(place, Scope::default())?;
        }
        let is_whole = self.work_off(goes_on)?;
        Ok(Some((due, is_whole)))
    }

    /// Decides the work that is to be done; whether that is all of it.
    fn work_off(&mut self, goes_on: &dyn Fn() -> bool) -> Result<bool, Error> {
        let (mut slices, mut bytes) = (0, 0);
        while self.has_work() {
            bytes += self.desk.said().1;
            if slices * self.slice_lines(true) >= LINES_MOST || bytes > BYTES_MOST || !goes_on() {
                return Ok(false);
            }
            self.begin_next();
            self.carry_on(true)?;
            slices += 1;
        }
        Ok(true)
    }

    /// Begins an input behind the one before; what that said is dropped.
    fn begin_next(&mut self) {
        self.desk.outgoing().take();
        self.position.digest = self.desk.end();
        self.position.sequence += 1;
        let Position { level, now, sequence, digest, .. } = &self.position;
        self.desk.begin(*level, *now, *sequence, digest);
        self.desk.sequence = *sequence;
    }
}
