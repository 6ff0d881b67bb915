//! What a lane decides: `decide(state, input) -> writes + triggers + reactions`.
//!
//! Pure: time is the message's, no randomness, no I/O, no order of a hash map. The same inputs on
//! the same state give the same decision to the byte, which [`Position::digest`] proves.
//!
//! | room | what |
//! |---|---|
//! | `router` | the way of an input: which room takes it, and what follows, in one loop |
//! | `follow` | what a room leaves to be done by another |
//! | `desk` | what every room works with: state, clock, settings, a way to say and to count |
//! | `level`, `level1` to `level13`, `digest` | which decisions, and how they are proved |
//! | `input` | what is decided on |
//! | `clock` | what time it is in the lane, and what of messages' times is believed |
//! | `overrides` | what was decided of an input outside the order of the lane |
//! | `state`, `table`, `coded`, `position` | what is known, and how it is stored; each room has its tables |
//! | `spans` | what was decided on, by which the log is known again |
//! | `outgoing`, `dead_letters`, `tally` | what is said and counted |
//! | `letters` | how many dead letters there were, and which were replayed |
//! | `census` | how incidents and cases stand, in numbers |
//! | `organizations`, `devices`, `device_groups`, `snapshots`, `bundles`, `incidents`, `sightings`, `cases`, `intelligence` | the field's things |
//! | `commands`, `rights` | what people ask for, and who may |
//! | `addresses`, `contracts` | where devices are and their spare parts go; what covers them, and that it ends |
//! | `reached` | devices that are reached: how, how they stand, files of theirs that are no bundles, what is gathered from them |
//! | `scripts` | bundles of scripts and event profiles; which device group is to have which, and how far devices are |
//! | `quotas` | how much of an organization's is decided a day, and how many devices it has |
//! | `remembered` | how many host-event-IDs of an organization are remembered, under its quota of them |
//! | `silence` | devices that have sent nothing for long |
//! | `approvals` | what of it is done only once somebody approves it |
//! | `audit` | what became of it, on record: a Merkle tree of each organization |
//! | `managers`, `groups`, `tokens`, `directory` | who was granted what by whom; of the provider's people for all lanes |
//! | `credentials`, `sessions`, `failures` | how managers come in, and who was refused |
//! | `places`, `sight` | sites and access lines, and the devices tied to them; what is seen of an organization in part |
//! | `removals` | places that are gone and still named in the provider's directory |
//! | `acquired`, `shelf` | what values a place has for a service; versions of services as they are used |
//! | `faults` | what is wrong with values that were given, before and after a change that is of no one place |
//! | `hidden` | what of values is hidden from whoever reads them |
//! | `services`, `values`, `subscriptions` | the services of the rule book; what people gave their parameters, and who has them |
//! | `sections`, `rule_book` | what the rule book is composed of; which policies apply, and which were refused |
//! | `policies`, `subject` | what policies make of triggers, and what they see |
//! | `reactions`, `upstream` | what is to be done: pending, retried, given up; which upstream a case goes to |
//! | `uploads` | bytes that go upward with cases, and those that end customers have uploaded |
//! | `activations` | subscriptions as configuration of devices: which count at an access line, what they come to, what devices have |
//! | `preview` | what a command would do, found out without doing it |
//! | `schedules` | whether a schedule enables an activation, and until when |
//! | `jobs` | work over many rows, in slices |
//! | `sources` | where those go on that bring inputs by themselves |
//! | `expiries` | the licence and the certificates that run out |
//! | `timers` | what falls due |

pub mod acquired;
pub mod activations;
pub mod addresses;
mod ahead;
pub mod approvals;
pub mod audit;
pub mod bundles;
pub mod cases;
pub mod census;
pub mod clock;
mod coded;
pub mod commands;
pub mod contracts;
pub mod credentials;
mod dead_letters;
mod desk;
pub mod device_groups;
pub mod devices;
pub mod differences;
mod digest;
pub mod directory;
mod error;
pub mod expiries;
pub mod exports;
pub mod failures;
mod faults;
mod follow;
pub mod groups;
pub mod hidden;
pub mod incidents;
pub mod input;
pub mod intelligence;
pub mod jobs;
pub mod letters;
pub mod level;
mod level1;
mod level10;
mod level11;
mod level12;
mod level13;
mod level15;
mod level2;
mod level3;
mod level4;
mod level5;
mod level6;
mod level7;
mod level9;
pub mod managers;
pub mod organizations;
pub mod outgoing;
mod overrides;
pub mod places;
mod policies;
pub mod position;
pub mod preview;
pub mod quotas;
pub mod reached;
pub mod reactions;
pub mod remembered;
pub mod removals;
pub mod rights;
pub mod rollouts;
mod router;
pub mod rule_book;
pub mod schedules;
pub mod scripts;
pub mod sections;
pub mod services;
pub mod sessions;
pub mod shelf;
pub mod sight;
pub mod sightings;
mod silence;
pub mod snapshots;
pub mod sources;
pub mod spans;
pub mod state;
mod subject;
pub mod subscriptions;
pub mod table;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod timers;
pub mod tokens;
pub mod uploads;
pub mod upstream;
pub mod values;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use linesman_rules::{Book, Judge};
use linesman_schemas::control::{InstallationSection, Settings};

use activations::leaves::Leaves;
use approvals::Approvals;
use clock::{Clock, Doubt};
pub use commands::asked;
use desk::{Desk, Setting};
use devices::Devices;
pub use error::Error;
use intelligence::exposures::Exposures;
use jobs::Jobs;
use managers::Managers;
use organizations::Organizations;
use outgoing::OutMessage;
use overrides::Overrides;
use places::Ties;
use policies::Policies;
use position::Position;
use quotas::{Meters, Overdrawn};
use rule_book::Books;
use services::Services;
use sightings::{Room, Seed, Sightings};
use spans::Spans;
use state::{Base, State, Writes};
use table::Upgradable;
use tally::Tally;

/// All tables, by letter.
pub const TABLES: [&dyn Upgradable; 92] = [
    &position::POSITION,
    &clock::CLOCK,
    &spans::SPANS,
    &rule_book::BOOKS,
    &sections::SECTIONS,
    &differences::LOADS,
    &cases::CASES,
    &devices::DEVICES,
    &sightings::SIGHTINGS,
    &sightings::INDEX,
    &incidents::page::INCIDENTS,
    &cases::chain::CHAINS,
    &cases::taken::TAKEN,
    &cases::chain::KEYS,
    &cases::chain::CHANGES,
    &cases::chain::COUNTS,
    &uploads::UPLOADS,
    &uploads::OBJECTS,
    &uploads::SNAPSHOTS,
    &uploads::KEPT,
    &uploads::ENDED,
    &uploads::fetched::FILES,
    &uploads::fetched::WANTED,
    &jobs::JOBS,
    &commands::COMMANDS,
    &approvals::APPROVALS,
    &incidents::notes::NOTES,
    &incidents::history::HISTORIES,
    &intelligence::INTELLIGENCE,
    &intelligence::standing::STANDINGS,
    &intelligence::provided::PROVIDED,
    &intelligence::sent::SENT,
    &intelligence::sent::CHANGES,
    &intelligence::provided::GIVEN,
    &intelligence::provided::NUMBERS,
    &expiries::EXPIRIES,
    &organizations::ORGANIZATIONS,
    &quotas::QUOTAS,
    &remembered::REMEMBERED,
    &reactions::QUEUES,
    &reactions::PENDING,
    &snapshots::SNAPSHOTS,
    &snapshots::ROUNDS,
    &snapshots::LEFT,
    &snapshots::LEAVING,
    &timers::TIMERS,
    &reactions::REQUESTS,
    &sources::CURSORS,
    &letters::LETTERS,
    &reactions::CIRCUITS,
    &reactions::STRAINED,
    &audit::RECORDS,
    &audit::HEADS,
    &audit::SUBTREES,
    &audit::CHECKPOINTS,
    &managers::MANAGERS,
    &managers::GONE,
    &groups::GROUPS,
    &tokens::TOKENS,
    &places::PLACES,
    &places::TIES,
    &places::TIED,
    &places::SITES,
    &removals::REMOVALS,
    &credentials::CREDENTIALS,
    &sessions::SESSIONS,
    &failures::FAILURES,
    &failures::ANEW,
    &services::NEWEST,
    &services::VERSIONS,
    &services::PARAMETERS,
    &values::VALUES,
    &subscriptions::SUBSCRIPTIONS,
    &activations::ACTIVATIONS,
    &activations::CUTS,
    &activations::parts::PARTS,
    &activations::parts::GROUPS,
    &activations::pushes::PUSHES,
    &activations::drift::DRIFTS,
    &addresses::ADDRESSES,
    &addresses::DEVICE_ADDRESSES,
    &contracts::CONTRACTS,
    &reached::REACHED,
    &reached::STANDINGS,
    &reached::JMB_ERRORS,
    &reached::SERIALS,
    &reached::DIRECTIVES,
    &reached::GATHERED,
    &scripts::SCRIPT_BUNDLES,
    &scripts::EVENT_PROFILES,
    &scripts::GROUP_SCRIPTS,
    &scripts::DEVICE_SCRIPTS,
];

/// A batch, decided: what is to be written, said and told.
#[derive(Debug)]
pub struct Decision {
    /// What changes in the state, the position among it.
    pub writes: Writes,
    /// What goes to OUT.
    pub messages: Vec<OutMessage>,
    /// Where the lane then is.
    pub position: Position,
    /// Why its clock is not the server's, where it is not.
    pub doubt: Option<Doubt>,
    /// Whose pending reactions changed: destination and organization. An empty organization means all of them, an empty
    /// destination every one.
    pub queues: BTreeSet<(String, String)>,
    /// What is counted once it is applied.
    pub tally: Tally,
}

/// The deciding part of one lane: a router over rooms.
pub struct Domain {
    position: Position,
    desk: Desk,
    organizations: Organizations,
    sightings: Sightings,
    devices: Devices,
    policies: Policies,
    managers: Managers,
    books: Books,
    services: Services,
    leaves: Leaves,
    ties: Ties,
    jobs: Jobs,
    approvals: Approvals,
    exposures: Exposures,
    overrides: Overrides,
    meters: Meters,
    clock: Clock,
    spans: Spans,
}

/// What a domain is made of besides its state.
pub struct Parts {
    /// Which lane.
    pub lane: u32,
    /// Which IN: its creation time.
    pub stream: String,
    /// The largest payload of a message in OUT, in bytes.
    pub payload_most: usize,
    /// Runs the scripts; shared by the lanes of a thread.
    pub judge: Rc<RefCell<Judge>>,
    /// The rule book the state names, fetched; none on an empty state.
    pub book: Option<input::RuleBook>,
    /// How much memory host-event-IDs have that are remembered, of all lanes.
    pub room: Arc<Room>,
}

impl Domain {
    /// Takes up deciding where the applied state stands.
    ///
    /// # Errors
    /// The store cannot be read, or was decided at a level that this program does not know.
    pub fn open(base: Box<dyn Base>, parts: Parts) -> Result<Self, Error> {
        let position = position::read(&*base)?.unwrap_or_else(|| Position::start(parts.stream));
        level::check(position.level)?;
        let clock = Clock::open(&*base)?;
        let state = State::new(base);
        let (organizations, counts) = Organizations::open(&state)?;
        let sightings = Sightings::open(&state, Seed::of(&position.stream), &parts.room)?;
        let jobs = Jobs::open(&state)?;
        let approvals = Approvals::open(&state)?;
        let next_timer = timers::next(&state)?;
        let spans = Spans::open(&state, &position)?;
        let books = Books::new(parts.book.as_ref());
        let managers = Managers::open(&state, parts.lane, parts.book.as_ref().map(|book| Arc::clone(&book.directory)))?;
        let services = Services::new(parts.book.as_ref().map(|book| Arc::clone(&book.services)));
        let (policies, settings, installation) = match parts.book {
            Some(book) => (book.book, book.settings, book.installation),
            None => (Arc::new(Book::build(Vec::new())), Settings::default(), InstallationSection::default()),
        };
        let (lane, payload_most) = (parts.lane, parts.payload_most);
        let mut desk = Desk::new(Setting { lane, state, settings, installation, payload_most, next_timer });
        desk.installed.controller.clone_from(&position.stream);
        for (org, counts) in counts {
            desk.open_counts(&org, counts);
        }
        let policies = Policies::new(policies, parts.judge);
        let (devices, leaves, ties) = (Devices::new(), Leaves::default(), Ties::default());
        Ok(Self {
            position,
            desk,
            organizations,
            sightings,
            devices,
            policies,
            managers,
            books,
            services,
            leaves,
            ties,
            jobs,
            approvals,
            exposures: Exposures::default(),
            overrides: Overrides::default(),
            meters: Meters::default(),
            clock,
            spans,
        })
    }

    /// Where the lane stands, decided but not necessarily applied.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// When the next timer falls due.
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.desk.next_timer()
    }

    /// The timer at which the input at hand could not be decided, as an override names it; none where it came past all that
    /// fell due.
    pub fn firing(&self) -> Option<String> {
        self.desk.firing.as_deref().map(timers::name)
    }

    /// Whether there is work in slices, for which a `Control::Continue` is to be sent.
    pub fn has_work(&self) -> bool {
        self.jobs.has_work()
    }

    /// What the job is called whose turn it is, if there is one.
    pub fn turn(&self) -> Option<String> {
        self.jobs.next().map(|(number, row)| row.name(number))
    }

    /// Whether slices may be larger while nobody else is there: then a `Control::ContinueAlone` says so.
    pub fn knows_alone(&self) -> bool {
        self.desk.is_at(activations::ALONE)
    }

    /// Whose messages need not be read, as they are beyond their quota of the day; none where that is nobody's.
    pub fn overdrawn(&self) -> Option<Arc<Overdrawn>> {
        self.meters.overdrawn()
    }

    /// Bounds the processor time of each run of a policy from here on; without a bound, what takes long is waited for.
    pub fn bound_policies(&mut self, most: Option<Duration>) {
        self.policies.bound(most);
    }

    /// How many messages the batch in the making has become, and how many bytes.
    pub fn outgoing(&self) -> (usize, usize) {
        self.desk.said()
    }

    /// Takes the batch decided so far.
    ///
    /// # Errors
    /// A row has no form.
    pub fn take(&mut self) -> Result<Decision, Error> {
        self.organizations.write(&mut self.desk)?;
        self.spans.write(&mut self.desk)?;
        self.desk.write_covered(position::key(), &self.position)?;
        Ok(Decision {
            writes: self.desk.take_writes(),
            messages: self.desk.outgoing().take(),
            position: self.position.clone(),
            doubt: self.clock.doubt(self.position.now),
            queues: self.desk.take_queues(),
            tally: std::mem::take(&mut self.desk.tally),
        })
    }

    /// Forgets what the store now holds itself.
    pub fn applied(&mut self, writes: &Writes) {
        self.desk.applied(writes);
    }
}
