//! A place that goes is taken out of all spheres, the provider's too, before there is one of its name again.

use linesman_schemas::audit::Verdict;
use linesman_schemas::{OrgName, Place, PlacePath};

use super::managers::{World, principal};
use super::*;
use crate::audit::{Log, Owner};
use crate::commands;
use crate::managers::{self, Known};
use crate::rights::{self, Asked, Need, Ruling};
use crate::{directory, removals, sections, tokens};

const HASH: &str = "abababababababababababababababababababababababababababababababab";

impl World {
    /// Somebody of the provider's and of acme, and tokens, with spheres at `acme/a` and below.
    fn with_people() -> Self {
        let mut world = Self::new(0);
        let manager = |name: &str, sphere: Value| json!({"set_manager": {"manager": name, "sphere": sphere}});
        let token = |name: &str, sphere: Value| json!({"issue_token": {"manager": name, "token": "ci", "hash": HASH, "sphere": sphere}});
        for (asker, org, verb) in [
            ("admin", None, manager("bob", json!(["acme/a", "bolt"]))),
            ("admin", None, manager("mia", json!(["acme/a/1"]))),
            ("admin", None, manager("sam", json!(["acme/b"]))),
            ("bob", None, token("bob", json!(["acme/a/1"]))),
            ("admin", Some("acme"), manager("ann", json!(["acme"]))),
            ("acme/ann", Some("acme"), token("ann", json!(["acme/a"]))),
        ] {
            assert_eq!(world.ask(asker, org, &verb), Verdict::Done, "{:?}", world.log);
        }
        world
    }

    fn told(&self) -> &str {
        self.log.last().unwrap().rsplit_once("-> ").unwrap().1
    }

    /// The engine asks lane 0 to take a place out of spheres, as it found them in a version of the rule book.
    pub(super) fn clear(&mut self, place: &str, rule_book: u64) -> (Verdict, String) {
        let id = format!("clear-{}", self.lane.sequence);
        let verb = json!({"clear_place": {"place": place, "rule_book": rule_book}});
        let command = json!({"id": id, "principal": {"kind": "machine"}, "node": "test", "verb": verb});
        self.lane.decide("", "ctl", b"", Content::Command(serde_json::from_value(command).unwrap()));
        self.lane.commit();
        let row = self.lane.row(&commands::key(None, &id)).unwrap();
        (row.verdict, row.detail)
    }

    pub(super) fn version(&self) -> u64 {
        sections::read(&self.lane.base).unwrap().version
    }

    fn sphere(&self, login: &str) -> Value {
        json!(self.lane.row(&managers::key(&login.parse().unwrap())).unwrap().grant.sphere)
    }

    fn sphere_of_token(&self, owner: &str) -> Value {
        json!(self.lane.row(&tokens::key(&owner.parse().unwrap(), &"ci".parse().unwrap())).unwrap().sphere)
    }

    fn sees(&self, principal: &linesman_schemas::Principal, place: &str) -> bool {
        let directory = Directory::of(directory::read(&self.lane.base).unwrap());
        let known = Known::new(&directory, &self.lane.base);
        let place: Place = place.parse().unwrap();
        let asked = Asked { principal, need: Need::Sight, place: &place, is_within: false, now: self.lane.now };
        rights::may(&known, &asked).unwrap() == Ruling::Allowed
    }
}

fn gone(lane: &Lane) -> Vec<String> {
    removals::all(&lane.base).map(|place| place.unwrap().to_string()).collect()
}

fn remove(place: &str, cascade: bool) -> Value {
    json!({"remove_place": {"place": place, "cascade": cascade}})
}

fn set(place: &str) -> Value {
    json!({"set_place": {"place": place}})
}

const STILL: &str = "Conflict a `acme/a` that is gone is still being taken out of spheres: try again in a moment";

#[test]
fn what_the_providers_people_and_tokens_have_of_a_place_hangs_on_it_and_goes_with_it() {
    let mut world = World::with_people();
    assert_eq!(world.ask("admin", Some("acme"), &remove("acme/a", false)), Verdict::Conflict);
    assert_eq!(
        world.told(),
        "Conflict on `acme/a` hang 1 access line, 1 token, 2 managers of the provider, 1 token of the provider; they go \
         too with `cascade`"
    );
    let owner = Owner::Organization("acme".parse().unwrap());
    let log = Log::open(&world.lane.base, &owner).unwrap();
    let (_, words) = log.record(log.head().size() - 1).unwrap().unwrap();
    assert_eq!(
        words, "something hangs on `acme/a`",
        "whoever sees the place reads the record, and not what reaches beyond"
    );
    assert_eq!(world.ask("admin", Some("acme"), &remove("acme/a", true)), Verdict::Done);
    assert_eq!(world.sphere_of_token("acme/ann"), json!([]), "nothing is not everything");
    let last = |world: &World, owner: &Owner| {
        let log = Log::open(&world.lane.base, owner).unwrap();
        log.record(log.head().size() - 1).unwrap().unwrap().0
    };
    let record = last(&world, &owner);
    assert_eq!((&record.old["tokens"], &record.old["managers"]), (&json!(["acme/ann ci"]), &json!([])));
    assert_eq!(record.old["of_provider"], json!({"managers": 2, "tokens": 1}), "their names are the provider's");
    assert_eq!(gone(&world.lane), ["acme/a"]);

    // As long as they name it there is none of its name.
    assert_eq!(world.ask("admin", Some("acme"), &set("acme/a")), Verdict::Conflict);
    assert_eq!(world.told(), STILL);
    let version = world.version();
    let older = format!("the rule book has version {version} by now, and was looked at in version {}", version - 1);
    assert_eq!(world.clear("acme/a", version - 1), (Verdict::Conflict, older));
    assert_eq!(world.sphere("bob"), json!(["bolt", "acme/a"]));
    assert_eq!(world.clear("acme/a", version), (Verdict::Done, "cleared".to_owned()));
    assert!(gone(&world.lane).is_empty());
    assert_eq!(world.sphere("bob"), json!(["bolt"]));
    assert_eq!(world.sphere("mia"), json!([]), "she is still there, and sees by groups alone");
    assert_eq!(world.sphere("sam"), json!(["acme/b"]));
    assert_eq!(world.sphere_of_token("bob"), json!([]));
    let record = last(&world, &Owner::Provider(0));
    assert_eq!((record.operation.as_str(), record.about.as_deref()), ("clear-place", Some("acme/a")));
    let before =
        json!({"managers": {"bob": ["bolt", "acme/a"], "mia": ["acme/a/1"]}, "tokens": {"bob ci": ["acme/a/1"]}});
    let after = json!({"managers": {"bob": ["bolt"], "mia": []}, "tokens": {"bob ci": []}});
    assert_eq!((record.old, record.new), (before, after));
    assert!(world.version() > version, "the other lanes are told");

    // Whoever makes one of its name again gives none of them sight of it.
    for place in ["acme/a", "acme/a/1"] {
        assert_eq!(world.ask("admin", Some("acme"), &set(place)), Verdict::Done, "{:?}", world.log);
        for login in ["bob", "mia", "acme/ann"] {
            let by_token = linesman_schemas::Principal::of_login(&login.parse().unwrap(), Some("ci".parse().unwrap()));
            assert_eq!(world.sees(&principal(login), place), login == "acme/ann", "{login} at {place}");
            assert!(!world.sees(&by_token, place), "{login} at {place}");
        }
    }
    // What is asked twice, or late, changes nothing.
    let rows = world.sphere("bob");
    assert_eq!(world.clear("acme/a", version).0, Verdict::Conflict);
    assert_eq!(world.sphere("bob"), rows);
}

#[test]
fn only_the_engine_takes_places_out_of_spheres_and_from_level_5_on() {
    let mut world = World::with_people();
    let verb = json!({"clear_place": {"place": "acme/a", "rule_book": world.version()}});
    assert_eq!(world.ask("admin", None, &verb), Verdict::Forbidden);
    assert_eq!(world.told(), "Forbidden `admin` has not to be the engine itself on `/`");
    assert_eq!(world.ask("admin", Some("acme"), &verb), Verdict::Invalid);

    let mut lane = Lane::at(4);
    lane.organization("acme", "Send all information");
    lane.command("acme", &set("acme/a"));
    for verb in [json!({"set_manager": {"manager": "bob", "sphere": ["acme/a"]}}), verb] {
        let command = json!({"id": format!("c{}", lane.sequence), "actor": "admin", "node": "test", "verb": verb});
        lane.decide("", "ctl", b"", Content::Command(serde_json::from_value(command).unwrap()));
        lane.commit();
    }
    let dead = lane.events.iter().find_map(|(subject, event)| subject.starts_with("_provider.dead").then_some(event));
    assert_eq!(dead.unwrap().data["detail"], "`clear-place` is asked for from engine level 5 on");
    lane.command("acme", &remove("acme/a", false));
    assert!(lane.row(&crate::places::key(&"acme/a".parse().unwrap())).is_none(), "level 4 does not know of them");
    lane.command("acme", &set("acme/a"));
    assert!(lane.row(&crate::places::key(&"acme/a".parse().unwrap())).is_some());
}

/// A lane that is not lane 0, with acme and a directory as lane 0 composed it.
struct Other {
    lane: Lane,
    version: u64,
}

impl Other {
    fn new() -> Self {
        let mut lane = Lane::new();
        lane.number = 1;
        lane.domain = open(&lane.base, &lane.judge, None, 1);
        lane.organization("acme", "Send all information");
        for place in ["acme/a", "acme/a/1"] {
            lane.command("acme", &set(place));
        }
        let mut other = Self { lane, version: 0 };
        other.judged_by(&[("admin", &["/"])]);
        other
    }

    /// Another directory applies: who has which sphere.
    fn judged_by(&mut self, people: &[(&str, &[&str])]) {
        let granter = directory::admin().granter();
        let person = |(name, sphere): &(&str, &[&str])| {
            let grant = json!({"sphere": sphere, "privileges": [], "rights": {}, "granter": granter});
            json!({"name": name, "number": 7, "grant": grant})
        };
        self.judged_by_all(json!({"people": people.iter().map(person).collect::<Vec<_>>()}));
    }

    /// Another directory applies, as its section is.
    fn judged_by_all(&mut self, section: Value) {
        self.lane.directory = Arc::new(Directory::of(serde_json::from_value(section).unwrap()));
        self.version += 1;
        self.lane.rules(self.version, &[], Settings::default());
    }

    fn ask(&mut self, verb: &Value) -> (Verdict, String) {
        let id = format!("c{}", self.lane.sequence);
        self.lane.command("acme", verb);
        let org: OrgName = "acme".parse().unwrap();
        let row = self.lane.row(&commands::key(Some(&org), &id)).unwrap();
        (row.verdict, row.detail)
    }

    fn has(&self, place: &str) -> bool {
        let place: PlacePath = place.parse().unwrap();
        self.lane.row(&crate::places::key(&place)).is_some()
    }
}

#[test]
fn another_lane_keeps_what_is_gone_until_the_directory_names_it_no_more() {
    for reopens in [false, true] {
        let mut other = Other::new();
        other.lane.reopens = reopens;
        other.judged_by(&[("bob", &["acme/a/1", "bolt"])]);
        let told = "on `acme/a` hang 1 access line, 1 manager of the provider; they go too with `cascade`";
        assert_eq!(other.ask(&remove("acme/a", false)), (Verdict::Conflict, told.to_owned()));
        assert_eq!(other.ask(&remove("acme/a", true)), (Verdict::Done, "removed".to_owned()));
        assert_eq!(gone(&other.lane), ["acme/a"]);
        let still = (Verdict::Conflict, STILL.strip_prefix("Conflict ").unwrap().to_owned());
        assert_eq!(other.ask(&set("acme/a")), still);
        // What else changes of the directory does not end it.
        other.judged_by(&[("bob", &["acme/a/1"]), ("mia", &["bolt"])]);
        assert_eq!(gone(&other.lane), ["acme/a"]);
        assert_eq!(other.ask(&set("acme/a")), still);
        other.judged_by(&[("bob", &[]), ("mia", &["bolt"])]);
        assert!(gone(&other.lane).is_empty());
        assert_eq!(other.ask(&set("acme/a")), (Verdict::Done, "created".to_owned()));
    }
}

/// Somebody was granted it while it went.
#[test]
fn a_place_that_somebodys_sphere_names_already_is_not_made_before_it_is_taken_out() {
    let mut other = Other::new();
    assert_eq!(other.ask(&remove("acme/a", true)).0, Verdict::Done);
    assert!(gone(&other.lane).is_empty(), "nobody names it");
    other.judged_by(&[("bob", &["acme/a"])]);
    assert_eq!(other.ask(&set("acme/a")).0, Verdict::Conflict);
    assert_eq!(gone(&other.lane), ["acme/a"], "from here on it is taken out");
    assert!(!other.has("acme/a"));
    other.judged_by(&[]);
    assert_eq!(other.ask(&set("acme/a")).0, Verdict::Done);
    assert!(gone(&other.lane).is_empty());
}

/// The same of a token of the provider's people, and of a group that sees it by what somebody left who is gone.
#[test]
fn a_place_that_a_token_or_what_is_left_to_a_group_names_already_is_not_made_before_it_is_taken_out() {
    let admin = json!(directory::admin().granter());
    let token = |sphere: Value| {
        let attenuation = json!({"expires": null, "sphere": sphere, "privileges": null, "rights": null});
        json!({"people": [], "tokens": [{"owner": "bob", "name": "ci", "attenuation": attenuation}]})
    };
    let left = |sphere: Value| {
        let was = json!({"login": "bob", "number": 7});
        let grant = json!({"sphere": sphere, "privileges": [], "rights": {}, "granter": admin});
        let group = json!({"name": "g", "members": [], "organizations": ["acme"], "device_groups": [], "granter": was});
        json!({"people": [], "gone": [{"was": was, "grant": grant}], "groups": [group]})
    };
    let directories: [&dyn Fn(Value) -> Value; 2] = [&token, &left];
    for directory in directories {
        // With a site go its lines, and what is above is there.
        for named in ["acme/a", "acme/a/1"] {
            let mut other = Other::new();
            assert_eq!(other.ask(&remove("acme/a", true)).0, Verdict::Done);
            assert!(gone(&other.lane).is_empty(), "nobody names it");
            other.judged_by_all(directory(json!([named, "acme/b", "bolt/c"])));
            assert_eq!(gone(&other.lane), [named, "acme/b"], "of an organization of this lane what is not there");
            assert_eq!(other.ask(&set("acme/b")).0, Verdict::Conflict);
            other.judged_by_all(directory(json!(["acme/b"])));
            assert_eq!(gone(&other.lane), ["acme/b"]);
            assert_eq!(other.ask(&set(named.split_at(6).0)).0, Verdict::Done);
            other.judged_by_all(directory(json!([])));
            assert_eq!(other.ask(&set("acme/b")).0, Verdict::Done);
            assert!(gone(&other.lane).is_empty());
        }
    }
}

#[test]
fn whom_somebody_has_granted_anything_does_not_come_by_a_place_again_that_somebody_has_left_with() {
    let mut world = World::new(0);
    let all = json!(["managers"]);
    let manager =
        |name: &str, sphere: &[&str]| json!({"set_manager": {"manager": name, "sphere": sphere, "privileges": all}});
    for (asker, verb) in [
        ("admin", manager("ann", &["acme"])),
        ("acme/ann", manager("ben", &["acme"])),
        ("admin", manager("ann", &["acme/a"])),
    ] {
        assert_eq!(world.ask(asker, Some("acme"), &verb), Verdict::Done, "{:?}", world.log);
    }
    assert!(world.sees(&principal("acme/ben"), "acme/a"));
    assert_eq!(world.ask("admin", Some("acme"), &remove("acme/a", true)), Verdict::Done);
    assert_eq!(world.ask("admin", Some("acme"), &set("acme/a")), Verdict::Done);
    assert!(!world.sees(&principal("acme/ben"), "acme/a"));
    world.lane.work();
    assert!(!world.sees(&principal("acme/ben"), "acme/a"));
}

/// At `level`: bob ties a group to acme, is left `acme/a` of it, and goes; then `acme/a` goes and is to be made again.
fn left_to_a_group(level: u32) -> World {
    let mut world = World::at(level, 0);
    let manager = |name: &str, sphere: &str| json!({"set_manager": {"manager": name, "sphere": [sphere], "privileges": ["managers"]}});
    let group = json!({"set_group": {"group": "g", "members": ["cid"], "organizations": ["acme"]}});
    for (asker, org, verb) in [
        ("admin", None, manager("bob", "acme")),
        ("admin", None, manager("cid", "acme/b")),
        ("bob", None, group),
        ("admin", None, manager("bob", "acme/a")),
        ("admin", None, json!({"remove_manager": {"manager": "bob"}})),
    ] {
        assert_eq!(world.ask(asker, org, &verb), Verdict::Done, "{:?}", world.log);
    }
    assert!(world.sees(&principal("cid"), "acme/a") && !world.sees(&principal("cid"), "acme"));
    assert_eq!(world.ask("admin", Some("acme"), &remove("acme/a/1", false)), Verdict::Done, "who is gone is nobody");
    assert_eq!(world.ask("admin", Some("acme"), &remove("acme/a", false)), Verdict::Done, "who is gone is nobody");
    world
}

#[test]
fn what_somebody_who_is_gone_left_to_a_group_goes_with_its_place() {
    let mut world = left_to_a_group(7);
    assert_eq!(gone(&world.lane), ["acme/a"]);
    assert_eq!(world.ask("admin", Some("acme"), &set("acme/a")), Verdict::Conflict);
    assert_eq!(world.told(), STILL);
    let version = world.version();
    assert_eq!(world.clear("acme/a", version), (Verdict::Done, "cleared".to_owned()));
    assert!(gone(&world.lane).is_empty() && world.version() > version, "the other lanes are told");
    let log = Log::open(&world.lane.base, &Owner::Provider(0)).unwrap();
    let record = log.record(log.head().size() - 1).unwrap().unwrap().0;
    assert_eq!(record.old, json!({"managers": {}, "tokens": {}, "groups": {"g": ["acme/a"]}}));
    assert_eq!(record.new, json!({"managers": {}, "tokens": {}, "groups": {"g": []}}));
    assert_eq!(world.ask("admin", Some("acme"), &set("acme/a")), Verdict::Done, "{:?}", world.log);
    assert!(!world.sees(&principal("cid"), "acme/a"), "it is another place");
    assert!(world.sees(&principal("cid"), "acme/b"));
}

/// What is tied anew by somebody who stays is theirs to tie.
#[test]
fn a_group_that_is_tied_anew_is_not_held_back_by_somebody_who_is_gone() {
    for (level, is_seen) in [(7, false), (8, true)] {
        let mut world = left_to_a_group(level);
        let version = world.version();
        assert_eq!(world.clear("acme/a", version).0, Verdict::Done);
        let tie = json!({"set_group": {"group": "g", "organizations": ["acme", "bolt"]}});
        assert_eq!(world.ask("admin", None, &tie), Verdict::Done, "{:?}", world.log);
        for place in ["acme", "bolt"] {
            assert_eq!(world.sees(&principal("cid"), place), is_seen, "{place} at level {level}");
        }
    }
}

#[test]
fn what_is_left_of_a_groups_ties_stays_as_far_as_somebody_who_is_gone_had_it() {
    let mut world = World::new(0);
    let manager = |name: &str, sphere: &[&str]| json!({"set_manager": {"manager": name, "sphere": sphere, "privileges": ["managers"]}});
    let tied = |org: &str| json!({"organization": org, "name": "lab"});
    let group = |rest: Value| {
        let mut settings = json!({"group": "g"});
        settings.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        json!({"set_group": settings})
    };
    for (asker, verb) in [
        ("admin", manager("bob", &["acme", "bolt"])),
        ("admin", manager("cid", &["acme/b"])),
        ("bob", group(json!({"members": ["cid"], "organizations": ["acme", "bolt"], "device_groups": [tied("bolt")]}))),
        ("admin", manager("bob", &["acme/a"])),
        ("admin", json!({"remove_manager": {"manager": "bob"}})),
        // Who changes its members ties nothing.
        ("admin", group(json!({"members": ["cid"]}))),
    ] {
        assert_eq!(world.ask(asker, None, &verb), Verdict::Done, "{:?}", world.log);
    }
    let seen = |world: &World| ["acme/a", "acme", "bolt"].map(|place| world.sees(&principal("cid"), place));
    assert_eq!(seen(&world), [true, false, false]);
    assert_eq!(world.ask("admin", None, &group(json!({"device_groups": [tied("acme")]}))), Verdict::Invalid);
    assert_eq!(world.told(), "Invalid `g` has a part of `acme` by somebody who is gone: say its `organizations` too");
    assert_eq!(world.ask("admin", None, &group(json!({"device_groups": []}))), Verdict::Done, "{:?}", world.log);
    assert_eq!(seen(&world), [true, false, false]);
    let all = group(json!({"organizations": ["acme"], "device_groups": [tied("bolt")]}));
    assert_eq!(world.ask("admin", None, &all), Verdict::Done, "{:?}", world.log);
    assert_eq!(seen(&world), [true, true, false]);
    let directory = directory::read(&world.lane.base).unwrap();
    assert_eq!(directory.groups[0].granter, directory::admin().granter());
}

#[test]
fn before_level_7_a_group_is_left_what_comes_again() {
    let mut world = left_to_a_group(6);
    assert!(gone(&world.lane).is_empty());
    assert_eq!(world.ask("admin", Some("acme"), &set("acme/a")), Verdict::Done);
    assert!(world.sees(&principal("cid"), "acme/a"));
}

#[test]
fn nobody_takes_a_place_out_of_their_own_sphere_or_of_one_above_them() {
    let mut world = World::new(0);
    let rights = json!({"organizations": true});
    for (granter, name, sphere) in [
        ("admin", "bob", json!(["acme"])),
        ("bob", "zed", json!(["acme/a"])),
        ("zed", "yan", json!(["acme/a"])),
        ("yan", "xia", json!(["acme/a/1"])),
    ] {
        let verb =
            json!({"set_manager": {"manager": name, "sphere": sphere, "privileges": ["managers"], "rights": rights}});
        assert_eq!(world.ask(granter, None, &verb), Verdict::Done, "{:?}", world.log);
    }
    for (asker, place, told) in [
        ("xia", "acme/a/1", "nobody changes what they were granted themselves: `acme/a/1` is in the sphere of `xia`"),
        ("yan", "acme/a", "nobody changes what they were granted themselves: `acme/a` is in the sphere of `yan`"),
    ] {
        for cascade in [false, true] {
            assert_eq!(world.ask(asker, Some("acme"), &remove(place, cascade)), Verdict::Forbidden);
            assert_eq!(world.told(), format!("Forbidden {told}"));
        }
    }
    let narrow = json!({"set_manager": {"manager": "yan", "sphere": ["acme"]}});
    assert_eq!(world.ask("bob", None, &narrow), Verdict::Done);
    assert_eq!(world.ask("yan", Some("acme"), &remove("acme/a", true)), Verdict::Forbidden);
    assert_eq!(world.told(), "Forbidden `acme/a` is in the sphere of `zed`, who stands above `yan`");
    assert_eq!(world.sphere("zed"), json!(["acme/a"]));
    // Whose it is below them goes, as does what nobody above them was granted by name.
    assert_eq!(world.ask("yan", Some("acme"), &remove("acme/a/1", true)), Verdict::Done, "{:?}", world.log);
    assert_eq!(world.ask("bob", Some("acme"), &remove("acme/a", true)), Verdict::Done, "{:?}", world.log);
}
