//! What the tests of both kinds of upstream share.

pub(crate) mod server;
pub(crate) mod tasks;
pub(crate) mod uploads;
