//! NATS as people run it: several servers of which one is away, tokens, nkeys, credentials, certificates, TLS first.

use std::fs;
use std::path::Path;

use linesman_connectors::tls::Authority;
use linesman_tests::{Launch, Server, World, event, root, run, until};

const USER: &str = "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK";
const SEED: &str = "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y\n";

/// A server with that beside what it always has.
async fn server(more: &str) -> Server {
    let text = format!(
        "listen: \"127.0.0.1:4222\"\nmax_payload: 8388608\njetstream {{ store_dir: \"/var/lib/nats\", sync_interval: \"1s\" }}\n{more}\n"
    );
    Server::start(&text, &[]).await.unwrap()
}

/// An engine that is told of its server so works, and so does a publisher with `flags`.
async fn works(world: &mut World, nats: &str, flags: &[&str]) {
    world.configure(&format!("\n[nats]\n{nats}\n"));
    let mut engine = world.start_with(None, Launch::default()).await.unwrap();
    let file = world.path("event.xml");
    fs::write(&file, event("edge-01", 1, "ENTERED", "Low")).unwrap();
    let publish = ["publish", file.to_str().unwrap(), "--org", "acme"];
    let ended = run(&[&publish[..], flags].concat()).await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    until("the incident", async || (engine.incidents("acme").await.unwrap() == 1).then_some(())).await;
    let (ended, _) = engine.terminate().await.unwrap();
    assert!(ended.success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn by_a_token_and_with_a_server_that_is_away() {
    let server = server("authorization { token: \"t0ken\" }").await;
    let url = server.url("t0ken", "").replace(":@", "@");
    let urls = format!("nats://t0ken@127.0.0.1:9,{url}");
    let mut world = World::new().unwrap();
    works(&mut world, &format!("url = \"{urls}\""), &["--nats", &urls]).await;
    let config = run(&["config", "--config", world.path("linesman.toml").to_str().unwrap()]).await.unwrap();
    assert!(config.code == Some(0) && !config.stdout.contains("t0ken"), "{}", config.stdout);
}

#[tokio::test]
async fn over_websocket() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _server = server(&format!(
        "authorization {{ user: me, password: secret }}\nwebsocket {{ listen: \"127.0.0.1:{port}\", no_tls: true }}"
    ))
    .await;
    let url = format!("ws://me:secret@127.0.0.1:{port}");
    let mut world = World::new().unwrap();
    works(&mut world, &format!("url = \"{url}\""), &["--nats", &url]).await;
}

#[tokio::test]
async fn by_an_nkey() {
    let server = server(&format!("authorization {{ users: [ {{ nkey: {USER} }} ] }}")).await;
    let mut world = World::new().unwrap();
    let seed = world.path("engine.nk");
    fs::write(&seed, SEED).unwrap();
    let url = server.url("", "").replace(":@", "");
    let flags = ["--nats", &url, "--nats-nkey", seed.to_str().unwrap()];
    works(&mut world, &format!("url = \"{url}\"\nnkey = \"engine.nk\""), &flags).await;
}

/// The block of a server with a certificate of that authority.
fn tls(folder: &Path, more: &str) -> String {
    let authority = Authority::open(folder).unwrap();
    drop(authority.keep("server", &[]).unwrap());
    let pem = folder.join("server.pem").display().to_string();
    format!("tls {{ cert_file: \"{pem}\", key_file: \"{pem}\"{more} }}\nauthorization {{ user: me, password: secret }}")
}

#[tokio::test]
async fn with_an_authority_of_its_own() {
    let mut world = World::new().unwrap();
    let server = server(&tls(&world.path("own"), "")).await;
    let (url, ca) = (server.url("me", "secret"), world.path("own/ca.pem"));
    let flags = ["--nats", &url, "--nats-ca", ca.to_str().unwrap()];
    works(&mut world, &format!("url = \"{url}\"\nca = \"own/ca.pem\""), &flags).await;
}

#[tokio::test]
async fn with_tls_before_all_else() {
    let mut world = World::new().unwrap();
    let server = server(&tls(&world.path("own"), ", handshake_first: true")).await;
    let (url, ca) = (server.url("me", "secret"), world.path("own/ca.pem"));
    let flags = ["--nats", &url, "--nats-ca", ca.to_str().unwrap(), "--nats-tls-first"];
    works(&mut world, &format!("url = \"{url}\"\nca = \"own/ca.pem\"\ntls_first = true"), &flags).await;
}

#[tokio::test]
async fn by_credentials() {
    let fixtures = root().join("tests/fixtures/nats");
    let server = server(&fs::read_to_string(fixtures.join("operator.conf")).unwrap()).await;
    let mut world = World::new().unwrap();
    let credentials = fixtures.join("engine.creds").display().to_string();
    let url = server.url("", "").replace(":@", "");
    let flags = ["--nats", &url, "--nats-credentials", &credentials];
    works(&mut world, &format!("url = \"{url}\"\ncredentials = \"{credentials}\""), &flags).await;
}

#[tokio::test]
async fn by_a_certificate_of_its_own() {
    let mut world = World::new().unwrap();
    let at = |name: &str| root().join("tests/fixtures/nats").join(name).display().to_string();
    let clients = format!(", ca_file: \"{}\", verify: true", at("clients-ca.pem"));
    let server = server(&tls(&world.path("own"), &clients)).await;
    let (url, ca) = (server.url("me", "secret"), world.path("own/ca.pem"));
    let (certificate, key) = (at("engine.pem"), at("engine.key"));
    let nats = format!("url = \"{url}\"\nca = \"own/ca.pem\"\ncertificate = \"{certificate}\"\nkey = \"{key}\"");
    let authority = ["--nats", &url, "--nats-ca", ca.to_str().unwrap()];
    works(&mut world, &nats, &[&authority[..], &["--nats-certificate", &certificate, "--nats-key", &key]].concat())
        .await;
}

/// A server whose JetStream is the domain `hub`, which takes leaf nodes at a port.
fn hub(port: u16) -> String {
    format!(
        "listen: \"127.0.0.1:4222\"\nmax_payload: 8388608\n\
         jetstream {{ store_dir: \"/var/lib/nats\", sync_interval: \"1s\", domain: hub }}\n\
         leafnodes {{ listen: \"127.0.0.1:{port}\" }}\n"
    )
}

#[tokio::test]
async fn in_a_jetstream_domain_over_a_leaf_node() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let hub = Server::start(&hub(port), &[]).await.unwrap();
    let leaf = format!(
        "listen: \"127.0.0.1:4222\"\nmax_payload: 8388608\n\
         jetstream {{ store_dir: \"/var/lib/nats\", sync_interval: \"1s\", domain: leaf }}\n\
         leafnodes {{ remotes: [ {{ url: \"nats-leaf://127.0.0.1:{port}\" }} ] }}\n"
    );
    let leaf = Server::start(&leaf, &[]).await.unwrap();
    let mut world = World::new().unwrap();
    let url = leaf.url("", "").replace(":@", "");
    works(&mut world, &format!("url = \"{url}\"\ndomain = \"hub\""), &["--nats", &url, "--nats-domain", "hub"]).await;
    // The log is where it was said to be, and nowhere else.
    for (server, has) in [(&hub, true), (&leaf, false)] {
        let client = async_nats::connect(server.url("", "").replace(":@", "")).await.unwrap();
        assert_eq!(async_nats::jetstream::new(client).get_stream("IN").await.is_ok(), has);
    }
}
