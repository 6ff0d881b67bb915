//! What comes at an even pace: the corpus, round by round with new ids, and intelligence beside it.

use std::time::Duration;

use async_nats::jetstream::{self, Context};
use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use linesman_schemas::bundle;
use linesman_schemas::bundle::corpus::of_round;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::super::corpus::{Owners, host_event_id, intelligence};
use super::{News, Telling};

/// The pause between two of them.
const PACE: Duration = Duration::from_millis(400);
/// How long an acknowledgement may take: one that a server took with it never comes.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long it is until one that was not acknowledged is sent again.
const AGAIN: Duration = Duration::from_millis(250);
/// After how many bundles a message comes.
const BUNDLES_PER_MESSAGE: usize = 5;
/// The first thing of a round behind which the engine may be killed, among how many, and how many that come next are looked at.
const KILL_FROM: usize = 16;
const KILL_AMONG: usize = 16;
const OUTAGE: usize = 5;
/// The header by which the log knows what it has already.
const MESSAGE_ID: &str = "Nats-Msg-Id";

/// One thing that is sent.
struct Item {
    org: &'static str,
    what: &'static str,
    /// What people see of it.
    name: String,
    /// The host-event-ID, where an incident comes of it.
    id: Option<String>,
    subject: String,
    bytes: Bytes,
}

/// Sends for as long as somebody watches; never ready but with a failure.
///
/// # Errors
/// The log refuses something.
pub(super) async fn go_on(
    client: Client,
    mut is_paused: watch::Receiver<bool>,
    telling: Telling,
) -> anyhow::Result<()> {
    let mut context = jetstream::new(client);
    context.set_timeout(PATIENCE);
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut owners = Owners::default();
    for round in 0.. {
        for (number, item) in of(round, &mut owners).into_iter().enumerate() {
            pace.tick().await;
            if is_paused.wait_for(|is_paused| !is_paused).await.is_err() {
                return Ok(());
            }
            send(&context, &item, &format!("demo-{round}-{number}")).await;
            let Item { org, what, name, id, .. } = item;
            let is_first = round == 0;
            telling.tell(News::Sent { org: org.to_owned(), what, name, id, number: is_first.then_some(number) });
        }
    }
    Ok(())
}

/// Behind which thing of the first round the engine is killed: where most of what comes next becomes incidents, for what is shown
/// is that none of them is lost or doubled.
pub(super) fn kill_at() -> usize {
    let items = of(0, &mut Owners::default());
    let problems = |at: usize| items.iter().skip(at + 1).take(OUTAGE).filter(|item| item.id.is_some()).count();
    (KILL_FROM..KILL_FROM + KILL_AMONG).rev().max_by_key(|at| problems(*at)).unwrap_or(KILL_FROM)
}

/// All of a round, in the order in which it comes.
fn of(round: usize, owners: &mut Owners) -> Vec<Item> {
    let mut messages = intelligence(round).into_iter();
    let mut items = Vec::new();
    for (number, specimen) in of_round(round).into_iter().enumerate() {
        let org = owners.of(&specimen.bytes, number);
        let decoded = bundle::decode(&specimen.bytes).ok();
        let problem = decoded.filter(|bundle| bundle.manifest.problem.is_some());
        items.push(Item {
            org,
            what: "bundle",
            name: host_event_id(&specimen.bytes),
            id: problem.map(|bundle| bundle.manifest.host_event_id.to_string()),
            subject: format!("in.{org}.jmb.demo"),
            bytes: specimen.bytes.into(),
        });
        if (number + 1) % BUNDLES_PER_MESSAGE == 0 {
            items.extend(messages.next().map(message));
        }
    }
    items.extend(messages.map(message));
    items
}

fn message((org, title, bytes): (&'static str, &'static str, String)) -> Item {
    Item {
        org,
        what: "message",
        name: title.to_owned(),
        id: None,
        subject: format!("in.{org}.intel.demo"),
        bytes: bytes.into(),
    }
}

/// Sends until the log has it: also while its server is away, and once alone.
async fn send(context: &Context, item: &Item, id: &str) {
    let mut headers = HeaderMap::new();
    headers.insert(MESSAGE_ID, id);
    loop {
        let sent = context.publish_with_headers(item.subject.clone(), headers.clone(), item.bytes.clone()).await;
        if let Ok(acknowledged) = sent
            && acknowledged.await.is_ok()
        {
            return;
        }
        sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn problems_come_while_the_engine_is_dead() {
        let (at, items) = (kill_at(), of(0, &mut Owners::default()));
        let meanwhile = items.iter().skip(at + 1).take(3);
        assert!(meanwhile.filter(|item| item.id.is_some()).count() >= 2, "behind {at}");
    }

    #[test]
    fn a_round_is_the_corpus_with_ids_of_its_own() {
        let mut owners = Owners::default();
        let [first, second] = [0, 1].map(|round| of(round, &mut owners));
        let ids = |items: &[Item]| items.iter().filter_map(|item| item.id.clone()).collect::<BTreeSet<_>>();
        assert_eq!(first.len(), second.len());
        assert!(ids(&first).len() > 25 && ids(&first).is_disjoint(&ids(&second)));
        let messages = first.iter().filter(|item| item.what == "message").count();
        assert_eq!(messages, intelligence(0).len());
        assert!(first.iter().any(|item| item.name == "(broken)"));
    }
}
