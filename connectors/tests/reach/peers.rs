//! Real peers: OpenSSH's sshd, and yuma123's netconfd behind it. Left out, with a word, where they cannot be had.

use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use linesman_connectors::Secret;
use linesman_connectors::device::files::{Error as FileError, Files, Name};
use linesman_connectors::device::netconf::{
    Body, Confirmed, Datastore, DefaultOperation, Edit, Error, Filter, Framing, Part, Request, Session, Severity,
};
use linesman_connectors::device::ssh::{Connection, Credential, Error as SshError, Login, Patience, Stage};
use linesman_schemas::outcome::FailureClass;

use crate::sshd::{PASSWORD, Sshd};
use crate::wait::until;
use crate::world::limits;

const OTHER_HOST: &str = include_str!("../../../tests/fixtures/devices/id_rsa");
const INTERFACES: &str = "<interfaces xmlns=\"urn:ietf:params:xml:ns:yang:ietf-interfaces\"/>";

fn name(bytes: &[u8]) -> Name {
    Name::new(bytes.to_vec()).unwrap()
}

async fn read(files: &mut Files, name: &Name, from: u64) -> Result<Vec<u8>, FileError> {
    let mut reader = files.read(name, from, 1_000_000, &limits()).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = reader.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

#[tokio::test]
async fn files_of_openssh_are_listed_read_moved_and_removed() {
    let Some(sshd) = Sshd::start().await else { return };
    let directory = sshd.at("files");
    std::fs::create_dir(directory.join("done")).unwrap();
    let connection = sshd.connection().await;
    assert_eq!(connection.host_key().algorithm(), "ssh-ed25519");
    let mut files = Files::open(&connection, directory.to_str().unwrap(), &limits()).await.unwrap();
    let bytes: Vec<u8> = (0..).flat_map(|number: u32| number.to_be_bytes()).take(3_000_001).collect();
    let strange = name(b"caf\xe9 \x1b.xml");
    for name in [&name(b"a.xml"), &strange] {
        files.write(name, &bytes, &limits()).await.unwrap();
    }
    std::os::unix::fs::symlink("/etc/passwd", directory.join("link.xml")).unwrap();
    let listing = files.list(100, &limits()).await.unwrap();
    let found: Vec<_> = listing.files.iter().map(|file| (&file.name, file.size)).collect();
    assert_eq!(found, [(&name(b"a.xml"), 3_000_001), (&strange, 3_000_001)]);
    assert_eq!((listing.others, listing.is_cut), (2, false));
    assert!(read(&mut files, &strange, 0).await.unwrap() == bytes);
    assert!(read(&mut files, &name(b"a.xml"), 2_000_003).await.unwrap() == bytes[2_000_003..]);
    let done = directory.join("done");
    files.move_to(&strange, done.to_str().unwrap(), &name(b"b"), &limits()).await.unwrap();
    assert!(std::fs::read(done.join("b")).unwrap() == bytes);
    let error = files.move_to(&name(b"a.xml"), done.to_str().unwrap(), &name(b"b"), &limits()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Refused, "a file that is there is not replaced: {error}");
    assert!(!directory.join(std::ffi::OsStr::from_bytes(strange.as_bytes())).exists());
    files.remove(&name(b"a.xml"), &limits()).await.unwrap();
    assert_eq!(files.list(100, &limits()).await.unwrap().files, vec![]);
    assert!(matches!(read(&mut files, &name(b"a.xml"), 0).await, Err(FileError::Vanished(name)) if name == "a.xml"));
    assert!(matches!(files.remove(&name(b"a.xml"), &limits()).await, Err(FileError::Vanished(_))));
    // Commands go over the same connection.
    let mut said = Vec::new();
    let exit = connection.exec("echo here; echo there >&2; exit 3", &mut said, &limits()).await.unwrap();
    assert_eq!((exit.code, exit.complaint.as_str(), said.as_slice()), (Some(3), "there", &b"here\n"[..]));
}

#[tokio::test]
async fn openssh_lets_in_by_a_password_and_by_no_other() {
    let Some(sshd) = Sshd::start().await else { return };
    std::fs::write(sshd.at("files/a.xml"), "text").unwrap();
    let by = |text: &str| Login { credential: Credential::Password(Secret::new(text)), ..sshd.login() };
    let connection = Connection::open(&by(PASSWORD), &Patience::default()).await.unwrap();
    let mut files = Files::open(&connection, sshd.at("files").to_str().unwrap(), &limits()).await.unwrap();
    assert_eq!(read(&mut files, &name(b"a.xml"), 0).await.unwrap(), b"text");
    let error = Connection::open(&by("another"), &Patience::default()).await.unwrap_err();
    assert!(matches!(error, SshError::Authentication { .. }), "{error}");
    assert!(!error.to_string().contains("another"), "{error}");
}

#[tokio::test]
async fn a_host_key_of_openssh_that_changed_is_refused() {
    let Some(mut sshd) = Sshd::start().await else { return };
    drop(sshd.connection().await);
    sshd.kill();
    sshd.listen(OTHER_HOST).await;
    let error = Connection::open(&sshd.login(), &Patience::default()).await.unwrap_err();
    assert_eq!((error.stage(), error.class()), (Stage::HostKey, FailureClass::Unauthorized), "{error}");
    assert!(matches!(error, SshError::HostKeyChanged { .. }), "{error}");
}

#[tokio::test]
async fn more_sessions_than_openssh_takes_and_its_sudden_end_are_told() {
    let Some(mut sshd) = Sshd::start().await else { return };
    let connection = sshd.connection().await;
    let directory = sshd.at("files");
    let directory = directory.to_str().unwrap();
    let mut one = Files::open(&connection, directory, &limits()).await.unwrap();
    let _two = Files::open(&connection, directory, &limits()).await.unwrap();
    let error = Files::open(&connection, directory, &limits()).await.unwrap_err();
    assert_eq!(error.to_string(), "the device opens no channel: it has as many sessions as it takes");
    assert_eq!(error.class(), FailureClass::Overloaded);
    assert_eq!(one.list(10, &limits()).await.unwrap().files, vec![]);
    sshd.kill();
    let error = one.list(10, &limits()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Unavailable, "{error}");
    until("it is gone", async || connection.is_gone().then_some(())).await;
    let error = Connection::open(&sshd.login(), &Patience::default()).await.unwrap_err();
    assert_eq!(error.stage(), Stage::Tcp, "{error}");
}

fn interface(name: &str) -> String {
    format!(
        "<interfaces xmlns=\"urn:ietf:params:xml:ns:yang:ietf-interfaces\"><interface><name>{name}</name>\
         <description>a &amp; ü</description><type xmlns:i=\"urn:ietf:params:xml:ns:yang:iana-if-type\">\
         i:ethernetCsmacd</type></interface></interfaces>"
    )
}

async fn call(session: &mut Session, request: Request<'_>) -> Result<(), Error> {
    session.call(request, &limits()).await.map(drop)
}

async fn edit(session: &mut Session, xml: &str) -> Result<(), Error> {
    let edit = Edit { target: Datastore::Candidate, default_operation: DefaultOperation::Merge, is_whole: true };
    call(session, Request::edit_config(edit, Body::xml(xml.as_bytes()))).await
}

async fn running(session: &mut Session) -> String {
    let request = Request::get_config(Datastore::Running, Some(Filter::Subtree(INTERFACES)));
    session.ask(request, Part::Document, &limits()).await.unwrap().1
}

/// A session with netconfd, with what holds it; none, with a word, where it cannot be had.
async fn session(protocols: &str) -> Option<(Sshd, Connection, Session)> {
    let mut sshd = Sshd::start().await?;
    if !sshd.start_netconfd(protocols).await {
        return None;
    }
    let connection = sshd.connection().await;
    let mut session = Session::open(&connection, &limits()).await.unwrap();
    assert!(session.hello().session_id.is_some() && !session.is_junos() && session.has("candidate", "1.0"));
    let (_, state) = session.ask(Request::get(None), Part::Document, &limits()).await.unwrap();
    assert!(state.contains("netconf-state"), "{state}");
    Some((sshd, connection, session))
}

#[tokio::test]
async fn netconfd_takes_rolls_back_and_confirms_a_configuration_across_sessions() {
    let Some((_sshd, connection, mut session)) = session("netconf1.0 netconf1.1").await else { return };
    assert_eq!(session.framing(), Framing::Chunked);
    call(&mut session, Request::lock(Datastore::Candidate)).await.unwrap();
    edit(&mut session, &interface("ge-0/0/0")).await.unwrap();
    assert!(!running(&mut session).await.contains("ge-0/0/0"));
    let timeout = Some(Duration::from_secs(300));
    let named = |persist| Confirmed { timeout, persist: Some(persist), persist_id: None };
    call(&mut session, Request::confirmed_commit(named("act-1"))).await.unwrap();
    call(&mut session, Request::unlock(Datastore::Candidate)).await.unwrap();
    session.close(&limits()).await.unwrap();

    // Another session, as after a crash of ours.
    let mut session = Session::open(&connection, &limits()).await.unwrap();
    let error = call(&mut session, Request::confirm("act-2")).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    call(&mut session, Request::confirm("act-1")).await.unwrap();
    let read = running(&mut session).await;
    assert!(read.contains("ge-0/0/0") && read.contains("a &amp; ü"), "{read}");

    edit(&mut session, &interface("ge-0/0/1")).await.unwrap();
    call(&mut session, Request::confirmed_commit(named("act-3"))).await.unwrap();
    assert!(running(&mut session).await.contains("ge-0/0/1"));
    call(&mut session, Request::cancel_commit(Some("act-3"))).await.unwrap();
    let read = running(&mut session).await;
    assert!(read.contains("ge-0/0/0") && !read.contains("ge-0/0/1"), "{read}");
    session.close(&limits()).await.unwrap();
}

#[tokio::test]
async fn netconfd_of_base_1_0_confirms_within_a_session_alone() {
    let Some((_sshd, _connection, mut session)) = session("netconf1.0").await else { return };
    assert_eq!(session.framing(), Framing::Delimited);
    edit(&mut session, &interface("ge-0/0/0")).await.unwrap();
    let timeout = Some(Duration::from_secs(300));
    let named = Confirmed { timeout, persist: Some("act-1"), persist_id: None };
    let error = call(&mut session, Request::confirmed_commit(named)).await.unwrap_err();
    assert_eq!(error.to_string(), "the device has no `confirmed-commit`");
    call(&mut session, Request::confirmed_commit(Confirmed { timeout, ..Confirmed::default() })).await.unwrap();
    call(&mut session, Request::commit()).await.unwrap();
    assert!(running(&mut session).await.contains("ge-0/0/0"));
    session.close(&limits()).await.unwrap();
}

#[tokio::test]
async fn netconfd_validates_and_tells_its_faults_with_all_their_fields() {
    let Some((_sshd, _connection, mut session)) = session("netconf1.0 netconf1.1").await else { return };
    // A candidate that netconfd (2.13) has validated it takes for one that was loaded: a commit of it, confirmed or not,
    // changes nothing. So it is validated and discarded.
    edit(&mut session, &interface("ge-0/0/0")).await.unwrap();
    call(&mut session, Request::validate(Datastore::Candidate)).await.unwrap();
    call(&mut session, Request::discard_changes()).await.unwrap();
    let unknown = "<interfaces xmlns=\"urn:ietf:params:xml:ns:yang:ietf-interfaces\"><no/></interfaces>";
    let error = edit(&mut session, unknown).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Refused);
    let Error::Refused { errors, .. } = error else { panic!("{error}") };
    let first = &errors[0];
    assert_eq!((first.kind.as_str(), first.tag.as_str()), ("protocol", "unknown-element"), "{errors:?}");
    assert_eq!(first.severity, Severity::Error);
    assert!(first.message.is_some() && first.path.is_some() && first.info.is_some(), "{errors:?}");
    // It leaves the session as it was.
    assert!(!running(&mut session).await.contains("ge-0/0/0"));
    session.close(&limits()).await.unwrap();
}
