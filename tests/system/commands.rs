//! The commands beside `serve`, as people and scripts use them.

use linesman_tests::{OPEN_CASE, Running, World, event, run, run_script, run_within, until};
use serde_json::{Value, json};

#[tokio::test]
async fn what_is_published_is_heard() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let data = world.data();
    let data = data.to_str().unwrap();
    let files: Vec<String> = (1..=3)
        .map(|number| {
            let path = world.path(&format!("{number}.xml"));
            std::fs::write(&path, event("edge-01", number, "HEARD", "Low")).unwrap();
            path.to_str().unwrap().to_owned()
        })
        .collect();
    let mut tail =
        Running::start(&["tail", "out.acme.trigger.>", "--json", "--limit", "3", "--data-dir", data]).unwrap();
    assert_eq!(tail.remark().await.unwrap(), "listening on out.acme.trigger.>");

    let published =
        run(&["publish", &files[0], &files[1], &files[2], "--org", "acme", "--data-dir", data]).await.unwrap();
    assert_eq!((published.code, &*published.stdout), (Some(0), "3 published for acme, 0 failed\n"), "{published:?}");
    for number in 1..=3 {
        let line: Value = serde_json::from_str(&tail.line().await.unwrap()).unwrap();
        assert_eq!(line["subject"], "out.acme.trigger.incident.detected");
        assert_eq!(line["event"]["data"]["id"], format!("acme-{number}"));
    }
    assert!(tail.line().await.is_err());
    assert_eq!(tail.ended().await.unwrap(), Some(0));

    let missing = run(&["publish", "no-such.xml", &files[0], "--org", "acme", "--data-dir", data]).await.unwrap();
    assert_eq!((missing.code, &*missing.stdout), (Some(1), "1 published for acme, 1 failed\n"));
    assert!(missing.stderr.starts_with("no-such.xml: cannot be read"), "{}", missing.stderr);
    // A list that is misspelt would be none, and the message would concern everybody.
    let misspelt = world.path("misspelt.json");
    let message = json!({"id": "T1", "kind": "alert", "title": "t", "issued": "2026-11-20T10:15:00Z",
        "relevence": {"products": ["MX*"]}});
    std::fs::write(&misspelt, message.to_string()).unwrap();
    let misspelt = misspelt.to_str().unwrap();
    let refused = run(&["publish", misspelt, "--org", "acme", "--data-dir", data]).await.unwrap();
    assert_eq!((refused.code, &*refused.stdout), (Some(1), "0 published for acme, 1 failed\n"));
    let why = "line 1: there is no field `relevence`: did you mean `relevance`?\n";
    assert_eq!(refused.stderr, format!("{misspelt}: {why}"));
    let added = run(&["intel", "add", misspelt, "--data-dir", data]).await.unwrap();
    assert_eq!(added.code, Some(1));
    assert!(added.stderr.contains("`relevance`"), "{}", added.stderr);
    assert!(engine.stop().await.unwrap().success());
    let gone = run(&["publish", &files[0], "--org", "acme", "--data-dir", data]).await.unwrap();
    assert_eq!(gone.code, Some(1));
    assert!(gone.stderr.contains("no engine is ready there"), "{}", gone.stderr);
    let wrong = run(&["publish", &files[0], "--org", "no name"]).await.unwrap();
    assert_eq!(wrong.code, Some(2));
}

#[tokio::test]
async fn policies_are_checked() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let rules = world.rules();
    let rules = rules.to_str().unwrap();
    let good = run(&["check", rules]).await.unwrap();
    assert_eq!((good.code, &*good.stdout), (Some(0), "1 policy, no fault\n"));
    world
        .policy("broken", "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) {\n    let = 1;\n}\n")
        .unwrap();
    let broken = run(&["check", rules]).await.unwrap();
    assert_eq!(broken.code, Some(1));
    assert!(broken.stdout.starts_with(&format!("{rules}/broken.rhai:3:9: error: ")), "{}", broken.stdout);
    assert!(broken.stdout.ends_with("2 policies, 1 fault\n"), "{}", broken.stdout);
    assert_eq!(run(&["check", "no-such-folder"]).await.unwrap().code, Some(1));
}

#[tokio::test]
async fn the_stand_in_stands_alone() {
    let world = World::new().unwrap();
    let folder = world.path("stand-in");
    let mut standin = Running::start(&[
        "standin",
        "support-system",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        folder.to_str().unwrap(),
    ])
    .unwrap();
    let line = standin.line().await.unwrap();
    let url = line.strip_prefix("support system at ").and_then(|rest| rest.split(',').next()).unwrap();
    let client = linesman_connectors::tls::http_client(Some(&folder.join("ca.pem"))).unwrap().build().unwrap();
    let count: Value = client.get(format!("{url}/_count")).send().await.unwrap().json().await.unwrap();
    assert_eq!(count["cases"], 0);
    standin.interrupt().await.unwrap();
    assert_eq!(standin.ended().await.unwrap(), Some(0));
}

#[tokio::test]
async fn the_demo_is_one_json_object() {
    let demo = run(&["demo", "--once", "--json"]).await.unwrap();
    assert_eq!(demo.code, Some(0), "{demo:?}");
    let summary: Value = serde_json::from_str(&demo.stdout).unwrap();
    let keys: Vec<&str> = summary.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "blackhole",
        "bundles",
        "cases",
        "dead_letters",
        "devices",
        "incidents",
        "intelligence",
        "reactions",
        "withheld",
    ];
    assert_eq!(keys, expected);
    assert!(summary["bundles"].as_u64().unwrap() >= 40, "{summary}");
    for key in ["cases", "incidents", "intelligence"] {
        assert!(summary[key].as_u64().unwrap() > 0, "{key}: {summary}");
    }
    assert!(summary["reactions"]["jss"].as_u64().unwrap() > 0, "{summary}");
    assert!(summary["dead_letters"]["bundle-undecodable"].as_u64().unwrap() > 0, "{summary}");
    let blackhole = &summary["blackhole"];
    assert_eq!((&blackhole["line"], &blackhole["removed"]), (&json!("acme/berlin/line-7"), &json!(true)));
    // Each device has left its bundles, and had what a policy made of them.
    let devices = summary["devices"].as_array().unwrap();
    let names: Vec<&str> = devices.iter().map(|device| device["organization"].as_str().unwrap()).collect();
    assert_eq!(names, ["acme", "bolt", "cobalt"]);
    assert_eq!(devices[0]["blackhole"], *blackhole);
    for device in devices {
        assert_eq!((&device["collected"], &device["blackhole"]["removed"]), (&json!(2), &json!(true)), "{device}");
        let configuration = device["blackhole"]["configuration"].as_str().unwrap();
        let (group, statements) = configuration.strip_prefix("groups {\n    ").unwrap().split_once(" {\n").unwrap();
        assert!(group.starts_with("linesman-blackhole-") && group.ends_with("-line-7"), "{configuration}");
        assert_eq!(statements, BLACKHOLE.replace("GROUP", group));
    }
    assert_eq!(summary["reactions"]["device"], 6, "{summary}");
    assert!(summary["dead_letters"].get("policy-failed").is_none(), "{summary}");
}

/// What the device is told, behind the group's name, with the enterprise's community.
const BLACKHOLE: &str = "        routing-options {
            static {
                route 192.0.2.7/32 {
                    discard;
                    no-readvertise;
                    tag 666;
                    community 64496:666;
                }
            }
        }
    }
}
apply-groups GROUP;
";

/// Whoever ends the demo while it plays is left with nothing of it.
#[tokio::test]
async fn an_interrupted_demo_leaves_nothing_running() {
    let world = World::new().unwrap();
    let folder = world.path("demo");
    let mut demo = Running::start(&["demo", "--data-dir", folder.to_str().unwrap()]).unwrap();
    let is_bundle = |line: &str| line.contains("bundle") && line.starts_with("published");
    while !is_bundle(&demo.line().await.unwrap()) {}
    let servers = ["data", "delta/data"].map(|data| {
        let record = std::fs::read(folder.join(data).join("nats/server.json")).unwrap();
        let record: Value = serde_json::from_slice(&record).unwrap();
        format!("/proc/{}/cmdline", record["pid"])
    });
    let runs = |server: &String| std::fs::read_to_string(server).unwrap_or_default().contains("demo");
    assert!(servers.iter().all(runs));
    demo.interrupt().await.unwrap();
    assert_eq!(demo.ended().await.unwrap(), Some(1));
    assert!(!servers.iter().any(runs));
    // What it left is not begun anew, and it is said how it goes on.
    let again = run(&["demo", "--data-dir", folder.to_str().unwrap()]).await.unwrap();
    assert!(again.code == Some(1) && again.stderr.contains("has a demo that was: `linesman serve"), "{again:?}");
}

/// Whoever has read enough of the demo ends it, and a disk that is full does; nothing of it runs on.
#[tokio::test]
async fn a_demo_that_nobody_reads_any_more_ends() {
    let world = World::new().unwrap();
    for (name, goes_to, code) in [("early", "| head -n 4", 0), ("late", "| head -n 40", 0), ("full", "> /dev/full", 1)]
    {
        let folder = world.path(name);
        let script = format!("linesman demo --lines --data-dir '{}' {goes_to}", folder.display());
        let ended = run_script(&world.path(""), &script).await.unwrap();
        assert_eq!(ended.code, Some(code), "{ended:?}");
        let is_full = ended.stderr.contains("because: No space left on device");
        assert_eq!((is_full, ended.stderr.contains("error: ")), (code == 1, code == 1), "{ended:?}");
        assert!(code == 1 || ended.stdout.starts_with("support system (a stand-in)"), "{}", ended.stdout);
        for data in ["data", "delta/data"] {
            let Ok(record) = std::fs::read(folder.join(data).join("nats/server.json")) else { continue };
            let record: Value = serde_json::from_slice(&record).unwrap();
            let runs = std::fs::read_to_string(format!("/proc/{}/cmdline", record["pid"])).unwrap_or_default();
            assert!(!runs.contains(name), "{runs}");
        }
    }
}

/// An end customer's engine, the partner's, the stand-in and both servers stay small while bundles come at a steady pace.
#[tokio::test]
async fn the_demo_is_a_cascade_that_stays_small() {
    let world = World::new().unwrap();
    let folder = world.path("demo");
    let mut demo = Running::start(&["demo", "--data-dir", folder.to_str().unwrap()]).unwrap();
    let (mut came_back, mut steady) = (0, 0);
    let mut is_all_shown = false;
    while steady < 6 {
        let line = demo.line().await.unwrap();
        came_back += usize::from(line.contains("has gone through its partner to the support system and back"));
        is_all_shown |= line.starts_with("Where to look next");
        let comes = line.starts_with("published") || line.starts_with("left");
        steady += usize::from(is_all_shown && comes);
        assert!(demo.resident().unwrap() < 400 << 20, "{}", demo.resident().unwrap());
    }
    assert!(came_back > 0, "no case of the end customer");
    for (data, organization) in [("data", "delta"), ("delta/data", "own")] {
        let data = folder.join(data);
        let args = ["case", "list", "--organization", organization, "--json", "--data-dir", data.to_str().unwrap()];
        let list = run(&args).await.unwrap();
        assert_eq!(list.code, Some(0), "{list:?}");
        let cases: Vec<Value> = list.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(cases.iter().filter(|case| case["case_id"].is_string()).count() >= came_back, "{cases:?}");
    }
    // Whatever is critical has a case, or would have one that the filter level holds back.
    let data = folder.join("data");
    let critical = ["incident", "list", "--priority", "Critical", "--all", "--json", "--data-dir"];
    let list = run(&[&critical[..], &[data.to_str().unwrap()]].concat()).await.unwrap();
    let incidents: Vec<Value> = list.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let has_case = |incident: &Value| incident["case"]["state"].is_string();
    assert!(!incidents.is_empty() && incidents.iter().all(has_case), "{incidents:#?}");
    demo.interrupt().await.unwrap();
    let stays = format!("Its data stay in {}: ", folder.display());
    while !demo.line().await.unwrap().starts_with(&stays) {}
    assert_eq!(demo.ended().await.unwrap(), Some(0));
}

#[tokio::test]
async fn the_effective_configuration_is_printed() {
    let world = World::new().unwrap();
    let config = world.path("effective.toml");
    std::fs::write(&config, "lanes = 8\n[nats]\nurl = \"nats://engine:s3cret@127.0.0.1:4222\"\n").unwrap();
    let config = config.to_str().unwrap();
    let good = run(&["config", "--config", config]).await.unwrap();
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(good.stdout.contains("lanes = 8") && !good.stdout.contains("s3cret"), "{}", good.stdout);
    let wrong = run(&["config", "--config", config, "--log-level", "loud"]).await.unwrap();
    assert_eq!((wrong.code, &*wrong.stdout), (Some(2), ""), "{wrong:?}");
    let help = run(&["config", "--help"]).await.unwrap();
    assert!(help.stdout.contains("Examples:"), "{}", help.stdout);
}

#[tokio::test]
async fn shells_complete_and_pages_tell_of_every_command() {
    for (shell, part) in [("bash", "_linesman()"), ("zsh", "#compdef linesman"), ("fish", "complete -c linesman")] {
        let ended = run(&["completions", shell]).await.unwrap();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.contains(part) && ended.stdout.contains("log-level"), "{shell}");
    }
    let wrong = run(&["completions", "csh"]).await.unwrap();
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    let page = run(&["man"]).await.unwrap();
    assert!(page.code == Some(0) && page.stdout.contains(".TH linesman 1"), "{page:?}");
    let world = World::new().unwrap();
    let folder = world.path("man/man1");
    assert_eq!(run(&["man", "--out", folder.to_str().unwrap()]).await.unwrap().code, Some(0));
    for page in ["linesman.1", "linesman-serve.1", "linesman-incident-list.1", "linesman-dead-replay.1"] {
        assert!(folder.join(page).exists(), "{page}");
    }
}

#[tokio::test]
async fn colour_is_for_those_who_want_it() {
    let world = World::new().unwrap();
    world
        .policy("broken", "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) {\n    let = 1;\n}\n")
        .unwrap();
    let rules = world.rules();
    let check = ["check", rules.to_str().unwrap()];
    let is_coloured =
        async |variables: &[(&str, &str)]| run_within(variables, &check).await.unwrap().stdout.contains('\u{1b}');
    assert!(!is_coloured(&[]).await, "not in a pipe");
    assert!(is_coloured(&[("CLICOLOR_FORCE", "1")]).await, "unless it is forced");
    assert!(!is_coloured(&[("NO_COLOR", "1")]).await);
}

/// Completes what stands behind `linesman` as a shell does.
const COMPLETE: &str = r#"
eval "$(linesman completions bash)"
export LINESMAN_DATA_DIR="$PWD/D"
completed() {
    COMP_WORDS=(linesman "$@"); COMP_CWORD=$#; COMPREPLY=()
    _linesman_known linesman "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
    echo "${COMPREPLY[*]}"
}
set +eu
completed incident show ""
completed incident list --organization ac
completed config --explain nats.u
completed incident show nothing-like-it
completed org set acme --filter-level ""
completed org set acme --filter-level "Do\\ n"
completed org set acme --filter-level "'Do n"
completed incident list --sort -d
completed incident list --status = in
completed device show acme ""
completed device --data-dir D show acme edge
completed netconf ""
completed log-level tr
completed case list --organization nobody-s
"#;

#[tokio::test]
async fn a_shell_completes_what_the_engine_knows() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    log.publish("in.acme.jmb.test", event("edge-01", 1, "WORK", "Low").into()).await.unwrap().await.unwrap();
    until("the incident is known", async || engine.get("/api/v1/incidents/acme-1").await.ok()).await;
    std::os::unix::fs::symlink(world.data(), world.path("D")).unwrap();
    let ended = run_script(world.root(), COMPLETE).await.unwrap();
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let [
        ids,
        organizations,
        keys,
        nothing,
        levels,
        level,
        quoted,
        sorts,
        statuses,
        devices,
        device,
        netconf,
        logs,
        nobody,
    ] = lines[..]
    else {
        panic!("{ended:?}")
    };
    assert_eq!(ids, "acme-1", "and nothing else: no option, no file");
    assert!(
        levels.starts_with("Do\\ not\\ send Send\\ all\\ information\\ except") && !levels.contains("-h"),
        "{levels}"
    );
    assert_eq!((level, quoted), ("Do\\ not\\ send", "Do not send"));
    assert_eq!((sorts, statuses, logs), ("-detected", "in\\ progress", "trace"));
    assert_eq!((devices, device, netconf), ("edge-01", "edge-01", "acme/edge-01"));
    assert_eq!(nobody, "");
    assert_eq!(organizations, "acme");
    assert!(keys.split(' ').any(|key| key == "nats.url"), "{keys}");
    assert_eq!(nothing, "");
    assert!(engine.stop().await.unwrap().success());
}
