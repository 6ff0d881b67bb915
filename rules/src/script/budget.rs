//! What a run has used and asked for. Host functions and the interpreter charge one budget.
//!
//! Rhai counts steps but not what a step touches: `s + s` of 100 KB is one step, and `m[key] = v` grows
//! a map past its limit unseen. Whatever is large gets to a step through a variable, a property or a
//! host function, so those three charge by size - and reading a variable checks its size anew, so that
//! what has grown unseen is caught at the next use.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use linesman_schemas::{OrgName, Place};
use rhai::{Dynamic, Engine, EvalAltResult, Position};

use super::{Device, Edition, FailureKind, Intent, Limits, library};
use crate::subject::SubjectKind;

/// An error of the interpreter.
pub(super) type Fault = Box<EvalAltResult>;

/// Bytes of text that cost as much as a step: the slowest of what Rhai does to a text (assigning to a
/// character of it) takes some 40 ns per byte.
const BYTES_PER_OPERATION: usize = 32;

/// Items of lists and maps that cost as much as a step.
const ITEMS_PER_OPERATION: usize = 4;

/// How many steps a run takes between two looks at the clock, which costs as much as a dozen of them.
const STEPS_PER_LOOK: u32 = 256;

/// What a thread has used of the processor's time.
pub type Clock = fn() -> Duration;

/// Why the host ends a run; no script can catch it.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    pub(super) kind: FailureKind,
    pub(super) message: String,
}

/// One run at a time.
pub(super) struct Run {
    limits: Limits,
    /// Steps as Rhai counts them.
    steps: Cell<u64>,
    /// What was charged beside.
    charged: Cell<u64>,
    /// What each step costs beside itself.
    weight: Cell<u64>,
    subject: Cell<SubjectKind>,
    /// The organization judged; none before the first run.
    org: RefCell<Option<OrgName>>,
    /// Its devices, where they can be asked for.
    devices: RefCell<Option<Rc<[Device]>>>,
    intents: RefCell<Vec<Intent>>,
    intent_bytes: Cell<usize>,
    /// What of the thread's processor time is used; without it runs may take as long as they like.
    clock: Option<Clock>,
    time_most: Cell<Option<Duration>>,
    /// How often it was asked whether the time is over, and when it is; none before the first look at the clock.
    looks: Cell<u32>,
    until: Cell<Option<Duration>>,
    is_over: Cell<bool>,
}

impl Run {
    pub(super) fn new(limits: Limits, clock: Option<Clock>) -> Self {
        Self {
            limits,
            clock,
            time_most: Cell::new(None),
            looks: Cell::new(0),
            until: Cell::new(None),
            is_over: Cell::new(false),
            steps: Cell::new(0),
            charged: Cell::new(0),
            weight: Cell::new(0),
            subject: Cell::new(SubjectKind::Incident),
            org: RefCell::default(),
            devices: RefCell::default(),
            intents: RefCell::default(),
            intent_bytes: Cell::new(0),
        }
    }

    /// Bounds the processor time of runs.
    pub(super) fn bound(&self, most: Option<Duration>) {
        self.time_most.set(most);
    }

    /// Whether the run has taken more of the processor's time than it may. The clock is looked at every so many calls, the
    /// first time after as many: most runs end before that, and cost no look.
    pub(super) fn is_over_time(&self) -> bool {
        let (Some(clock), Some(most)) = (self.clock, self.time_most.get()) else { return false };
        let looks = self.looks.get().wrapping_add(1);
        self.looks.set(looks);
        if !looks.is_multiple_of(STEPS_PER_LOOK) {
            return self.is_over.get();
        }
        let now = clock();
        match self.until.get() {
            None => self.until.set(Some(now.saturating_add(most))),
            Some(until) => self.is_over.set(self.is_over.get() || now > until),
        }
        self.is_over.get()
    }

    /// Whether it was ended for that; a function that swallows what its callback fails of may have gone on.
    pub(super) fn was_over_time(&self) -> bool {
        self.is_over.get()
    }

    /// Forgets the last run.
    pub(super) fn begin(&self, subject: SubjectKind, org: &OrgName, devices: Option<Rc<[Device]>>) {
        self.steps.set(0);
        self.charged.set(0);
        self.weight.set(0);
        self.looks.set(0);
        self.until.set(None);
        self.is_over.set(false);
        self.subject.set(subject);
        self.org.replace(Some(org.clone()));
        self.devices.replace(devices);
        self.intents.borrow_mut().clear();
        self.intent_bytes.set(0);
    }

    /// Has each step of the run cost so many operations beside itself.
    pub(super) fn weigh(&self, weight: u64) {
        self.weight.set(weight);
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn subject(&self) -> SubjectKind {
        self.subject.get()
    }

    /// Whether a place lies in the organization judged.
    pub(super) fn is_within(&self, place: &Place) -> bool {
        place.organization().is_some_and(|org| self.org.borrow().as_ref() == Some(org))
    }

    /// The devices of the organization judged, where they can be asked for.
    pub(super) fn devices(&self) -> Option<Rc<[Device]>> {
        self.devices.borrow().clone()
    }

    pub(super) fn operations(&self) -> u64 {
        let steps = self.steps.get();
        steps.saturating_add(steps.saturating_mul(self.weight.get())).saturating_add(self.charged.get())
    }

    /// Charges operations beside the steps.
    pub(super) fn charge(&self, operations: usize) -> Result<(), Fault> {
        let operations = u64::try_from(operations).unwrap_or(u64::MAX);
        self.charged.set(self.charged.get().saturating_add(operations));
        if self.operations() > self.limits.operations {
            return Err(EvalAltResult::ErrorTooManyOperations(Position::NONE).into());
        }
        Ok(())
    }

    /// Charges the reading or writing of a text.
    pub(super) fn charge_bytes(&self, bytes: usize) -> Result<(), Fault> {
        self.charge(bytes / BYTES_PER_OPERATION)
    }

    /// Charges the reading of a value and checks its size.
    pub(super) fn charge_value(&self, value: &Dynamic) -> Result<(), Fault> {
        if let Ok(text) = value.as_immutable_string_ref() {
            return self.charge_bytes(text.len());
        }
        if !value.is_array() && !value.is_map() {
            return Ok(());
        }
        let mut size = Size::default();
        size.add(value);
        self.charge((size.items + size.entries) / ITEMS_PER_OPERATION + size.bytes / BYTES_PER_OPERATION)?;
        let what = if size.bytes > self.limits.string_bytes {
            "string"
        } else if size.items > self.limits.array_items {
            "array"
        } else if size.entries > self.limits.map_entries {
            "map"
        } else {
            return Ok(());
        };
        Err(EvalAltResult::ErrorDataTooLarge(what.to_owned(), Position::NONE).into())
    }

    /// Records an intent of this many bytes.
    pub(super) fn intend(&self, intent: Intent, bytes: usize) -> Result<(), Fault> {
        self.charge_bytes(bytes)?;
        let mut intents = self.intents.borrow_mut();
        let total = self.intent_bytes.get() + bytes;
        self.intent_bytes.set(total);
        if intents.len() >= self.limits.intents {
            return Err(stop(
                FailureKind::Intents,
                format!("the script asks for more than {} actions", self.limits.intents),
            ));
        }
        if total > self.limits.intent_bytes {
            let message = format!("what the script asks for exceeds {} bytes", self.limits.intent_bytes);
            return Err(stop(FailureKind::Intents, message));
        }
        intents.push(intent);
        Ok(())
    }

    pub(super) fn take_intents(&self) -> Vec<Intent> {
        self.intents.take()
    }
}

/// Ends the run for good.
pub(super) fn stop(kind: FailureKind, message: String) -> Fault {
    EvalAltResult::ErrorTerminated(Dynamic::from(Stop { kind, message }), Position::NONE).into()
}

/// Ends the run because something was asked for that cannot be.
pub(super) fn refuse(message: String) -> Fault {
    stop(FailureKind::Refused, message)
}

/// Has an engine charge every step and every reading of a variable.
pub(super) fn watch(engine: &mut Engine, run: &Rc<Run>, edition: Edition) {
    let counted = Rc::clone(run);
    engine.on_progress(move |steps| {
        counted.steps.set(match edition {
            Edition::First => steps,
            // Rhai counts on from what its caller had, and forgets what a function took that a function of Rust calls.
            Edition::Second | Edition::Third | Edition::Fourth => counted.steps.get().saturating_add(1),
        });
        (counted.operations() > counted.limits.operations || counted.is_over_time()).then_some(Dynamic::UNIT)
    });
    let read = Rc::clone(run);
    #[expect(deprecated, reason = "marked as liable to change, not as obsolete")]
    engine.on_var(move |name, _, mut context| {
        if edition >= Edition::Second
            && let Some(ours) = context.scope().get(name).and_then(|caught| library::reword(caught, edition))
        {
            context.scope_mut().set_value(name.to_owned(), ours);
        }
        if let Some(value) = context.scope().get(name) {
            read.charge_value(value)?;
        }
        Ok(None)
    });
}

/// The size of a value with all within.
#[derive(Default)]
struct Size {
    bytes: usize,
    items: usize,
    entries: usize,
}

impl Size {
    fn add(&mut self, value: &Dynamic) {
        if let Ok(text) = value.as_immutable_string_ref() {
            self.bytes += text.len();
        } else if let Ok(items) = value.as_array_ref() {
            self.items += items.len();
            items.iter().for_each(|item| self.add(item));
        } else if let Ok(map) = value.as_map_ref() {
            self.entries += map.len();
            for (key, value) in &*map {
                self.bytes += key.len();
                self.add(value);
            }
        }
    }
}
