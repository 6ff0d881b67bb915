//! Running a policy's `react` within hard limits.
//!
//! Only counted work decides when a run ends: every step, and every byte that a step may touch, is
//! charged against one budget, so that the same script on the same subject always does the same and
//! always stops at the same place. What a script asks for is recorded and handed back; of a run that
//! fails nothing remains.

mod actions;
mod body;
mod budget;
mod cache;
mod check;
mod collecting;
mod devices;
mod failure;
mod foreign;
mod forwarding;
mod intent;
mod json;
mod library;
mod limits;
mod literals;
mod parser;
mod record;
mod service;
mod stdlib;

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use rhai::{Dynamic, Engine};

pub use self::actions::{ACTIONS, Action, Parameter};
pub use self::budget::Clock;
pub(crate) use self::check::check;
pub use self::check::function_names;
pub use self::collecting::Collecting;
pub use self::devices::Device;
pub use self::failure::{Failure, FailureKind};
pub(crate) use self::forwarding::FORWARD;
pub use self::forwarding::{FORWARDING, Forwarding};
pub use self::intent::{Activation, Intent, Organization};
pub use self::limits::Limits;
pub(crate) use self::parser::Parser;
pub use self::record::ORGANIZATION;
pub use self::service::ACTIVATIONS;

use self::budget::Run;
use self::cache::Cache;
use self::record::{OrganizationRecord, Record};
use crate::policy::Policy;
use crate::subject::Subject;

/// How runs are counted, and what library they have. What was judged in one is judged alike for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edition {
    /// Up to engine level 12: Rhai's library as it is. Steps of functions that a function of Rust calls do not count.
    First,
    /// From level 13 on: every step counts, and functions charge for what they make.
    Second,
    /// From level 15 on: what is not listed is refused, no function value is written out, callbacks that answer with what is
    /// no answer fail, and what is caught has no place.
    Third,
    /// From level 17 on: steps of scripts with a large literal cost more, by its size.
    Fourth,
}

impl Edition {
    /// The newest.
    pub const NEWEST: Self = Self::Fourth;
}

/// Runs policies: one per thread, with the scripts it has compiled.
pub struct Judge {
    limits: Limits,
    clock: Option<Clock>,
    time_most: Option<Duration>,
    first: OnceCell<Machine>,
    second: OnceCell<Machine>,
    third: OnceCell<Machine>,
    fourth: OnceCell<Machine>,
    cache: Cache,
    /// How many operations the last run was charged.
    operations: u64,
}

/// An interpreter of one edition, with what its functions charge.
struct Machine {
    engine: Engine,
    run: Rc<Run>,
}

impl Machine {
    fn new(limits: &Limits, clock: Option<Clock>, edition: Edition) -> Self {
        let run = Rc::new(Run::new(limits.clone(), clock));
        let mut engine = parser::engine(limits);
        budget::watch(&mut engine, &run, edition);
        register(&mut engine, &run, edition);
        Self { engine, run }
    }
}

/// Teaches an engine all that scripts can call.
fn register(engine: &mut Engine, run: &Rc<Run>, edition: Edition) {
    stdlib::register(engine, run);
    if edition >= Edition::Second {
        library::register(engine, run, edition);
    }
    record::register(engine, run, edition);
    actions::register(engine, run);
    service::register(engine, run);
    forwarding::register(engine, run);
    collecting::register(engine, run);
    devices::register(engine, run);
    if edition >= Edition::Third {
        library::refuse_unlisted(engine);
    }
}

impl Judge {
    /// A judge with these limits.
    pub fn new(limits: Limits) -> Self {
        let cache = Cache::new(&limits);
        Self {
            limits,
            clock: None,
            time_most: None,
            first: OnceCell::new(),
            second: OnceCell::new(),
            third: OnceCell::new(),
            fourth: OnceCell::new(),
            cache,
            operations: 0,
        }
    }

    /// A judge with these limits that can bound what its runs take of the processor's time: `clock` tells what the thread
    /// has used of it.
    pub fn timed(limits: Limits, clock: Clock) -> Self {
        Self { clock: Some(clock), ..Self::new(limits) }
    }

    /// Bounds the processor time of each run from here on: beyond it a run fails with [`FailureKind::Time`], which is for
    /// whoever runs it and no decision of the script's.
    pub const fn bound(&mut self, most: Option<Duration>) {
        self.time_most = most;
    }

    /// Runs `policy` on `subject`, of which `org` is the owner, in the newest edition. Whether the policy applies is not asked
    /// again.
    ///
    /// # Errors
    /// The script broke a limit, was refused something or failed; nothing of what it asked for stands.
    pub fn react(
        &mut self,
        policy: &Policy,
        subject: Rc<dyn Subject>,
        org: &Organization,
    ) -> Result<Vec<Intent>, Failure> {
        self.react_among(policy, subject, org, None, Edition::NEWEST)
    }

    /// The same in the edition given, where the organization's devices can be asked for: those of a policy that
    /// [`Policy::asks_devices`].
    ///
    /// # Errors
    /// As above.
    pub fn react_among(
        &mut self,
        policy: &Policy,
        subject: Rc<dyn Subject>,
        org: &Organization,
        devices: Option<Rc<[Device]>>,
        edition: Edition,
    ) -> Result<Vec<Intent>, Failure> {
        self.operations = 0;
        let machine = match edition {
            Edition::First => &self.first,
            Edition::Second => &self.second,
            Edition::Third => &self.third,
            Edition::Fourth => &self.fourth,
        };
        let Machine { engine, run } = machine.get_or_init(|| Machine::new(&self.limits, self.clock, edition));
        let body = self.cache.get(policy, engine)?;
        run.bound(self.time_most);
        run.begin(subject.kind(), &org.name, devices);
        run.weigh(if edition >= Edition::Fourth { body.weight() } else { 0 });
        let org = OrganizationRecord(Rc::new(org.clone()));
        let result = body.run(engine, Dynamic::from(Record::whole(subject)), Dynamic::from(org));
        let intents = run.take_intents();
        self.operations = run.operations();
        if run.was_over_time() {
            return Err(Failure::over_time());
        }
        match result {
            Ok(()) => Ok(intents),
            Err(error) => Err(Failure::new(*error, run.limits())),
        }
    }

    /// How many operations the last run was charged: the same for the same script and subject.
    pub const fn operations(&self) -> u64 {
        self.operations
    }
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judge").field("limits", &self.limits).finish_non_exhaustive()
    }
}
