//! Why a lane ends, or stands still.

use linesman_domain as domain;
use linesman_domain::input::Input;

use super::aside::{Aside, What};
use super::stopped::Diverged;
use crate::log;
use crate::log::outbox::EmitError;
use crate::store;

/// Why a lane stopped. Where it cannot decide, or decides otherwise than was committed, it stands still and the others go on;
/// anything else stops the engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot decide.
    #[error("lane {lane} cannot decide the message {position} of IN")]
    Decide {
        /// Which lane.
        lane: u32,
        /// Sequence in IN of the input, or of the last one before what it cannot decide.
        position: u64,
        /// Why.
        source: domain::Error,
    },
    /// It cannot commit.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// It cannot store.
    #[error("lane {lane} cannot be stored")]
    Store {
        /// Which lane.
        lane: u32,
        /// Why.
        source: store::Error,
    },
    /// It cannot be taken up.
    #[error("lane {lane} cannot be taken up")]
    Start {
        /// Which lane.
        lane: u32,
        /// Why.
        source: log::Error,
    },
    /// It cannot read on.
    #[error("lane {lane} cannot receive")]
    Receive {
        /// Which lane.
        lane: u32,
        /// Why.
        source: log::Error,
    },
    /// What it decides anew is not what was committed.
    #[error("lane {lane} decides otherwise than was committed up to the message {position} of IN")]
    Diverged {
        /// Which lane.
        lane: u32,
        /// Up to where it was decided anew.
        position: u64,
        /// Sequence in IN of the input it is about, as far as that is known.
        input: u64,
        /// What it decides.
        diverged: Box<Diverged>,
    },
    /// It has come to the input that it could not decide, and has committed all before it.
    #[error("lane {lane} has come to the message {position} of IN")]
    Halted {
        /// Which lane.
        lane: u32,
        /// Sequence in IN of the input.
        position: u64,
    },
    /// It broke off at an input again and again, and the engine ended with it.
    #[error("lane {lane} broke off at the message {position} of IN, and ended the engine, {times} times in a row")]
    BrokeOff {
        /// Which lane.
        lane: u32,
        /// Sequence in IN of the input.
        position: u64,
        /// How many times.
        times: u32,
    },
    /// It broke off again and again where no input was at hand, and the engine ended with it.
    #[error(
        "lane {lane} broke off behind the message {position} of IN, with no input at hand, and ended the engine, {times} times in \
         a row; an engine that is started again tries it once more"
    )]
    Idle {
        /// Which lane.
        lane: u32,
        /// Sequence in IN of the last input that it had applied; 0 where it was not taken up.
        position: u64,
        /// How many times.
        times: u32,
    },
    /// Something is set aside by which it cannot decide an input: it is taken up again.
    #[error("lane {lane} sets something aside for the message {} of IN", aside.position)]
    Aside {
        /// Which lane.
        lane: u32,
        /// What.
        aside: Box<Aside>,
    },
    /// Its state is damaged, and what it would be made of anew is not there.
    #[error(
        "the state of lane {lane} is damaged: {what}; it cannot be rebuilt, since IN begins at message {first} and what stood \
         before it is lost; restore IN, or the folder `state` of the data directory, from a backup"
    )]
    Damaged {
        /// Which lane.
        lane: u32,
        /// What is damaged.
        what: String,
        /// Sequence of the first message that IN has.
        first: u64,
    },
    /// Its state is damaged, and cannot be removed while the engine runs.
    #[error("the state of lane {lane} is damaged and cannot be removed; the next start sets the store aside")]
    Irremovable {
        /// Which lane.
        lane: u32,
        /// Why.
        source: store::Error,
    },
    /// The state is missing or wrong, and what it is to be made of is not there.
    #[error(
        "lane {lane} has to be rebuilt and cannot be: IN begins at message {first}, and what stood before it is lost; \
         restore IN, or the folder `state` of the data directory, from a backup"
    )]
    Beginning {
        /// Which lane.
        lane: u32,
        /// The first sequence that IN has.
        first: u64,
    },
    /// Another program is to decide it.
    #[error("lane {lane} is refused at message {position} of IN")]
    Level {
        /// Which lane.
        lane: u32,
        /// Where it stands, or the message that asks for the level.
        position: u64,
        /// Why, and what would decide it.
        source: domain::Error,
    },
    /// The thread cannot be set up.
    #[error("an executor thread cannot be set up")]
    Thread(#[source] std::io::Error),
    /// It panicked: what it was about is decided again by the next engine.
    #[error("a lane broke off")]
    Broken(#[source] std::io::Error),
}

impl Error {
    /// Why an input of a lane is not decided.
    pub(super) fn of_decision(lane: u32, position: u64, source: domain::Error) -> Self {
        match source {
            domain::Error::Level { .. } => Self::Level { lane, position, source },
            source => Self::Decide { lane, position, source },
        }
    }

    /// The same of an input at hand, of which nothing is committed yet. A policy that takes too long is set aside, and so is what
    /// somebody has sent and cannot be read; of what the engine sends itself, that is a fault to be looked at.
    pub(super) fn of_input(lane: u32, input: &Input<'_>, source: domain::Error) -> Self {
        let what = match source {
            domain::Error::Overtime { policy, version } => What::Policy { policy, version },
            domain::Error::Unreadable if !input.org.is_empty() => What::Input,
            source => return Self::of_decision(lane, input.sequence, source),
        };
        Self::Aside { lane, aside: Box::new(Aside { position: input.sequence, message: input.sha256, what }) }
    }
}
