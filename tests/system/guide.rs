//! The commands of documents do what these say, one after the other.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use linesman_connectors::device::standin::server::{Account, Proof};
use linesman_tests::{World, event, run_script, scripts, until};
use serde_json::json;

use crate::activations::put;
use crate::collecting::{Device, stands};

const MANAGERS: &str = "docs/managers.md";
const ADDRESSES: &str = "docs/addresses.md";
const KEY: &str = include_str!("../fixtures/devices/id_ed25519");
const KEY_PUBLIC: &str = include_str!("../fixtures/devices/id_ed25519.pub");
/// What a document calls a file that was set aside.
const FILE_ID: &str = "1f3870be274f6c49";

#[tokio::test]
async fn the_commands_of_the_documents_are_done() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    let bundle = event("edge-01", 1, "WORK", "Low").replace("SNedge-01", "JN1234567890");
    log.publish("in.acme.jmb.test", bundle.into()).await.unwrap().await.unwrap();
    until("the device is known", async || engine.get("/api/v1/devices/acme/JN1234567890").await.ok()).await;
    std::os::unix::fs::symlink(world.data(), world.path("D")).unwrap();
    let contract = "agreement_number,sku,end,serial_number\nA-17,SVC-ND,2027-06-30,JN1234567890\n";
    fs::write(world.path("contracts.csv"), contract).unwrap();
    for script in [MANAGERS, ADDRESSES].into_iter().flat_map(|document| scripts(document).unwrap()) {
        done(world.root(), &script).await;
    }
    assert!(engine.stop().await.unwrap().success());
}

async fn done(root: &Path, script: &str) {
    let ended = run_script(root, script).await.unwrap();
    assert_eq!(ended.code, Some(0), "{script}\n{}{}", ended.stdout, ended.stderr);
}

/// What `docs/devices.md`, `docs/device-configuration.md` and `docs/scripts.md` have people do, with a device where they have an
/// address of nobody's.
#[tokio::test]
async fn the_commands_of_the_documents_on_devices_are_done() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let standin = Device::start_so(&world, "edge-1", |setup| {
        let key = KEY_PUBLIC.trim().to_owned();
        setup.accounts = vec![Account { user: "linesman".to_owned(), proof: Proof::Key(key) }];
        let told =
            ["show version", "show configuration", "show chassis hardware detail", "request support information"];
        setup.commands = BTreeMap::from(told.map(|command| (command.to_owned(), format!("what {command} tells"))));
    })
    .await;
    for directory in ["op", "event", "commit"] {
        fs::create_dir_all(world.path("edge-1/var/db/scripts").join(directory)).unwrap();
    }
    std::os::unix::fs::symlink(world.data(), world.path("D")).unwrap();
    let file = |name: &str, text: &str| fs::write(world.root().join(name), text).unwrap();
    file("id_ed25519", KEY);
    file("look.slax", "version 1.0;\n");
    file("collect.slax", "version 1.0;\n");
    file("request.xml", "<get-system-information/>");
    standin.leaves("junk.xml", "no xml at all");
    let port = standin.server.address().port();
    let host_key = standin.server.host_key().unwrap().to_string();
    let told = |script: &str, id: &str| {
        let address = format!("127.0.0.1 --port {port} --netconf-port {port}");
        script.replace("192.0.2.1", &address).replace("ssh-ed25519 AAAA...", &host_key).replace(FILE_ID, id)
    };
    // The first has a device, and does not have it any more at its end; the others have it.
    let mut scripts_on_devices = scripts("docs/devices.md").unwrap().into_iter();
    let first = scripts_on_devices.next().unwrap();
    assert!(first.contains("device add edge-1") && first.contains("device remove acme edge-1"), "{first}");
    done(world.root(), &told(&first, "")).await;
    let body = json!({
        "address": "127.0.0.1", "port": port, "netconf_port": port, "user": "linesman", "key": KEY, "host_key": host_key,
        "poll_s": 5,
    });
    put(&api, "devices/acme/edge-1?new=true", body).await;
    stands(&engine, "edge-1", "reachable").await;
    let error = until("the junk is set aside", async || {
        engine.get("/api/v1/jmb-errors").await.ok()?["items"].as_array()?.first().cloned()
    })
    .await;
    let id = error["id"].as_str().unwrap();
    let further = ["docs/device-configuration.md", "docs/scripts.md"].map(|document| scripts(document).unwrap());
    let set = "linesman org set acme --device-group core=edge-1 --data-dir D".to_owned();
    for script in scripts_on_devices.chain([set]).chain(further.into_iter().flatten()) {
        done(world.root(), &told(&script, id)).await;
    }
    assert_eq!(fs::read_to_string(world.root().join("file.xml")).unwrap(), "no xml at all");
    assert!(engine.stop().await.unwrap().success());
}
