//! What a lane decides: `decide(state, input) -> writes + triggers + reactions`.
//!
//! Pure: time is the message's, no randomness, no I/O, no order of a hash map. The same inputs on
//! the same state give the same decision to the byte, which [`Position::digest`] proves.
//!
//! | room | what |
//! |---|---|
//! | `input` | what is decided on |
//! | `state`, `rows` | what is known |
//! | `outgoing` | what is said |
//! | `organizations`, `incidents`, `sightings`, `devices`, `cases`, `intelligence` | the field's things |
//! | `rule_book` | which policies apply, and which were refused |
//! | `policies` | triggers, and what policies make of them |
//! | `reactions` | what is to be done: pending, retried, given up |
//! | `upstream` | which upstream a case goes to |
//! | `timers` | what falls due |

mod cases;
mod commands;
mod devices;
mod error;
pub mod incidents;
pub mod input;
mod intelligence;
mod organizations;
pub mod outgoing;
mod policies;
pub mod reactions;
pub mod rows;
mod rule_book;
mod sightings;
pub mod state;
mod subject;
pub mod tally;
#[cfg(test)]
mod tests;
mod timers;
mod upstream;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine as _;
use jiff::Timestamp;
use linesman_rules::{Book, Judge, Policy, Scratch};
use linesman_schemas::OrgName;
use linesman_schemas::control::{RefusedPolicy, Settings};
use linesman_schemas::dead_letter::{DeadLetter, FailedPolicy, INLINE_MOST, LineColumn, Reason};

pub use commands::asked;
use devices::Devices;
pub use error::Error;
use input::{Content, Input};
use organizations::Organizations;
use outgoing::{OutMessage, Outgoing, Topic};
use policies::Fired;
use rows::{BookRow, Position, Standing, key};
use sightings::Sightings;
use state::{Base, State, Writes};
use tally::Tally;

/// The engine level: raised whenever the same inputs would be decided differently.
pub const LEVEL: u32 = 1;

/// A batch, decided: what is to be written, said and told.
#[derive(Debug)]
pub struct Decision {
    /// What changes in the state, the position among it.
    pub writes: Writes,
    /// What goes to OUT.
    pub messages: Vec<OutMessage>,
    /// Where the lane then is.
    pub position: Position,
    /// Whose pending reactions changed: destination and organization.
    pub queues: BTreeSet<(String, String)>,
    /// What is counted once it is applied.
    pub tally: Tally,
}

/// The deciding part of one lane.
pub struct Domain {
    lane: u32,
    state: State,
    position: Position,
    organizations: Organizations,
    sightings: Sightings,
    devices: Devices,
    book: BookRow,
    policies: Arc<Book>,
    settings: Settings,
    /// What the rule book says of files that could not be loaded.
    refused: Arc<[RefusedPolicy]>,
    judge: Rc<RefCell<Judge>>,
    scratch: Scratch,
    matching: Vec<Arc<Policy>>,
    outgoing: Outgoing,
    next_timer: Option<Timestamp>,
    queues: BTreeSet<(String, String)>,
    tally: Tally,
    /// How many events of the provider's own the current input has had.
    ordinal: u64,
    /// How many reactions policies have decided on the current input.
    reactions: usize,
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
}

/// Where a lane's applied state stands.
///
/// # Errors
/// The store cannot be read.
pub fn position(base: &dyn Base) -> Result<Option<Position>, Error> {
    rows::read(base, &key::position())
}

/// The rule book that applies on a lane's applied state.
///
/// # Errors
/// The store cannot be read.
pub fn rule_book(base: &dyn Base) -> Result<Option<BookRow>, Error> {
    rows::read(base, &key::book())
}

/// How many incidents a row of the table of incidents holds.
pub fn incidents_of_page(row: &[u8]) -> usize {
    incidents::page(row).count()
}

impl Domain {
    /// Takes up deciding where the applied state stands.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(base: Box<dyn Base>, parts: Parts) -> Result<Self, Error> {
        let position = position(&*base)?.unwrap_or(Position {
            sequence: 0,
            message: [0; 32],
            digest: [0; 32],
            now: Timestamp::UNIX_EPOCH,
            stream: parts.stream,
            level: LEVEL,
        });
        let state = State::new(base);
        let organizations = Organizations::open(&state)?;
        let sightings = Sightings::open(&state)?;
        let next_timer = timers::next(&state)?;
        let (book, policies, settings, refused) = match parts.book {
            Some(book) => (BookRow { version: book.version, hash: book.hash }, book.book, book.settings, book.refused),
            None => {
                let none = BookRow { version: 0, hash: String::new() };
                (none, Arc::new(Book::build(Vec::new())), Settings::default(), Arc::default())
            }
        };
        Ok(Self {
            lane: parts.lane,
            state,
            position,
            organizations,
            sightings,
            devices: Devices::new(),
            book,
            policies,
            settings,
            refused,
            judge: parts.judge,
            scratch: Scratch::default(),
            matching: Vec::new(),
            outgoing: Outgoing::new(parts.payload_most),
            next_timer,
            queues: BTreeSet::new(),
            tally: Tally::default(),
            ordinal: 0,
            reactions: 0,
        })
    }

    /// Whether the lane decides at `level` or above it.
    #[expect(dead_code, reason = "the first level that differs is being built")]
    fn is_at(&self, level: u32) -> bool {
        self.position.level >= level
    }

    /// Where the lane stands, decided but not necessarily applied.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// When the next timer falls due.
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.next_timer
    }

    /// How many messages the batch in the making has become, and how many bytes.
    pub fn outgoing(&self) -> (usize, usize) {
        (self.outgoing.messages(), self.outgoing.bytes())
    }

    /// Decides one input: the clock first, then what fell due, then the input.
    ///
    /// # Errors
    /// The machine's own faults only: the input's become dead letters.
    pub fn decide(&mut self, input: &Input<'_>) -> Result<(), Error> {
        self.outgoing.begin(&self.position.digest, input.sequence);
        self.ordinal = 0;
        self.reactions = 0;
        self.position.now = self.position.now.max(input.time);
        self.fire_timers()?;
        self.handle(input)?;
        self.position.sequence = input.sequence;
        self.position.message = input.sha256;
        self.position.digest = self.outgoing.end();
        Ok(())
    }

    fn handle(&mut self, input: &Input<'_>) -> Result<(), Error> {
        // Control messages concern the lane, not an organization.
        match &input.content {
            Content::RuleBook(book) => return self.apply_rule_book(book, input.sequence),
            Content::Attempt(attempt) => return self.settle_attempt(None, attempt),
            Content::Tick => {
                self.tally.input("ctl", "tick");
                return Ok(());
            }
            Content::Undecodable { reason, detail, place } if input.org.is_empty() => {
                self.tally.input("ctl", "dead");
                return self.provider_dead(input, *reason, detail, *place);
            }
            _ => {}
        }
        if let Content::Command(command) = &input.content {
            return self.apply_command(command, input);
        }
        let Some((org, standing)) = self.organizations.find(input.org) else {
            let detail = format!("there is no organization `{}`", input.org.chars().take(80).collect::<String>());
            return self.dead(None, input, Reason::UnknownOrganization, &detail, None);
        };
        // Results of what was decided before the suspension still count.
        if standing == Standing::Suspended && !matches!(input.content, Content::Report(_)) {
            let detail = format!("the organization `{org}` is suspended");
            return self.dead(Some(org), input, Reason::OrganizationSuspended, &detail, None);
        }
        match &input.content {
            Content::Bundle(bundle) => self.take_bundle(org, bundle, input),
            Content::Intelligence(message) => self.take_intelligence(org, message),
            Content::Report(report) => self.take_report(org, report, input),
            Content::Undecodable { reason, detail, place } => self.dead(Some(org), input, *reason, detail, *place),
            Content::Command(_) | Content::RuleBook(_) | Content::Attempt(_) | Content::Tick => Ok(()),
        }
    }

    /// Takes the batch decided so far.
    ///
    /// # Errors
    /// A row has no form.
    pub fn take(&mut self) -> Result<Decision, Error> {
        self.organizations.write(&mut self.state)?;
        self.state.write(key::position(), &self.position)?;
        Ok(Decision {
            writes: self.state.take_writes(),
            messages: self.outgoing.take(),
            position: self.position.clone(),
            queues: std::mem::take(&mut self.queues),
            tally: std::mem::take(&mut self.tally),
        })
    }

    /// Forgets what the store now holds itself.
    pub fn applied(&mut self, writes: &Writes) {
        self.state.applied(writes);
    }

    /// Says an event of an organization; its id.
    fn say(
        &mut self,
        topic: &Topic,
        org: &OrgName,
        about: Option<&str>,
        data: impl serde::Serialize,
    ) -> Result<String, Error> {
        let id = self.organizations.next_event(org, self.position.now);
        self.outgoing.event(topic, &id, about, self.position.now, data)?;
        Ok(id)
    }

    /// An id for an event of the provider's own.
    fn provider_event_id(&mut self, sequence: u64) -> String {
        self.ordinal += 1;
        format!("lane{}-{sequence}-{}", self.lane, self.ordinal)
    }

    /// Sets an input aside.
    fn dead(
        &mut self,
        org: Option<OrgName>,
        input: &Input<'_>,
        reason: Reason,
        detail: &str,
        place: Option<LineColumn>,
    ) -> Result<(), Error> {
        self.tally.input(input.kind, "dead");
        self.tally.dead(reason);
        let letter = letter(input, reason, detail, place);
        match org {
            Some(org) => {
                self.say(&Topic::Dead(Some(org.clone()), reason), &org, None, letter)?;
            }
            None => {
                let id = self.provider_event_id(input.sequence);
                self.outgoing.event(&Topic::Dead(None, reason), &id, None, self.position.now, letter)?;
            }
        }
        Ok(())
    }

    fn provider_dead(
        &mut self,
        input: &Input<'_>,
        reason: Reason,
        detail: &str,
        place: Option<LineColumn>,
    ) -> Result<(), Error> {
        self.tally.dead(reason);
        let id = self.provider_event_id(input.sequence);
        let letter = letter(input, reason, detail, place);
        self.outgoing.event(&Topic::ProviderDead(reason), &id, None, self.position.now, letter)
    }

    /// Reports a policy that failed; the others go on.
    fn policy_dead(
        &mut self,
        org: &OrgName,
        policy: &Policy,
        fired: &Fired,
        detail: String,
        place: Option<LineColumn>,
    ) -> Result<(), Error> {
        let reason = Reason::PolicyFailed;
        self.tally.dead(reason);
        let letter = DeadLetter {
            reason,
            detail,
            place,
            sequence: self.position.sequence,
            subject: String::new(),
            policy: Some(FailedPolicy {
                name: policy.name().clone(),
                version: policy.hash().to_owned(),
                on: fired.trigger,
                trigger: fired.event.clone(),
                about: fired.about.clone(),
            }),
            reaction: None,
            length: 0,
            bytes: None,
        };
        self.say(&Topic::Dead(Some(org.clone()), reason), org, Some(&fired.about), letter).map(drop)
    }
}

fn letter(input: &Input<'_>, reason: Reason, detail: &str, place: Option<LineColumn>) -> DeadLetter {
    let is_small = input.bytes.len() <= INLINE_MOST;
    DeadLetter {
        reason,
        detail: detail.to_owned(),
        place,
        sequence: input.sequence,
        subject: if input.org.is_empty() { "ctl".to_owned() } else { format!("in.{}.{}", input.org, input.kind) },
        policy: None,
        reaction: None,
        length: input.bytes.len(),
        bytes: is_small.then(|| base64::engine::general_purpose::STANDARD.encode(input.bytes)),
    }
}
