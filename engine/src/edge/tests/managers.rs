//! Places, managers and groups: who is shown what of them, in which order, and what is wrong with what somebody asks.

use jiff::Timestamp;
use linesman_domain::groups::{self, UserGroupRow};
use linesman_domain::managers::{self, GrantRow, ManagerRow};
use linesman_domain::table;
use linesman_schemas::directory::Granter;
use linesman_schemas::{Login, Privilege, Privileges, Right, Rights, Sphere};
use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{Fixture, TOKEN, TOKEN_OF_ACME, place, problem};
use crate::lane::status::LaneStatus;
use crate::log::streams::lane_of;

/// A manager's row, by its key.
pub(super) fn manager(login: &str, number: u64, sphere: &str, granter: (&str, u64)) -> (Vec<u8>, Vec<u8>) {
    let login: Login = login.parse().unwrap();
    let rights =
        if login.organization.is_none() { Rights::of([Right::Audit], Default::default()) } else { Rights::default() };
    let row = ManagerRow {
        number,
        grant: GrantRow {
            sphere: Sphere::of(sphere.split_whitespace().map(|place| place.parse().unwrap())),
            privileges: Privileges::from_iter([Privilege::Managers, Privilege::Substitution]).bits(),
            rights: rights.bits(),
            granter: Some(Granter { login: granter.0.parse().unwrap(), number: granter.1 }),
        },
        created: Timestamp::UNIX_EPOCH,
        changed: Timestamp::UNIX_EPOCH,
    };
    (managers::key(&login).into_bytes(), table::encode(&row).unwrap())
}

/// An edge whose store, where `acme/ann` has but a site, has two organizations with places and managers, the provider's people, and a group.
pub(super) async fn filled() -> Fixture {
    let edge = Fixture::new().await;
    for lane in &edge.lanes {
        lane.send_replace(LaneStatus { level: 3, ..LaneStatus::default() });
    }
    for org in ["acme", "bolt"] {
        edge.organization(org, 0);
        let places = ["berlin", "berlin-2", "berlin/line-7", "berlin/line-8", "paris"];
        let places = places.iter().map(|name| place(&format!("{org}/{name}")));
        let managers = [
            manager(&format!("{org}/ann"), 10, &format!("{org}/berlin"), ("bob", 5)),
            manager(&format!("{org}/cal"), 11, &format!("{org}/berlin/line-7"), (&format!("{org}/ann"), 10)),
            manager(&format!("{org}/dan"), 12, &format!("{org}/berlin {org}/paris"), ("bob", 5)),
            manager(&format!("{org}/eve"), 13, org, ("bob", 5)),
        ];
        edge.write(org, places.chain(managers).collect());
    }
    let group = UserGroupRow {
        members: vec!["bob".parse().unwrap()],
        organizations: vec!["acme".parse().unwrap()],
        device_groups: Vec::new(),
        granter: Granter { login: "admin".parse().unwrap(), number: 0 },
    };
    let key = groups::key(&"night-shift".parse().unwrap()).into_bytes();
    for (key, row) in [
        manager("bob", 5, "acme", ("admin", 0)),
        manager("zoe", 6, "/", ("admin", 0)),
        (key, table::encode(&group).unwrap()),
    ] {
        edge.put(None, key, row);
    }
    edge
}

/// What a list has, page by page.
async fn listed(edge: &Fixture, token: &str, path: &str, what: &str) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let and = if path.contains('?') { '&' } else { '?' };
        let answer = edge.get_as(token, &format!("{path}{and}limit=2{cursor}")).await;
        assert_eq!(answer.status(), 200, "{path}");
        let page: Value = answer.json().await.unwrap();
        all.extend(page["items"].as_array().unwrap().iter().map(|item| item[what].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[tokio::test]
async fn places_are_listed_as_far_as_they_are_seen() {
    let edge = filled().await;
    let whole = ["acme", "acme/berlin", "acme/berlin-2", "acme/berlin/line-7", "acme/berlin/line-8", "acme/paris"];
    let below = ["acme/berlin", "acme/berlin/line-7", "acme/berlin/line-8"];
    assert_eq!(listed(&edge, TOKEN, "/api/v1/places?under=acme", "place").await, whole);
    assert_eq!(listed(&edge, TOKEN, "/api/v1/places", "place").await.len(), 12);
    assert_eq!(listed(&edge, TOKEN, "/api/v1/places?under=acme/berlin", "place").await, below);
    let mut back = whole.to_vec();
    back.reverse();
    assert_eq!(listed(&edge, TOKEN, "/api/v1/places?under=acme&sort=-place", "place").await, back);
    // What lies above is readable, what lies beside is not there.
    let seen = [&["acme"], &below[..]].concat();
    for path in ["/api/v1/places", "/api/v1/places?under=/", "/api/v1/places?under=acme"] {
        assert_eq!(listed(&edge, TOKEN_OF_ACME, path, "place").await, seen, "{path}");
    }
    assert_eq!(listed(&edge, TOKEN_OF_ACME, "/api/v1/places?under=acme/berlin/line-7", "place").await, [below[1]]);
    for (hidden, nowhere) in [("acme/paris", "acme/rome"), ("bolt/berlin", "none/berlin")] {
        for path in ["/api/v1/places?under=", "/api/v1/places/"] {
            let (status, detail) = problem(edge.get_as(TOKEN_OF_ACME, &format!("{path}{hidden}")).await).await;
            let none = problem(edge.get_as(TOKEN_OF_ACME, &format!("{path}{nowhere}")).await).await;
            let swap = |text: String| text.replace(hidden, nowhere).replace("`bolt`", "`none`");
            assert_eq!((status, swap(detail)), none, "{path}{hidden}");
            assert_eq!(status, 404);
        }
    }
    let line: Value = edge.get_as(TOKEN_OF_ACME, "/api/v1/places/acme/berlin/line-7").await.json().await.unwrap();
    let shown = (&line["display_name"], &line["speed"], &line["addresses"], &line["device"]);
    assert_eq!(shown, (&json!("line-7 of acme"), &json!(100_000_000), &json!(["192.0.2.1/24"]), &json!("SN1")));
    let top: Value = edge.get("/api/v1/places/acme").await.json().await.unwrap();
    assert_eq!((&top["place"], &top["display_name"]), (&json!("acme"), &json!("ACME")));
    let put = edge.request(Method::PUT, "/api/v1/places/acme").bearer_auth(TOKEN).json(&json!({})).send().await;
    let detail = "this path does not take this method; organizations are changed under `/api/v1/organizations`";
    assert_eq!(problem(put.unwrap()).await, (405, detail.to_owned()));
}

#[tokio::test]
async fn managers_are_listed_as_far_as_all_they_have_is_seen() {
    let edge = filled().await;
    let of_acme = ["acme/ann", "acme/cal", "acme/dan", "acme/eve"];
    let people = ["admin", "bob", "zoe"];
    assert_eq!(listed(&edge, TOKEN, "/api/v1/managers?under=acme", "login").await, of_acme);
    assert_eq!(listed(&edge, TOKEN, "/api/v1/managers?under=/", "login").await, people);
    let mut all = listed(&edge, TOKEN, "/api/v1/managers", "login").await;
    assert_eq!((all.len(), &all[..3]), (11, &people.map(str::to_owned)[..]));
    all.reverse();
    assert_eq!(listed(&edge, TOKEN, "/api/v1/managers?sort=-login", "login").await, all);
    let of_paris = listed(&edge, TOKEN, "/api/v1/managers?under=acme/paris", "login").await;
    assert_eq!(of_paris, ["acme/dan"]);
    assert_eq!(listed(&edge, TOKEN, "/api/v1/managers?granted_by=acme/*", "login").await, ["acme/cal"]);
    // Neither who has more than she sees, nor the provider's people.
    assert_eq!(listed(&edge, TOKEN_OF_ACME, "/api/v1/managers", "login").await, ["acme/ann", "acme/cal"]);
    assert!(listed(&edge, TOKEN_OF_ACME, "/api/v1/managers?under=/", "login").await.is_empty());
    for hidden in ["acme/dan", "acme/eve", "bolt/ann", "bob", "acme/nobody", "nobody/ann"] {
        let answer = edge.get_as(TOKEN_OF_ACME, &format!("/api/v1/managers/{hidden}")).await;
        assert_eq!(problem(answer).await, (404, format!("there is no manager `{hidden}`")));
    }
    let cal: Value = edge.get_as(TOKEN_OF_ACME, "/api/v1/managers/acme/cal").await.json().await.unwrap();
    assert_eq!((&cal["granted_by"], &cal["sphere"]), (&json!("acme/ann"), &json!(["acme/berlin/line-7"])));
    assert_eq!(cal["effective"]["privileges"], json!(["substitution", "managers"]));
    // What its granter's granter has not, it has not.
    let of_bolt: Value = edge.get("/api/v1/managers/bolt/ann").await.json().await.unwrap();
    assert_eq!((&of_bolt["sphere"], &of_bolt["effective"]["sphere"]), (&json!(["bolt/berlin"]), &json!([])));
    let admin: Value = edge.get("/api/v1/managers/admin").await.json().await.unwrap();
    assert_eq!((&admin["granted_by"], &admin["sphere"]), (&Value::Null, &json!(["/"])));
}

#[tokio::test]
async fn groups_are_the_providers() {
    let edge = filled().await;
    assert_eq!(listed(&edge, TOKEN, "/api/v1/groups", "name").await, ["night-shift"]);
    let group: Value = edge.get("/api/v1/groups/night-shift").await.json().await.unwrap();
    assert_eq!((&group["members"], &group["organizations"]), (&json!(["bob"]), &json!(["acme"])));
    assert!(listed(&edge, TOKEN_OF_ACME, "/api/v1/groups", "name").await.is_empty());
    let hidden = edge.get_as(TOKEN_OF_ACME, "/api/v1/groups/night-shift").await;
    assert_eq!(problem(hidden).await, (404, "there is no group `night-shift`".to_owned()));
    // One whose granter is gone is told by whoever stands for that, and not by whoever has its name now.
    let gone = Granter { login: "bob".parse().unwrap(), number: 1 };
    let was = GrantRow {
        sphere: Sphere::all(),
        privileges: 0,
        rights: 0,
        granter: Some(Granter { login: "zoe".parse().unwrap(), number: 6 }),
    };
    edge.write_provider(vec![(managers::gone_key(&gone).into_bytes(), table::encode(&was).unwrap())]);
    let row = UserGroupRow {
        members: Vec::new(),
        organizations: vec!["acme".parse().unwrap()],
        device_groups: Vec::new(),
        granter: gone,
    };
    edge.put(None, groups::key(&"day-shift".parse().unwrap()).into_bytes(), table::encode(&row).unwrap());
    assert_eq!(listed(&edge, TOKEN, "/api/v1/groups", "granted_by").await, ["zoe", "admin"]);
    let group: Value = edge.get("/api/v1/groups/day-shift").await.json().await.unwrap();
    assert_eq!(group["granted_by"], "zoe");
}

/// Status, place and detail of the problem with a write.
async fn wrong(edge: &Fixture, path: &str, body: Value) -> (u16, String, String) {
    let answer = edge.request(Method::PUT, path).bearer_auth(TOKEN).json(&body).send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    let pointer = body["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
    (status, pointer, body["detail"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_said_with_its_place() {
    let edge = filled().await;
    for (path, body, pointer, detail) in [
        (
            "managers/acme/new",
            json!({"sphere": ["acme/berlin", "acme/rome"]}),
            "#/sphere/1",
            "there is no place `acme/rome`",
        ),
        ("managers/acme/new", json!({"sphere": ["bolt"]}), "#/sphere/0", "`bolt` does not lie in `acme`"),
        ("managers/acme/new", json!({}), "#/sphere", "a manager of an organization needs a place"),
        (
            "managers/acme/ann",
            json!({"rights": {"audit": true}}),
            "#/rights",
            "the provider's people alone have rights",
        ),
        ("managers/new", json!({"sphere": ["acme/rome"]}), "#/sphere/0", "there is no place `acme/rome`"),
        ("managers/new", json!({"sphere": ["none"]}), "#/sphere/0", "there is no place `none`"),
        (
            "groups/new",
            json!({"members": ["nobody"]}),
            "#/members/0",
            "there is no `nobody` among the provider's people",
        ),
        ("groups/new", json!({"organizations": ["none"]}), "#/organizations/0", "there is no organization `none`"),
        (
            "groups/new",
            json!({"device_groups": [{"organization": "acme", "name": "core"}]}),
            "#/device_groups/0/name",
            "`acme` has no device group `core`",
        ),
        (
            "places/acme/berlin",
            json!({"addresses": ["192.0.2.1/33"]}),
            "#/addresses/0",
            "`addresses/0` is no IP address, with or without a prefix length",
        ),
        (
            "places/acme/berlin",
            json!({"speed": "fast"}),
            "#/speed",
            "a speed is a number of bits per second, up to 10^15, or such as `100M`",
        ),
        ("devices/acme/SN1/place", json!({"place": "bolt/berlin"}), "#/place", "`bolt/berlin` does not lie in `acme`"),
    ] {
        let expected = (422, pointer.to_owned(), detail.to_owned());
        assert_eq!(wrong(&edge, &format!("/api/v1/{path}"), body).await, expected, "{path}");
    }
    for (path, body, pointer) in [
        ("managers/acme/ann", json!({"sphere": ["a b"]}), "#/sphere/0"),
        ("managers/acme/ann", json!({"privileges": ["all"]}), "#/privileges/0"),
        ("managers/bob", json!({"rights": {"everything": true}}), "#/rights/everything"),
        ("managers/bob", json!({"sphere": null}), "#/sphere"),
    ] {
        let (status, found, detail) = wrong(&edge, &format!("/api/v1/{path}"), body).await;
        assert_eq!((status, found.as_str()), (422, pointer), "{path}: {detail}");
    }
}

#[tokio::test]
async fn below_their_level_nothing_of_them_is_changed() {
    let edge = filled().await;
    edge.lanes[2].send_replace(LaneStatus { level: 2, ..LaneStatus::default() });
    for path in ["managers/acme/ann", "managers/bob", "groups/night-shift", "places/acme/berlin"] {
        let (status, _, detail) = wrong(&edge, &format!("/api/v1/{path}"), json!({})).await;
        assert_eq!((status, &*detail), (409, "this takes engine level 3; `linesman level raise` raises it"), "{path}");
    }
}

#[tokio::test]
async fn nobody_comes_in_by_what_was_granted_once() {
    let edge = filled().await;
    let lanes = u32::try_from(edge.lanes.len()).unwrap();
    let own = lane_of("acme", lanes);
    for (lane, is_barred) in (0..lanes).map(|lane| (lane, lane == 0 || lane == own)) {
        edge.lanes[lane as usize].send_modify(|status| status.is_past = true);
        let status = edge.get_as(TOKEN_OF_ACME, "/api/v1/places").await.status();
        assert_eq!(status, if is_barred { 503 } else { 200 }, "lane {lane} is decided again");
        assert_eq!(edge.get_as(TOKEN, "/api/v1/places").await.status(), 200, "who is on the machine has the ways out");
        edge.lanes[lane as usize].send_modify(|status| status.is_past = false);
        assert_eq!(edge.get_as(TOKEN_OF_ACME, "/api/v1/places").await.status(), 200);
    }
}
