//! What an attempt took that is on record, beside what its operation takes: by what it changed, and by whom it was about.
//! Of an attempt that was refused a record tells no more than the operation and the place.

use linesman_schemas::audit::Record;
use linesman_schemas::{IncidentStep, Login, Place, Privilege, Privileges, Right, Rights, Sphere};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Asked, Asker, Asking, Denial, Grants, Managing, Need, Ruling, answer, may, step_to_assign, step_to_change,
};
use crate::Error;

/// What an attempt took besides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Further {
    /// What on all of a place, or within it.
    needs: Vec<(Need, Place, bool)>,
    /// What had to lie in the sphere of whoever asked, without what groups are tied to.
    spheres: Vec<Place>,
    /// Whom they had to manage, where that was not themselves.
    whom: Option<Login>,
    /// Whether it makes whoever is not there.
    makes: bool,
}

impl Further {
    /// Of a record whose place is `place`.
    pub fn of(record: &Record, place: &Place) -> Self {
        let Record { old, new, .. } = record;
        let mut further = Self::default();
        let mut takes = |need: Need, is_within: bool| further.needs.push((need, place.clone(), is_within));
        let (privilege, is_given) = (Need::Privilege, |name: &str| !is_empty(field(new, name)));
        match record.operation.as_str() {
            "activate-subscription" if is_given("substitutions") => takes(privilege(Privilege::Substitution), false),
            "set-subscription" if !new.is_null() => {
                if differ(old, new, &["substitutions"]) {
                    takes(privilege(Privilege::Substitution), false);
                }
                if differ(old, new, &["active", "schedule"]) {
                    takes(privilege(Privilege::Activation), false);
                }
            }
            "set-place" if differ(old, new, &["device"]) => takes(Need::Right(Right::Devices), false),
            operation if operation.ends_with("-incident") => {
                if let Some(step) = step(record) {
                    takes(Need::Incidents(step), true);
                }
            }
            "set-manager" | "issue-token" => {
                granted(old, new).into_iter().for_each(|need| takes(need, true));
                let places = read::<Sphere>(field(new, "sphere")).map(|sphere| sphere.places().to_vec());
                let places = places.unwrap_or_default();
                match record.operation.as_str() {
                    "set-manager" => further.spheres = places,
                    // A token may be good for what groups are tied to.
                    _ => further.needs.extend(places.into_iter().map(|place| (Need::Sight, place, false))),
                }
            }
            "set-group" | "remove-group" => {
                further.spheres = [old, new].into_iter().flat_map(ties).map(Place::Organization).collect();
            }
            "set-password" | "revoke-token" | "revoke-session" if is_of_another(record) => {
                takes(privilege(Privilege::Managers), true);
            }
            _ => {}
        }
        if matches!(
            &*record.operation,
            "set-manager" | "remove-manager" | "set-password" | "revoke-token" | "revoke-session"
        ) {
            further.whom = about(record).filter(|_| is_of_another(record));
            further.makes = record.operation == "set-manager";
        }
        further
    }
}

/// [`answer`] to an attempt that is on record, of all that it took.
///
/// # Errors
/// What was granted cannot be read.
pub fn answer_again(grants: &(impl Grants + ?Sized), asking: &Asking<'_>, further: &Further) -> Result<Ruling, Error> {
    let ruling = answer(grants, asking)?;
    if ruling != Ruling::Allowed {
        return Ok(ruling);
    }
    for (need, place, is_within) in &further.needs {
        let asked = Asked { need: *need, place, is_within: *is_within, ..asking.asked() };
        let ruling = may(grants, &asked)?;
        if ruling != Ruling::Allowed {
            return Ok(ruling);
        }
    }
    if further.spheres.is_empty() && further.whom.is_none() {
        return Ok(Ruling::Allowed);
    }
    let Asked { principal, now, .. } = asking.asked();
    let Some(asker) = Asker::of(grants, principal, now)? else { return Ok(Ruling::Unseen) };
    let sphere = &asker.effective.sphere;
    if let Some(beyond) = further.spheres.iter().find(|place| !sphere.covers(place)) {
        let (principal, need) = (principal.to_string(), Need::Privilege(Privilege::Managers));
        let denial = Denial { principal, need, place: beyond.clone(), link: None, is_of_token: false };
        return Ok(if sphere.touches(beyond) { Ruling::Forbidden(denial) } else { Ruling::Unseen });
    }
    let Some(login) = &further.whom else { return Ok(Ruling::Allowed) };
    let is_there = match grants.manager(login)? {
        Some(member) => asker.manages(grants, &member)? != Managing::Unseen,
        None => further.makes,
    };
    Ok(if is_there { Ruling::Allowed } else { Ruling::Unseen })
}

/// Which step an attempt at an incident took, where it is told whose that was.
fn step(record: &Record) -> Option<IncidentStep> {
    let owner = field(&record.old, "owner")?.as_str()?;
    Some(match record.operation.as_str() {
        "assign-incident" => step_to_assign(field(&record.new, "owner")?.as_str()?, owner, &record.actor),
        _ => step_to_change(owner, &record.actor),
    })
}

/// The privileges and rights that were granted and had not been before.
fn granted(old: &Value, new: &Value) -> Vec<Need> {
    let (had, has) = (read::<Privileges>(field(old, "privileges")), read::<Privileges>(field(new, "privileges")));
    let (had, has) = (had.unwrap_or_default(), has.unwrap_or_default());
    let privileges = has.iter().filter(|one| !had.has(*one)).map(Need::Privilege);
    let (knew, knows) = (read::<Rights>(field(old, "rights")), read::<Rights>(field(new, "rights")));
    let (knew, knows) = (knew.unwrap_or_default(), knows.unwrap_or_default());
    let rights = Right::ALL.into_iter().filter(|one| knows.has(*one) && !knew.has(*one)).map(Need::Right);
    let incidents = (knows.incidents() > knew.incidents()).then(|| Need::Incidents(knows.incidents()));
    privileges.chain(rights).chain(incidents).collect()
}

/// The organizations that a group is tied to.
fn ties(group: &Value) -> Vec<linesman_schemas::OrgName> {
    let list = |name: &str| field(group, name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default().iter();
    let groups = list("device_groups").filter_map(|tie| field(tie, "organization"));
    list("organizations").chain(groups).filter_map(|name| name.as_str()?.parse().ok()).collect()
}

/// Whom an attempt was about.
fn about(record: &Record) -> Option<Login> {
    record.about.as_ref()?.parse().ok()
}

fn is_of_another(record: &Record) -> bool {
    let own = record.principal.as_ref().and_then(|principal| principal.login());
    about(record).is_some_and(|login| Some(login) != own)
}

fn differ(old: &Value, new: &Value, names: &[&str]) -> bool {
    let shown =
        |value, name| field(value, name).filter(|value| !is_empty(Some(*value)) && **value != false && **value != "");
    names.iter().any(|name| shown(old, name) != shown(new, name))
}

fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name)
}

fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

fn read<T: DeserializeOwned>(value: Option<&Value>) -> Option<T> {
    T::deserialize(value?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use linesman_schemas::Principal;
    use linesman_schemas::audit::Verdict;
    use serde_json::json;

    use super::*;

    fn further(operation: &str, about: &str, old: Value, new: Value) -> Further {
        let record = Record {
            index: 0,
            time: Timestamp::UNIX_EPOCH,
            actor: "acme/ann".to_owned(),
            chain: Vec::new(),
            principal: Some(Principal::of_login(&"acme/ann".parse().unwrap(), None)),
            node: String::new(),
            operation: operation.to_owned(),
            place: "acme".to_owned(),
            about: Some(about.to_owned()),
            old,
            new,
            outcome: Verdict::Done,
            command: "c".parse().unwrap(),
            rule_book: 1,
        };
        Further::of(&record, &"acme".parse().unwrap())
    }

    #[test]
    fn what_an_attempt_took_besides_is_told_by_what_it_changed() {
        let none = Value::Null;
        let (given, active) =
            (json!({"substitutions": ["a=1"], "active": false}), json!({"substitutions": [], "active": true}));
        let plain = json!({"substitutions": [], "active": false});
        let own = json!({"owner": "acme/ann"});
        let (free, others) = (json!({"owner": ""}), json!({"owner": "acme/ben"}));
        let whole = |needs: &[Need]| needs.iter().map(|need| format!("{need}")).collect::<Vec<_>>();
        for (operation, old, new, takes) in [
            ("activate-subscription", &none, &json!({"substitutions": ["a=1"]}), &["the privilege `substitution`"][..]),
            ("activate-subscription", &none, &json!({"active": true}), &[]),
            ("activate-subscription", &none, &none, &[]),
            ("set-subscription", &none, &plain, &[]),
            ("set-subscription", &none, &given, &["the privilege `substitution`"]),
            ("set-subscription", &plain, &active, &["the privilege `activation`"]),
            ("set-subscription", &given, &active, &["the privilege `substitution`", "the privilege `activation`"]),
            ("set-subscription", &given, &given, &[]),
            ("set-subscription", &plain, &json!({"schedule": {"from": "x"}}), &["the privilege `activation`"]),
            ("assign-incident", &free, &own, &["the right `incidents`, at least `own`"]),
            ("assign-incident", &others, &own, &["the right `incidents`, at least `any`"]),
            ("assign-incident", &own, &others, &["the right `incidents`, at least `delegate`"]),
            ("close-incident", &own, &own, &["the right `incidents`, at least `own`"]),
            ("annotate-incident", &others, &others, &["the right `incidents`, at least `any`"]),
            ("close-incident", &none, &none, &[]),
            (
                "set-manager",
                &json!({"privileges": ["managers"]}),
                &json!({"privileges": ["managers", "activation"], "rights": {"audit": true, "incidents": "own"}}),
                &["the privilege `activation`", "the right `audit`", "the right `incidents`, at least `own`"],
            ),
            ("issue-token", &none, &json!({"sphere": ["acme/berlin"], "privileges": null}), &["sight"]),
            ("set-place", &none, &json!({"device": ""}), &[]),
            ("set-place", &none, &json!({"device": "edge-01"}), &["the right `devices`"]),
            ("set-place", &json!({"device": "edge-01"}), &json!({"device": "edge-01"}), &[]),
            ("set-place", &json!({"device": "edge-01"}), &json!({"device": ""}), &["the right `devices`"]),
            ("set-password", &none, &none, &["the privilege `managers`"]),
            ("set-values", &none, &json!({"substitutions": ["a=1"]}), &[]),
        ] {
            let found = further(operation, "acme/ben", old.clone(), new.clone());
            let needs: Vec<_> = found.needs.iter().map(|(need, ..)| *need).collect();
            assert_eq!(whole(&needs), takes, "{operation} {old} {new}");
        }
    }

    #[test]
    fn whom_an_attempt_was_about_and_what_it_granted_had_to_be_theirs() {
        let ben: Login = "acme/ben".parse().unwrap();
        let places = |places: &[&str]| places.iter().map(|place| place.parse().unwrap()).collect::<Vec<Place>>();
        let made = further("set-manager", "acme/ben", Value::Null, json!({"sphere": ["acme/berlin"]}));
        assert_eq!((made.spheres, made.whom, made.makes), (places(&["acme/berlin"]), Some(ben.clone()), true));
        let removed = further("remove-manager", "acme/ben", json!({"sphere": ["acme/berlin"]}), Value::Null);
        assert_eq!((removed.whom, removed.makes), (Some(ben), false));
        for operation in ["set-password", "revoke-token", "revoke-session", "set-manager"] {
            assert_eq!(further(operation, "acme/ann", Value::Null, Value::Null).whom, None, "{operation} of one's own");
        }
        let tied = json!({"organizations": ["acme"], "device_groups": [{"organization": "bolt", "name": "x"}]});
        let group = further("set-group", "night", Value::Null, tied.clone());
        assert_eq!((group.spheres, group.whom), (places(&["acme", "bolt"]), None));
        assert_eq!(further("remove-group", "night", tied, Value::Null).spheres, places(&["acme", "bolt"]));
    }
}
