//! Managers and groups that are made up, as rows of the fixture's store; and the tokens by which they ask.

use jiff::Timestamp;
use linesman_domain::directory;
use linesman_domain::groups::{self, UserGroupRow};
use linesman_domain::managers::{self, GrantRow, ManagerRow};
use linesman_domain::places::{self, PlaceRow, TieRow};
use linesman_domain::sections::{self, SectionRow, SectionsRow};
use linesman_domain::table;
use linesman_domain::tokens::{self, TokenRow};
use linesman_schemas::control::Section;
use linesman_schemas::directory::Granter;
use linesman_schemas::{Login, OrgName, PlacePath, Principal, Privileges, Rights, Sphere};

use super::fixture::{Fixture, TOKEN_OF_ACME};
use crate::log::books;

/// By which token who asks; behind a colon by which of their own.
pub(super) const BEARERS: [(&str, &str); 8] = [
    (TOKEN_OF_ACME, "acme/ann"),
    (BOB, "bob"),
    (EVE, "eve"),
    (GIL, "gil"),
    (SID, "corp/sid"),
    (ZOE, "corp/zoe"),
    (NARROW, "corp/zoe:narrow"),
    (SAM, "acme/sam"),
];
/// The number that managers have who are made up.
pub(super) const NUMBER: u64 = 7;
/// One of the provider's people with an organization.
pub(super) const BOB: &str = "token of bob";
/// One with groups alone, tied to an organization.
pub(super) const EVE: &str = "token of eve";
/// One with groups alone, tied to a device group.
pub(super) const GIL: &str = "token of gil";
/// A manager of a site.
pub(super) const SID: &str = "token of sid";
/// A manager of a whole enterprise.
pub(super) const ZOE: &str = "token of zoe";
/// A token of the same that is good for a site.
pub(super) const NARROW: &str = "token of zoe, narrowed";
/// A manager of a site of another enterprise.
pub(super) const SAM: &str = "token of sam";

/// Who asks by a token of [`BEARERS`].
pub(super) fn principal(bearer: &str) -> Principal {
    let (login, token) = bearer.split_once(':').map_or((bearer, None), |(login, token)| (login, Some(token)));
    Principal::of_login(&login.parse().unwrap(), token.map(|token| token.parse().unwrap()))
}

/// A sphere of places with spaces between.
pub(super) fn sphere(places: &str) -> Sphere {
    Sphere::of(places.split_whitespace().map(|place| place.parse().unwrap()))
}

/// The first of the provider's people, as who grants.
fn admin() -> Granter {
    directory::admin().granter()
}

impl Fixture {
    /// A manager, granted so much by the first of the provider's people.
    pub(super) fn grant(&self, login: &str, places: &str, privileges: Privileges, rights: Rights) {
        self.grant_by(login, (places, privileges, rights), admin());
    }

    /// A manager, granted so much by another.
    pub(super) fn grant_by(
        &self,
        login: &str,
        (places, privileges, rights): (&str, Privileges, Rights),
        granter: Granter,
    ) {
        let login: Login = login.parse().unwrap();
        let (privileges, rights) = (privileges.bits(), rights.bits());
        let grant = GrantRow { sphere: sphere(places), privileges, rights, granter: Some(granter) };
        let row = ManagerRow { number: NUMBER, grant, created: Timestamp::UNIX_EPOCH, changed: Timestamp::UNIX_EPOCH };
        self.put(login.organization.as_ref(), managers::key(&login).into_bytes(), table::encode(&row).unwrap());
    }

    /// A token of a manager's that may do what its owner may, in a sphere.
    pub(super) fn narrow(&self, login: &str, token: &str, places: &str) {
        let login: Login = login.parse().unwrap();
        let row = TokenRow {
            hash: [0; 32],
            expires: None,
            sphere: Some(sphere(places)),
            privileges: None,
            rights: None,
            created: Timestamp::UNIX_EPOCH,
            used: None,
        };
        let key = tokens::key(&login, &token.parse().unwrap()).into_bytes();
        self.put(login.organization.as_ref(), key, table::encode(&row).unwrap());
    }

    /// A user group of the provider's people.
    pub(super) fn group(&self, name: &str, members: &[&str], organizations: &[&str], device_groups: &[(&str, &str)]) {
        let row = UserGroupRow {
            members: members.iter().map(|name| name.parse().unwrap()).collect(),
            organizations: organizations.iter().map(|name| name.parse().unwrap()).collect(),
            device_groups: device_groups.iter().map(|(org, name)| (org.parse().unwrap(), (*name).to_owned())).collect(),
            granter: admin(),
        };
        self.put(None, groups::key(&name.parse().unwrap()).into_bytes(), table::encode(&row).unwrap());
    }

    /// A place to which devices are tied.
    pub(super) fn place(&self, path: &str, devices: &[&str]) {
        let path: PlacePath = path.parse().unwrap();
        let row = PlaceRow {
            display_name: String::new(),
            device: String::new(),
            interface: String::new(),
            addresses: Vec::new(),
            speed: 0,
            created: Timestamp::UNIX_EPOCH,
            changed: Timestamp::UNIX_EPOCH,
        };
        let org = Some(&path.organization);
        self.put(org, places::key(&path).into_bytes(), table::encode(&row).unwrap());
        for device in devices {
            let tie = TieRow { is_served: false, is_tied: true };
            self.put(org, places::tie_key(&path, device).into_bytes(), table::encode(&tie).unwrap());
        }
    }

    /// A row of an organization's lane; of the provider's the directory is composed anew.
    pub(super) fn put(&self, org: Option<&OrgName>, key: Vec<u8>, row: Vec<u8>) {
        if let Some(org) = org {
            return self.write(org.as_str(), vec![(key, row)]);
        }
        self.write_provider(vec![(key, row)]);
        self.compose();
    }

    /// The directory is composed anew, of the provider's rows.
    pub(super) fn compose(&self) {
        let (hash, _) = books::pack(&directory::read(&self.store.lane(0).unwrap()).unwrap()).unwrap();
        let sections = vec![SectionRow { section: Section::Directory, hash, loaded: None }];
        let composed = table::encode(&SectionsRow { version: 1, sections }).unwrap();
        self.write_provider(vec![(sections::key().into_bytes(), composed)]);
    }
}
