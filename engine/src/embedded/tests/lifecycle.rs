//! The server's life: restarts, crashes, orphans, ports, files.

use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use async_nats::jetstream;
use metrics_exporter_prometheus::PrometheusBuilder;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, getpgid, pidfd_send_signal};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::{BOUND, engine, eventually, make_stream, started};
use crate::data_dir::private;
use crate::embedded::folder::Folder;
use crate::embedded::record::Record;
use crate::embedded::{Error, Server, Settings, Sync, orphan, start};

/// Set for the process that plays the engine to be killed: its data directory.
const VICTIM: &str = "LINESMAN_EMBEDDED_VICTIM";

/// The server's process of a data directory, if it runs.
fn process(data_dir: &Path) -> Option<(u32, OwnedFd)> {
    let files = Folder::prepare(data_dir).unwrap();
    let record = Record::read(&files.record())?;
    record.process(&files.config()).unwrap().map(|handle| (record.pid, handle))
}

fn has_ended(process: &OwnedFd) -> bool {
    let mut handles = [PollFd::new(process, PollFlags::IN)];
    poll(&mut handles, Some(&Timespec::default())).unwrap() > 0
}

/// Stores one bundle in a new stream.
async fn store(server: &Server) {
    let engine = engine(server).await;
    make_stream(&engine, "IN", "in.>", "p.>").await;
    jetstream::new(engine).publish("in.acme.jmb.a", "<jmb/>".into()).await.unwrap().await.unwrap();
}

/// How many bundles the stream holds.
async fn stored(server: &Server) -> u64 {
    let log = jetstream::new(engine(server).await);
    log.get_stream("IN").await.unwrap().cached_info().state.messages
}

#[tokio::test]
async fn logins_and_streams_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path()).await;
    store(&server).await;
    let (engine, public) = (server.engine_login().clone(), server.public_login().clone());
    assert_eq!(server.public_url(), format!("nats://public:{}@127.0.0.1:{}", public.password, server.port()));
    server.stop().await;
    assert!(process(folder.path()).is_none());

    let server = started(folder.path()).await;
    assert!(*server.engine_login() == engine && *server.public_login() == public, "the logins changed");
    assert_eq!(stored(&server).await, 1);
    server.stop().await;
}

#[tokio::test]
async fn passwords_differ_between_logins_and_directories() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let servers = [started(one.path()).await, started(two.path()).await];
    let mut passwords = Vec::new();
    for server in servers {
        passwords.extend([server.engine_login().password.clone(), server.public_login().password.clone()]);
        server.stop().await;
    }
    assert!(passwords.iter().all(|password| password.len() == 48));
    passwords.sort();
    passwords.dedup();
    assert_eq!(passwords.len(), 4);
}

#[tokio::test]
async fn a_killed_server_comes_back_on_the_same_port_with_its_streams() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _counted_here = metrics::set_default_local_recorder(&recorder);
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path()).await;
    store(&server).await;
    let (first, handle) = process(folder.path()).unwrap();
    pidfd_send_signal(&handle, Signal::KILL).unwrap();
    eventually("another process", async || process(folder.path()).is_some_and(|(pid, _)| pid != first)).await;
    let port = server.port();
    eventually("ready again", async || crate::embedded::readiness::server_name(port).await.is_ok()).await;
    assert_eq!(stored(&server).await, 1);
    let shown = recorder.handle().render();
    assert!(shown.contains("\nlinesman_nats_restarts_total 1\n"), "{shown}");
    server.stop().await;
    assert!(process(folder.path()).is_none());
}

/// Plays the engine that [`the_server_of_a_killed_engine_is_ended`] kills; without its data directory it has no part.
#[tokio::test]
async fn victim() {
    let Some(data_dir) = std::env::var_os(VICTIM) else { return };
    let server = started(Path::new(&data_dir)).await;
    store(&server).await;
    println!("\nstored");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn the_server_of_a_killed_engine_is_ended() {
    an_orphan_is_ended(|_| {}).await;
}

#[tokio::test]
async fn so_is_one_whose_engine_was_killed_before_it_wrote_the_record() {
    an_orphan_is_ended(|folder| std::fs::remove_file(Folder::prepare(folder).unwrap().record()).unwrap()).await;
}

async fn an_orphan_is_ended(spoil: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "embedded::tests::lifecycle::victim", "--nocapture"])
        .env(VICTIM, folder.path())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let ready = async { while lines.next_line().await.unwrap().expect("the victim lives") != "stored" {} };
    tokio::time::timeout(BOUND, ready).await.unwrap();
    victim.kill().await.unwrap();
    let (pid, orphan) = process(folder.path()).expect("the server outlives its engine");
    assert!(!has_ended(&orphan));
    spoil(folder.path());

    let server = started(folder.path()).await;
    assert_ne!(process(folder.path()).unwrap().0, pid);
    assert!(has_ended(&orphan), "the orphan still runs");
    assert_eq!(stored(&server).await, 1);
    server.stop().await;
}

#[tokio::test]
async fn a_process_of_somebody_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let files = Folder::prepare(folder.path()).unwrap();
    // It holds the lock as a server would, and the record names it: only its arguments speak against it.
    let lock = files.lock().unwrap().unwrap();
    let mut command = Command::new("tail");
    command.args(["-f", "/dev/null"]).stdin(Stdio::from(lock)).stdout(Stdio::null()).kill_on_drop(true);
    let mut other = command.spawn().unwrap();
    drop(command);
    Record::of(other.id().unwrap(), "linesman-x", 4222).unwrap().write(&files.record()).unwrap();
    let refused = start(Settings::new(folder.path())).await.err().unwrap();
    assert_eq!(
        refused.to_string(),
        format!(
            "another NATS server uses `{}` and cannot be identified: stop it first",
            folder.path().canonicalize().unwrap().join("nats").display()
        )
    );
    assert!(other.try_wait().unwrap().is_none(), "it was ended");
    other.kill().await.unwrap();
    started(folder.path()).await.stop().await;
}

#[tokio::test]
async fn a_server_with_another_name_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path()).await;
    let files = Folder::prepare(folder.path()).unwrap();
    let record = Record::read(&files.record()).unwrap();
    Record { server_name: "linesman-other".into(), ..record.clone() }.write(&files.record()).unwrap();
    orphan::end(&files).await.unwrap();
    let (pid, _) = process(folder.path()).expect("it was ended");
    assert_eq!(pid, record.pid);
    server.stop().await;
}

#[tokio::test]
async fn the_lock_lives_as_long_as_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path()).await;
    let files = Folder::prepare(folder.path()).unwrap();
    assert!(files.lock().unwrap().is_none(), "the lock is free while a server runs");
    server.stop().await;
    eventually("free", async || files.lock().unwrap().is_some()).await;
}

#[tokio::test]
async fn a_dropped_server_ends() {
    let folder = tempfile::tempdir().unwrap();
    drop(started(folder.path()).await);
    eventually("ended", async || process(folder.path()).is_none()).await;
}

#[tokio::test]
async fn ctrl_c_in_a_terminal_does_not_reach_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path()).await;
    let pid = Pid::from_raw(process(folder.path()).unwrap().0.cast_signed()).unwrap();
    assert_eq!(getpgid(Some(pid)).unwrap(), pid, "it is in the group of the engine");
    server.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_told_and_a_free_one_used() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let settings = Settings { port: Some(port), ..Settings::new(folder.path()) };
    let refused = start(settings.clone()).await.err().unwrap();
    assert_eq!(
        refused.to_string(),
        format!("port {port} of 127.0.0.1 is taken: stop what listens there or choose another port")
    );
    drop(listener);
    let server = start(settings).await.unwrap();
    assert_eq!(server.port(), port);
    server.stop().await;
}

#[tokio::test]
async fn what_the_server_says_about_its_failure_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { max_payload_bytes: 1 << 30, ..Settings::new(folder.path()) };
    let error = start(settings).await.err().unwrap();
    assert!(matches!(error, Error::Ended { .. }));
    assert!(error.to_string().contains("max_payload"), "{error}");
}

#[tokio::test]
async fn it_listens_on_the_loopback_only_with_the_payload_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { max_payload_bytes: 1 << 20, sync: Sync::Always, ..Settings::new(folder.path()) };
    let server = start(settings).await.unwrap();
    let info = engine(&server).await.server_info();
    assert_eq!((info.host.as_str(), info.max_payload), ("127.0.0.1", 1 << 20));
    let config = std::fs::read_to_string(Folder::prepare(folder.path()).unwrap().config()).unwrap();
    assert!(config.contains("sync_interval: always"), "{config}");
    server.stop().await;
}

#[tokio::test]
async fn only_the_owner_reads_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path()).await;
    for (name, mode) in [
        ("nats", 0o700),
        ("nats/server.conf", 0o600),
        ("nats/server.json", 0o600),
        ("nats/server.lock", 0o600),
        ("nats/server.log", 0o600),
        ("keys", 0o700),
        ("keys/nats.json", 0o600),
    ] {
        let found = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name} has {found:o}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_path_with_quotes_and_spaces_is_spelt_right() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("a \"quoted\" \\ $place");
    private::create_dir(&data_dir).unwrap();
    let server = started(&data_dir).await;
    store(&server).await;
    server.stop().await;
    assert!(data_dir.join("nats/jetstream").is_dir());
}

#[tokio::test]
async fn restarts_are_slowed_down() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path()).await;
    let mut last = process(folder.path()).unwrap();
    let begun = tokio::time::Instant::now();
    for _ in 0..3 {
        pidfd_send_signal(&last.1, Signal::KILL).unwrap();
        let dead = last.0;
        eventually("another process", async || process(folder.path()).is_some_and(|(pid, _)| pid != dead)).await;
        last = process(folder.path()).unwrap();
    }
    // 100 + 200 + 400 ms.
    assert!(begun.elapsed() >= Duration::from_millis(700), "{:?}", begun.elapsed());
    server.stop().await;
}
