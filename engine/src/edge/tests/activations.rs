//! Activations, asked for over the API of lanes that decide and keep what they decide.

use linesman_domain::activations::{self, ActivationRow};
use linesman_domain::services::{self, NewestRow, VersionRow};
use linesman_domain::subscriptions::{self, SubscriptionRow};
use linesman_domain::table;
use linesman_domain::values::{self, Given, ValuesRow, Whose};
use linesman_schemas::{Place, Privileges, Rights};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::task::LocalSet;

use super::fixture::{LANES, TOKEN, place, problem};
use super::matrix::deciding::{self, Keeps};
use super::people::{BOB, SAM};
use super::viewer::{World, part};

/// The version of the service that its rule book has, and one before.
pub(super) fn versions() -> [String; 2] {
    [services::version(&deciding::nat()), "0123456789ab".to_owned()]
}

/// A world whose lanes decide and keep what they decide; `nat` is offered in two versions.
pub(super) async fn world() -> World {
    let world = World::new().await;
    let source = deciding::nat();
    let files = table::encode(&VersionRow { files: source.files.clone(), taken_up: Default::default() }).unwrap();
    let [newest, before] = versions();
    for lane in 0..LANES {
        let newest_row = table::encode(&NewestRow { version: newest.clone() }).unwrap();
        let rows = vec![
            (services::newest_key(&source.name).into_bytes(), newest_row),
            (services::version_key(&source.name, &newest).into_bytes(), files.clone()),
            (services::version_key(&source.name, &before).into_bytes(), files.clone()),
        ];
        world.edge.write_to(lane, rows);
    }
    deciding::start(&world.edge, &world.client, Keeps::All);
    world
}

pub(super) async fn ask(world: &World, token: &str, method: Method, path: &str, body: Option<Value>) -> Response {
    let request = world.edge.request(method, path).bearer_auth(token);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    request.send().await.unwrap()
}

/// What is said of a write that is done.
pub(super) async fn done(world: &World, method: Method, path: &str, body: Option<Value>) -> Value {
    let answer = ask(world, TOKEN, method, path, body).await;
    let status = answer.status();
    let said: Value = answer.json().await.unwrap();
    assert!(status.is_success(), "{path}: {said}");
    said["detail"].clone()
}

pub(super) async fn read(world: &World, token: &str, path: &str) -> Value {
    let answer = world.edge.get_as(token, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

/// Line and state of the parts of a page.
fn standing(page: &Value) -> Vec<(String, String)> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| (item["line"].as_str().unwrap().to_owned(), item["state"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn what_is_activated_is_rendered_by_its_lane_and_shown_line_by_line() {
    let asked = async {
        let world = world().await;
        let line = "acme/berlin/line-7";
        let subscription = "/api/v1/subscriptions/acme/out";
        done(&world, Method::PUT, subscription, Some(json!({"service": "nat"}))).await;
        let shown = read(&world, TOKEN, subscription).await;
        assert_eq!((&shown["active"], &shown["activations"]), (&json!(false), &json!([])));

        let at_site = "/api/v1/subscriptions/acme/berlin/out";
        assert_eq!(done(&world, Method::POST, &format!("{at_site}/activate"), None).await, "activated");
        let list = "/api/v1/activations?subscription=out";
        let page = read(&world, TOKEN, list).await;
        assert_eq!(standing(&page), [(line.to_owned(), "pending".to_owned())]);
        let item = &page["items"][0];
        let id = item["activation"].as_str().unwrap();
        let waits = format!(
            "the device `SN1` has still to answer that it has the group, since {}",
            item["changed"].as_str().unwrap()
        );
        let expected =
            json!(["out", "acme", "acme/berlin", "nat", versions()[0], waits, "SN1", format!("linesman-{id}-line-7")]);
        let fields = ["subscription", "subscribed", "place", "service", "version", "reason", "device", "group"];
        assert_eq!(json!(fields.map(|field| &item[field])), expected);
        assert_eq!(item.get("configuration"), None, "what a device was told is shown of one alone");
        let one = read(&world, TOKEN, &format!("/api/v1/activations/{line}/{id}")).await;
        assert_eq!(one["configuration"], "firewall {\n    term own;\n}\n");
        let owned = json!([
            {"statement": "firewall term own", "subscription": "out", "level": "site", "parameters": []}
        ]);
        assert_eq!((&one["statements"], &one["state"]), (&owned, &json!("pending")));

        // By a schedule that is not due it reaches no device, and is seen all the same.
        let schedule = json!({"start": "2990-01-01T00:00:00", "duration_s": 60});
        let later = json!({"substitutions": ["note=1"], "schedule": schedule});
        let refused = ask(&world, TOKEN, Method::POST, &format!("{subscription}/activate"), Some(later)).await;
        assert_eq!(problem(refused).await.0, 422, "`nat` has no parameter of that name");
        let at_line = "/api/v1/subscriptions/acme/berlin/line-7/out";
        let later = json!({"schedule": schedule});
        assert_eq!(done(&world, Method::POST, &format!("{at_line}/activate"), Some(later)).await, "activated");
        let shown = read(&world, TOKEN, subscription).await;
        let activations = shown["activations"].as_array().unwrap();
        let told = |field: &str| activations.iter().map(|one| one[field].clone()).collect::<Vec<_>>();
        assert_eq!(told("place"), ["acme/berlin", line]);
        assert_eq!(told("enabled"), [true, false]);
        assert_eq!(told("by"), ["admin", "admin"]);
        assert_eq!(told("schedule")[1]["start"], "2990-01-01T00:00:00");
        assert_eq!(told("changes")[1], Value::Null, "no moment so late is waited for");
        assert_eq!(shown["more_activations"], false);
        let page = read(&world, TOKEN, &format!("{list}&state=inactive")).await;
        assert_eq!(standing(&page), [(line.to_owned(), "inactive".to_owned())]);

        // The subscription itself, with a schedule of its own.
        let schedule = json!({"start": "2200-01-01T00:00:00", "duration_s": 60});
        let body = json!({"service": "nat", "active": true, "schedule": schedule});
        done(&world, Method::PUT, subscription, Some(body)).await;
        let shown = read(&world, TOKEN, subscription).await;
        assert_eq!((&shown["schedule"]["duration_s"], shown["activations"].as_array().unwrap().len()), (&json!(60), 3));
        done(&world, Method::PUT, subscription, Some(json!({"service": "nat", "schedule": null}))).await;
        let shown = read(&world, TOKEN, subscription).await;
        assert_eq!((&shown["schedule"], &shown["activations"][0]["by"]), (&Value::Null, &Value::Null));
        assert_eq!(shown["activations"][0]["place"], "acme");

        assert_eq!(done(&world, Method::POST, &format!("{subscription}/redeploy"), None).await, "redeployed");
        assert_eq!(done(&world, Method::POST, &format!("{subscription}/deactivate"), None).await, "deactivated");
        let shown = read(&world, TOKEN, subscription).await;
        assert_eq!((&shown["active"], &shown["activations"]), (&json!(false), &json!([])));
        world.end().await;
    };
    LocalSet::new().run_until(asked).await;
}

#[tokio::test]
async fn a_manager_of_a_site_sees_what_is_at_its_lines_and_no_more() {
    let world = World::new().await;
    let edge = &world.edge;
    edge.grant("acme/sam", "acme/berlin", Privileges::all(), Rights::default());
    edge.write("acme", vec![place("acme/paris"), place("acme/paris/line-1"), place("acme/berlin/line-8")]);
    edge.write("acme", vec![part("acme/paris/line-1", "acme"), part("acme/berlin/line-8", "acme")]);
    let lines = ["acme/berlin/line-7", "acme/berlin/line-8", "acme/paris/line-1"];
    for (token, seen) in [(TOKEN, &lines[..]), (SAM, &lines[..2])] {
        for query in ["under=acme", "under=acme&sort=-line", "under=acme&limit=1", "under=acme&state=active"] {
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = read(&world, token, &format!("/api/v1/activations?{query}{cursor}")).await;
                assert_eq!(page.get("total"), None);
                found.extend(standing(&page).into_iter().map(|(line, _)| line));
                let Some(next) = page["next"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            if query.contains("-line") {
                found.reverse();
            }
            assert_eq!(found, seen, "{token}: {query}");
        }
    }
    for under in ["acme/berlin", "acme/berlin/line-7"] {
        let page = read(&world, SAM, &format!("/api/v1/activations?under={under}")).await;
        let expected = lines[..2].iter().filter(|line| line.starts_with(under));
        assert_eq!(
            standing(&page).into_iter().map(|(line, _)| line).collect::<Vec<_>>(),
            expected.copied().collect::<Vec<_>>()
        );
    }
    for path in ["/api/v1/activations?under=acme/paris", "/api/v1/activations/acme/paris/line-1/acme-0123456789ab"] {
        let hidden = problem(edge.get_as(SAM, path).await).await;
        let nothing = problem(edge.get_as(SAM, &path.replace("paris", "milan")).await).await;
        assert_eq!((hidden.0, hidden.1.replace("paris", "milan")), nothing);
        assert_eq!(hidden.0, 404);
    }
    // An inherited subscription shows what of it is activated above and at what they see.
    for at in ["acme", "acme/berlin", "acme/paris"] {
        let row = ActivationRow {
            number: 1,
            substitutions: Vec::new(),
            schedule: None,
            is_enabled: true,
            changes: None,
            by: "admin".to_owned(),
            at: Default::default(),
        };
        let key = activations::key(&at.parse().unwrap(), &"acme".parse().unwrap(), "acme-0123456789ab");
        edge.write("acme", vec![(key.into_bytes(), table::encode(&row).unwrap())]);
    }
    for (token, seen) in [(TOKEN, &["acme", "acme/berlin", "acme/paris"][..]), (SAM, &["acme", "acme/berlin"])] {
        let shown = read(&world, token, "/api/v1/subscriptions/acme/acme").await;
        let places = shown["activations"].as_array().unwrap().iter().map(|one| one["place"].as_str().unwrap());
        assert_eq!(places.collect::<Vec<_>>(), seen);
    }
    let whole = read(&world, SAM, "/api/v1/activations/acme/berlin/line-8/acme-0123456789ab").await;
    assert_eq!((&whole["subscribed"], &whole["statements"][0]["level"]), (&json!("acme"), &json!("enterprise")));
    world.end().await;
}

/// Subscriptions to `nat` at a place, that are on a version.
fn subscribe(world: &World, place: &str, names: &[&str], version: &str) {
    let place: Place = place.parse().unwrap();
    for name in names {
        let row = SubscriptionRow {
            number: 1,
            service: "nat".parse().unwrap(),
            version: version.to_owned(),
            is_suspended: false,
            is_active: false,
            by: "admin".to_owned(),
            created: Default::default(),
            changed: Default::default(),
        };
        let key = subscriptions::key(&place, &name.parse().unwrap());
        let org = place.organization().unwrap().as_str();
        world.edge.write(org, vec![(key.into_bytes(), table::encode(&row).unwrap())]);
    }
}

#[tokio::test]
async fn a_canary_counts_over_all_organizations_and_said_again_it_is_the_same() {
    let asked = async {
        let world = world().await;
        // Three of each organization are on the version before already.
        subscribe(&world, "bolt", &["a", "b"], &versions()[1]);
        let roll_out = async |key: &str, body: Value| {
            let request = world.edge.request(Method::POST, "/api/v1/services/nat/rollout").bearer_auth(TOKEN);
            let answer = request.header("Idempotency-Key", key).json(&body).send().await.unwrap();
            let status = answer.status().as_u16();
            (status, answer.json::<Value>().await.unwrap())
        };
        let counts = |said: &Value| -> Vec<(String, Value)> {
            let organizations = said["organizations"].as_array().unwrap().iter();
            organizations
                .map(|one| (one["organization"].as_str().unwrap().to_owned(), one["subscriptions"].clone()))
                .collect()
        };
        let (status, first) = roll_out("first", json!({"canary": 5})).await;
        assert_eq!((status, &first["version"]), (200, &json!(versions()[0])), "{first}");
        assert_eq!(counts(&first), [("acme".to_owned(), json!(3)), ("bolt".to_owned(), json!(2))]);
        assert!(first["organizations"].as_array().unwrap().iter().all(|one| one["verdict"] == "done"), "{first}");
        for place in ["acme", "acme/berlin", "acme/berlin/line-7"] {
            subscribe(&world, place, &["acme"], &versions()[0]);
        }
        assert_eq!(roll_out("first", json!({"canary": 5})).await, (200, first), "nothing more goes over");
        let (status, refused) = roll_out("first", json!({"canary": 4})).await;
        assert_eq!(status, 409, "{refused}");

        // These lanes do no work in slices: what has begun is under way.
        let (status, beside) = roll_out("all", json!({"under": "bolt", "version": versions()[0]})).await;
        let told = "subscriptions of `bolt` to `nat` are going over to a version; ask again when they have";
        assert_eq!((status, beside["detail"].as_str().unwrap()), (409, told), "{beside}");
        for (body, expected) in [
            (json!({"version": "ba9876543210"}), (404, "there is no version `ba9876543210` of the service `nat`")),
            (json!({"under": "acme/milan"}), (404, "there is no place `acme/milan`")),
            (json!({"under": "nope"}), (404, "there is no organization `nope`")),
            (json!({"canary": 0}), (422, "`canary` is not between 1 and 10000")),
        ] {
            let (status, said) = roll_out("other", body).await;
            assert_eq!((status, said["detail"].as_str().unwrap()), expected);
        }
        let nothing = ask(&world, TOKEN, Method::POST, "/api/v1/services/nope/rollout", None).await;
        assert_eq!(problem(nothing).await, (404, "there is no service `nope`".to_owned()));
        // Of one organization it is for whoever has the right there, and not of all.
        world.edge.grant("bob", "bolt", Privileges::default(), Rights::all());
        let own = ask(&world, BOB, Method::POST, "/api/v1/services/nat/rollout", Some(json!({"under": "bolt"}))).await;
        assert_eq!(own.status(), 409, "one is under way, but they may");
        let all = ask(&world, BOB, Method::POST, "/api/v1/services/nat/rollout", None).await;
        assert!(matches!(all.status().as_u16(), 403 | 404), "{all:?}");
        world.end().await;
    };
    LocalSet::new().run_until(asked).await;
}

#[tokio::test]
async fn what_is_fixed_above_is_hidden_where_the_service_says_so_and_what_may_be_chosen_is_shown() {
    let world = World::new().await;
    let definition = "title = \"Cap\"\nhide_fixed = true\n[parameters]\nrate = { type = \"rate\" }\n\
        burst = { type = \"burst\", constraint = \"burst in 1..9k\" }\n\
        door = { type = \"port\", substitution = \"!door=4711\" }\n\
        peak = { type = \"number\" }\nspare = { type = \"burst\", constraint = \"spare in 1..9k\" }\n";
    let files = [("service.toml", definition), ("main.j2", "cap {{ rate }} {{ burst }};\n")];
    let files: std::collections::BTreeMap<_, _> =
        files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    let (service, acme): (_, Place) = ("cap".parse().unwrap(), "acme".parse().unwrap());
    let row = SubscriptionRow {
        number: 7,
        service: "cap".parse().unwrap(),
        version: "0123456789ab".to_owned(),
        is_suspended: false,
        is_active: false,
        by: "admin".to_owned(),
        created: Default::default(),
        changed: Default::default(),
    };
    let given = |text: &str| Given { text: text.to_owned(), by: "admin".to_owned(), at: Default::default() };
    let of_subscription = vec![given("peak=rate * 2"), given("!burst=1k")];
    let given = ValuesRow { number: 0, substitutions: vec![given("!rate=2m"), given("burst=1k")] };
    let of_subscription = ValuesRow { number: 7, substitutions: of_subscription };
    for lane in 0..LANES {
        let newest = NewestRow { version: "0123456789ab".to_owned() };
        let version = VersionRow { files: files.clone(), taken_up: Default::default() };
        world.edge.write_to(
            lane,
            vec![
                (services::newest_key(&service).into_bytes(), table::encode(&newest).unwrap()),
                (services::version_key(&service, "0123456789ab").into_bytes(), table::encode(&version).unwrap()),
                (subscriptions::key(&acme, &"own".parse().unwrap()).into_bytes(), table::encode(&row).unwrap()),
                (values::key(&acme, Whose::Own).into_bytes(), table::encode(&given).unwrap()),
                (
                    values::key(&acme, Whose::Subscription(&"own".parse().unwrap())).into_bytes(),
                    table::encode(&of_subscription).unwrap(),
                ),
            ],
        );
    }
    world.edge.grant("acme/sam", "acme/berlin", Privileges::default(), Rights::default());
    let of = async |token: &str, path: &str| read(&world, token, path).await;
    assert_eq!(of(TOKEN, "/api/v1/values/acme").await["substitutions"], json!(["!rate=2m", "burst=1k"]));
    // What a subscription fixes of what is given for all is kept as well.
    assert_eq!(of(SAM, "/api/v1/values/acme").await["substitutions"], json!([]));
    let whole = of(TOKEN, "/api/v1/values/acme/berlin?subscription=own").await["parameters"].clone();
    assert_eq!((&whole["rate"]["status"], &whole["rate"]["place"]), (&json!("fixed"), &json!("acme")));
    assert_eq!(whole["peak"]["value"], "4000000");
    let part = of(SAM, "/api/v1/values/acme/berlin?subscription=own").await["parameters"].clone();
    assert_eq!([&part["rate"], &part["burst"], &part["door"]], [&Value::Null; 3], "{part}");
    assert!(part["spare"]["choice"].is_object(), "{part}");
    // Its value would tell the other.
    let peak = json!({"status": "defaulted", "type": "number", "value": null, "source": "subscription-enterprise",
        "place": "acme", "hidden": true});
    assert_eq!(part["peak"], peak);
    let explain = "/api/v1/explain/acme/berlin?service=cap&parameter=rate";
    assert_eq!(world.edge.get_as(SAM, explain).await.status(), 404);
    assert_eq!(of(TOKEN, explain).await["status"], "fixed");
    let explain = "/api/v1/explain/acme/berlin?service=cap&parameter=peak";
    assert!(of(TOKEN, explain).await.to_string().contains("4000000"));
    let told = of(SAM, explain).await.to_string();
    assert!(!told.contains("4000000") && !told.contains("2000000") && told.contains("rate * 2"), "{told}");
    let substitutions = async |token: &str| of(token, "/api/v1/subscriptions/acme/own").await["substitutions"].clone();
    assert_eq!(substitutions(TOKEN).await, json!(["peak=rate * 2", "!burst=1k"]));
    assert_eq!(substitutions(SAM).await, json!(["peak=rate * 2"]));
    let listed = of(SAM, "/api/v1/subscriptions?name=own").await["items"][0].clone();
    assert_eq!(listed["substitutions"], json!(["peak=rate * 2"]), "{listed}");
    let defined =
        async |token: &str| of(token, "/api/v1/services/cap").await["definition"].as_str().unwrap().to_owned();
    assert_eq!(defined(TOKEN).await, definition);
    assert!(
        !defined(SAM).await.contains("4711") && defined(SAM).await.contains("hide_fixed"),
        "{}",
        defined(SAM).await
    );
}

/// A service whose version before may be subscribed anywhere, and whose newest at lines alone.
fn capped(world: &World) -> [String; 2] {
    let files = |levels: &str| -> std::collections::BTreeMap<String, String> {
        let definition = format!(
            "title = \"Cap\"\nlevels = {levels}\n[parameters]\nrate = {{ type = \"rate\", default = \"1m\" }}\n"
        );
        [("service.toml", definition.as_str()), ("main.j2", "cap {{ line }} {\n    rate {{ rate }};\n    fixed;\n}\n")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into()
    };
    let service: linesman_schemas::ServiceName = "cap".parse().unwrap();
    let sources = [r#"["site", "line"]"#, r#"["line"]"#];
    let versions = sources.map(|levels| {
        let source = linesman_schemas::service::ServiceSource { name: service.clone(), files: files(levels) };
        (services::version(&source), source.files)
    });
    for lane in 0..LANES {
        let newest = table::encode(&NewestRow { version: versions[1].0.clone() }).unwrap();
        let mut rows = vec![(services::newest_key(&service).into_bytes(), newest)];
        for (version, files) in &versions {
            let row = table::encode(&VersionRow { files: files.clone(), taken_up: Default::default() }).unwrap();
            rows.push((services::version_key(&service, version).into_bytes(), row));
        }
        world.edge.write_to(lane, rows);
    }
    versions.map(|(version, _)| version)
}

#[tokio::test]
async fn whose_a_statement_is_what_a_part_waits_for_and_who_stays_is_told() {
    let asked = async {
        let world = World::new().await;
        let [before, newest] = capped(&world);
        deciding::start(&world.edge, &world.client, Keeps::All);
        let row = SubscriptionRow {
            number: 1,
            service: "cap".parse().unwrap(),
            version: before,
            is_suspended: false,
            is_active: false,
            by: "ann".to_owned(),
            created: Default::default(),
            changed: Default::default(),
        };
        let key = subscriptions::key(&"acme/berlin".parse().unwrap(), &"lid".parse().unwrap());
        world.edge.write("acme", vec![(key.into_bytes(), table::encode(&row).unwrap())]);
        let (line, at_line) = ("acme/berlin/line-7", "/api/v1/subscriptions/acme/berlin/line-7/lid");
        let given = |rate: &str| Some(json!({"substitutions": [format!("rate={rate}")]}));
        done(&world, Method::POST, &format!("{at_line}/activate"), given("5m")).await;
        let page = read(&world, TOKEN, "/api/v1/activations?subscription=lid").await;
        let item = &page["items"][0];
        assert_eq!(
            item["reason"].as_str().unwrap(),
            format!(
                "the device `SN1` has still to answer that it has the group, since {}",
                item["changed"].as_str().unwrap()
            )
        );
        let id = item["activation"].as_str().unwrap();
        let one = read(&world, TOKEN, &format!("/api/v1/activations/{line}/{id}")).await;
        let own = json!({"parameter": "line", "source": "runtime", "place": null});
        let rate = json!({"parameter": "rate", "source": "activation", "place": line});
        let told = |statement: &str, parameters: Value| json!({"statement": statement, "subscription": "lid", "level": "line", "parameters": parameters});
        assert_eq!(
            one["statements"],
            json!([told("cap line-7 rate 5000000", json!([own, rate])), told("cap line-7 fixed", json!([own]))])
        );

        // The one activation that reaches the line counts; of several one is named.
        let explain = format!("/api/v1/explain/{line}?service=cap&parameter=rate");
        let explained = read(&world, TOKEN, &explain).await;
        assert_eq!((&explained["value"], &explained["source"]), (&json!("5000000"), &json!("activation")));
        assert_eq!(explained["sources"][0]["found"]["expression"], "5m");
        let row = ActivationRow {
            number: 1,
            substitutions: vec![Given { text: "rate=6m".to_owned(), by: "ann".to_owned(), at: Default::default() }],
            schedule: None,
            is_enabled: true,
            changes: None,
            by: "ann".to_owned(),
            at: Default::default(),
        };
        let (site, name) = ("acme/berlin".parse().unwrap(), "lid".parse().unwrap());
        let above = activations::id(&site, &name, ["rate=6m"]);
        let key = activations::key(&site, &name, &above);
        world.edge.write("acme", vec![(key.into_bytes(), table::encode(&row).unwrap())]);
        assert_eq!(read(&world, TOKEN, &explain).await["source"], "local-default");
        for (id, value) in [(id, "5000000"), (above.as_str(), "6000000")] {
            let explained = read(&world, TOKEN, &format!("{explain}&activation={id}")).await;
            assert_eq!((&explained["value"], &explained["source"]), (&json!(value), &json!("activation")));
        }
        let at_site = format!("/api/v1/explain/acme/berlin?service=cap&parameter=rate&activation={id}");
        let nothing = ask(&world, TOKEN, Method::GET, &at_site, None).await;
        let expected = format!("no activation `{id}` of `cap` reaches `acme/berlin`");
        assert_eq!(problem(nothing).await, (404, expected));

        for path in ["/api/v1/services/cap/rollout", "/api/v1/services/cap/rollout?dry_run=true"] {
            let answer = ask(&world, TOKEN, Method::POST, path, None).await;
            let said: Value = answer.json().await.unwrap();
            let reason = "`cap` is subscribed at the level line, and `acme/berlin` is none";
            let stays = json!([{"place": "acme/berlin", "subscription": "lid", "reason": reason}]);
            assert_eq!((&said["version"], &said["staying"]), (&json!(newest), &stays), "{path}: {said}");
            assert_eq!(said["more_staying"], 0);
            assert!(["organizations", "previews"].iter().all(|list| said[list].as_array().is_none_or(Vec::is_empty)));
        }
        world.end().await;
    };
    LocalSet::new().run_until(asked).await;
}
