//! Living on real machines: shared folders, orchestrators, addresses and certificates, signals, pipes, volumes that are not
//! mounted, engines that come back elsewhere.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use linesman_connectors::tls::{self, Authority};
use linesman_tests::{Engine, Launch, OPEN_CASE, Running, Upstream, World, event, run, run_script, run_within, until};
use rustix::process::Signal;
use serde_json::Value;

const POLICY: &str = "policy(#{ on: \"case.assigned\" });\nfn react(update, org) { }\n";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

async fn publish(engine: &Engine, number: u64) {
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    let text = event("edge-01", number, "MACHINE", "Low");
    log.publish("in.acme.jmb.test", text.into()).await.unwrap().await.unwrap();
}

async fn rules_in_effect(engine: &Engine) -> usize {
    engine.get("/api/v1/policies").await.unwrap()["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_folder_that_is_everybodys_is_refused_and_stays_as_it_is() {
    let world = World::new().unwrap();
    let config = world.write_config(None).unwrap();
    let shared = world.path("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, Permissions::from_mode(0o1777)).unwrap();
    let [data, rules, config] = [&shared, &world.rules(), &config].map(|path| path.to_str().unwrap().to_owned());
    let ended = run(&["serve", "--data-dir", &data, "--rules", &rules, "--config", &config]).await.unwrap();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("is no place for a data directory: it is everybody's (mode 1777)"),
        "{}",
        ended.stderr
    );
    assert_eq!(mode(&shared), 0o1777);
    assert_eq!(fs::read_dir(&shared).unwrap().count(), 0, "nothing is left there");
}

#[tokio::test]
async fn a_volume_that_belongs_to_a_group_is_taken() {
    let world = World::new().unwrap();
    fs::create_dir(world.data()).unwrap();
    fs::set_permissions(world.data(), Permissions::from_mode(0o2770)).unwrap();
    for _ in 0..2 {
        let mut engine = world.start(None).await.unwrap();
        assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
        assert_eq!(mode(&world.data()), 0o2770);
        // As the volume is handed to its group for the next pod.
        for file in ["token", "tls/ca.key", "keys/seal", "keys/nats.json"] {
            fs::set_permissions(world.data().join(file), Permissions::from_mode(0o660)).unwrap();
        }
    }
}

#[tokio::test]
async fn what_kubernetes_sets_is_passed_over() {
    let family = [
        ("LINESMAN_SERVICE_HOST", "10.0.0.11"),
        ("LINESMAN_SERVICE_PORT", "8443"),
        ("LINESMAN_SERVICE_PORT_HTTPS", "8443"),
        ("LINESMAN_PORT", "tcp://10.0.0.11:8443"),
        ("LINESMAN_PORT_8443_TCP", "tcp://10.0.0.11:8443"),
        ("LINESMAN_PORT_8443_TCP_PROTO", "tcp"),
        ("LINESMAN_PORT_8443_TCP_PORT", "8443"),
        ("LINESMAN_PORT_8443_TCP_ADDR", "10.0.0.11"),
        ("LINESMAN_NATS_PORT", "tcp://10.0.0.12:4222"),
    ];
    let taken = run_within(&family, &["config"]).await.unwrap();
    assert_eq!((taken.code, taken.stderr.as_str()), (Some(0), ""));
    let refused = run_within(&[("LINESMAN_PORT", "8443")], &["config"]).await.unwrap();
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);

    // An engine starts, and has a line of them.
    let mut world = World::new().unwrap();
    world.configure("\n[log]\nlevel = \"info\"\n");
    let mut engine = world.start_with(None, Launch { variables: &family, ..Launch::default() }).await.unwrap();
    engine.tells("variables that Kubernetes sets for its services are passed over").await;
    let log = engine.log();
    let line = log.lines().find(|line| line.contains("variables that Kubernetes sets")).unwrap();
    assert!(family.iter().all(|(name, _)| line.contains(name)), "{line}");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// `HTTPS_PROXY` would lead to where nobody is.
#[tokio::test]
async fn a_proxy_of_the_environment_is_told_to_have_no_effect_and_has_none() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let launch = Launch { variables: &[("HTTPS_PROXY", "http://127.0.0.1:9")], ..Launch::default() };
    let mut engine = world.start_with(Some(&upstream), launch).await.unwrap();
    engine.tells("the environment variable `HTTPS_PROXY` has no effect").await;
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    let bundle = event("edge-01", 1, "MACHINE", "High");
    log.publish("in.acme.jmb.test", bundle.into()).await.unwrap().await.unwrap();
    until("the case is open", async || (upstream.cases().await.unwrap() == 1).then_some(())).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// Asks the API under a name that leads to this machine.
async fn ask(name: &str, port: u16, ca: &Path) -> bool {
    let here = SocketAddr::from(([127, 0, 0, 1], port));
    let http = tls::http_client(Some(ca)).unwrap().resolve(name, here).build().unwrap();
    http.get(format!("https://{name}:{port}/healthz")).send().await.is_ok()
}

fn port(engine: &Engine) -> u16 {
    engine.ready().unwrap().api.rsplit_once(':').unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn an_engine_is_reached_by_its_names() {
    let mut world = World::new().unwrap();
    world.configure("\n[tls]\nnames = [\"linesman.example\"]\n");
    let mut engine = world.start(None).await.unwrap();
    assert!(engine.ready().unwrap().api.starts_with("https://127.0.0.1:"), "{:?}", engine.ready());
    engine.get("/readyz").await.unwrap();
    let data = world.data();
    let status = run(&["status", "--data-dir", data.to_str().unwrap()]).await.unwrap();
    assert_eq!(status.code, Some(0), "{}", status.stderr);
    let ca = engine.ready().unwrap().ca.clone();
    assert!(ask("linesman.example", port(&engine), &ca).await);
    assert!(!ask("other.example", port(&engine), &ca).await);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_certificate_of_ones_own_is_shown_and_read_again_when_it_changes() {
    let mut world = World::new().unwrap();
    let own = Authority::open(&world.path("own")).unwrap();
    let made = |name: &str| {
        drop(own.keep(name, &[format!("{name}.example")]).unwrap());
        world.path("own").join(format!("{name}.pem"))
    };
    let (first, second) = (made("first"), made("second"));
    let shown = world.path("shown.pem");
    fs::copy(&first, &shown).unwrap();
    world.configure("\n[tls]\ncertificate = \"shown.pem\"\nkey = \"shown.pem\"\n");
    let mut engine = world.start(None).await.unwrap();
    assert!(engine.ready().unwrap().api.starts_with("https://localhost:"), "{:?}", engine.ready());
    let ca = world.path("own/ca.pem");
    assert!(ask("first.example", port(&engine), &ca).await);
    engine.get("/readyz").await.unwrap();

    // What is half written is not taken up.
    fs::write(&shown, "-----BEGIN CERTIFICATE-----\n").unwrap();
    engine.tells("the certificate has changed and cannot be used").await;
    assert!(ask("first.example", port(&engine), &ca).await);
    fs::copy(&second, &shown).unwrap();
    until("the other certificate is shown", async || ask("second.example", port(&engine), &ca).await.then_some(()))
        .await;
    assert!(!ask("first.example", port(&engine), &ca).await);
    engine.get("/readyz").await.unwrap();
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn signals_have_their_meaning() {
    let mut world = World::new().unwrap();
    world.configure("\n[log]\nlevel = \"info\"\n");
    let mut engine = world.start(None).await.unwrap();
    for signal in [Signal::USR1, Signal::USR2] {
        engine.signal(signal).unwrap();
    }
    engine.tells("SIGUSR2").await;
    world.policy("own", POLICY).unwrap();
    world.forget_configuration();
    world.configure("\n[log]\nlevel = \"linesman=debug,info\"\n");
    world.write_config(None).unwrap();
    engine.signal(Signal::HUP).unwrap();
    engine.tells("asked to read its files again").await;
    until("the level is as configured", async || {
        let level = engine.get("/api/v1/log-level").await.unwrap();
        (level["level"] == "linesman=debug,info").then_some(())
    })
    .await;
    until("the policy is in effect", async || (rules_in_effect(&engine).await == 1).then_some(())).await;
    engine.signal(Signal::QUIT).unwrap();
    assert!(engine.ended().await.success(), "{}", engine.log_tail());
    assert!(!world.data().join("ready.json").exists());
}

#[tokio::test]
async fn whoever_follows_ends_with_its_reader_though_nothing_flows() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let script = format!("linesman tail --data-dir '{}' | head -n 0", world.data().display());
    let ended = run_script(&world.path(""), &script).await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_tail_goes_on_where_it_was_when_the_engine_comes_back_elsewhere() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let before = engine.ready().unwrap().nats.clone();
    let data = world.data();
    let args = ["tail", "out.acme.trigger.incident.detected", "--json", "--data-dir", data.to_str().unwrap()];
    let mut tail = Running::start(&args).unwrap();
    assert_eq!(tail.remark().await.unwrap(), "listening on out.acme.trigger.incident.detected");
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["event"]["data"]["id"].clone();
    publish(&engine, 1).await;
    assert_eq!(id(&tail.line().await.unwrap()), "acme-1");

    assert!(engine.stop().await.unwrap().success());
    let lost = tail.remark().await.unwrap();
    assert!(lost.ends_with("; waiting until it is back"), "{lost}");
    let mut engine = world.start(None).await.unwrap();
    assert_ne!(engine.ready().unwrap().nats, before, "another port");
    // Whether it listens by now or not.
    publish(&engine, 2).await;
    assert_eq!(id(&tail.line().await.unwrap()), "acme-2");
    let again = "listening on out.acme.trigger.incident.detected again, from where it was";
    assert_eq!(tail.remark().await.unwrap(), again);
    tail.interrupt().await.unwrap();
    assert_eq!(tail.ended().await.unwrap(), Some(0));
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn an_empty_rule_directory_takes_nothing_away_unless_that_is_meant() {
    let world = World::new().unwrap();
    world.policy("own", POLICY).unwrap();
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(rules_in_effect(&engine).await, 1);
    // While it runs, and at a start.
    fs::remove_file(world.rules().join("own.rhai")).unwrap();
    engine.tells("is a volume not mounted?").await;
    assert_eq!(rules_in_effect(&engine).await, 1);
    let data = world.data();
    let load = run(&["policy", "load", "--data-dir", data.to_str().unwrap()]).await.unwrap();
    assert!(load.code == Some(1) && load.stderr.contains("`--allow-empty`"), "{load:?}");
    assert!(engine.stop().await.unwrap().success());
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(rules_in_effect(&engine).await, 1);
    let told = engine.get("/readyz").await.unwrap()["policies"].to_string();
    assert!(told.contains("is a volume not mounted?"), "{told}");
    assert!(engine.stop().await.unwrap().success());

    let launch = Launch { flags: &["--allow-empty"], ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    until("they are taken away", async || (rules_in_effect(&engine).await == 0).then_some(())).await;
    assert!(engine.stop().await.unwrap().success());
}
