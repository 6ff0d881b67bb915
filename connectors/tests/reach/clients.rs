//! The stand-in judged by those who know no stand-in: ncclient and OpenSSH's `sftp`. Left out, with a word, where they
//! cannot be had.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use linesman_connectors::device::standin::server::{Account, Proof};
use tokio::process::Command;

use crate::sshd::{skipped, tools};
use crate::world::{PASSWORD, World};

const KEY: &str = include_str!("../../../tests/fixtures/devices/id_ed25519");
const KEY_PUBLIC: &str = include_str!("../../../tests/fixtures/devices/id_ed25519.pub");

#[tokio::test]
async fn ncclient_takes_the_stand_in_for_a_device() {
    let python = tools().join("venv/bin/python");
    let has_it = Command::new(&python).args(["-c", "import ncclient"]).stderr(Stdio::null()).status().await;
    if !has_it.is_ok_and(|status| status.success()) {
        return skipped("no ncclient in .tools/venv");
    }
    for (has_chunks, base) in [(true, "1.1"), (false, "1.0")] {
        let world = World::with(|setup| {
            setup.has_chunks = has_chunks;
            setup.commands.insert("show version".to_owned(), "Junos: 23.4R1.10 <&> ü\n".to_owned());
        })
        .await;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reach/judge.py");
        let port = world.server.address().port().to_string();
        let judged = Command::new(&python).args([script, &port, "linesman", PASSWORD, base]).output().await.unwrap();
        assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
        assert_eq!(String::from_utf8_lossy(&judged.stdout), "judged\n");
        assert!(world.server.running().contains("host-name edge;"), "{}", world.server.running());
        assert!(!world.server.is_pending());
    }
}

#[tokio::test]
async fn the_sftp_of_openssh_takes_the_stand_in_for_a_device() {
    let world = World::with(|setup| {
        setup.accounts = vec![Account { user: "linesman".to_owned(), proof: Proof::Key(KEY_PUBLIC.to_owned()) }];
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("key"), KEY).unwrap();
    std::fs::set_permissions(at("key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let known = world.server.host_key().unwrap();
    let port = world.server.address().port();
    std::fs::write(at("known"), format!("[127.0.0.1]:{port} {known}\n")).unwrap();
    let bytes: Vec<u8> = (0..).flat_map(|number: u32| number.to_be_bytes()).take(1_000_001).collect();
    std::fs::write(world.tmp().join("a.xml"), &bytes).unwrap();
    std::fs::write(at("sent"), &bytes).unwrap();
    let (got, sent) = (at("got"), at("sent"));
    let steps = format!(
        "ls -l /var/tmp\nget /var/tmp/a.xml {got}\nput {sent} /var/tmp/b.xml\nrename /var/tmp/a.xml /var/tmp/c.xml\n\
         rm /var/tmp/c.xml\n"
    );
    std::fs::write(at("batch"), steps).unwrap();
    let sftp = Command::new("sftp")
        .args(["-q", "-F", "none", "-i", &at("key"), "-P", &port.to_string(), "-b", &at("batch")])
        .args(["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"])
        .args(["-o", &format!("UserKnownHostsFile={}", at("known")), "linesman@127.0.0.1"])
        .stdin(Stdio::null())
        .output()
        .await;
    let Ok(sftp) = sftp else { return skipped("no sftp") };
    assert!(sftp.status.success(), "{}", String::from_utf8_lossy(&sftp.stderr));
    assert!(std::fs::read(got).unwrap() == bytes);
    assert!(std::fs::read(world.tmp().join("b.xml")).unwrap() == bytes);
    assert!(!world.tmp().join("a.xml").exists() && !world.tmp().join("c.xml").exists());
}
