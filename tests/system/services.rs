//! Services come from the folders of the rule directory into the log, and every lane keeps their versions.

use std::collections::BTreeMap;
use std::fs;

use linesman::embedded;
use linesman::log::streams::{self, Layout};
use linesman::store::Store;
use linesman_domain::services;
use linesman_tests::{LANES, Launch, World, run, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::policies::{metric, policies, policy, wait_for_version};

/// Puts a file into the rule directory.
fn rule(world: &World, path: &str, text: &str) {
    let path = world.rules().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Of each service of a lane its versions, the newest first: their titles.
type Titles = BTreeMap<String, Vec<String>>;

/// The services that every lane of an engine that has stopped has, and the parameters of all of them.
fn kept(world: &World) -> (Titles, Option<String>) {
    let store = Store::open(&world.data().join("state")).unwrap();
    let of_lane = |lane| {
        let lane = store.lane(lane).unwrap();
        let mut titles = Titles::new();
        for service in services::all(&lane) {
            let (name, newest) = service.unwrap();
            let mut versions: Vec<_> = services::versions(&lane, &name).map(Result::unwrap).collect();
            versions.sort_by_key(|(version, row)| (*version != newest.version, row.taken_up));
            let files = versions.into_iter().map(|(_, row)| row.files["service.toml"].clone());
            titles.insert(name.to_string(), files.collect());
        }
        let parameters = lane_parameters(&lane);
        (titles, parameters)
    };
    let first = of_lane(0);
    for lane in 1..LANES {
        assert!(of_lane(lane) == first, "lane {lane} has other services");
    }
    first
}

fn lane_parameters(lane: &linesman::store::Lane) -> Option<String> {
    linesman_domain::table::Table::read(lane, &services::parameters_key()).unwrap().map(|row| row.text)
}

fn titles(of: &[(&str, &[&str])]) -> Titles {
    of.iter()
        .map(|(name, titles)| ((*name).to_owned(), titles.iter().map(|title| title.to_string()).collect()))
        .collect()
}

#[tokio::test]
async fn what_changes_of_services_is_kept_by_all_lanes_and_comes_back_from_the_log() {
    let world = World::new().unwrap();
    rule(&world, "services/nat/service.toml", "title = \"one\"");
    rule(&world, "services/nat/pool.j2", "pool {{ domain }};");
    rule(&world, "services/nat/tests/one.toml", "no [ of ours");
    let globals = "[parameters]\ndomain = { type = \"string\", default = '\"x\"' }\n";
    rule(&world, "parameters.toml", globals);
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(policies(&engine).await["rule_book"], 1, "a new log begins with all there is");
    rule(&world, "services/nat/service.toml", "title = \"two\"");
    rule(&world, "services/drain/service.toml", "title = \"drain\"");
    rule(&world, "services/drain/main.j2", "drain;");
    wait_for_version(&engine, 2).await;

    // One that is broken goes on as it was, and does not hold up the others.
    rule(&world, "services/nat/service.toml", "title = ");
    rule(&world, "services/drain/service.toml", "title = \"drained\"");
    wait_for_version(&engine, 3).await;
    assert_eq!(metric(&engine, "linesman_refused_services").await, "1");
    let told = "services/nat/service.toml:1:9";
    engine.tells(told).await;
    assert_eq!(engine.log().matches(told).count(), 1, "{}", engine.log_tail());
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    let nat: &[&str] = &["title = \"two\"", "title = \"one\""];
    let drain: &[&str] = &["title = \"drained\"", "title = \"drain\""];
    let expected = (titles(&[("drain", drain), ("nat", nat)]), Some(globals.to_owned()));
    assert_eq!(kept(&world), expected);

    // Nothing is loaded again, and the state comes back from the log.
    let before = world.lanes().unwrap();
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(policies(&engine).await["rule_book"], 3);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    assert_eq!(world.lanes().unwrap(), before);
    world.delete_state().unwrap();
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(policies(&engine).await["rule_book"], 3);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    assert_eq!(kept(&world), expected);
    assert_eq!(world.lanes().unwrap(), before);

    // What is gone is no more; its versions stay with whoever is on them.
    fs::remove_dir_all(world.rules().join("services")).unwrap();
    fs::remove_file(world.rules().join("parameters.toml")).unwrap();
    let launch = Launch { flags: &["--allow-empty"], ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    wait_for_version(&engine, 4).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    assert_eq!(kept(&world), (Titles::new(), None));
}

#[tokio::test]
async fn two_nodes_with_other_services_do_not_fight() {
    let host = World::new().unwrap();
    rule(&host, "services/nat/service.toml", "title = \"host\"");
    rule(&host, "services/nat/main.j2", "nat;");
    let url = host.server().await.unwrap();
    let launch = Launch { flags: &["--nats", &url], ..Launch::default() };
    let other = World::new().unwrap();
    rule(&other, "services/nat/service.toml", "title = \"other\"");
    rule(&other, "services/nat/main.j2", "nat;");
    let mut engine = other.start_with(None, launch).await.unwrap();
    until("the difference is seen", async || {
        (policies(&engine).await["differing"] == json!(["services"])).then_some(())
    })
    .await;
    let said = "`linesman service load` loads the files of this node";
    engine.tells(said).await;
    let load = "/api/v1/policies/load?section=services";
    let loaded = engine.api().unwrap().ask(Method::POST, load, None, None).await.unwrap();
    assert_eq!((loaded.status, &loaded.body["detail"]), (200, &json!("loaded")), "{loaded:?}");
    wait_for_version(&engine, 2).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    let nat: &[&str] = &["title = \"other\"", "title = \"host\""];
    assert_eq!(kept(&other).0, titles(&[("nat", nat)]));

    // The first node has been overtaken: it does not put its files back.
    let mut engine = host.start_with(None, launch).await.unwrap();
    until("the difference is seen", async || {
        (policies(&engine).await["differing"] == json!(["services"])).then_some(())
    })
    .await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    assert_eq!(kept(&host).0, titles(&[("nat", nat)]));
}

/// A log below level 4 takes no services; once it is raised, they are loaded though no file has changed.
#[tokio::test]
async fn services_are_loaded_once_the_log_is_raised() {
    let world = World::new().unwrap();
    world.policy("seen", &policy(1)).unwrap();
    rule(&world, "services/nat/service.toml", "title = \"nat\"");
    rule(&world, "services/nat/main.j2", "nat;");
    let server = embedded::start(embedded::Settings::new(world.path("server"))).await.unwrap();
    let url = server.engine_url();
    let client = linesman::log::connect(&url, "before").await.unwrap();
    let layout = Layout { lanes: LANES, out_age_s: 30 * 86_400, replicas: 1, consumers: Default::default() };
    streams::ensure(&client, &layout).await.unwrap();
    streams::open(&client, &layout).await.unwrap();
    let launch = Launch { flags: &["--nats", &url], ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    let api = engine.api().unwrap();
    let raise = async |level: u32| {
        let raised = api.ask(Method::PUT, "/api/v1/level", None, Some(json!({"level": level}))).await.unwrap();
        assert_eq!(raised.status, 200, "{raised:?}");
        let is_raised = async || (engine.get("/api/v1/level").await.unwrap()["level"] == level).then_some(());
        until("all lanes are raised", is_raised).await;
    };
    raise(3).await;
    let load = "/api/v1/policies/load?section=services";
    let refused = api.ask(Method::POST, load, None, None).await.unwrap();
    assert_eq!((refused.status, &refused.body["detail"]), (409, &json!("services come with engine level 4")));
    let version = policies(&engine).await["rule_book"].as_u64().unwrap();
    raise(4).await;
    wait_for_version(&engine, version + 1).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    assert_eq!(kept(&world).0, titles(&[("nat", &["title = \"nat\""])]));
    server.stop().await;
}

/// What a command of the command line says, which is done.
async fn told(world: &World, args: &[&str]) -> String {
    let data = world.data();
    let ended = run(&[args, &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap();
    assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
    ended.stdout
}

/// What one says that is not done.
async fn refused(world: &World, args: &[&str]) -> String {
    let data = world.data();
    let ended = run(&[args, &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{args:?}");
    ended.stderr
}

async fn shown(world: &World, args: &[&str]) -> Value {
    serde_json::from_str(&told(world, &[args, &["--json"]].concat()).await).unwrap()
}

#[tokio::test]
async fn people_subscribe_to_services_and_give_values() {
    let world = World::new().unwrap();
    let definition = "title = \"NAT\"\nhide_fixed = true\n[parameters]\nsource = { type = \"network\" }\n\
        rate = { type = \"rate\", constraint = \"rate in 1..4g\" }\n";
    rule(&world, "services/nat/service.toml", definition);
    rule(&world, "services/nat/pool.j2", "firewall {\n    term own;\n}\n");
    let mut engine = world.start(None).await.unwrap();
    let service = shown(&world, &["service", "show", "nat"]).await;
    assert_eq!((&service["definition"], &service["templates"]), (&json!(definition), &json!(["pool.j2"])));
    let listed = shown(&world, &["service", "list"]).await;
    assert_eq!((&listed["name"], &listed["version"]), (&json!("nat"), &service["version"]));
    for place in ["acme/berlin", "acme/berlin/line-7"] {
        told(&world, &["place", "add", place]).await;
    }
    let (site, line) = ("acme/berlin", "acme/berlin/line-7");

    let set = ["subscription", "set", site, "out"];
    let missing = "error: there is no subscription `out` at `acme/berlin`: `--service` names what a new one is to\n";
    assert_eq!(refused(&world, &set).await, missing);
    let new = [&set[..], &["--service", "nat", "--set", "rate=10m", "--set", "dept:network="]].concat();
    assert_eq!(told(&world, &new).await, "created\n");
    assert_eq!(told(&world, &[&set[..], &["--set", "rate=20m"]].concat()).await, "changed\n");
    let subscription = shown(&world, &["subscription", "show", site, "out"]).await;
    let expected = json!(["nat", service["version"], ["rate=20m"], false, "admin"]);
    let found = ["service", "version", "substitutions", "suspended", "by"].map(|field| subscription[field].clone());
    assert_eq!(json!(found), expected);
    assert_eq!(told(&world, &["subscription", "suspend", site, "out"]).await, "suspended\n");
    let listed = shown(&world, &["subscription", "list", "--under", "acme", "--service", "n*"]).await;
    assert_eq!((&listed["place"], &listed["suspended"]), (&json!(site), &json!(true)));
    assert_eq!(told(&world, &["subscription", "resume", site, "out"]).await, "resumed\n");

    let dry = ["value", "set", line, "rate=1", "rate in 1..1g", "--dry-run"];
    let found = told(&world, &dry).await;
    assert!(found.starts_with("would be done: changed\naccess lines affected: 0\n"), "{found}");
    assert!(found.contains("rate       20000000 (defaulted)"), "{found}");
    assert_eq!(told(&world, &["value", "list", line, "--json"]).await, "", "nothing is done");
    let data = world.data();
    let beyond = ["value", "set", line, "rate=5g", "--dry-run", "--data-dir", data.to_str().unwrap()];
    let beyond = run(&beyond).await.unwrap();
    assert_eq!(beyond.code, Some(1));
    assert!(beyond.stdout.starts_with("would be refused (invalid): `rate`: "), "{}", beyond.stdout);
    assert!(beyond.stderr.starts_with("error: it would be refused: `rate`: "), "{}", beyond.stderr);
    assert_eq!(told(&world, &["value", "set", line, "rate=1", "rate in 1..1g"]).await, "changed\n");
    assert_eq!(told(&world, &["value", "set", line, "rate=3", "--subscription", "out"]).await, "changed\n");
    assert_eq!(told(&world, &["value", "set", line, "!rate=2"]).await, "changed\n");
    assert_eq!(
        told(&world, &["value", "set", "acme", "dept:network=", "source=dept", "--service", "nat"]).await,
        "changed\n"
    );
    let given = async |place: &str, whose: &[&str]| {
        let listed = told(&world, &[&["value", "list", place, "--json"], whose].concat()).await;
        let lines = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["substitution"].clone());
        lines.collect::<Value>()
    };
    assert_eq!(given(line, &[]).await, json!(["rate in 1..1g", "!rate=2"]));
    assert_eq!(given(line, &["--subscription", "out"]).await, json!(["rate=3"]));
    assert_eq!(given("acme", &["--service", "nat"]).await, json!(["dept:network=", "source=dept"]));
    let explained = shown(&world, &["value", "explain", line, "nat", "rate"]).await;
    assert_eq!(
        (&explained["status"], &explained["value"], &explained["source"]),
        (&json!("fixed"), &json!("2"), &json!("line"))
    );
    let told_of = told(&world, &["value", "explain", line, "nat", "source"]).await;
    assert!(told_of.contains("localized acme: `source=dept`, counts, by admin at "), "{told_of}");
    assert!(told_of.contains("renamed to dept by localized acme"), "{told_of}");
    let fixed = "error: `rate` is fixed by `acme/berlin/line-7`, and nobody below substitutes it\n";
    assert_eq!(refused(&world, &["value", "set", line, "rate=4", "--subscription", "out"]).await, fixed);
    assert_eq!(given(site, &[]).await, json!([]));
    // The value goes first, and what narrows it when it is all there is.
    for left in [json!(["rate in 1..1g"]), json!([])] {
        assert_eq!(told(&world, &["value", "unset", line, "rate"]).await, "changed\n");
        assert_eq!(given(line, &[]).await, left);
    }
    let nothing = "error: there is no substitution of `rate` to take away; the command's `list` shows what there is\n";
    assert_eq!(refused(&world, &["value", "unset", line, "rate"]).await, nothing);

    let hangs = "error: on `acme/berlin` hang 1 access line, 1 subscription; they go too with `cascade`\n";
    assert_eq!(refused(&world, &["place", "remove", site]).await, hangs);
    assert_eq!(told(&world, &["subscription", "remove", site, "out"]).await, "removed\n");
    assert_eq!(
        refused(&world, &["subscription", "show", site, "out"]).await,
        "error: there is no subscription `out` at `acme/berlin`; the command's `list` shows what there is\n"
    );
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// A service that says what cannot be goes on as it was good last, and so do the parameters that others need.
#[tokio::test]
async fn a_service_with_a_fault_is_refused_and_stays_as_it_was_good_last() {
    let world = World::new().unwrap();
    let definition = "title = \"one\"\n[parameters]\nrate = { type = \"rate\", required = true }\n";
    let globals = "[parameters]\ndomain = { type = \"string\", default = '\"x\"' }\n";
    rule(&world, "parameters.toml", globals);
    rule(&world, "services/nat/service.toml", definition);
    rule(&world, "services/nat/pool.j2", "pool {{ domain }} { limit {{ rate|rate }}; }");
    let mut engine = world.start(None).await.unwrap();
    let good = shown(&world, &["service", "show", "nat"]).await;

    rule(&world, "services/nat/pool.j2", "pool {{ domain }} { limit {{ rate|mask }}; }");
    rule(&world, "services/own/service.toml", "title = \"own\"");
    rule(&world, "services/own/main.j2", "own;");
    wait_for_version(&engine, 2).await;
    assert_eq!(metric(&engine, "linesman_refused_services").await, "1");
    let wrong = "`mask` wants a network or an address, and `rate` is a whole number";
    engine.tells(wrong).await;
    assert_eq!(engine.log().matches(wrong).count(), 1, "{}", engine.log_tail());
    assert_eq!(shown(&world, &["service", "show", "nat"]).await["version"], good["version"]);
    let data = world.data();
    let listed = run(&["service", "list", "--data-dir", data.to_str().unwrap()]).await.unwrap();
    let refused = format!("services/nat/pool.j2:1:30 is refused, and goes on as it was good last: {wrong}\n");
    assert_eq!((listed.code, listed.stderr), (Some(0), refused));

    rule(&world, "parameters.toml", "[parameters]\nzone = { type = \"string\", default = '\"x\"' }\n");
    wait_for_version(&engine, 3).await;
    assert_eq!(metric(&engine, "linesman_refused_services").await, "2");
    let breaks = "services would break by it: `nat`; of `nat` pool.j2:1: there is no parameter `domain`";
    engine.tells(breaks).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    let (services, parameters) = kept(&world);
    assert_eq!(services["nat"], [definition]);
    assert_eq!(parameters.as_deref(), Some(globals));
}

/// Parameters of all by which a value would be at fault that somebody has given are refused, until they are forced.
#[tokio::test]
async fn parameters_that_would_break_what_stands_are_refused_unless_they_are_forced() {
    let world = World::new().unwrap();
    let globals =
        |constraint: &str| format!("[parameters]\ncos = {{ type = \"number\", default = \"1\"{constraint} }}\n");
    let narrow = globals(", constraint = \"cos in 1..10\"");
    rule(&world, "parameters.toml", &globals(""));
    rule(&world, "services/cos/service.toml", "title = \"Cos\"");
    rule(&world, "services/cos/main.j2", "class-of-service { level {{ cos }}; }\n");
    let mut engine = world.start(None).await.unwrap();
    let add = ["place", "add", "acme/berlin"];
    let found = told(&world, &[&add[..], &["--dry-run"]].concat()).await;
    assert!(found.starts_with("would be done: created\naccess lines affected: 0\n"), "{found}");
    told(&world, &add).await;
    let known = refused(&world, &[&add[..], &["--dry-run"]].concat()).await;
    assert_eq!(known, "error: there is a place `acme/berlin` already; `set` changes it\n");
    told(&world, &["subscription", "set", "acme", "out", "--service", "cos"]).await;
    told(&world, &["value", "set", "acme/berlin", "cos=20"]).await;
    let dry = ["service", "load", "--dry-run"];
    assert_eq!(told(&world, &dry).await, "parameters of all: unchanged\n");

    rule(&world, "parameters.toml", &narrow);
    wait_for_version(&engine, 2).await;
    let breaks = "it would break what stands: `acme/berlin`: `cos`: `acme/berlin` gives `20`, and the global parameters \
                  admits `1..10` only";
    engine.tells(breaks).await;
    assert_eq!(metric(&engine, "linesman_refused_services").await, "1");
    let data = world.data();
    let found = run(&[&dry[..], &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap();
    assert_eq!((found.code, found.stderr.as_str()), (Some(1), "error: it would be refused\n"));
    let expected = format!("parameters of all: changed\n\nacme:\nwould be refused (conflict): {breaks}\n");
    assert!(found.stdout.starts_with(&expected), "{}", found.stdout);
    let why = format!("error: {breaks}; change the values first, or load it with `--force` all the same\n");
    assert_eq!(refused(&world, &["service", "load"]).await, why);
    // What is forced is done, and its preview says so.
    let fails = breaks.replace("it would break what stands", "would be done: loaded; but this fails");
    let expected = format!("parameters of all: changed\n\nacme:\n{fails}\n");
    let found = told(&world, &["service", "load", "--force", "--dry-run"]).await;
    assert!(found.starts_with(&expected), "{found}");

    assert_eq!(told(&world, &["service", "load", "--force"]).await, "loaded\n");
    wait_for_version(&engine, 3).await;
    let is_seen = async || (metric(&engine, "linesman_refused_services").await == "0").then_some(());
    until("what was forced is seen as loaded", is_seen).await;
    assert_eq!(policies(&engine).await["rule_book"], 3, "nothing puts it back");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    assert_eq!(kept(&world).1, Some(narrow));
}

/// A scenario is judged by one set of parameters, whichever command reads it.
#[tokio::test]
async fn a_scenario_with_parameters_of_its_own_is_none_of_a_service() {
    let world = World::new().unwrap();
    rule(&world, "scenario.toml", "[parameters]\nrate = { type = \"rate\", default = \"77m\" }\n");
    let scenario = world.rules().join("scenario.toml");
    let scenario = scenario.to_str().unwrap();
    let rendered = run(&["service", "render", "ingress-firewall", "--scenario", scenario]).await.unwrap();
    let why = "error: the scenario has `[parameters]` of its own, and a service has those that it declares: say `service = \
               \"ingress-firewall\"` instead\n";
    assert_eq!((rendered.code, rendered.stderr.as_str(), rendered.stdout.as_str()), (Some(1), why, ""));
}
