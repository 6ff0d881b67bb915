//! What the benches share: a load, a NATS server with the load in its log, and the turns that are
//! measured on it; stand-in devices, and the collector that knows them.

pub mod herd;
pub mod load;
pub mod stage;
pub mod turns;
