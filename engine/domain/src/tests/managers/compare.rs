//! Everybody is held against the model, everywhere.

use super::*;

impl World {
    /// Everybody, everywhere, with every privilege and right: as the model says.
    pub(in crate::tests) fn compare(&self) {
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
