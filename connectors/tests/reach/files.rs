//! Files of a device: listed, read, moved, removed, and what goes wrong with them.

use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use linesman_connectors::device::files::{Error, File, Files, Name, NameFault, Reader};
use linesman_connectors::device::limits::Limits;
use linesman_connectors::device::standin::server::{Fault, FileFault, FileOperation};
use linesman_schemas::outcome::FailureClass;

use crate::wait::until;
use crate::world::{World, limits};

const MOST: usize = 10_000;

fn name(text: &str) -> Name {
    Name::new(text.as_bytes().to_vec()).unwrap()
}

async fn whole(mut reader: Reader<'_>) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = reader.next().await? {
        assert!(!piece.is_empty());
        bytes.extend_from_slice(&piece);
    }
    assert_eq!(reader.next().await?, None, "behind the end there is nothing");
    Ok(bytes)
}

async fn read(files: &mut Files, text: &str, from: u64, expected: u64) -> Result<Vec<u8>, Error> {
    whole(files.read(&name(text), from, expected, &limits()).await?).await
}

/// Bytes of which each part is told from all others.
fn content(len: usize) -> Vec<u8> {
    (0..).flat_map(|number: u32| number.to_be_bytes()).take(len).collect()
}

#[tokio::test]
async fn a_directory_is_listed_with_regular_files_alone() {
    let world = World::new().await;
    let tmp = world.tmp();
    std::fs::write(tmp.join("b.xml"), "12345").unwrap();
    std::fs::write(tmp.join("a.xml"), "").unwrap();
    std::fs::create_dir(tmp.join("folder")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", tmp.join("link.xml")).unwrap();
    let (_connection, mut files) = world.files().await;
    let listing = files.list(MOST, &limits()).await.unwrap();
    let found: Vec<(String, u64)> = listing.files.iter().map(|file| (file.name.to_string(), file.size)).collect();
    assert_eq!(found, [("a.xml".to_owned(), 0), ("b.xml".to_owned(), 5)]);
    assert_eq!((listing.others, listing.is_cut, listing.faults), (2, false, vec![]));
    let now = jiff::Timestamp::now();
    let age = now.duration_since(listing.files[1].modified.unwrap());
    assert!(age.as_secs().abs() < 60, "{age:?}");
    let looked: Option<File> = files.look(&name("b.xml"), &limits()).await.unwrap();
    assert_eq!(looked.as_ref(), Some(&listing.files[1]));
    assert_eq!(files.look(&name("folder"), &limits()).await.unwrap(), None);
    assert_eq!(files.look(&name("link.xml"), &limits()).await.unwrap(), None);
}

#[tokio::test]
async fn a_list_is_cut_where_it_becomes_too_long() {
    let world = World::new().await;
    for number in 0..300 {
        std::fs::write(world.tmp().join(format!("{number:03}")), "x").unwrap();
    }
    let (_connection, mut files) = world.files().await;
    let whole = files.list(300, &limits()).await.unwrap();
    assert_eq!((whole.files.len(), whole.is_cut), (300, false));
    let cut = files.list(299, &limits()).await.unwrap();
    assert_eq!((cut.files.len(), cut.is_cut), (299, true));
    // It was closed in the middle: what follows is not mistaken for the rest of it.
    assert_eq!(read(&mut files, "007", 0, 1).await.unwrap(), b"x");
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_told_and_never_used() {
    let world = World::new().await;
    let strange: [&[u8]; 6] = [b"../../etc/passwd", b"a/b", b"/etc/passwd", b"", b"nul\0", &[b'x'; 256]];
    world.server.script().add(Fault::Names(strange.iter().map(|name| name.to_vec()).collect()));
    let (_connection, mut files) = world.files().await;
    let listing = files.list(MOST, &limits()).await.unwrap();
    assert_eq!(listing.files, vec![]);
    let told: Vec<_> = listing.faults.iter().map(|(shown, fault)| (shown.as_str(), *fault)).collect();
    let long = "x".repeat(256);
    let expected = [
        ("../../etc/passwd", NameFault::Elsewhere),
        ("a/b", NameFault::Elsewhere),
        ("/etc/passwd", NameFault::Elsewhere),
        ("", NameFault::Empty),
        ("nul\\u0000", NameFault::Nul),
        (long.as_str(), NameFault::TooLong),
    ];
    assert_eq!(told, expected);
    for bytes in [&b".."[..], b".", b"a/../b"] {
        assert_eq!(Name::new(bytes.to_vec()), Err(NameFault::Elsewhere));
    }
    for directory in ["var/tmp", "", "/var/../etc", "/var/tmp/..", "/var\0"] {
        let connection = world.connection().await;
        let error = Files::open(&connection, directory, &limits()).await.unwrap_err();
        assert!(matches!(error, Error::Directory(_)), "{error}");
    }
}

#[tokio::test]
async fn a_name_that_is_no_text_is_read_and_removed_and_shown_harmlessly() {
    let world = World::new().await;
    // One is what the other is taken for where bytes are made text.
    let names: [&[u8]; 3] = [b"caf\xe9.xml", "caf\u{fffd}.xml".as_bytes(), b"\x1b[31m\n\xff"];
    for (number, bytes) in names.iter().enumerate() {
        std::fs::write(world.tmp().join(std::ffi::OsStr::from_bytes(bytes)), number.to_string()).unwrap();
    }
    let (_connection, mut files) = world.files().await;
    for (number, bytes) in names.iter().enumerate() {
        let name = Name::new(bytes.to_vec()).unwrap();
        let listing = files.list(MOST, &limits()).await.unwrap();
        assert!(listing.files.iter().any(|file| file.name == name));
        let reader = files.read(&name, 0, 1, &limits()).await.unwrap();
        assert_eq!(whole(reader).await.unwrap(), number.to_string().as_bytes());
        files.remove(&name, &limits()).await.unwrap();
    }
    assert_eq!(files.list(MOST, &limits()).await.unwrap().files, vec![]);
    let shown: Vec<String> = names.iter().map(|bytes| Name::new(bytes.to_vec()).unwrap().to_string()).collect();
    assert_eq!(shown, ["caf\\xe9.xml", "caf\u{fffd}.xml", "\\u001b[31m\\n\\xff"]);
}

#[tokio::test]
async fn a_file_is_read_from_anywhere_whatever_it_was_thought_to_have() {
    let world = World::new().await;
    let bytes = content(3_000_001);
    std::fs::write(world.tmp().join("big"), &bytes).unwrap();
    let (_connection, mut files) = world.files().await;
    for expected in [0, 1, 3_000_001, 100_000_000] {
        assert!(read(&mut files, "big", 0, expected).await.unwrap() == bytes, "{expected}");
    }
    assert!(read(&mut files, "big", 2_000_003, 3_000_001).await.unwrap() == bytes[2_000_003..]);
    assert_eq!(read(&mut files, "big", 3_000_001, 3_000_001).await.unwrap(), b"");
    assert_eq!(read(&mut files, "big", 1 << 40, 0).await.unwrap(), b"");
}

#[tokio::test]
async fn reading_that_is_broken_off_leaves_the_channel_usable() {
    let world = World::new().await;
    let bytes = content(2_000_000);
    std::fs::write(world.tmp().join("big"), &bytes).unwrap();
    let (_connection, mut files) = world.files().await;
    for _ in 0..20 {
        let mut reader = files.read(&name("big"), 0, 2_000_000, &limits()).await.unwrap();
        assert!(reader.next().await.unwrap().is_some());
        drop(reader);
    }
    assert!(read(&mut files, "big", 0, 2_000_000).await.unwrap() == bytes);
}

#[tokio::test]
async fn more_than_a_file_may_bring_is_not_taken() {
    let world = World::new().await;
    std::fs::write(world.tmp().join("big"), content(100_000)).unwrap();
    let (_connection, mut files) = world.files().await;
    let few = Limits { bytes: 99_999, ..limits() };
    let reader = files.read(&name("big"), 0, 100_000, &few).await.unwrap();
    let error = whole(reader).await.unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.class()),
        ("`big` is longer than 99999 bytes", FailureClass::Refused)
    );
}

#[tokio::test]
async fn a_file_is_written_moved_and_removed() {
    let world = World::new().await;
    std::fs::create_dir(world.tmp().join("done")).unwrap();
    let (_connection, mut files) = world.files().await;
    let bytes = content(100_000);
    files.write(&name("a"), &bytes, &limits()).await.unwrap();
    files.write(&name("a"), &bytes[..70_000], &limits()).await.unwrap();
    assert!(std::fs::read(world.tmp().join("a")).unwrap() == bytes[..70_000]);
    files.move_to(&name("a"), "/var/tmp/done", &name("b"), &limits()).await.unwrap();
    files.write(&name("a"), b"other", &limits()).await.unwrap();
    let error = files.move_to(&name("a"), "/var/tmp/done/", &name("b"), &limits()).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "a file that is there is not replaced: {error}");
    assert!(std::fs::read(world.tmp().join("done/b")).unwrap() == bytes[..70_000]);
    let error = files.move_to(&name("a"), "/var/tmp/../../etc", &name("b"), &limits()).await.unwrap_err();
    assert!(matches!(error, Error::Directory(_)), "{error}");
    files.remove(&name("a"), &limits()).await.unwrap();
    assert!(!world.tmp().join("a").exists());
}

#[tokio::test]
async fn each_fault_of_a_file_has_its_name() {
    let world = World::new().await;
    std::fs::write(world.tmp().join("a"), "x").unwrap();
    let (_connection, mut files) = world.files().await;
    for (fault, said, class) in [
        (FileFault::Vanished, "`a` is not there", FailureClass::Refused),
        (FileFault::Denied, "permission denied for `a`", FailureClass::Unauthorized),
        (FileFault::NoSpace, "the device has no room for `a`", FailureClass::Unavailable),
        (FileFault::Failure, "the device refuses `a`: failed", FailureClass::Refused),
    ] {
        for operation in
            [FileOperation::Open, FileOperation::Read, FileOperation::Write, FileOperation::Remove, FileOperation::Move]
        {
            world.server.script().add(Fault::File(operation, fault));
            let error = match operation {
                FileOperation::Remove => files.remove(&name("a"), &limits()).await.unwrap_err(),
                FileOperation::Move => files.move_to(&name("a"), "/var", &name("a"), &limits()).await.unwrap_err(),
                FileOperation::Write => files.write(&name("a"), b"x", &limits()).await.unwrap_err(),
                _ => read(&mut files, "a", 0, 1).await.unwrap_err(),
            };
            assert_eq!((error.to_string().as_str(), error.class()), (said, class), "{operation:?}");
        }
        world.server.script().add(Fault::File(FileOperation::List, fault));
        let error = files.list(MOST, &limits()).await.unwrap_err();
        assert_eq!(error.to_string(), said.replace("`a`", "`/var/tmp`"));
    }
    assert_eq!(world.server.script().left(), 0);
    // What failed to be written was emptied before.
    files.write(&name("a"), b"x", &limits()).await.unwrap();
    assert_eq!(read(&mut files, "a", 0, 1).await.unwrap(), b"x");
    assert!(matches!(read(&mut files, "b", 0, 1).await, Err(Error::Vanished(name)) if name == "b"));
}

#[tokio::test]
async fn a_connection_that_is_cut_in_the_middle_of_a_file_is_no_end_of_it() {
    let world = World::new().await;
    std::fs::write(world.tmp().join("big"), content(1_000_000)).unwrap();
    world.server.script().add(Fault::CutFile(500_000));
    let (_connection, mut files) = world.files().await;
    let error = read(&mut files, "big", 0, 1_000_000).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Unavailable, "{error}");
}

#[tokio::test]
async fn a_slow_device_is_waited_for_within_the_limits_and_no_longer() {
    let world = World::new().await;
    std::fs::write(world.tmp().join("big"), content(40_000)).unwrap();
    let (_connection, mut files) = world.files().await;
    world.server.script().add(Fault::Slow { bytes: 400, pause: Duration::from_millis(2) });
    assert!(read(&mut files, "big", 0, 40_000).await.unwrap() == content(40_000));
    world.server.script().clear();
    world.server.script().add(Fault::Slow { bytes: 400, pause: Duration::from_secs(600) });
    let impatient = Limits { idle: Duration::from_millis(50), ..limits() };
    let error = files.list(MOST, &impatient).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.class()), ("nothing came for 50ms", FailureClass::Unavailable));
    let hasty = Limits { total: Duration::from_millis(50), ..limits() };
    let error = files.list(MOST, &hasty).await.unwrap_err();
    assert_eq!(error.to_string(), "it takes longer than 50ms");
    drop(files);
    drop(_connection);
    until("nobody is connected", async || (world.server.connections() == 0).then_some(())).await;
}

#[tokio::test]
async fn several_files_are_read_together_and_each_has_its_own_end() {
    let world = World::new().await;
    let sizes = [0, 1, 32 * 1024, 32 * 1024 + 1, 300_000];
    let content = |size: usize| (0..size).map(|at| (at % 251) as u8).collect::<Vec<u8>>();
    for (number, size) in sizes.into_iter().enumerate() {
        std::fs::write(world.tmp().join(format!("{number}")), content(size)).unwrap();
    }
    for name in ["grown", "gone", "shorter"] {
        std::fs::write(world.tmp().join(name), "as it was").unwrap();
    }
    let (_connection, mut files) = world.files().await;
    let listing = files.list(100, &limits()).await.unwrap();
    std::fs::write(world.tmp().join("grown"), "as it was, and more").unwrap();
    std::fs::write(world.tmp().join("shorter"), "as").unwrap();
    std::fs::remove_file(world.tmp().join("gone")).unwrap();
    for _ in 0..20 {
        // Again and again: what was open is closed.
        let all: Vec<&File> = listing.files.iter().collect();
        let mut read = files.read_all(&all, &limits()).await.unwrap().into_iter();
        for size in sizes {
            assert!(read.next().unwrap().unwrap() == content(size), "{size}");
        }
        let faults: Vec<_> = read.map(|read| read.unwrap_err().to_string()).collect();
        let changed = "has changed since it was listed";
        assert_eq!(
            faults,
            ["`gone` is not there".to_owned(), format!("`grown` {changed}"), format!("`shorter` {changed}")]
        );
    }
    // A limit of bytes holds of each, and what is read one by one goes on.
    let few = Limits { bytes: 100, ..limits() };
    let all: Vec<&File> = listing.files.iter().take(3).collect();
    let read = files.read_all(&all, &few).await.unwrap();
    let fits: Vec<bool> = read.iter().map(Result::is_ok).collect();
    assert_eq!(fits, [true, true, false]);
    assert!(files.list(100, &limits()).await.unwrap().files.len() == sizes.len() + 2);
}

#[tokio::test]
async fn several_files_are_removed_together_and_each_has_its_own_end() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        std::fs::write(world.tmp().join(name), "text").unwrap();
    }
    let (_connection, mut files) = world.files().await;
    let listing = files.list(100, &limits()).await.unwrap();
    std::fs::remove_file(world.tmp().join("b")).unwrap();
    let all: Vec<&File> = listing.files.iter().collect();
    let removed = files.remove_all(&all, &limits()).await.unwrap();
    let removed: Vec<String> =
        removed.into_iter().map(|removed| format!("{:?}", removed.map_err(|e| e.to_string()))).collect();
    assert_eq!(removed, ["Ok(())", "Err(\"`b` is not there\")", "Ok(())"]);
    assert!(files.list(100, &limits()).await.unwrap().files.is_empty());
    assert!(files.remove_all(&[], &limits()).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_has_come_in_the_place_of_a_file_is_not_removed_with_others() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        std::fs::write(world.tmp().join(name), "text").unwrap();
    }
    let (_connection, mut files) = world.files().await;
    let listing = files.list(100, &limits()).await.unwrap();
    std::fs::write(world.tmp().join("new"), "another bundle").unwrap();
    std::fs::rename(world.tmp().join("new"), world.tmp().join("b")).unwrap();
    let all: Vec<&File> = listing.files.iter().collect();
    let removed = files.remove_all(&all, &limits()).await.unwrap();
    assert!(matches!(removed[..], [Ok(()), Err(Error::Changed(_)), Ok(())]), "{removed:?}");
    assert_eq!(std::fs::read_to_string(world.tmp().join("b")).unwrap(), "another bundle");
    let left = files.list(100, &limits()).await.unwrap().files;
    assert_eq!(left.iter().map(|file| file.name.to_string()).collect::<Vec<_>>(), ["b"]);
}

#[tokio::test]
async fn what_a_link_leads_to_is_not_read_in_place_of_the_file() {
    let world = World::new().await;
    let tmp = world.tmp();
    std::fs::write(tmp.join("a.xml"), "12345").unwrap();
    std::fs::write(tmp.join("secret"), "54321").unwrap();
    let (_connection, mut files) = world.files().await;
    assert_eq!(read(&mut files, "a.xml", 0, 5).await.unwrap(), b"12345");
    std::fs::remove_file(tmp.join("a.xml")).unwrap();
    std::os::unix::fs::symlink(tmp.join("secret"), tmp.join("a.xml")).unwrap();
    assert!(matches!(read(&mut files, "a.xml", 0, 5).await, Err(Error::Vanished(_))));
    // Nor with others.
    let name = name("a.xml");
    let listed = File { name, size: 5, modified: None };
    let together = files.read_all(&[&listed], &limits()).await.unwrap();
    assert!(matches!(together[..], [Err(Error::Vanished(_))]), "{together:?}");
    // The channel is of use still.
    assert_eq!(read(&mut files, "secret", 0, 5).await.unwrap(), b"54321");
}
