//! The engine and a device that is none of ours: OpenSSH's sshd, with yuma123's netconfd behind it.

use std::fs;

use linesman_tests::sshd::{HOST_PUBLIC, Sshd};
use linesman_tests::{World, event, root, run, until};

use crate::collecting::{files, stands};

#[tokio::test]
async fn what_lies_in_a_directory_of_openssh_comes_home() {
    let Some(mut sshd) = Sshd::start().await else { return };
    if !sshd.start_netconfd("netconf1.0 netconf1.1").await {
        return;
    }
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let data = world.data().display().to_string();
    let linesman = async |args: &[&str]| run(&[args, &["--data-dir", &data]].concat()).await.unwrap();
    let (port, key) = (sshd.port.to_string(), root().join("tests/fixtures/devices/id_rsa").display().to_string());
    let directory = sshd.at("files");
    let (folder, host_key) = (directory.display().to_string(), HOST_PUBLIC.trim());
    let way = ["--address", "127.0.0.1", "--port", &port, "--netconf-port", &port, "--user", sshd.user()];
    let what = ["--key-file", &key, "--host-key", host_key, "--directory", &folder, "--poll", "5s"];
    let added = linesman(&[&["device", "add", "r1", "--org", "acme"][..], &way, &what].concat()).await;
    assert_eq!(added.code, Some(0), "{added:?}");
    stands(&engine, "r1", "reachable").await;

    let tried = linesman(&["device", "test", "acme", "r1"]).await;
    assert_eq!(tried.code, Some(0), "{tried:?}");
    let went: Vec<Vec<&str>> = tried.stdout.lines().map(|line| line.split_whitespace().take(2).collect()).collect();
    let steps =
        ["credentials", "tcp", "key-exchange", "host-key", "authentication", "directory", "read", "remove", "netconf"];
    assert_eq!(went, steps.map(|step| vec![step, "ok"]), "{}", tried.stdout);
    assert_eq!(files(&directory), Vec::<String>::new(), "what was tried is left");

    // As a device writes it: under another name, until it is whole.
    fs::write(directory.join("a.part"), event("edge-01", 1, "WORK", "Low")).unwrap();
    fs::rename(directory.join("a.part"), directory.join("a.xml")).unwrap();
    fs::write(directory.join("notes.txt"), "of somebody else").unwrap();
    until("it is an incident", async || (engine.incidents("acme").await.ok()? == 1).then_some(())).await;
    until("it is gone from the device", async || (files(&directory) == ["notes.txt"]).then_some(())).await;
    let incident = engine.get("/api/v1/incidents/acme-1").await.unwrap();
    assert_eq!(incident["device"]["host_name"], "edge-01", "{incident}");

    // Its sudden end is told.
    sshd.kill();
    let broken = stands(&engine, "r1", "unreachable").await;
    assert!(!broken["error"].as_str().unwrap().is_empty(), "{broken}");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}
