//! Large contents of the rule book lie in the object store in pieces, each once: what is changed costs what was changed,
//! whole ones of before are read, and what is lost or damaged there is named and can be put back.

use std::fs;

use async_nats::Client;
use async_nats::jetstream::{self, stream};
use linesman::log;
use linesman::log::books::{Books, pack};
use linesman_domain::level;
use linesman_schemas::control::{PoliciesSection, PolicySource};
use linesman_tests::{Launch, Load, Out, World, run};

use super::policies::{judged_by, policy, publish, wait_for_version};

const BUCKET: &str = "linesman-rule-books";
const STREAM: &str = "OBJ_linesman-rule-books";
/// How many policies a rule book has that is large.
const MANY: usize = 200;
/// How long each of them is at least, in bytes.
const LENGTH: usize = 3_000;
/// What a change of one may take in the object store: the pieces around it, lists, and what the server adds.
const A_CHANGE: u64 = 48 * 1024;

async fn bucket(client: &Client) -> stream::Stream {
    jetstream::new(client.clone()).get_stream(STREAM).await.unwrap()
}

/// How many bytes are stored.
async fn stored(client: &Client) -> u64 {
    bucket(client).await.info().await.unwrap().state.bytes
}

/// Policies, one of which says more.
fn section(changed: usize, more: &str) -> (String, Vec<u8>) {
    let source = |number: usize| PolicySource {
        name: format!("acme/policy-{number:04}").parse().unwrap(),
        owner: Some("acme".parse().unwrap()),
        source: long(number as u64) + if number == changed { more } else { "" },
        origin: None,
    };
    pack(&PoliciesSection { policies: (0..MANY).map(source).collect(), refused: Vec::new() }).unwrap()
}

/// The text of a policy that is long.
fn long(number: u64) -> String {
    format!("{}// {}\n", policy(number), format!("policy {number} ").repeat(LENGTH / 10))
}

/// Where pieces lie.
async fn pieces(client: &Client) -> Vec<String> {
    let bucket = bucket(client).await;
    let subjects = bucket.info_with_subjects(format!("$O.{BUCKET}.C.>")).await.unwrap();
    let mut all: Vec<String> = futures_util::TryStreamExt::try_collect::<Vec<_>>(subjects)
        .await
        .unwrap()
        .into_iter()
        .map(|(subject, _)| subject)
        .filter(|subject| subject.rsplit('.').next().unwrap().len() == 64)
        .collect();
    all.sort();
    all
}

/// An engine with many policies, of which one is changed twice, and killed while the third change is on its way.
#[tokio::test]
async fn a_changed_policy_is_stored_and_the_others_are_not_again() {
    let world = World::new().unwrap();
    for number in 0..MANY {
        world.policy(&format!("quiet-{number:04}"), &long(1_000).replace("\"seen\"", "\"quiet\"")).unwrap();
    }
    world.policy("seen", &policy(1)).unwrap();
    // A log that is new is given the whole rule book too, as engines of level 1 read it.
    let launch = Launch { crash_points: "books::before-list=4*off->panic", ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    let client = engine.nats_as_engine().await.unwrap();
    let mut known = stored(&client).await;
    assert!(known > (MANY * LENGTH) as u64, "{known}");
    for version in [2, 3] {
        world.policy("seen", &policy(version)).unwrap();
        wait_for_version(&engine, version).await;
        let now = stored(&client).await;
        assert!(now > known && now - known < A_CHANGE, "{} bytes for one policy", now - known);
        known = now;
    }
    world.policy("seen", &policy(4)).unwrap();
    assert!(!engine.ended().await.success(), "{}", engine.log_tail());
    let mut engine = world.start(None).await.unwrap();
    wait_for_version(&engine, 4).await;
    let client = engine.nats_as_engine().await.unwrap();
    let grown = stored(&client).await - known;
    assert!(grown < A_CHANGE, "{grown} bytes for one policy, though it was killed in between");

    let mut load = Load::default();
    publish(&mut load, &engine, "acme").await;
    assert_eq!(judged_by(&Out::read(&client).await.unwrap(), "acme"), [4]);

    // What is recorded is whole.
    let (data, dir) = (world.data(), world.path("recorded"));
    let ended = run(&["record", dir.to_str().unwrap(), "--data-dir", data.to_str().unwrap()]).await.unwrap();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let large = fs::read_dir(dir.join("books"))
        .unwrap()
        .filter(|book| book.as_ref().unwrap().metadata().unwrap().len() > (MANY * LENGTH) as u64);
    assert_eq!(large.count(), 4, "each version");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    world.delete_state().unwrap();
    let mut engine = world.start(None).await.unwrap();
    wait_for_version(&engine, 4).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn whole_contents_are_read_and_stay() {
    let world = World::new().unwrap();
    let url = world.server().await.unwrap();
    let client = log::connect(&url, "a test").await.unwrap();
    let (hash, content) = section(0, "");
    let context = jetstream::new(client.clone());
    context.get_object_store(BUCKET).await.unwrap().put(&*hash, &mut &*content).await.unwrap();
    let books = Books::new(client.clone(), 1);
    books.has_come_to(level::NEWEST);
    assert_eq!(books.content(&hash).await.unwrap(), content);
    let before = stored(&client).await;
    books.put(&hash, &content).await.unwrap();
    assert_eq!((stored(&client).await, pieces(&client).await.len()), (before, 0));

    // At the levels of engines that know no pieces there are none.
    let of_before = Books::new(client.clone(), 1);
    of_before.has_come_to(13);
    let (hash, content) = section(0, "// other\n");
    of_before.put(&hash, &content).await.unwrap();
    assert_eq!(pieces(&client).await.len(), 0);
    assert_eq!(context.get_object_store(BUCKET).await.unwrap().info(&hash).await.unwrap().size, content.len());
    let (hash, content) = section(0, "// another\n");
    books.put(&hash, &content).await.unwrap();
    assert_eq!(of_before.content(&hash).await.unwrap(), content, "whatever is written, all is read");
    assert!(pieces(&client).await.len() > 20);
}

#[tokio::test]
async fn a_piece_that_is_lost_or_damaged_is_named_and_put_back() {
    let world = World::new().unwrap();
    let url = world.server().await.unwrap();
    let client = log::connect(&url, "a test").await.unwrap();
    let context = jetstream::new(client.clone());
    let books = Books::new(client.clone(), 1);
    books.has_come_to(level::NEWEST);
    let (hash, content) = section(0, "");
    books.put(&hash, &content).await.unwrap();
    let subject = pieces(&client).await.remove(7);
    let piece = subject.rsplit('.').next().unwrap();
    let told = |what: &str| {
        format!(
            "the rule book {hash} cannot be fetched: its piece {piece} is {what}; start the engine again that has loaded it, \
             which puts it back, or bring back the stream `OBJ_linesman-rule-books`"
        )
    };
    bucket(&client).await.purge().filter(&subject).await.unwrap();
    assert_eq!(books.content(&hash).await.unwrap_err().to_string(), told("not there"));
    let before = stored(&client).await;
    books.put(&hash, &content).await.unwrap();
    assert_eq!(books.content(&hash).await.unwrap(), content);
    let grown = stored(&client).await - before;
    assert!(grown < A_CHANGE, "{grown}");

    context.publish(subject.clone(), "none of it".into()).await.unwrap().await.unwrap();
    assert_eq!(books.content(&hash).await.unwrap_err().to_string(), told("damaged"));
    books.put(&hash, &content).await.unwrap();
    assert_eq!(books.content(&hash).await.unwrap(), content);
}
