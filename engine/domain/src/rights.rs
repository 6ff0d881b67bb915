//! Who may do what where. Pure: what is asked of it is all it knows.
//!
//! Asked once for each command, in `commands`; whoever shows or refuses early asks the same.

use linesman_schemas::{Principal, Right, Scope};

/// Whether somebody may, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Whether they may.
    pub is_allowed: bool,
    /// Why, or why not, in words for whoever asked.
    pub reason: String,
}

/// Whether `principal` has `right` on all of `scope`.
pub fn may(principal: &Principal, right: Right, scope: &Scope) -> Ruling {
    let has_not = |why| format!("`{principal}` has not the right `{right}` on `{scope}`: {why}");
    match principal {
        Principal::Provider { .. } | Principal::Configuration | Principal::Machine => {
            Ruling { is_allowed: true, reason: "the provider has every right".to_owned() }
        }
        Principal::Manager { .. } => Ruling { is_allowed: false, reason: has_not("managers are given none yet") },
        Principal::Policy { .. } => Ruling { is_allowed: false, reason: has_not("policies are given none yet") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager() -> Principal {
        Principal::Manager { organization: "acme".parse().unwrap(), name: "ann".parse().unwrap() }
    }

    fn scopes() -> [Scope; 3] {
        let place = Scope::Place("acme/berlin/line-7".parse().unwrap());
        [Scope::Provider, Scope::Organization("acme".parse().unwrap()), place]
    }

    #[test]
    fn the_provider_may_everything_everywhere() {
        let name = "mara".to_owned();
        for principal in [Principal::Provider { name }, Principal::Configuration, Principal::Machine] {
            for scope in scopes() {
                let ruling = may(&principal, Right::Settings, &scope);
                assert!(ruling.is_allowed, "{principal} on {scope}: {}", ruling.reason);
            }
        }
    }

    #[test]
    fn whoever_is_given_nothing_may_nothing_and_is_told_why() {
        let policy = Principal::Policy { name: "acme/p".parse().unwrap(), organization: None };
        for principal in [manager(), policy] {
            assert!(scopes().iter().all(|scope| !may(&principal, Right::Incidents, scope).is_allowed), "{principal}");
        }
        let [provider, _, place] = scopes();
        assert_eq!(
            may(&manager(), Right::Incidents, &place).reason,
            "`acme/ann` has not the right `incidents` on `acme/berlin/line-7`: managers are given none yet"
        );
        assert_eq!(
            may(&manager(), Right::Settings, &provider).reason,
            "`acme/ann` has not the right `settings` on `/`: managers are given none yet"
        );
    }
}
