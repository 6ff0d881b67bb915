//! A reply of 200 MB passes in little memory. It is alone in its process, whose memory is what is looked at: client and
//! stand-in device together.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

use std::fs;
use std::time::Duration;

use linesman_connectors::Secret;
use linesman_connectors::device::limits::Limits;
use linesman_connectors::device::netconf::{Datastore, Part, Request, Session};
use linesman_connectors::device::ssh::{Connection, Credential, Expected, Login, Patience};
use linesman_connectors::device::standin::server::{Account, Fault, Proof, Server, Setup};
use tokio::io::AsyncWriteExt as _;

const BYTES: u64 = 200_000_000;
/// How much more there may be in memory while it passes: windows, queues, and what allocators keep.
const MOST: u64 = 32 << 20;

/// A line of `/proc/self/status`, in bytes.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn a_reply_of_200_megabytes_passes_in_little_memory() {
    let root = tempfile::tempdir().unwrap();
    let account = Account { user: "linesman".to_owned(), proof: Proof::Password("correct horse".to_owned()) };
    let server = Server::start(Setup::new(root.path(), vec![account])).await.unwrap();
    let login = Login {
        address: server.address().ip().to_string(),
        port: server.address().port(),
        user: "linesman".to_owned(),
        credential: Credential::Password(Secret::new("correct horse")),
        host_key: Expected::Pinned(server.host_key().unwrap()),
        is_legacy: false,
    };
    let limits = Limits { idle: Duration::from_secs(60), total: Duration::from_secs(600), bytes: 1 << 40 };
    let connection = Connection::open(&login, &Patience::default()).await.unwrap();
    let mut session = Session::open(&connection, &limits).await.unwrap();
    server.script().add(Fault::Huge("get-config", BYTES));
    // From here on: what was the most before is forgotten.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS");
    let mut file = tokio::fs::File::create(root.path().join("reply")).await.unwrap();
    let request = Request::get_config(Datastore::Running, None);
    let reply = session.fetch(request, Part::TextOf("output"), &mut file, &limits).await.unwrap();
    file.flush().await.unwrap();
    let grown = memory("VmHWM").saturating_sub(before);
    assert!(reply.bytes > BYTES, "{}", reply.bytes);
    // `&amp;` is five bytes on the way, and one there.
    let kept = fs::metadata(root.path().join("reply")).unwrap().len();
    assert!(kept > BYTES * 9 / 10 && kept < BYTES, "{kept}");
    assert!(grown < MOST, "{grown} bytes more are in memory");
}
