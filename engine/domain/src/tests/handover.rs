//! Whom somebody has granted anything who is gone is their granter's: in whatever order they go, and however far the work
//! is that writes it down.

use linesman_schemas::audit::Verdict;
use linesman_schemas::directory::{Grant, Granter};
use linesman_schemas::{Login, Privilege, Privileges, Rights, Sphere};

use super::managers::{Names, PRIVILEGES, Wish, World, principal};
use super::*;
use crate::directory::{self, Directory};
use crate::managers::{self, GrantRow, Known, ManagerRow};
use crate::rights::{self, Effective};
use crate::state::Writes;
use crate::{jobs, table};

/// Who grants whom, from the first on: two of the provider's people, two managers of acme, and whoever stays.
const TREE: [(&str, &str, &[&str], &[&str]); 6] = [
    ("admin", "bob", &["/"], &PRIVILEGES),
    ("bob", "cid", &["acme", "bolt"], &PRIVILEGES),
    ("cid", "acme/ann", &["acme/a", "acme/b"], &["managers", "activation", "subscription"]),
    ("acme/ann", "acme/ben", &["acme/a"], &["managers", "activation"]),
    ("acme/ben", "acme/cal", &["acme/a/1"], &["activation"]),
    ("cid", "dan", &["bolt"], &["managers"]),
];

impl World {
    /// A world with somebody in it, where each is granted more than it can keep once its granter is.
    fn with_tree() -> Self {
        let mut world = Self::new(0);
        for (asker, login, places, privileges) in TREE {
            let (org, name) = login.split_once('/').map_or((None, login), |(org, name)| (Some(org), name));
            let verb = json!({"manager": name, "sphere": places, "privileges": privileges});
            assert_eq!(world.ask(asker, org, &json!({"set_manager": verb})), Verdict::Done, "{:?}", world.log);
            let names = |of: &[&'static str]| Some(of.iter().copied().collect::<Names>());
            world.model.set(asker, login, &Wish { places: names(places), privileges: names(privileges), rights: None });
        }
        // What was granted is more than the granters have by now: only the chain holds it back.
        for (login, privileges) in [("cid", &["managers", "activation"][..]), ("acme/ann", &["managers"][..])] {
            let (org, name) = login.split_once('/').map_or((None, login), |(org, name)| (Some(org), name));
            let verb = json!({"set_manager": {"manager": name, "privileges": privileges}});
            assert_eq!(world.ask("admin", org, &verb), Verdict::Done, "{:?}", world.log);
            let privileges = Some(privileges.iter().copied().collect());
            world.model.set("admin", login, &Wish { places: None, privileges, rights: None });
        }
        world.compare();
        world
    }

    fn take_out(&mut self, login: &'static str) {
        let (org, name) = login.split_once('/').map_or((None, login), |(org, name)| (Some(org), name));
        let verb = json!({"remove_manager": {"manager": name}});
        assert_eq!(self.ask("admin", org, &verb), Verdict::Done, "{:?}", self.log);
        self.model.remove(login);
        self.compare();
    }

    /// Once the work is done no row names anybody who is gone, but managers of organizations those of the provider's;
    /// what those had names nobody else who is gone; and of organizations nothing is kept of who is gone.
    pub(super) fn nobody_is_granted_anything_by_who_is_gone(&self) {
        let base = &self.lane.base;
        let is_there = |granter: &Granter| {
            let row = self.lane.row(&managers::key(&granter.login));
            granter.number == 0 || row.is_some_and(|row| row.number == granter.number)
        };
        for (was, grant) in managers::gone_people(base).map(Result::unwrap) {
            assert!(is_there(&grant.granter.unwrap()), "of `{}` another who is gone is named", was.login);
        }
        for org in [None, Some("acme"), Some("bolt")] {
            let org = org.map(|org| org.parse().unwrap());
            for (name, row) in managers::all(base, org.as_ref()).map(Result::unwrap) {
                let granter = row.grant.granter.unwrap();
                // What the provider's had is kept for them.
                let is_elsewhere = org.is_some() && granter.login.organization.is_none();
                assert!(is_elsewhere || is_there(&granter), "`{name}` is granted something by who is gone");
            }
            if let Some(org) = org {
                assert_eq!(managers::GONE.rows(base, &[org.as_str()]).count(), 0, "of {org} who is gone is forgotten");
            }
        }
    }

    fn put<R: Row>(&mut self, key: Key<R>, row: &R) {
        let rows = vec![(key.into_bytes(), Some(table::encode(row).unwrap()))];
        self.lane.base.apply(&Writes { rows, ..Writes::default() });
    }

    fn effective(&self, login: &str) -> Effective {
        let directory = Directory::of(directory::read(&self.lane.base).unwrap());
        let known = Known::new(&directory, &self.lane.base);
        rights::effective(&known, &principal(login), self.lane.now).unwrap().unwrap()
    }
}

/// All orders of some.
fn orders(of: &[&'static str]) -> Vec<Vec<&'static str>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let with_first = |at: usize| {
        let mut others = of.to_vec();
        let first = others.remove(at);
        orders(&others).into_iter().map(move |rest| [vec![first], rest].concat())
    };
    (0..of.len()).flat_map(with_first).collect()
}

#[test]
fn whoever_goes_in_whatever_order_hands_on_no_more_than_they_had() {
    let going = ["bob", "cid", "acme/ann", "acme/ben"];
    for (at, order) in orders(&going).into_iter().enumerate() {
        let mut world = World::with_tree();
        for login in &order {
            world.take_out(login);
            // Sometimes nothing is written down yet, sometimes some of it, sometimes all.
            for _ in 0..at % 3 {
                world.slice();
                world.compare();
            }
        }
        world.lane.work();
        world.compare();
        world.nobody_is_granted_anything_by_who_is_gone();
        assert!(jobs::all(&world.lane.base).next().is_none());
    }
}

#[test]
fn before_level_5_nothing_is_handed_over_but_in_reading() {
    let mut lane = Lane::at(4);
    lane.organization("acme", "Send all information");
    for verb in [
        json!({"set_manager": {"manager": "ann", "sphere": ["acme"], "privileges": ["managers"]}}),
        json!({"remove_manager": {"manager": "ann"}}),
    ] {
        lane.command("acme", &verb);
    }
    assert!(!lane.domain.has_work());
    assert_eq!(managers::GONE.rows(&lane.base, &["acme"]).count(), 1);
}

fn grant(granter: &Granter) -> GrantRow {
    let rights = Rights::default();
    GrantRow::from(&Grant {
        sphere: Sphere::all(),
        privileges: Privileges::all(),
        rights,
        granter: Some(granter.clone()),
    })
}

/// However the rows came to be: nothing that is decided makes so many.
#[test]
fn more_than_a_thousand_may_be_gone_in_a_row() {
    const GONE: u64 = 3_000;
    for (owner, leaf) in [("acme/x", "acme/cal"), ("x", "cal")] {
        let owner: Login = owner.parse().unwrap();
        let mut world = World::new(0);
        let mut granter = directory::admin().granter();
        // The row that is read first has the longest way.
        for number in (1..=GONE).rev() {
            let was = Granter { login: owner.clone(), number };
            let mut row = grant(&granter);
            if number == 7 {
                row.privileges = [Privilege::Activation].into_iter().collect::<Privileges>().bits();
            }
            world.put(managers::gone_key(&was), &row);
            granter = was;
        }
        let (created, changed) = (world.lane.now, world.lane.now);
        let login: Login = leaf.parse().unwrap();
        let row = ManagerRow { number: GONE + 1, grant: grant(&granter), created, changed };
        world.put(managers::key(&login), &row);
        world.lane.reopens = true;
        world.lane.decide("", "ctl", b"", Content::Tick);
        world.lane.commit();
        let before = world.effective(leaf);
        assert_eq!(serde_json::to_value(before.privileges).unwrap(), json!(["activation"]), "{leaf}");
        assert_eq!(before.chain, [directory::admin().login]);

        // Somebody goes, and all are handed over.
        let org = login.organization.as_ref().map(|org| org.as_str());
        for verb in [
            json!({"set_manager": {"manager": "eva", "sphere": ["acme"], "privileges": []}}),
            json!({"remove_manager": {"manager": "eva"}}),
        ] {
            assert_eq!(world.ask("admin", org, &verb), Verdict::Done, "{:?}", world.log);
        }
        world.lane.work();
        assert_eq!(world.effective(leaf), before);
        world.nobody_is_granted_anything_by_who_is_gone();
    }
}

#[test]
fn a_way_that_goes_round_in_a_circle_grants_nothing() {
    for long in [1, 2, 40] {
        let mut world = World::new(0);
        let owner: Login = "acme/x".parse().unwrap();
        let gone = |number| Granter { login: owner.clone(), number };
        for number in 1..=long {
            world.put(managers::gone_key(&gone(number)), &grant(&gone(number % long + 1)));
        }
        let (created, changed) = (world.lane.now, world.lane.now);
        let row = ManagerRow { number: long + 1, grant: grant(&gone(1)), created, changed };
        world.put(managers::key(&"acme/cal".parse().unwrap()), &row);
        assert_eq!(world.effective("acme/cal"), Effective::default(), "{long}");
    }
}

#[test]
fn who_goes_while_the_work_is_under_way_is_still_known_to_whom_they_granted_anything() {
    let mut world = World::with_tree();
    world.take_out("acme/ann");
    // Managers are handed over; those who are gone have not their turn yet.
    world.slice();
    world.take_out("acme/ben");
    world.slice();
    world.compare();
    assert!(world.lane.domain.has_work());
    world.lane.work();
    world.compare();
    world.nobody_is_granted_anything_by_who_is_gone();
}
