//! What a lane sets aside by itself where it cannot decide an input: written as an override, before anything of the input is
//! committed.

use std::time::Instant;

use jiff::Timestamp;
use linesman_schemas::lane_override::{Overridden, Override};
use linesman_schemas::{PolicyName, Principal};

use super::{Error, Lane};
use crate::log::outbox::EmitError;
use crate::log::{mark, overrides};

/// What a lane sets aside by itself.
#[derive(Debug)]
pub struct Aside {
    /// Sequence in IN of the input.
    pub(super) position: u64,
    /// SHA-256 of its bytes.
    pub(super) message: [u8; 32],
    /// What of it.
    pub(super) what: What,
}

/// What a lane sets aside for an input.
#[derive(Debug)]
pub(super) enum What {
    /// A policy that takes too long.
    Policy {
        /// Which.
        policy: PolicyName,
        /// SHA-256 of its text.
        version: String,
    },
    /// The input, since it cannot be read.
    Input,
}

impl Lane {
    /// What is decided of an input for which something is set aside, and why.
    fn overriding(&self, what: &What) -> (Overridden, &'static str) {
        match what {
            What::Input => (Overridden::SkipInput, "reading it panicked: a fault of the program's own"),
            What::Policy { policy, version } => {
                metrics::counter!("linesman_policies_set_aside_total").increment(1);
                let policy = policy.clone();
                if self.brake.borrow_mut().note(&policy, version, Instant::now()) {
                    let why = "runs of it took more of the processor's time than they may, again and again";
                    return (Overridden::SuspendPolicy { policy, version: version.clone() }, why);
                }
                (Overridden::SetPolicyAside { policy }, "a run of it took more of the processor's time than it may")
            }
        }
    }

    /// Writes that something is set aside for an input. What was decided since the last batch is decided again.
    pub(super) async fn set_aside(&mut self, aside: &Aside) -> Result<(), Error> {
        self.settle().await?;
        let (position, (what, why)) = (aside.position, self.overriding(&aside.what));
        let one = Override {
            lane: self.id,
            position,
            message: hex::encode(aside.message),
            what,
            by: Principal::Machine,
            node: self.owner.to_string(),
            at: Timestamp::now(),
            why: why.to_owned(),
        };
        tracing::error!(lane = self.id, position, what = ?one.what, why, "something is set aside");
        fail::fail_point!("override::before");
        let last = mark::last(&self.client, self.id).await.map_err(|source| Error::Start { lane: self.id, source })?;
        let is_ours = |stored: &mark::Stored| stored.sequence == self.mark;
        let Some(stored) = last.stored.as_ref().filter(|stored| is_ours(stored)) else {
            let owner = last.stored.map_or_else(|| "nobody".to_owned(), |stored| stored.mark.owner);
            return Err(EmitError::Fenced { who: self.id.into(), owner }.into());
        };
        let mark = stored.mark.clone();
        overrides::write(self.client.clone(), self.id, &[one], &last, mark).await?;
        fail::fail_point!("override::after");
        Ok(())
    }
}
