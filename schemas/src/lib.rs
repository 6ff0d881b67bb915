//! What travels: the message bundle and its decoder, intelligence messages, and the payloads of
//! commands, results, triggers, reactions, audits, dead letters and marks.
//!
//! Everything here is data and its text form. Nothing does I/O, reads a clock or spawns.

pub mod approval;
pub mod audit;
pub mod bundle;
pub mod cascade;
pub mod cause;
pub mod collected;
pub mod command;
pub mod control;
pub mod dead_letter;
pub mod destination;
pub mod device;
pub mod directory;
pub mod event;
pub mod filter_level;
pub mod gathering;
pub mod intelligence;
pub mod lane_override;
pub mod login;
pub mod mark;
pub mod mode;
pub mod name;
pub mod notification;
pub mod operation;
pub mod outcome;
pub mod place;
pub mod principal;
pub mod priority;
pub mod quota;
pub mod reaction;
pub mod right;
pub mod schedule;
pub mod scripts;
pub mod service;
pub mod trigger;
pub mod upload;

pub use approval::{ApprovalId, ApprovalKind, ApprovalRule, ApprovalRules};
pub use destination::Destination;
pub use filter_level::FilterLevel;
pub use login::Login;
pub use mode::Mode;
pub use name::{
    CommandId, GroupName, IncidentId, ManagerName, OrgName, Peer, PlaceName, PolicyName, ReactionId, ServiceName,
    SessionId, SourceName, SubscriptionName, TokenName,
};
pub use operation::Operation;
pub use place::{Place, PlacePath, Sphere};
pub use principal::Principal;
pub use priority::Priority;
pub use quota::{QuotaData, QuotaKind, Quotas};
pub use right::{IncidentStep, Privilege, Privileges, Right, Rights};
pub use schedule::Schedule;
