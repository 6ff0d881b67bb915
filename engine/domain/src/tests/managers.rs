//! Managers held against a naive model, which knows places as sets of all there are and follows no chain but by
//! recursion: random trees, grants, moves, revocations, removals, groups, places that come and go; tokens and passwords
//! are in `managers/doors.rs`.

mod doors;
mod ground;

use std::collections::{BTreeMap, BTreeSet};

use linesman_schemas::audit::Verdict;
use linesman_schemas::{Login, OrgName, Place, Principal, Privilege};

use super::*;
use crate::commands;
use crate::directory::{self, Directory};
use crate::managers::Known;
use crate::rights::{self, Asked, Need, Ruling};

const PLACES: [&str; 7] = ["/", "acme", "acme/a", "acme/a/1", "acme/b", "bolt", "bolt/c"];
pub(super) const PRIVILEGES: [&str; 4] = ["subscription", "substitution", "activation", "managers"];
const RIGHTS: [&str; 4] = ["policies", "cases", "organizations", "audit"];
const STEPS: [&str; 4] = ["none", "own", "any", "delegate"];
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

pub(super) type Names = BTreeSet<&'static str>;

/// What somebody was granted, as the model has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Had {
    /// Every place in the sphere.
    places: Names,
    privileges: Names,
    rights: Names,
    step: usize,
    pub(super) granter: Option<&'static str>,
}

/// All places at and below some.
fn below(places: &Names) -> Names {
    let is_below = |place: &str| {
        places.iter().any(|above| *above == "/" || *above == place || place.starts_with(&format!("{above}/")))
    };
    PLACES.into_iter().filter(|place| is_below(place)).collect()
}

fn both(a: &Names, b: &Names) -> Names {
    a.intersection(b).copied().collect()
}

impl Had {
    fn everything() -> Self {
        Self { places: PLACES.into(), privileges: PRIVILEGES.into(), rights: RIGHTS.into(), step: 3, granter: None }
    }

    fn and(&self, other: &Self) -> Self {
        Self {
            places: both(&self.places, &other.places),
            privileges: both(&self.privileges, &other.privileges),
            rights: both(&self.rights, &other.rights),
            step: self.step.min(other.step),
            granter: other.granter,
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Tied {
    members: Names,
    organizations: Names,
    /// The organizations of which it has a device group.
    device_groups: Names,
    granter: &'static str,
    /// What the granter had that is gone since.
    cut: Vec<Had>,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) managers: BTreeMap<&'static str, Had>,
    groups: BTreeMap<&'static str, Tied>,
    /// The places that are there.
    ground: Names,
    tokens: BTreeMap<(&'static str, &'static str), doors::Key>,
}

fn org(login: &str) -> Option<&str> {
    login.split_once('/').map(|(org, _)| org)
}

impl Model {
    fn effective(&self, login: &str) -> Option<Had> {
        let own = self.managers.get(login)?;
        match own.granter {
            None => Some(own.clone()),
            Some(granter) => Some(own.and(&self.effective(granter)?)),
        }
    }

    fn is_above(&self, above: &str, login: &str) -> bool {
        let granter = self.managers.get(login).and_then(|had| had.granter);
        granter.is_some_and(|granter| granter == above || self.is_above(above, granter))
    }

    /// Whether somebody sees another as one to manage.
    fn sees(&self, asker: &str, other: &str) -> bool {
        let (held, had) = (self.effective(asker).unwrap(), &self.managers[other]);
        (org(other).is_some() || org(asker).is_none())
            && had.places.is_subset(&held.places)
            && (!had.places.is_empty() || held.places.contains("/"))
            && self.tied(other).is_subset(&held.places)
    }

    /// What the groups are tied to that somebody is in.
    fn tied(&self, login: &str) -> Names {
        let groups = self.groups.values().filter(|group| group.members.contains(login));
        groups.flat_map(|group| group.organizations.union(&group.device_groups).copied()).collect()
    }

    fn manages(&self, asker: &str, other: &str) -> bool {
        asker != other && other != "admin" && self.sees(asker, other) && !self.is_above(other, asker)
    }

    fn may_set(&self, asker: &'static str, login: &'static str, wish: &Wish) -> bool {
        let Some(held) = self.effective(asker) else { return false };
        let is_new = !self.managers.contains_key(login);
        let is_at_home = org(asker) == org(login)
            || (org(asker).is_none() && org(login).is_some_and(|org| self.touches(asker, org)));
        let places = wish.places.as_ref();
        let is_within = places.is_none_or(|places| {
            below(places).is_subset(&held.places)
                && places
                    .iter()
                    .all(|place| org(login).is_none_or(|org| *place == org || place.starts_with(&format!("{org}/"))))
                && (org(login).is_none() || places.is_subset(&self.ground))
        });
        let has_some = (org(login).is_none() && held.places.contains("/"))
            || places.map_or(!is_new && !self.managers[login].places.is_empty(), |places| !places.is_empty());
        is_at_home
            && held.privileges.contains("managers")
            && (is_new || self.manages(asker, login))
            && is_within
            && has_some
            && wish.privileges.as_ref().is_none_or(|given| given.is_subset(&held.privileges))
            && wish.rights.as_ref().is_none_or(|(rights, step)| {
                rights.is_subset(&held.rights)
                    && *step <= held.step
                    && (org(login).is_none() || (rights.is_empty() && *step == 0))
            })
    }

    fn may_remove(&self, asker: &'static str, login: &'static str) -> bool {
        let Some(held) = self.effective(asker) else { return false };
        let is_at_home = org(asker) == org(login)
            || (org(asker).is_none() && org(login).is_some_and(|org| self.touches(asker, org)));
        is_at_home
            && held.privileges.contains("managers")
            && self.managers.contains_key(login)
            && self.manages(asker, login)
    }

    pub(super) fn set(&mut self, asker: &'static str, login: &'static str, wish: &Wish) {
        let had = self.managers.entry(login).or_insert_with(|| Had { granter: Some(asker), ..Had::default() });
        if let Some(places) = &wish.places {
            had.places = below(places);
        }
        if let Some(privileges) = &wish.privileges {
            had.privileges.clone_from(privileges);
        }
        if let Some((rights, step)) = &wish.rights {
            had.rights.clone_from(rights);
            had.step = *step;
        }
    }

    /// Whoever was granted something by somebody who goes is their granter's, intersected.
    pub(super) fn remove(&mut self, login: &'static str) {
        let gone = self.managers.remove(login).unwrap();
        self.tokens.retain(|(owner, _), _| *owner != login);
        for had in self.managers.values_mut().filter(|had| had.granter == Some(login)) {
            *had = had.and(&gone);
        }
        for group in self.groups.values_mut() {
            group.members.remove(login);
            if group.granter == login {
                group.granter = gone.granter.unwrap();
                group.cut.push(gone.clone());
            }
        }
    }

    /// What somebody sees by groups.
    fn by_groups(&self, login: &str) -> Names {
        let groups = self.groups.values().filter(|group| group.members.contains(login));
        let seen = groups.flat_map(|group| {
            let held = self.effective(group.granter).unwrap();
            let tied = both(&below(&group.organizations), &held.places);
            group.cut.iter().fold(tied, |seen, cut| both(&seen, &cut.places))
        });
        seen.collect()
    }

    fn sees_place(&self, login: &str, place: &str) -> bool {
        self.effective(login).is_some_and(|held| held.places.contains(place)) || self.by_groups(login).contains(place)
    }

    /// Whether somebody sees something at or below an organization.
    fn touches(&self, login: &str, org: &str) -> bool {
        PLACES.into_iter().any(|place| below(&[leak(org)].into()).contains(place) && self.sees_place(login, place))
            || self.device_groups(login).contains(org)
    }

    /// The organizations of which somebody sees a device group, and not all.
    fn device_groups(&self, login: &str) -> Names {
        let groups = self.groups.values().filter(|group| group.members.contains(login));
        let tied = groups.flat_map(|group| {
            let held = self.effective(group.granter).unwrap().places;
            let held = group.cut.iter().fold(held, |held, cut| both(&held, &cut.places));
            both(&group.device_groups, &held)
        });
        tied.filter(|org| !self.sees_place(login, org)).collect()
    }
}

/// One of the names there are.
fn leak(name: &str) -> &'static str {
    PLACES.into_iter().find(|place| *place == name).unwrap()
}

/// What is to be set; nothing stays.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) places: Option<Names>,
    pub(super) privileges: Option<Names>,
    pub(super) rights: Option<(Names, usize)>,
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
        let mut lane = Lane::with(&[]);
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

    fn set(&mut self) {
        let (asker, login) = (*self.dice.one(&LOGINS), *self.dice.one(&LOGINS));
        let dice = &mut self.dice;
        let wish = Wish {
            places: (dice.next(4) > 0).then(|| dice.some(&PLACES, 3)),
            privileges: (dice.next(4) > 0).then(|| dice.some(&PRIVILEGES, 2)),
            rights: (dice.next(2) > 0).then(|| match org(login) {
                Some(_) => (Names::new(), 0),
                None => (dice.some(&RIGHTS, 2), dice.next(4)),
            }),
        };
        let mut settings = json!({"manager": login.rsplit('/').next()});
        if let Some(places) = &wish.places {
            settings["sphere"] = json!(places);
        }
        if let Some(privileges) = &wish.privileges {
            settings["privileges"] = json!(privileges);
        }
        if let Some((rights, step)) = &wish.rights {
            settings["rights"] = rights.iter().map(|right| ((*right).to_owned(), json!(true))).collect();
            settings["rights"]["incidents"] = json!(STEPS[*step]);
        }
        let is_right = self.model.may_set(asker, login, &wish);
        let verdict = self.ask(asker, org(login), &json!({"set_manager": settings}));
        self.check(verdict, is_right);
        if is_right {
            self.model.set(asker, login, &wish);
        }
    }

    /// A slice of what is to be handed over, if anything is.
    pub(super) fn slice(&mut self) {
        if self.lane.domain.has_work() {
            self.lane.decide("", "ctl", b"", Content::Continue);
            self.lane.commit();
        }
    }

    fn remove(&mut self) {
        let (asker, login) = (*self.dice.one(&LOGINS), *self.dice.one(&LOGINS));
        let is_right = self.model.may_remove(asker, login);
        let verb = json!({"remove_manager": {"manager": login.rsplit('/').next()}});
        let verdict = self.ask(asker, org(login), &verb);
        self.check(verdict, is_right);
        if is_right {
            self.model.remove(login);
        }
    }

    fn group(&mut self) {
        let asker = *self.dice.one(&LOGINS[..4]);
        let name = *self.dice.one(&["g", "h"]);
        let (members, organizations) = (self.dice.some(&LOGINS[1..4], 2), self.dice.some(&["acme", "bolt"], 2));
        let device_groups = self.dice.some(&["acme", "bolt"], 3);
        let is_tied = !organizations.is_empty() || !device_groups.is_empty();
        let held = self.model.effective(asker);
        let is_seen = |orgs: &Names| held.as_ref().is_some_and(|held| orgs.is_subset(&held.places));
        let manages = |members: &Names| {
            let mut members = members.iter();
            members.all(|member| self.model.managers.contains_key(member) && self.model.manages(asker, member))
        };
        let known = self.model.groups.get(name);
        let is_right = held.as_ref().is_some_and(|held| held.privileges.contains("managers"))
            && is_seen(&organizations)
            && is_seen(&device_groups)
            && (is_tied || is_seen(&["/"].into()))
            && manages(&members)
            && known.is_none_or(|known| {
                is_seen(&known.organizations)
                    && is_seen(&known.device_groups)
                    && manages(&known.members)
                    && (!known.organizations.is_empty() || !known.device_groups.is_empty() || is_seen(&["/"].into()))
            });
        let settings = json!({"group": name, "members": members, "organizations": organizations,
            "device_groups": device_groups.iter().map(|org| json!({"organization": org, "name": "lab"})).collect::<Vec<_>>()});
        let verdict = self.ask(asker, None, &json!({"set_group": settings}));
        self.check(verdict, is_right);
        if is_right {
            let group = self.model.groups.entry(name).or_insert_with(|| Tied { granter: asker, ..Tied::default() });
            (group.members, group.organizations, group.device_groups) = (members, organizations, device_groups);
        }
    }

    fn check(&self, verdict: Verdict, is_right: bool) {
        assert_eq!(verdict == Verdict::Done, is_right, "{:#?}\n{}", self.model, self.log.join("\n"));
    }

    /// Everybody, everywhere, with every privilege and right: as the model says.
    pub(super) fn compare(&self) {
        let section = directory::read(&self.lane.base).unwrap();
        let directory = Directory::of(section);
        let known = Known::new(&directory, &self.lane.base);
        for login in LOGINS {
            let held = self.model.effective(login);
            let effective = rights::effective(&known, &principal(login), self.lane.now).unwrap();
            assert_eq!(held.is_some(), effective.is_some(), "{login}\n{}", self.log.join("\n"));
            let (Some(held), Some(effective)) = (held, effective) else { continue };
            let reach = rights::reach(&known, &principal(login), self.lane.now).unwrap();
            let tied: BTreeSet<_> = reach.device_groups.iter().map(|tie| tie.organization.as_str()).collect();
            let expected: BTreeSet<_> = self.model.device_groups(login).into_iter().collect();
            assert_eq!(tied, expected, "{login}\n{:#?}\n{}", self.model, self.log.join("\n"));
            for place in PLACES {
                let at: Place = place.parse().unwrap();
                let told = || format!("{login} at {place}\n{:#?}\n{}", self.model, self.log.join("\n"));
                assert_eq!(held.places.contains(place), effective.sphere.covers(&at), "{}", told());
                let sees = self.model.sees_place(login, place);
                let may = |need| {
                    let principal = principal(login);
                    let asked = Asked { principal: &principal, need, place: &at, is_within: false, now: self.lane.now };
                    rights::may(&known, &asked).unwrap() == Ruling::Allowed
                };
                assert_eq!(may(Need::Sight), sees, "{}", told());
                for privilege in Privilege::ALL {
                    let is_held = sees && held.privileges.contains(privilege.as_str());
                    assert_eq!(may(Need::Privilege(privilege)), is_held, "{privilege} {}", told());
                }
                for right in linesman_schemas::Right::ALL.into_iter().filter(|right| RIGHTS.contains(&right.as_str())) {
                    assert_eq!(may(Need::Right(right)), sees && held.rights.contains(right.as_str()), "{}", told());
                }
                for step in linesman_schemas::IncidentStep::ALL {
                    let least = STEPS.iter().position(|word| *word == step.as_str()).unwrap();
                    assert_eq!(may(Need::Incidents(step)), sees && held.step >= least, "{}", told());
                }
            }
        }
    }
}

#[test]
fn nobody_does_what_the_chain_does_not_allow_and_all_else_is_allowed() {
    let seed = std::env::var("LINESMAN_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds: Vec<u64> = seed.map_or_else(|| (1..=40).collect(), |seed| vec![seed]);
    let mut done = [0_usize; 2];
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
            match world.dice.next(if seed % 2 == 0 { 14 } else { 18 }) {
                0..5 => world.set(),
                5 | 6 => world.group(),
                7 => world.make_place(),
                8 => world.remove_place(),
                9 | 10 => world.issue(),
                11 => world.revoke(),
                12 => world.password(),
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
    assert!(done.iter().all(|count| *count > 200), "both happen often: {done:?}");
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
