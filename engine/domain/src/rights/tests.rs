//! The answers, in words: who lacks what, tokens, policies, the engine itself. Chains of all kinds stand against a model
//! in `tests/managers.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{Timestamp, ToSpan};
use linesman_schemas::directory::{Grant, Granter, Group};
use linesman_schemas::{ManagerName, Privileges, Rights, Sphere, TokenName};

use super::*;

/// What was granted, in memory.
#[derive(Default)]
struct World {
    managers: BTreeMap<Login, Arc<Member>>,
    tokens: BTreeMap<(Login, TokenName), Attenuation>,
    groups: Vec<Arc<Group>>,
}

impl Grants for World {
    fn manager(&self, login: &Login) -> Result<Option<Arc<Member>>, Error> {
        Ok(self.managers.get(login).cloned())
    }

    fn gone(&self, _was: &Granter) -> Result<Option<Grant>, Error> {
        Ok(None)
    }

    fn token(&self, owner: &Login, name: &TokenName) -> Result<Option<Attenuation>, Error> {
        Ok(self.tokens.get(&(owner.clone(), name.clone())).cloned())
    }

    fn groups(&self, name: &ManagerName) -> Vec<Arc<Group>> {
        self.groups.iter().filter(|group| group.members.contains(name)).cloned().collect()
    }
}

impl World {
    /// `admin`, then each granted by the one before: login, places, privileges.
    fn chain(links: &[(&str, &str, Privileges)]) -> Self {
        let admin = Arc::new(crate::directory::admin());
        let mut world = Self { managers: [(admin.login.clone(), Arc::clone(&admin))].into(), ..Self::default() };
        let mut granter = admin.granter();
        for (number, (login, places, privileges)) in (1..).zip(links) {
            let sphere = Sphere::of(places.split_whitespace().map(|place| place.parse().unwrap()));
            let rights = Rights::default();
            let grant = Grant { sphere, privileges: *privileges, rights, granter: Some(granter) };
            let member = Member { login: login.parse().unwrap(), number, grant };
            granter = member.granter();
            world.managers.insert(member.login.clone(), Arc::new(member));
        }
        world
    }

    fn ask(&self, principal: &Principal, need: Need, place: &str, is_within: bool) -> Ruling {
        let place = place.parse().unwrap();
        let now = Timestamp::UNIX_EPOCH + 1.hour();
        may(self, &Asked { principal, need, place: &place, is_within, now }).unwrap()
    }
}

fn login(text: &str) -> Principal {
    Principal::of_login(&text.parse().unwrap(), None)
}

fn told(ruling: &Ruling) -> String {
    match ruling {
        Ruling::Allowed => "allowed".to_owned(),
        Ruling::Forbidden(denial) => denial.to_string(),
        Ruling::Unseen => "unseen".to_owned(),
    }
}

const MANAGERS: Need = Need::Privilege(Privilege::Managers);

#[test]
fn a_denial_names_what_is_missing_and_who_has_it_not() {
    let some = [Privilege::Activation].into_iter().collect();
    let world = World::chain(&[
        ("bob", "acme bolt", Privileges::all()),
        ("acme/ann", "acme", some),
        ("acme/ben", "acme/berlin", Privileges::all()),
    ]);
    let ask = |who: &str, need, place| told(&world.ask(&login(who), need, place, false));
    assert_eq!(ask("bob", MANAGERS, "acme/berlin/line-7"), "allowed");
    assert_eq!(ask("acme/ann", MANAGERS, "acme"), "`acme/ann` has not the privilege `managers` on `acme`");
    assert_eq!(
        ask("acme/ben", MANAGERS, "acme/berlin"),
        "`acme/ben` has not the privilege `managers` on `acme/berlin`: `acme/ann`, from whom it was granted, has not"
    );
    let right = Need::Right(Right::Organizations);
    assert_eq!(ask("bob", right, "bolt"), "`bob` has not the right `organizations` on `bolt`");
    assert_eq!(
        ask("bob", Need::Incidents(IncidentStep::Any), "bolt"),
        "`bob` has not the right `incidents`, at least `any` on `bolt`"
    );
    // What lies above is seen, what lies beside is not.
    assert_eq!(ask("acme/ben", Need::Sight, "acme"), "`acme/ben` has not sight on `acme`");
    for nowhere in ["acme/munich", "bolt", "/", "nobody"] {
        assert_eq!(ask("acme/ben", Need::Sight, nowhere), "unseen", "{nowhere}");
        assert_eq!(ask("acme/nobody", Need::Sight, nowhere), "unseen", "{nowhere}");
    }
}

#[test]
fn a_token_does_nothing_that_its_owner_does_not_and_less() {
    let mut world = World::chain(&[("acme/ann", "acme", [Privilege::Managers].into_iter().collect())]);
    let (ann, ci): (Login, TokenName) = ("acme/ann".parse().unwrap(), "ci".parse().unwrap());
    let by_token = Principal::of_login(&ann, Some(ci.clone()));
    let ask = |world: &World, need, place| told(&world.ask(&by_token, need, place, false));
    assert_eq!(ask(&world, MANAGERS, "acme"), "unseen", "there is none");
    let key = (ann, ci);
    world.tokens.insert(key.clone(), Attenuation::default());
    assert_eq!(ask(&world, MANAGERS, "acme"), "allowed");
    let here = Some(Sphere::of(["acme/berlin".parse().unwrap(), "bolt".parse().unwrap()]));
    world.tokens.insert(key.clone(), Attenuation { sphere: here, ..Attenuation::default() });
    assert_eq!(ask(&world, MANAGERS, "acme/berlin"), "allowed");
    assert_eq!(ask(&world, MANAGERS, "bolt"), "unseen", "the owner has it not");
    assert_eq!(ask(&world, MANAGERS, "acme/munich"), "unseen");
    let none = Some(Privileges::default());
    world.tokens.insert(key.clone(), Attenuation { privileges: none, ..Attenuation::default() });
    assert_eq!(
        ask(&world, MANAGERS, "acme"),
        "`acme/ann` has not the privilege `managers` on `acme`: the token has not"
    );
    let expires = Some(Timestamp::UNIX_EPOCH + 1.hour());
    world.tokens.insert(key, Attenuation { expires, ..Attenuation::default() });
    assert_eq!(ask(&world, MANAGERS, "acme"), "unseen", "it has ended");
}

#[test]
fn a_policy_acts_where_it_judges_and_the_engine_everywhere() {
    let world = World::default();
    let policy = |name: &str, org: Option<&str>| Principal::Policy {
        name: name.parse().unwrap(),
        organization: org.map(|org| org.parse().unwrap()),
    };
    let ask = |principal: &Principal, place| told(&world.ask(principal, Need::Right(Right::Cases), place, false));
    assert_eq!(ask(&policy("stock", Some("acme")), "acme/berlin"), "allowed");
    assert_eq!(ask(&policy("acme/own", Some("acme")), "acme"), "allowed");
    for (policy, place) in [
        (policy("stock", Some("acme")), "bolt"),
        (policy("stock", Some("acme")), "/"),
        (policy("stock", None), "acme"),
        (policy("stock", None), "/"),
        (policy("acme/own", Some("bolt")), "bolt"),
    ] {
        assert_eq!(ask(&policy, place), "unseen", "{policy} at {place}");
    }
    for engine in [Principal::Configuration, Principal::Machine] {
        assert_eq!(ask(&engine, "/"), "allowed");
    }
}

#[test]
fn a_chain_that_ends_with_nobody_grants_nothing() {
    let mut world = World::chain(&[("acme/ann", "acme", Privileges::all()), ("acme/ben", "acme", Privileges::all())]);
    assert_eq!(told(&world.ask(&login("acme/ben"), MANAGERS, "acme", false)), "allowed");
    world.managers.remove(&"acme/ann".parse().unwrap());
    assert_eq!(told(&world.ask(&login("acme/ben"), MANAGERS, "acme", false)), "unseen");
    assert_eq!(effective(&world, &login("acme/ben"), Timestamp::UNIX_EPOCH).unwrap(), Some(Effective::default()));
}

#[test]
fn whoever_activates_a_line_acts_on_what_it_inherits_and_on_no_other() {
    let activation = [Privilege::Activation].into_iter().collect();
    let subscription = [Privilege::Subscription].into_iter().collect();
    let mut world =
        World::chain(&[("acme/ann", "acme", Privileges::all()), ("acme/lin", "acme/berlin/line-7", activation)]);
    let lin = Arc::clone(&world.managers[&"acme/lin".parse().unwrap()]);
    let sub = Member { login: "acme/sub".parse().unwrap(), ..(*lin).clone() };
    let sub = Member { grant: Grant { privileges: subscription, ..sub.grant.clone() }, ..sub };
    world.managers.insert(sub.login.clone(), Arc::new(sub));
    let ask = |who: &str, subscribed: &str, place: &str| {
        let (subscribed, place) = (subscribed.parse().unwrap(), place.parse().unwrap());
        told(&may_activate(&world, &login(who), (&subscribed, &place), Timestamp::UNIX_EPOCH).unwrap())
    };
    for subscribed in ["acme", "acme/berlin", "acme/berlin/line-7"] {
        assert_eq!(ask("acme/lin", subscribed, "acme/berlin/line-7"), "allowed", "{subscribed}");
        let told = ask("acme/sub", subscribed, "acme/berlin/line-7");
        assert_eq!(told, "`acme/sub` has not the privilege `activation` on `acme/berlin/line-7`");
    }
    // Not for all that was subscribed to, not for the line beside, not what was subscribed to elsewhere.
    assert_eq!(ask("acme/lin", "acme", "acme"), "`acme/lin` has not the privilege `activation` on `acme`");
    assert_eq!(ask("acme/lin", "acme", "acme/berlin/line-8"), "unseen");
    assert_eq!(ask("acme/lin", "acme/munich", "acme/berlin/line-7"), "unseen");
    assert_eq!(ask("acme/ann", "acme", "acme/berlin/line-8"), "allowed");
    // And to subscribe takes the other.
    let subscribe = Need::Privilege(Privilege::Subscription);
    assert_ne!(told(&world.ask(&login("acme/lin"), subscribe, "acme/berlin/line-7", false)), "allowed");
}

#[test]
fn every_operation_stands_once_in_the_table() {
    let mut names: Vec<_> = OPERATIONS.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
    assert_eq!(need("sing"), Need::Engine, "what is not known is nobody's to do");
}

#[test]
fn an_explanation_has_every_link_with_what_it_has() {
    let some = [Privilege::Activation].into_iter().collect();
    let mut world = World::chain(&[
        ("bob", "acme", Privileges::all()),
        ("acme/ann", "acme", some),
        ("acme/ben", "acme/berlin", Privileges::all()),
    ]);
    let explained = |world: &World, who: &str, place: &str| {
        let (principal, place) = (login(who), place.parse().unwrap());
        let asked = Asked {
            principal: &principal,
            need: MANAGERS,
            place: &place,
            is_within: false,
            now: Timestamp::UNIX_EPOCH,
        };
        explain(world, &asked).unwrap()
    };
    let links = |found: &Explanation| {
        found.links.iter().map(|link| (link.login.to_string(), link.has_need, link.covers)).collect::<Vec<_>>()
    };
    let found = explained(&world, "acme/ben", "acme/berlin");
    assert!(matches!(found.ruling, Ruling::Forbidden(_)));
    let expected = [("acme/ben", true, true), ("acme/ann", false, true), ("bob", true, true), ("admin", true, true)];
    assert_eq!(links(&found), expected.map(|(login, has, covers)| (login.to_owned(), has, covers)));
    let found = explained(&world, "acme/ben", "acme/paris");
    assert_eq!((found.ruling, found.links[0].covers, found.links[1].covers), (Ruling::Unseen, false, true));
    assert_eq!(
        explained(&world, "nobody", "acme"),
        Explanation { ruling: Ruling::Unseen, token: None, links: Vec::new(), groups: Vec::new() }
    );
    // What a group is tied to stands in for a sphere.
    assert_eq!(explained(&world, "bob", "bolt").ruling, Ruling::Unseen);
    world.groups.push(Arc::new(Group {
        name: "shift".parse().unwrap(),
        members: vec!["bob".parse().unwrap()],
        organizations: vec!["bolt".parse().unwrap()],
        device_groups: Vec::new(),
        granter: crate::directory::admin().granter(),
    }));
    let found = explained(&world, "bob", "bolt/berlin");
    assert_eq!((&found.ruling, found.links[0].covers, found.groups[0].covers), (&Ruling::Allowed, false, true));
}

#[test]
fn what_would_be_is_laid_over_what_is() {
    let all = Privileges::all();
    let world = World::chain(&[("bob", "acme bolt", all), ("acme/ann", "acme", all), ("acme/ben", "acme/berlin", all)]);
    let (bob, ann, ben) = ("bob".parse().unwrap(), "acme/ann".parse().unwrap(), "acme/ben".parse::<Login>().unwrap());
    let may = |grants: &Overlay<'_, World>, who: &str, place: &str| {
        let (principal, place) = (login(who), place.parse().unwrap());
        let asked = Asked {
            principal: &principal,
            need: MANAGERS,
            place: &place,
            is_within: false,
            now: Timestamp::UNIX_EPOCH,
        };
        told(&super::may(grants, &asked).unwrap())
    };
    let mut overlay = Overlay::new(&world);
    assert_eq!(may(&overlay, "acme/ben", "acme/berlin"), "allowed");
    // What is taken from the granter is gone below.
    overlay.take(&ann, Taken::Privilege(Privilege::Managers)).unwrap();
    assert_eq!(
        may(&overlay, "acme/ben", "acme/berlin"),
        "`acme/ben` has not the privilege `managers` on `acme/berlin`: `acme/ann`, from whom it was granted, has not"
    );
    // Who goes hands over what it had, and not what it had not.
    overlay.remove(&ann).unwrap();
    assert_eq!(may(&overlay, "acme/ann", "acme/berlin"), "unseen");
    assert_eq!(told(&Ruling::Allowed), "allowed");
    assert!(may(&overlay, "acme/ben", "acme/berlin").starts_with("`acme/ben` has not"));
    let mut overlay = Overlay::new(&world);
    overlay.remove(&ann).unwrap();
    assert_eq!(may(&overlay, "acme/ben", "acme/berlin"), "allowed");
    // What is left out stays.
    let wish = Wish { sphere: Some(Sphere::of(["acme".parse().unwrap()])), ..Wish::default() };
    overlay.set(&bob, wish, &crate::directory::admin().granter()).unwrap();
    assert_eq!(may(&overlay, "bob", "acme"), "allowed");
    assert_eq!(may(&overlay, "bob", "bolt"), "unseen");
    overlay.set_group(Group {
        name: "shift".parse().unwrap(),
        members: vec!["bob".parse().unwrap()],
        organizations: vec!["bolt".parse().unwrap()],
        device_groups: Vec::new(),
        granter: crate::directory::admin().granter(),
    });
    assert_eq!(may(&overlay, "bob", "bolt"), "allowed");
    overlay.remove_group("shift".parse().unwrap());
    assert_eq!(may(&overlay, "bob", "bolt"), "unseen");
    assert!(world.managers.contains_key(&ben) && world.managers.contains_key(&ann), "nothing of it is written");
}
