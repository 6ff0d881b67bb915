//! The consumers of OUT: those of others are bounded, so that there is room for the engine's own.
//!
//! JetStream bounds consumers of a stream and of an account, not of a login: whoever may make one may make a thousand. Above
//! a number the oldest go that nobody asks.

use std::sync::LazyLock;

use async_nats::Client;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::streams::OUT;
use super::{Error, api};
use crate::data_dir::private;

/// How many consumers of others there may be, and for how long nobody may ask them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many.
    pub most: u32,
    /// For how long, in seconds.
    pub idle_s: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { most: 256, idle_s: 7 * 86_400 }
    }
}

/// How many there is room for besides those of others: people who follow events, who read dead letters, and exports.
pub const OURS: u32 = 256;

/// How many of others give way at a time, where all room is taken.
const ROOM: usize = 16;

/// No consumer of that name.
const CONSUMER_NOT_FOUND: u64 = 10_014;

/// What the names of this process's own consumers begin with: nobody else can know it, the public login lists none.
static PREFIX: LazyLock<String> = LazyLock::new(|| {
    let random = private::random_hex::<8>().unwrap_or_default();
    format!("linesman-{random}-")
});

/// A name for a consumer of the engine's.
pub(super) fn name() -> Option<String> {
    let random = private::random_hex::<8>().ok()?;
    Some(format!("{}{random}", *PREFIX))
}

/// A consumer of OUT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// Its name.
    pub name: String,
    /// Whether it keeps its position while nobody asks.
    pub is_durable: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it last delivered something, or something was acknowledged, else when it was made.
    pub active: Timestamp,
    /// Whether somebody waits for what it delivers.
    pub is_asked: bool,
    /// How many messages it has not delivered yet.
    pub pending: u64,
}

impl Consumer {
    /// Whether it is of this process's own.
    fn is_ours(&self) -> bool {
        self.name.starts_with(&*PREFIX)
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    total: usize,
    #[serde(default)]
    consumers: Option<Vec<Info>>,
}

#[derive(Deserialize)]
struct Info {
    name: String,
    created: Timestamp,
    #[serde(default)]
    config: Value,
    #[serde(default)]
    delivered: Last,
    #[serde(default)]
    ack_floor: Last,
    #[serde(default)]
    num_waiting: u64,
    #[serde(default)]
    num_pending: u64,
    #[serde(default)]
    push_bound: bool,
}

#[derive(Default, Deserialize)]
struct Last {
    #[serde(default)]
    last_active: Option<Timestamp>,
}

impl From<Info> for Consumer {
    fn from(info: Info) -> Self {
        let last = info.delivered.last_active.max(info.ack_floor.last_active);
        Self {
            is_durable: info.config.get("durable_name").is_some(),
            name: info.name,
            created: info.created,
            active: last.map_or(info.created, |last| last.max(info.created)),
            is_asked: info.num_waiting > 0 || info.push_bound,
            pending: info.num_pending,
        }
    }
}

/// All consumers of OUT, the one first that was idle longest.
///
/// # Errors
/// The server does not answer.
pub async fn list(client: &Client) -> Result<Vec<Consumer>, Error> {
    let mut found: Vec<Consumer> = Vec::new();
    loop {
        let page: Page = api(client, &format!("CONSUMER.LIST.{OUT}"), &json!({"offset": found.len()})).await?;
        let consumers = page.consumers.unwrap_or_default();
        let is_last = consumers.is_empty();
        found.extend(consumers.into_iter().map(Consumer::from));
        if is_last || found.len() >= page.total {
            break;
        }
    }
    found.sort_by(|a, b| (a.active, &a.name).cmp(&(b.active, &b.name)));
    found.dedup_by(|a, b| a.name == b.name);
    Ok(found)
}

/// Removes a consumer of OUT; whether there was one.
///
/// # Errors
/// The server does not answer.
pub async fn remove(client: &Client, name: &str) -> Result<bool, Error> {
    match api::<Value>(client, &format!("CONSUMER.DELETE.{OUT}.{name}"), &json!({})).await {
        Ok(_) => Ok(true),
        Err(Error::Refused { code: CONSUMER_NOT_FOUND, .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes those of others that nobody asks, oldest first and durable ones last, until at most so many are left; how many it
/// removed, and those of others that it found.
///
/// # Errors
/// The server does not answer.
pub async fn tidy(client: &Client, most: u32) -> Result<(usize, Vec<Consumer>), Error> {
    let mut found = list(client).await?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let removed = leave(client, &superfluous(&found, most, Asked::Stay), most).await?;
    found.retain(|consumer| !consumer.is_ours());
    Ok((removed, found))
}

/// Removes a few of them, where there is no room for one of ours; how many it removed. As [`tidy`] does, and where that is not
/// enough those too that somebody asks: there is room for ours whatever others do.
///
/// # Errors
/// The server does not answer.
pub async fn make_room(client: &Client) -> Result<usize, Error> {
    let found = list(client).await?;
    let others = found.iter().filter(|consumer| !consumer.is_ours()).count();
    let most = others.saturating_sub(ROOM);
    leave(client, &superfluous(&found, most, Asked::Last), most).await
}

async fn leave(client: &Client, gone: &[&Consumer], most: usize) -> Result<usize, Error> {
    let mut removed = 0;
    for consumer in gone {
        removed += usize::from(remove(client, &consumer.name).await?);
    }
    if removed > 0 {
        metrics::counter!("linesman_consumers_removed_total").increment(removed as u64);
        let asked = gone.iter().filter(|consumer| consumer.is_asked).count();
        tracing::warn!(
            removed,
            most,
            asked,
            "OUT had more consumers than it may; the oldest were removed, those first that nobody asked"
        );
    }
    Ok(removed)
}

/// What becomes of consumers that somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// They stay, however many there are.
    Stay,
    /// They go behind all others.
    Last,
}

fn superfluous(found: &[Consumer], most: usize, asked: Asked) -> Vec<&Consumer> {
    let others = found.iter().filter(|consumer| !consumer.is_ours());
    let excess = others.clone().count().saturating_sub(most);
    let (busy, idle): (Vec<_>, Vec<_>) = others.partition(|consumer| consumer.is_asked);
    let ordered = |of: Vec<_>| {
        let (durable, passing): (Vec<_>, Vec<_>) = of.into_iter().partition(|consumer: &&Consumer| consumer.is_durable);
        passing.into_iter().chain(durable)
    };
    let busy = if asked == Asked::Last { busy } else { Vec::new() };
    ordered(idle).chain(ordered(busy)).take(excess).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_that_nobody_asks_and_none_of_ours() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let consumer = |name: &str, active, is_asked| Consumer {
            name: name.to_owned(),
            is_durable: false,
            created: at(0),
            active: at(active),
            is_asked,
            pending: 0,
        };
        let ours = name().unwrap();
        let ours_too = consumer(&name().unwrap(), 1, false);
        let found =
            [consumer(&ours, 1, false), consumer("a", 2, true), consumer("b", 3, false), consumer("c", 4, false)];
        let names =
            |most| superfluous(&found, most, Asked::Stay).into_iter().map(|gone| &*gone.name).collect::<Vec<_>>();
        assert_eq!(names(3), Vec::<&str>::new());
        assert_eq!(names(2), ["b"]);
        assert_eq!(names(0), ["b", "c"], "who is asked stays");
        let all = superfluous(&found, 0, Asked::Last).into_iter().map(|gone| &*gone.name).collect::<Vec<_>>();
        assert_eq!(all, ["b", "c", "a"], "but where there is no room for ours");
        let durable = Consumer { is_durable: true, ..consumer("d", 1, false) };
        let gone = [found, [durable, consumer("e", 9, false), consumer("f", 10, false), ours_too]].concat();
        let names: Vec<&str> = superfluous(&gone, 2, Asked::Stay).into_iter().map(|gone| &*gone.name).collect();
        assert_eq!(names, ["b", "c", "e", "f"], "what somebody means to keep goes last");
    }
}
