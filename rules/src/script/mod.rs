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
mod devices;
mod failure;
mod forwarding;
mod intent;
mod json;
mod limits;
mod parser;
mod record;
mod service;
mod stdlib;

use std::rc::Rc;

use rhai::{Dynamic, Engine};

pub use self::actions::{ACTIONS, Action, Parameter};
pub(crate) use self::check::check;
pub use self::check::function_names;
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

/// Runs policies: one per thread, with the scripts it has compiled.
pub struct Judge {
    engine: Engine,
    run: Rc<Run>,
    cache: Cache,
}

impl Judge {
    /// A judge with these limits.
    pub fn new(limits: Limits) -> Self {
        let cache = Cache::new(&limits);
        let run = Rc::new(Run::new(limits.clone()));
        let mut engine = parser::engine(&limits);
        budget::watch(&mut engine, &run);
        stdlib::register(&mut engine, &run);
        record::register(&mut engine, &run);
        actions::register(&mut engine, &run);
        service::register(&mut engine, &run);
        forwarding::register(&mut engine, &run);
        devices::register(&mut engine, &run);
        Self { engine, run, cache }
    }

    /// Runs `policy` on `subject`, of which `org` is the owner. Whether the policy applies is not asked
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
        self.react_among(policy, subject, org, None)
    }

    /// The same where the organization's devices can be asked for: those of a policy that [`Policy::asks_devices`].
    ///
    /// # Errors
    /// As above.
    pub fn react_among(
        &mut self,
        policy: &Policy,
        subject: Rc<dyn Subject>,
        org: &Organization,
        devices: Option<Rc<[Device]>>,
    ) -> Result<Vec<Intent>, Failure> {
        let body = self.cache.get(policy, &self.engine)?;
        self.run.begin(subject.kind(), &org.name, devices);
        let org = OrganizationRecord(Rc::new(org.clone()));
        let result = body.run(&self.engine, Dynamic::from(Record::whole(subject)), Dynamic::from(org));
        let intents = self.run.take_intents();
        match result {
            Ok(()) => Ok(intents),
            Err(error) => Err(Failure::new(*error, self.run.limits())),
        }
    }

    /// How many operations the last run was charged: the same for the same script and subject.
    pub fn operations(&self) -> u64 {
        self.run.operations()
    }
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judge").field("limits", self.run.limits()).finish_non_exhaustive()
    }
}
