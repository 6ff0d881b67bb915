//! Managers held against a naive model, which knows places as sets of all there are and follows no chain but by
//! recursion: random trees, grants, moves, revocations, removals, groups, places that come and go, tokens and passwords.

mod acts;
mod compare;
mod doors;
mod ground;
mod model;
mod ties;

use std::collections::BTreeSet;

use linesman_schemas::audit::Verdict;
use linesman_schemas::{Login, OrgName, Place, Principal, Privilege};

use super::*;
use crate::commands;
use crate::directory::{self, Directory};
use crate::managers::Known;
use crate::rights::{self, Asked, Need, Ruling};
use model::{Had, Model, PLACES, RIGHTS, STEPS, below, both, leak, org};
pub(super) use model::{Names, PRIVILEGES, Wish};

const LOGINS: [&str; 9] = ["admin", "bob", "cid", "dan", "acme/ann", "acme/ben", "acme/cal", "acme/dee", "bolt/eve"];

/// Numbers that look random, the same for the same seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % below as u64).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.next(of.len())]
    }

    fn some<'a>(&mut self, of: &[&'a str], chance: usize) -> BTreeSet<&'a str> {
        of.iter().filter(|_| self.next(chance) == 0).copied().collect()
    }
}

pub(super) struct World {
    pub(super) lane: Lane,
    pub(super) model: Model,
    dice: Dice,
    pub(super) log: Vec<String>,
}

pub(super) fn principal(login: &str) -> Principal {
    Principal::of_login(&login.parse().unwrap(), None)
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self::at(crate::level::NEWEST, seed)
    }

    /// A world at an engine level.
    pub(super) fn at(level: u32, seed: u64) -> Self {
        let mut lane = Lane::at(level);
        for org in ["acme", "bolt"] {
            lane.organization(org, "Send all information");
        }
        lane.rules(1, &[], Settings::default());
        for place in ["acme/a", "acme/a/1", "acme/b", "bolt/c"] {
            lane.command(place.split('/').next().unwrap(), &json!({"set_place": {"place": place}}));
        }
        let mut model = Model::default();
        model.managers.insert("admin", Had::everything());
        model.ground = PLACES.into();
        Self { lane, model, dice: Dice(seed), log: Vec::new() }
    }

    /// Asks as somebody; whether it was done.
    pub(super) fn ask(&mut self, asker: &str, org: Option<&str>, verb: &Value) -> Verdict {
        let id = format!("m{}", self.lane.sequence);
        let command = json!({"id": id, "principal": principal(asker), "node": "test", "verb": verb});
        match org {
            Some(org) => drop(self.lane.take(org, "cmd", command.to_string().as_bytes())),
            None => {
                let command = serde_json::from_value(command).unwrap();
                self.lane.decide("", "ctl", b"", Content::Command(Box::new(command)));
                self.lane.commit();
            }
        }
        let org: Option<OrgName> = org.map(|org| org.parse().unwrap());
        let row = self.lane.row(&commands::key(org.as_ref(), &id)).unwrap();
        self.log.push(format!("{asker}: {verb} -> {:?} {}", row.verdict, row.detail));
        row.verdict
    }

    fn check(&self, verdict: Verdict, is_right: bool) {
        assert_eq!(verdict == Verdict::Done, is_right, "{:#?}\n{}", self.model, self.log.join("\n"));
    }
}

#[test]
fn nobody_does_what_the_chain_does_not_allow_and_all_else_is_allowed() {
    let seed = std::env::var("LINESMAN_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds: Vec<u64> = seed.map_or_else(|| (1..=24).collect(), |seed| vec![seed]);
    let mut done = [0_usize; 2];
    let least = 5 * seeds.len();
    for seed in seeds {
        let mut world = World::new(seed);
        // Somebody is there from the beginning.
        for (org, verb) in [
            (
                None,
                json!({"manager": "bob", "sphere": ["/"], "privileges": PRIVILEGES, "rights": {"policies": true, "cases": true, "organizations": true, "audit": true, "incidents": "delegate"}}),
            ),
            (Some("acme"), json!({"manager": "ann", "sphere": ["acme"], "privileges": PRIVILEGES})),
        ] {
            assert_eq!(world.ask("admin", org, &json!({"set_manager": verb})), Verdict::Done, "{:?}", world.log);
        }
        let all =
            Wish { places: Some(["/"].into()), privileges: Some(PRIVILEGES.into()), rights: Some((RIGHTS.into(), 3)) };
        world.model.set("admin", "bob", &all);
        world.model.set("admin", "acme/ann", &Wish { places: Some(["acme"].into()), rights: None, ..all });
        for _ in 0..120 {
            // Of every other many go.
            match world.dice.next(if seed % 2 == 0 { 15 } else { 19 }) {
                0..5 => world.set(),
                5 | 6 => world.group(),
                7 => world.make_place(),
                8 => world.remove_place(),
                9 | 10 => world.issue(),
                11 => world.revoke(),
                12 => world.password(),
                13 => world.bequeath(),
                _ => world.remove(),
            }
            let minutes = i64::try_from(world.dice.next(3)).unwrap();
            world.lane.now += jiff::SignedDuration::from_mins(minutes);
            let is_done = world.log.last().is_some_and(|line| line.contains("-> Done"));
            done[usize::from(is_done)] += 1;
            world.compare();
            world.compare_tokens();
            if world.dice.next(3) == 0 {
                world.slice();
                world.compare();
            }
        }
        world.lane.work();
        world.compare();
        world.nobody_is_granted_anything_by_who_is_gone();
        world.compare_tokens();
    }
    assert!(done.iter().all(|count| *count > least), "both happen often: {done:?}");
}

#[test]
fn a_login_that_is_made_again_is_another_one() {
    let mut world = World::new(0);
    let make = |name: &str, privileges: &[&str]| json!({"set_manager": {"manager": name, "sphere": ["acme"], "privileges": privileges}});
    world.ask("admin", Some("acme"), &make("ann", &PRIVILEGES));
    world.ask("acme/ann", Some("acme"), &make("ben", &["activation", "managers"]));
    world.ask("admin", Some("acme"), &json!({"remove_manager": {"manager": "ann"}}));
    world.ask("admin", Some("acme"), &make("ann", &[]));
    let known = |world: &World| {
        let directory = Directory::default();
        let known = Known::new(&directory, &world.lane.base);
        rights::effective(&known, &principal("acme/ben"), world.lane.now).unwrap().unwrap()
    };
    let ben = known(&world);
    assert_eq!(ben.chain, vec!["admin".parse::<Login>().unwrap()], "she is nobody's granter");
    assert_eq!(serde_json::to_value(ben.privileges).unwrap(), json!(["activation", "managers"]));
    // What is granted anew is not held back by whoever is gone.
    world.ask("admin", Some("acme"), &make("ben", &PRIVILEGES));
    assert_eq!(known(&world).privileges, linesman_schemas::Privileges::all());
}

#[test]
fn a_place_goes_with_what_hangs_on_it_only_when_told() {
    let mut world = World::new(0);
    world.lane.bundle("acme", "r1", 1, "High");
    for (name, sphere) in [("ann", json!(["acme/a/1"])), ("ben", json!(["acme/a", "acme/b"]))] {
        let verb = json!({"set_manager": {"manager": name, "sphere": sphere, "privileges": []}});
        assert_eq!(world.ask("admin", Some("acme"), &verb), Verdict::Done);
    }
    world.ask("admin", Some("acme"), &json!({"set_place": {"place": "acme/a/1", "device": "r1"}}));
    world.ask("admin", Some("acme"), &json!({"tie_device": {"serial_number": "SNr1", "place": "acme/a"}}));
    let remove = |cascade: bool| json!({"remove_place": {"place": "acme/a", "cascade": cascade}});
    assert_eq!(world.ask("admin", Some("acme"), &remove(false)), Verdict::Conflict);
    let told = world.log.last().unwrap();
    assert!(
        told.ends_with("on `acme/a` hang 1 access line, 2 managers, 2 devices; they go too with `cascade`"),
        "{told}"
    );
    assert_eq!(world.ask("acme/ben", Some("acme"), &remove(true)), Verdict::Forbidden, "{:?}", world.log.last());
    assert_eq!(world.ask("admin", Some("acme"), &remove(true)), Verdict::Done);
    let row = |name: &str| world.lane.row(&crate::managers::key(&format!("acme/{name}").parse().unwrap()));
    assert!(row("ann").is_none(), "she had nothing else");
    assert_eq!(serde_json::to_value(row("ben").unwrap().grant.sphere).unwrap(), json!(["acme/b"]));
    let ties = world.lane.base.rows().into_keys().filter(|key| matches!(key.first(), Some(b'D' | b'T'))).count();
    assert_eq!(ties, 0);
}

#[test]
fn only_the_provider_defines_places_and_lines_need_their_site() {
    let mut world = World::new(0);
    let ann = json!({"set_manager": {"manager": "ann", "sphere": ["acme"], "privileges": PRIVILEGES}});
    world.ask("admin", Some("acme"), &ann);
    let set = |place: &str| json!({"set_place": {"place": place}});
    assert_eq!(world.ask("acme/ann", Some("acme"), &set("acme/c")), Verdict::Forbidden);
    let told = world.log.last().unwrap();
    assert!(told.ends_with("`acme/ann` has not the right `organizations` on `acme/c`"), "{told}");
    assert_eq!(world.ask("acme/ann", Some("bolt"), &set("bolt/c")), Verdict::NotFound);
    let outside = world.log.pop().unwrap();
    assert_eq!(world.ask("acme/ann", Some("bolt"), &set("bolt/x")), Verdict::NotFound);
    assert_eq!(outside.replace("bolt/c", "bolt/x"), *world.log.last().unwrap(), "what is there is as what is not");
    assert_eq!(world.ask("admin", Some("acme"), &set("acme/c/1")), Verdict::NotFound);
}
