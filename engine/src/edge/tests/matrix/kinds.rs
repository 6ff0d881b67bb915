//! Every kind of manager, what it has as far as this test reckons it, and what it shows to come in.
//!
//! It is reckoned of words and sets alone, apart from the chains of granters of the engine.

use jiff::Timestamp;
use linesman_domain::rights::Need;
use linesman_domain::table;
use linesman_domain::tokens::{self, TokenRow};
use linesman_schemas::directory::Granter;
use linesman_schemas::{IncidentStep, Login, Privilege, Privileges, Right, Rights};

use super::super::fixture::{Fixture, TOKEN};
use super::super::people;
use crate::edge::logins::bearer::Bearer;

/// How somebody comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By the engine's token.
    Machine,
    /// By a session.
    Session,
    /// By a session whose password somebody else has set.
    MustChange,
    /// By an API token.
    Token,
    /// By an API token that has expired.
    Expired,
    /// By nothing.
    Nobody,
}

/// What the groups of one of the provider's people are tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tied {
    /// Nothing.
    No,
    /// `acme`.
    Organization,
    /// The device group `core` of `acme`.
    DeviceGroup,
}

/// What somebody has.
#[derive(Debug, Clone)]
pub(super) struct Has {
    /// Places, with spaces between.
    pub(super) sphere: String,
    pub(super) privileges: Privileges,
    pub(super) rights: Rights,
}

/// A kind of manager.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    /// For people who read what failed.
    pub(super) name: String,
    pub(super) login: String,
    pub(super) way: Way,
    pub(super) tied: Tied,
    /// What it was granted.
    granted: Has,
    /// What whoever granted it has, where that is not the first of the provider's people.
    granter: Option<(&'static str, Has)>,
    /// What its token was given, where it comes in by one.
    given: Option<Has>,
}

fn has(sphere: &str, privileges: Privileges, rights: Rights) -> Has {
    Has { sphere: sphere.to_owned(), privileges, rights }
}

fn only(privilege: Privilege) -> Privileges {
    Privileges::from_iter([privilege])
}

fn only_right(right: Right) -> Rights {
    Rights::of([right], IncidentStep::None)
}

impl Has {
    fn covers(&self, place: &str) -> bool {
        let lies_in = |own: &str| own == "/" || own == place || place.starts_with(&format!("{own}/"));
        self.sphere.split_whitespace().any(lies_in)
    }

    /// Whether something of a place is in the sphere.
    fn touches(&self, place: &str) -> bool {
        let below = format!("{place}/");
        self.covers(place) || (place != "/" && self.sphere.split_whitespace().any(|own| own.starts_with(&below)))
    }
}

impl Kind {
    fn new(login: &str, way: Way, granted: Has) -> Self {
        let login = login.to_owned();
        Self { name: login.clone(), login, way, tied: Tied::No, granted, granter: None, given: None }
    }

    /// The links that all have to have what it takes: itself, its granter, its token.
    fn links(&self) -> impl Iterator<Item = &Has> {
        let granter = self.granter.as_ref().map(|(_, has)| has);
        [Some(&self.granted), granter, self.given.as_ref()].into_iter().flatten()
    }

    /// Whether it was granted all of a place, by itself.
    pub(super) fn owns(&self, place: &str) -> bool {
        self.links().all(|link| link.covers(place))
    }

    /// Whether it was granted a place by name.
    pub(super) fn is_granted(&self, place: &str) -> bool {
        self.granted.sphere.split_whitespace().any(|own| own == place)
    }

    /// Whether it sees all of a place.
    pub(super) fn covers(&self, place: &str) -> bool {
        let is_tied = self.tied == Tied::Organization && (place == "acme" || place.starts_with("acme/"));
        self.owns(place) || is_tied
    }

    /// Whether it sees something of a place.
    pub(super) fn touches(&self, place: &str) -> bool {
        let is_tied = self.tied == Tied::DeviceGroup && place == "acme";
        self.covers(place) || self.links().all(|link| link.touches(place)) || is_tied
    }

    /// Whose it is: an organization's name, or the provider's.
    pub(super) fn home(&self) -> &str {
        self.login.split_once('/').map_or("/", |(org, _)| org)
    }

    /// What something takes of it, one by one.
    pub(super) fn takes(&self, need: Need) -> Vec<Need> {
        let is_of_provider = self.home() == "/";
        match need {
            Need::Audit if is_of_provider => vec![Need::Right(Right::Audit)],
            Need::Audit => vec![Need::Known],
            Need::Log => [vec![Need::WholeLog], self.takes(Need::Audit)].concat(),
            Need::Attempts if is_of_provider => {
                vec![Need::Privilege(Privilege::Managers), Need::Right(Right::Audit)]
            }
            Need::Attempts => vec![Need::Privilege(Privilege::Managers)],
            need => vec![need],
        }
    }

    /// Whether it has one of [`Self::takes`], wherever that is.
    pub(super) fn has(&self, need: Need) -> bool {
        self.links().all(|link| match need {
            Need::Anybody | Need::Known | Need::Own | Need::Sight | Need::WholeLog => true,
            Need::Privilege(privilege) => link.privileges.has(privilege),
            Need::Right(right) => link.rights.has(right),
            Need::Incidents(step) => link.rights.incidents() >= step,
            Need::Audit | Need::Log | Need::Attempts | Need::Engine => false,
        })
    }

    /// Writes it into the edge's store; what it shows.
    pub(super) fn enter(&self, edge: &Fixture) -> String {
        if self.way == Way::Machine {
            edge.password(&self.login, false);
            return TOKEN.to_owned();
        }
        let Has { sphere, privileges, rights } = &self.granted;
        match &self.granter {
            Some((granter, has)) => {
                edge.grant(granter, &has.sphere, has.privileges, has.rights);
                let granter = Granter { login: granter.parse().unwrap(), number: people::NUMBER };
                edge.grant_by(&self.login, (sphere, *privileges, *rights), granter);
            }
            None => edge.grant(&self.login, sphere, *privileges, *rights),
        }
        match self.tied {
            Tied::No => {}
            Tied::Organization => edge.group(&self.login, &[&self.login], &["acme"], &[]),
            Tied::DeviceGroup => edge.group(&self.login, &[&self.login], &[], &[("acme", "core")]),
        }
        match self.way {
            Way::Machine | Way::Session | Way::Nobody => {
                edge.password(&self.login, false);
                edge.session(&self.login, 0, 3600)
            }
            Way::MustChange => {
                edge.password(&self.login, true);
                edge.session(&self.login, 0, 3600)
            }
            Way::Token => self.token(edge, "mine", None),
            Way::Expired => self.token(edge, "mine", Some(Timestamp::UNIX_EPOCH)),
        }
    }

    /// Writes a token that was given so much; what it bears.
    fn token(&self, edge: &Fixture, name: &str, expires: Option<Timestamp>) -> String {
        let login: Login = self.login.parse().unwrap();
        let bearer = Bearer::token(&login, &name.parse().unwrap()).unwrap();
        let given = self.given.as_ref();
        let row = TokenRow {
            hash: bearer.hash(),
            expires,
            sphere: given.map(|given| people::sphere(&given.sphere)),
            privileges: given.map(|given| given.privileges.bits()),
            rights: given.map(|given| given.rights.bits()),
            created: Timestamp::UNIX_EPOCH,
            used: None,
        };
        let key = tokens::key(&login, &name.parse().unwrap()).into_bytes();
        edge.put(login.organization.as_ref(), key, table::encode(&row).unwrap());
        bearer.text().expose().to_owned()
    }
}

/// All kinds.
pub(super) fn kinds() -> Vec<Kind> {
    let (none, all) = (Privileges::default(), Privileges::all());
    let admin = Kind::new("admin", Way::Machine, has("/", all, Rights::all()));
    let mut kinds = vec![admin];
    kinds.extend(people());
    for (whose, place) in [("enterprise", "acme"), ("site", "acme/berlin"), ("line", "acme/berlin/line-7")] {
        let mut manager = |name: &str, privileges| {
            let granted = has(place, privileges, Rights::default());
            kinds.push(Kind::new(&format!("acme/{whose}-{name}"), Way::Session, granted));
        };
        manager("reads", none);
        manager("all", all);
        Privilege::ALL.into_iter().for_each(|one| manager(one.as_str(), only(one)));
    }
    kinds.push(Kind::new("bolt/all", Way::Session, has("bolt", all, Rights::default())));
    // Its granter has less by now, in places and in privileges.
    let granter = has("acme/berlin", only(Privilege::Activation), Rights::all());
    let chained = Kind::new("acme/chained", Way::Session, has("acme", all, Rights::default()));
    kinds.push(Kind { granter: Some(("chains", granter)), ..chained });
    let granter = has("/", only(Privilege::Managers), only_right(Right::Settings));
    let chained = Kind::new("chained", Way::Session, has("acme", all, Rights::all()));
    kinds.push(Kind { granter: Some(("bounds", granter)), ..chained });
    kinds.extend(by_tokens());
    let granted = has("/", all, Rights::all());
    kinds.push(Kind::new("must-change", Way::MustChange, granted.clone()));
    kinds.push(Kind::new("acme/must-change", Way::MustChange, has("acme", all, Rights::default())));
    kinds.push(Kind::new("expired", Way::Expired, granted.clone()));
    kinds.push(Kind::new("nobody", Way::Nobody, granted));
    kinds
}

/// The provider's people: with exactly one of what there is to have, with all of it and with nothing of it.
fn people() -> Vec<Kind> {
    let (none, all, nothing) = (Privileges::default(), Privileges::all(), Rights::default());
    let person = |name: &str, granted: Has| Kind::new(name, Way::Session, granted);
    let mut people = vec![
        person("reads", has("/", none, nothing)),
        person("has-all", has("/", all, Rights::all())),
        person("acme-reads", has("acme", none, nothing)),
        person("acme-all", has("acme", all, Rights::all())),
        person("site-all", has("acme/berlin", all, Rights::all())),
        person("bolt-all", has("bolt", all, Rights::all())),
        Kind { tied: Tied::Organization, ..person("tied-reads", has("", none, nothing)) },
        Kind { tied: Tied::Organization, ..person("tied-all", has("", all, Rights::all())) },
        Kind { tied: Tied::DeviceGroup, ..person("cores-reads", has("", none, nothing)) },
        Kind { tied: Tied::DeviceGroup, ..person("cores-all", has("", all, Rights::all())) },
    ];
    people.extend(Privilege::ALL.map(|one| person(one.as_str(), has("/", only(one), nothing))));
    people.extend(Right::ALL.map(|one| person(one.as_str(), has("/", none, only_right(one)))));
    for step in IncidentStep::ALL {
        people.push(person(&format!("incidents-{}", step.as_str()), has("/", none, Rights::of([], step))));
    }
    people
}

/// Those who come in by API tokens that may do less than their owners.
fn by_tokens() -> Vec<Kind> {
    let (none, all, nothing) = (Privileges::default(), Privileges::all(), Rights::default());
    let token =
        |name: &str, granted: Has, given: Has| Kind { given: Some(given), ..Kind::new(name, Way::Token, granted) };
    let person = || has("/", all, Rights::all());
    let manager = || has("acme", all, nothing);
    let some = Rights::of([Right::Cases, Right::Devices], IncidentStep::Own);
    let managers = only(Privilege::Managers);
    vec![
        token("token-all", person(), person()),
        token("token-reads", person(), has("/", none, nothing)),
        token("token-some", person(), has("/", managers, some)),
        token("token-acme", person(), has("acme", all, Rights::all())),
        token("token-site", person(), has("acme/berlin", all, Rights::all())),
        // It outlived what its owner had.
        token("token-beyond", has("acme", none, some), person()),
        token("acme/token-reads", manager(), has("acme", none, nothing)),
        token("acme/token-some", manager(), has("acme", managers, nothing)),
        token("acme/token-line", manager(), has("acme/berlin/line-7", all, nothing)),
    ]
}
