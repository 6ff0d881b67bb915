//! Each stage of a connection, and how it fails.

use std::time::Duration;

use linesman_connectors::Secret;
use linesman_connectors::device::limits::Limits;
use linesman_connectors::device::netconf::Session;
use linesman_connectors::device::ssh::{Connection, Credential, Error, Expected, Login, Patience, Stage};
use linesman_connectors::device::standin::server::{Account, Proof};
use linesman_schemas::outcome::FailureClass;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::wait::until;
use crate::world::{PASSWORD, World, limits};

const KEY: &str = include_str!("../../../tests/fixtures/devices/id_ed25519");
const KEY_PUBLIC: &str = include_str!("../../../tests/fixtures/devices/id_ed25519.pub");
const LOCKED: &str = include_str!("../../../tests/fixtures/devices/id_ed25519_locked");
const RSA: &str = include_str!("../../../tests/fixtures/devices/id_rsa");
const RSA_PUBLIC: &str = include_str!("../../../tests/fixtures/devices/id_rsa.pub");

async fn fails(login: &Login) -> Error {
    let patience = Patience { connect: Duration::from_secs(20), ..Patience::default() };
    Connection::open(login, &patience).await.unwrap_err()
}

fn key(text: &str, passphrase: Option<&str>) -> Credential {
    Credential::Key { text: Secret::new(text), passphrase: passphrase.map(Secret::new) }
}

#[tokio::test]
async fn a_device_is_known_by_its_first_key_and_refused_with_another() {
    let world = World::new().await;
    let first = Login { host_key: Expected::First, ..world.login() };
    let connection = Connection::open(&first, &Patience::default()).await.unwrap();
    let known = connection.host_key().clone();
    assert_eq!(known, world.server.host_key().unwrap());
    assert_eq!(known.algorithm(), "ssh-ed25519");
    assert!(known.to_string().starts_with("ssh-ed25519 AAAA"), "{known}");
    assert_eq!(known.to_string().parse(), Ok(known.clone()));
    let pinned = Login { host_key: Expected::Pinned(known.clone()), ..world.login() };
    Connection::open(&pinned, &Patience::default()).await.unwrap();

    world.server.change_host_key().unwrap();
    let error = fails(&pinned).await;
    let now = world.server.host_key().unwrap();
    assert_eq!((error.stage(), error.class()), (Stage::HostKey, FailureClass::Unauthorized));
    assert_eq!(
        error.to_string(),
        format!("the host key is another: known is {}, shown was {}", known.fingerprint(), now.fingerprint())
    );
    let Error::HostKeyChanged { key, .. } = error else { panic!("{error}") };
    assert_eq!(key, now.to_string());
    assert!(known.fingerprint().starts_with("SHA256:"));
}

#[tokio::test]
async fn whoever_shows_another_key_learns_no_password() {
    let world = World::new().await;
    let login = world.login();
    world.server.change_host_key().unwrap();
    for _ in 0..3 {
        assert_eq!(fails(&login).await.stage(), Stage::HostKey);
    }
    until("nobody is connected", async || (world.server.connections() == 0).then_some(())).await;
    assert_eq!(world.server.done(), Vec::<String>::new());
}

#[tokio::test]
async fn keys_passwords_and_questions_let_us_in_and_others_do_not() {
    let world = World::with(|setup| {
        let account = |user: &str, proof| Account { user: user.to_owned(), proof };
        setup.accounts = vec![
            account("linesman", Proof::Password(PASSWORD.to_owned())),
            account("asked", Proof::Asked(PASSWORD.to_owned())),
            account("key", Proof::Key(KEY_PUBLIC.to_owned())),
            account("rsa", Proof::Key(RSA_PUBLIC.to_owned())),
        ];
    })
    .await;
    let login = |user: &str, credential| Login { user: user.to_owned(), credential, ..world.login() };
    let password = |text: &str| Credential::Password(Secret::new(text));
    for (user, credential) in [
        ("linesman", password(PASSWORD)),
        ("key", key(KEY, None)),
        ("key", key(LOCKED, Some("open sesame"))),
        ("rsa", key(RSA, None)),
    ] {
        let connection = Connection::open(&login(user, credential), &Patience::default()).await.unwrap();
        connection.close().await;
    }
    let methods = "publickey, password, keyboard-interactive";
    for (user, credential, method) in [
        ("linesman", password("wrong"), "password"),
        ("nobody", password(PASSWORD), "password"),
        ("linesman", key(KEY, None), "public key"),
        ("key", key(RSA, None), "public key"),
        ("key", password(PASSWORD), "password"),
    ] {
        let error = fails(&login(user, credential)).await;
        assert_eq!((error.stage(), error.class()), (Stage::Authentication, FailureClass::Unauthorized));
        let shown = error.to_string();
        assert!(shown.starts_with(&format!("the device does not let `{user}` in by {method}; it takes ")), "{shown}");
        assert!(methods.split(", ").all(|method| shown.contains(method)), "{shown}");
        assert!(!shown.contains(PASSWORD) && !shown.contains("wrong"), "{shown}");
    }
}

#[tokio::test]
async fn a_device_that_asks_is_answered() {
    let world = World::with(|setup| {
        let proof = Proof::Asked(PASSWORD.to_owned());
        setup.accounts = vec![Account { user: "linesman".to_owned(), proof }];
    })
    .await;
    world.connection().await.close().await;
    let wrong = Login { credential: Credential::Password(Secret::new("wrong")), ..world.login() };
    assert_eq!(fails(&wrong).await.stage(), Stage::Authentication);
}

#[tokio::test]
async fn a_private_key_that_cannot_be_read_is_said_before_anybody_is_asked() {
    let world = World::new().await;
    for (credential, expected) in [
        (key("nothing", None), "the private key cannot be used: it is no private key in PEM, or is damaged"),
        (key(LOCKED, None), "the private key has a passphrase, and none is given"),
        (key(LOCKED, Some("wrong")), "the private key cannot be used: its passphrase is another, or it is damaged"),
    ] {
        // Nothing listens at port 1.
        let error = fails(&Login { credential, port: 1, ..world.login() }).await;
        assert_eq!((error.stage(), error.to_string().as_str()), (Stage::Credentials, expected));
    }
    assert!("nothing".parse::<linesman_connectors::device::ssh::HostKey>().is_err());
    let shown = format!("{:?}", Login { credential: key(KEY, Some("open sesame")), ..world.login() });
    assert!(!shown.contains("PRIVATE") && !shown.contains("sesame"), "{shown}");
}

#[tokio::test]
async fn what_is_not_there_and_what_is_no_ssh_are_told_apart() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let login = Login { port, ..world.login() };
    for answer in ["HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "SSH-1.5-old\r\n"] {
        let (error, ()) = tokio::join!(fails(&login), async {
            let (mut tcp, _) = listener.accept().await.unwrap();
            tcp.write_all(answer.as_bytes()).await.unwrap();
        });
        assert_eq!(error.to_string(), "the key exchange failed: the device hung up");
        assert_eq!((error.stage(), error.class()), (Stage::KeyExchange, FailureClass::Garbled));
    }
    drop(listener);
    let error = fails(&login).await;
    assert_eq!((error.stage(), error.class()), (Stage::Tcp, FailureClass::Unavailable));
    assert_eq!(error.to_string(), format!("there is no connection to 127.0.0.1 port {port}"));
}

#[tokio::test]
async fn a_device_that_says_nothing_is_given_up_and_let_go() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let world = World::new().await;
    let login = Login { port, ..world.login() };
    let patience = Patience { connect: Duration::from_millis(200), ..Patience::default() };
    // Once it says nothing at all, once nothing behind its version.
    for greeting in [&b""[..], b"SSH-2.0-tarpit\r\n"] {
        let (error, accepted) = tokio::join!(Connection::open(&login, &patience), async {
            let (mut tcp, _) = listener.accept().await.unwrap();
            tcp.write_all(greeting).await.unwrap();
            tcp
        });
        let error = error.unwrap_err();
        assert_eq!(error.to_string(), "the device did not answer within 200ms (key exchange)");
        // The library lets go of it as well: it would hold a socket for each device that does so.
        let mut tcp = accepted;
        let mut nothing = tokio::io::sink();
        let ended = tokio::time::timeout(Duration::from_secs(60), tokio::io::copy(&mut tcp, &mut nothing));
        let _ = ended.await.unwrap();
    }
}

#[tokio::test]
async fn old_algorithms_are_taken_of_a_device_that_is_set_so_and_of_no_other() {
    let world = World::with(|setup| setup.is_legacy = true).await;
    let error = fails(&world.login()).await;
    assert_eq!(error.stage(), Stage::KeyExchange);
    assert!(
        error.to_string().starts_with("no key exchange in common: the device has diffie-hellman-group14-sha1"),
        "{error}"
    );
    let login = Login { is_legacy: true, ..world.login() };
    let connection = Connection::open(&login, &Patience::default()).await.unwrap();
    Session::open(&connection, &limits()).await.unwrap().close(&limits()).await.unwrap();
}

#[tokio::test]
async fn one_connection_carries_all_and_a_channel_too_many_is_an_error_of_its_own() {
    let world = World::with(|setup| {
        setup.sessions_most = 2;
        setup.commands.insert("show version".to_owned(), "Junos: 23.4R1.10\n".to_owned());
    })
    .await;
    let (connection, mut files) = world.files().await;
    let session = Session::open(&connection, &limits()).await.unwrap();
    let error = connection.exec("show version", &mut Vec::new(), &limits()).await.unwrap_err();
    assert_eq!(error.to_string(), "the device opens no channel: it has as many sessions as it takes");
    assert_eq!((error.stage(), error.class()), (Stage::Channel, FailureClass::Overloaded));
    // The others do not suffer, and one that ends makes room.
    assert_eq!(files.list(10, &limits()).await.unwrap().files, vec![]);
    drop(session);
    let mut said = Vec::new();
    let exit = loop {
        match connection.exec("show version", &mut said, &limits()).await {
            Ok(exit) => break exit,
            Err(error) => assert_eq!(error.class(), FailureClass::Overloaded, "{error}"),
        }
    };
    assert_eq!((exit.code, exit.bytes, said.as_slice()), (Some(0), 17, &b"Junos: 23.4R1.10\n"[..]));
    assert_eq!(world.server.connections(), 1);
}

#[tokio::test]
async fn a_command_fails_with_its_code_and_what_it_complains_about() {
    let world = World::new().await;
    let connection = world.connection().await;
    let exit = connection.exec("show nothing", &mut Vec::new(), &limits()).await.unwrap();
    assert_eq!((exit.code, exit.complaint.as_str(), exit.bytes), (Some(1), "error: unknown command", 0));
}

#[tokio::test]
async fn what_a_command_brings_is_bounded() {
    let world = World::with(|setup| {
        setup.commands.insert("show log".to_owned(), "x".repeat(100_000));
    })
    .await;
    let connection = world.connection().await;
    let few = Limits { bytes: 99_999, ..limits() };
    let error = connection.exec("show log", &mut Vec::new(), &few).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.class()), ("more than 99999 bytes came", FailureClass::Refused));
}

#[tokio::test]
async fn a_connection_that_is_cut_or_dropped_is_gone_on_both_sides() {
    let world = World::new().await;
    let (connection, mut files) = world.files().await;
    world.server.cut();
    let error = files.list(10, &limits()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Unavailable);
    assert!(error.to_string().starts_with("the connection is gone: "), "{error}");
    until("it is gone", async || connection.is_gone().then_some(())).await;

    let connection = world.connection().await;
    assert_eq!(world.server.connections(), 1);
    drop(connection);
    until("nobody is connected", async || (world.server.connections() == 0).then_some(())).await;
}
