//! What somebody sees: what they were granted, and what the groups of the provider's people are tied to.

use std::collections::BTreeSet;

use jiff::Timestamp;
use linesman_schemas::command::DeviceGroupName;
use linesman_schemas::directory::Attenuation;
use linesman_schemas::{OrgName, Place, Principal, Sphere};

use super::chain::{self, Grants, Member};
use crate::Error;

/// What somebody sees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Places, and all below them.
    pub sphere: Sphere,
    /// Device groups of organizations that are not seen as a whole.
    pub device_groups: BTreeSet<DeviceGroupName>,
}

/// How much is seen of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    All,
    /// Some places or device groups.
    Some,
    /// Nothing: there is none.
    None,
}

impl Reach {
    /// Everything.
    pub fn everything() -> Self {
        Self { sphere: Sphere::all(), device_groups: BTreeSet::new() }
    }

    /// How much is seen of an organization.
    pub fn extent(&self, org: &OrgName) -> Extent {
        let place = Place::Organization(org.clone());
        if self.sphere.covers(&place) {
            Extent::All
        } else if self.touches(&place) {
            Extent::Some
        } else {
            Extent::None
        }
    }

    /// The organizations of which something is seen, where not everything is.
    pub fn organizations(&self) -> BTreeSet<&OrgName> {
        let places = self.sphere.places().iter().filter_map(Place::organization);
        places.chain(self.device_groups.iter().map(|group| &group.organization)).collect()
    }

    /// Whether all of a place is seen.
    pub fn covers(&self, place: &Place) -> bool {
        self.sphere.covers(place)
    }

    /// Whether a place is seen, be it as what lies above something that is. The provider is seen whole or not at all.
    pub fn touches(&self, place: &Place) -> bool {
        match place {
            Place::Provider => self.sphere.covers(place),
            Place::Organization(org) => {
                self.sphere.touches(place) || self.device_groups.iter().any(|group| group.organization == *org)
            }
            Place::Below(_) => self.sphere.touches(place),
        }
    }

    /// Whether a device group of an organization is seen.
    pub fn has_group(&self, org: &OrgName, name: &str) -> bool {
        self.device_groups.iter().any(|group| group.organization == *org && group.name == name)
    }

    /// The places below an organization that are seen, where it is not seen as a whole.
    pub fn places(&self, org: &OrgName) -> impl Iterator<Item = &Place> {
        self.sphere.places().iter().filter(move |place| place.organization() == Some(org))
    }
}

/// What somebody sees; nothing for whoever is not known.
///
/// # Errors
/// What was granted cannot be read.
pub fn reach(grants: &(impl Grants + ?Sized), principal: &Principal, now: Timestamp) -> Result<Reach, Error> {
    match principal {
        Principal::Configuration | Principal::Machine => return Ok(Reach::everything()),
        Principal::Policy { organization, .. } => {
            let sphere = Sphere::of(organization.clone().map(Place::Organization));
            return Ok(Reach { sphere, device_groups: BTreeSet::new() });
        }
        Principal::EndCustomer { organization } => {
            let sphere = Sphere::of([Place::Organization(organization.clone())]);
            return Ok(Reach { sphere, device_groups: BTreeSet::new() });
        }
        Principal::Provider { .. } | Principal::Manager { .. } => {}
    }
    let Some(login) = principal.login() else { return Ok(Reach::default()) };
    let Some(member) = grants.manager(&login)? else { return Ok(Reach::default()) };
    let token = match principal.token() {
        None => Some(Attenuation::default()),
        Some(name) => grants.token(&login, name)?.filter(|token| token.expires.is_none_or(|end| now < end)),
    };
    token.map_or_else(|| Ok(Reach::default()), |token| of(grants, &member, &token))
}

/// What a manager sees by a token.
pub(super) fn of(grants: &(impl Grants + ?Sized), member: &Member, token: &Attenuation) -> Result<Reach, Error> {
    let mut sphere = chain::of_member(grants, member, token)?.sphere;
    let mut device_groups = BTreeSet::new();
    if member.login.organization.is_none() {
        for group in grants.groups(&member.login.name) {
            let mut granted = chain::of_granter(grants, &group.granter)?.sphere;
            if let Some(own) = &token.sphere {
                granted = granted.intersection(own);
            }
            let tied = Sphere::of(group.organizations.iter().cloned().map(Place::Organization));
            sphere = sphere.union(&tied.intersection(&granted));
            let tied = group.device_groups.iter();
            device_groups.extend(tied.filter(|tie| granted.covers(&tie.organization.clone().into())).cloned());
        }
    }
    device_groups.retain(|tie| !sphere.covers(&tie.organization.clone().into()));
    Ok(Reach { sphere, device_groups })
}
