//! Judgement: reaction policies, the filters that guard them, and the scripts that decide.
//!
//! ```text
//! PolicySource --load--> Policy --build--> Book --matching--> policies of one message
//!                                                                  |
//!                                             Judge --react--> Vec<Intent> | Failure
//! ```
//!
//! A [`Policy`] is read from its source without running it. A [`Book`] finds the policies of a
//! message at a cost that grows with those that match. A [`Judge`] runs a policy's `react` within
//! hard [`Limits`] and hands back what the script wants done as [`Intent`]s: nothing here acts, does
//! I/O or reads a clock, and the same script on the same subject always ends the same way.
//!
//! [`services`] are templates that are rendered with the values of a place, and [`configuration`] is what
//! they render: the text that is sent to devices.

mod book;
pub mod configuration;
mod diagnostic;
mod filter;
mod header;
mod index;
mod library;
mod literal;
pub mod modes;
mod policy;
mod possible;
mod scratch;
mod script;
pub mod services;
mod strictness;
mod subject;
mod triggers;
pub mod values;
pub mod versions;

pub use book::Book;
pub use diagnostic::{Code, Diagnostic, excerpt, suggest};
pub use filter::Pattern;
pub use library::LIBRARY;
pub use policy::Policy;
pub use scratch::Scratch;
pub use script::{
    ACTIONS, ACTIVATIONS, Action, Activation, Clock, Collecting, Device, Edition, FORWARDING, Failure, FailureKind,
    Forwarding, Intent, Judge, Limits, ORGANIZATION, Organization, Parameter, function_names,
};
pub use strictness::Strictness;
pub use subject::{Field, Shape, Subject, SubjectKind, Value};
pub use triggers::Triggers;
