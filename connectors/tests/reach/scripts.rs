//! Scripts on a device: put there wholly, and put back as it was from wherever it broke off.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use linesman_connectors::device::scripts::{Place, Scripts};
use linesman_connectors::device::standin::server::{Fault, FileFault, FileOperation};

use sha2::{Digest as _, Sha256};

use crate::world::{World, limits};

const OP: &str = "/var/db/scripts/op";
const EVENT: &str = "/var/db/scripts/event";
const BOTH: [&str; 2] = [OP, EVENT];

fn place(directory: &'static str, name: &str) -> Place {
    Place { directory, name: name.to_owned() }
}

fn folder(world: &World, directory: &str) -> PathBuf {
    let folder = world.root.path().join(directory.trim_start_matches('/'));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())).collect()
}

fn told(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

#[tokio::test]
async fn a_script_takes_the_place_of_what_is_there_and_that_comes_back_until_it_is_settled() {
    let world = World::new().await;
    let op = folder(&world, OP);
    fs::write(op.join("a.slax"), "old a").unwrap();
    fs::write(op.join("c.slax"), "old c").unwrap();
    let (connection, _files) = world.files().await;
    let mut scripts = Scripts::new(&connection, limits());
    let (a, b, c) = (place(OP, "a.slax"), place(OP, "b.slax"), place(OP, "c.slax"));
    assert_eq!(scripts.found(&b).await.unwrap(), None);
    assert_eq!(scripts.found(&a).await.unwrap().unwrap().len(), 64);
    let [old_a, old_c] = [&a, &c].map(|place| sha256(&format!("old {}", &place.name[..1])));
    for is_settled in [false, true] {
        scripts.lay(&a, b"new a").await.unwrap();
        scripts.lay(&b, b"new b").await.unwrap();
        assert_eq!(files(&op)["a.slax"], "old a", "what is laid is not there yet");
        assert!(scripts.put(&a, Some(&old_a)).await.unwrap());
        assert!(scripts.put(&b, None).await.unwrap());
        assert!(scripts.take_away(&c, Some(&old_c)).await.unwrap());
        let there = files(&op);
        assert_eq!((there["a.slax"].as_str(), there["b.slax"].as_str()), ("new a", "new b"));
        assert!(!there.contains_key("c.slax"));
        match is_settled {
            false => {
                // EVENT is not there at all.
                scripts.put_back(&BOTH).await.unwrap();
                assert_eq!(files(&op), told(&[("a.slax", "old a"), ("c.slax", "old c")]));
            }
            true => {
                scripts.settle(&BOTH).await.unwrap();
                assert_eq!(files(&op), told(&[("a.slax", "new a"), ("b.slax", "new b")]));
                scripts.put_back(&BOTH).await.unwrap();
                assert_eq!(files(&op), told(&[("a.slax", "new a"), ("b.slax", "new b")]), "nothing is under way");
            }
        }
    }
}

#[tokio::test]
async fn from_wherever_it_broke_off_it_is_put_back_as_it_was() {
    let world = World::new().await;
    let op = folder(&world, OP);
    let halves: [&[(&str, &str)]; 8] = [
        &[("a.slax", "old a")],
        &[("a.slax", "old a"), (".linesman-new-a.slax", "ne")],
        &[(".linesman-old-a.slax", "old a"), (".linesman-new-a.slax", "new a")],
        &[(".linesman-old-a.slax", "old a"), ("a.slax", "new a")],
        &[(".linesman-old-a.slax", "old a")],
        &[("a.slax", "old a"), (".linesman-none-b.slax", ""), (".linesman-new-b.slax", "new b")],
        &[("a.slax", "old a"), (".linesman-none-b.slax", ""), ("b.slax", "new b")],
        &[(".linesman-old-a.slax", "old a"), ("a.slax", "new a"), (".linesman-none-b.slax", ""), ("b.slax", "new b")],
    ];
    for half in halves {
        for name in files(&op).keys() {
            fs::remove_file(op.join(name)).unwrap();
        }
        for (name, text) in half {
            fs::write(op.join(name), text).unwrap();
        }
        let (connection, _files) = world.files().await;
        Scripts::new(&connection, limits()).put_back(&BOTH).await.unwrap();
        assert_eq!(files(&op), told(&[("a.slax", "old a")]), "{half:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_put_back_now_is_put_back_later() {
    let world = World::new().await;
    let op = folder(&world, OP);
    fs::write(op.join("a.slax"), "old a").unwrap();
    let (connection, _files) = world.files().await;
    let mut scripts = Scripts::new(&connection, limits());
    let a = place(OP, "a.slax");
    scripts.lay(&a, b"new a").await.unwrap();
    assert!(scripts.put(&a, Some(&sha256("old a"))).await.unwrap());
    for operation in [FileOperation::Remove, FileOperation::Move, FileOperation::List] {
        world.server.script().add(Fault::File(operation, FileFault::Denied));
        scripts.put_back(&BOTH).await.unwrap_err();
    }
    scripts.put_back(&BOTH).await.unwrap();
    assert_eq!(files(&op), told(&[("a.slax", "old a")]));
}

#[tokio::test]
async fn what_is_no_file_is_not_taken_for_one() {
    let world = World::new().await;
    let op = folder(&world, OP);
    fs::create_dir(op.join("a.slax")).unwrap();
    let (connection, _files) = world.files().await;
    let mut scripts = Scripts::new(&connection, limits());
    let error = scripts.found(&place(OP, "a.slax")).await.unwrap_err();
    assert!(error.to_string().contains("no regular file"), "{error}");
    let error = scripts.lay(&place(EVENT, "a.slax"), b"x").await.unwrap_err();
    assert_eq!(error.to_string(), "`/var/db/scripts/event` is not there");
}

#[tokio::test]
async fn what_somebody_has_changed_since_it_was_looked_at_stays() {
    let world = World::new().await;
    let op = folder(&world, OP);
    let (connection, _files) = world.files().await;
    let mut scripts = Scripts::new(&connection, limits());
    let a = place(OP, "a.slax");
    for found in [None, Some("old a")] {
        fs::write(op.join("a.slax"), "theirs").unwrap();
        scripts.lay(&a, b"new a").await.unwrap();
        assert!(!scripts.put(&a, found.map(sha256).as_deref()).await.unwrap(), "{found:?}");
        scripts.put_back(&BOTH).await.unwrap();
        assert_eq!(files(&op), told(&[("a.slax", "theirs")]), "{found:?}");
        assert!(!scripts.take_away(&a, found.or(Some("old a")).map(sha256).as_deref()).await.unwrap());
        scripts.settle(&BOTH).await.unwrap();
        assert_eq!(files(&op), told(&[("a.slax", "theirs")]), "{found:?}");
    }
    // What is gone is in nobody's way.
    fs::remove_file(op.join("a.slax")).unwrap();
    scripts.lay(&a, b"new a").await.unwrap();
    assert!(scripts.put(&a, Some(&sha256("old a"))).await.unwrap());
    scripts.settle(&BOTH).await.unwrap();
    assert_eq!(files(&op), told(&[("a.slax", "new a")]));
    // What was written there in between, or where something was taken away, is not ours to remove.
    let halves: [&[(&str, &str)]; 3] = [
        &[(".linesman-none-a.slax", ""), (".linesman-new-a.slax", "new a"), ("a.slax", "theirs")],
        &[(".linesman-old-a.slax", "old a"), (".linesman-new-a.slax", "new a"), ("a.slax", "theirs")],
        &[(".linesman-old-a.slax", "old a"), (".linesman-new-a.slax", ""), ("a.slax", "theirs")],
    ];
    for half in halves {
        for (name, text) in half {
            fs::write(op.join(name), text).unwrap();
        }
        scripts.put_back(&BOTH).await.unwrap();
        assert_eq!(files(&op), told(&[("a.slax", "theirs")]), "{half:?}");
    }
}
