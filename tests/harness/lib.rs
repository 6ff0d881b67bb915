//! What the whole-system tests share: an engine as a process of its own, a stand-in support system,
//! and ways to publish, listen, ask and wait.
//!
//! Nothing here sleeps to let something happen: [`until`] looks again until a bound.

mod api;
mod bundles;
mod cascade;
mod command;
mod damage;
mod disk;
mod document;
mod engine;
mod load;
mod network;
mod out;
mod outsider;
mod published;
mod random;
mod server;
pub mod sshd;
mod staff;
mod strays;
mod stream;
mod terminal;
mod upstream;
mod wait;
mod world;

pub use api::{Answer, Api, Events, Told};
pub use bundles::{event, information};
pub use cascade::Controller;
pub use command::{Ended, Running, run, run_script, run_unread, run_within};
pub use damage::{Flipped, flip};
pub use disk::Disk;
pub use document::{Piece, block, documents, pieces, root, scripts};
pub use engine::{Engine, Launch, Ready};
pub use load::Load;
pub use network::{Network, Weather};
pub use out::{Event, Out};
pub use outsider::{Outsider, refused_publish, refused_subscription};
pub use published::{Documents, Kind};
pub use random::Random;
pub use server::Server;
pub use staff::Staff;
pub use strays::{Strays, gauge, wait_accounted};
pub use stream::Seen;
pub use terminal::{Shown, on_terminal};
pub use upstream::Upstream;
pub use wait::until;
pub use world::{LANES, OPEN_CASE, World};
