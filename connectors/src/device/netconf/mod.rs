//! NETCONF with a device: RFC 6241 over RFC 6242, base 1.0 and 1.1; what Junos has of its own in [`junos`].
//!
//! Replies pass: what of them is wanted goes into a sink as it comes, and in memory lies a tag at most. It understands of
//! a reply whose it is, what went wrong, and the text of an element; what configurations mean is not known here. What a device is, [`inventory`] asks it.

mod fault;
pub(in crate::device) mod frame;
pub mod inventory;
pub mod junos;
#[cfg(any(test, feature = "fuzz"))]
pub(in crate::device) mod property;
mod reply;
mod request;
pub(in crate::device) mod scan;
mod session;

pub use fault::{Error, RpcError, Severity};
pub use frame::{Decoder, FrameError, Framing, Piece};
pub use reply::{Hello, Part, Reply};
pub use request::{Body, Confirmed, Datastore, DefaultOperation, Edit, Filter, Request};
pub use session::Session;
