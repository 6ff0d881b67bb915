//! Values that managers substitute for the parameters of services: their texts, types and arithmetic.
//!
//! ```text
//! text --parse_substitution--> Substitution { name, types, clause }
//!                                              |
//!      Expression --evaluate (names looked up)--> Value --Types::admit--> Value of the parameter
//!                                                   \--Constraint::of--> what may be chosen below
//! ```
//!
//! Nothing here knows who substitutes where: it is pure, bounded in time and memory, and the same on
//! every machine. The language is described in `docs/values.md`.

mod acquisition;
mod compare;
mod constraint;
mod cursor;
mod edition;
mod eval;
mod expression;
mod fitting;
mod functions;
mod given;
mod interface;
mod kind;
mod layer;
mod lexer;
mod mistake;
mod name;
mod network;
mod operators;
mod parameter;
mod parser;
mod patterns;
mod protocol;
mod report;
mod scenario;
mod single;
mod sorts;
mod source;
mod spans;
mod substitution;
#[cfg(test)]
mod tests;
mod types;
mod value;

pub use acquisition::{
    Acquired, Acquisition, Choice, Explanation, Fault, Found, Ground, Input, Outcome, RUNTIME_NAMES, Renaming, Runtime,
    StandsFor, Status, Step, Trail, Veil, acquire, acquire_by,
};
pub use constraint::Constraint;
pub use edition::Edition;
pub use eval::{Fuel, evaluate};
pub use expression::{Expression, Reference};
pub use given::substitution_text;
pub use kind::Type;
pub use layer::{Layer, SUBSTITUTIONS_MOST, Said, Told};
pub use mistake::{Mistake, Span};
pub use name::Name;
pub use network::Network;
pub use parameter::{Definition, ListMode, Misdeclared, PARAMETERS_MOST, Parameter, Spelled};
pub use report::{Parameter as Reported, Report};
pub use scenario::{NoScenario, Scenario};
pub use single::{Asked, Single};
pub use source::{Source, Where};
pub use substitution::{Clause, Substitution, parse_substitution};
pub use types::Types;
pub use value::{Range, Value};
