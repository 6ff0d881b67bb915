//! What an attempt took that is on record, beside what its operation takes: by what it changed, and by whom it was about.
//! Of an attempt that was refused a record tells no more than the operation, the place and what it was about; and of one
//! that was done not what was given as it was before.

use linesman_schemas::audit::{Record, Verdict};
use linesman_schemas::{IncidentStep, Login, Place, Privilege, Privileges, Right, Rights, Sphere};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Need, step_to_assign, step_to_change};

/// What an attempt took besides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Further {
    /// What on all of a place, or within it.
    pub(super) needs: Vec<(Need, Place, bool)>,
    /// What had to lie in the sphere of whoever asked, without what groups are tied to.
    pub(super) spheres: Vec<Place>,
    /// Whom they had to manage, where that was not themselves.
    pub(super) whom: Vec<Login>,
    /// Whether it makes whoever is not there.
    pub(super) makes: bool,
    /// Whether it took all that those have.
    pub(super) takes_all: bool,
    /// What it may have taken.
    pub(super) perhaps: Vec<(Need, Place, bool)>,
    /// Whether it took to see something that is not on record,
    pub(super) is_anywhere: bool,
    /// by groups too.
    pub(super) is_seen: bool,
}

impl Further {
    /// Of a record whose place is `place`.
    pub fn of(record: &Record, place: &Place) -> Self {
        let mut further = Self::default();
        let is_done = record.outcome == Verdict::Done;
        let new = &record.new;
        let is_given = |name: &str| !is_empty(field(new, name));
        match record.operation.as_str() {
            "activate-subscription" => {
                let substitution = Need::Privilege(Privilege::Substitution);
                further.takes(substitution, place, is_given("substitutions").then_some(true), is_done);
            }
            "set-subscription" => further.of_subscription(record, place),
            "set-place" => {
                let is_named = differ(&record.old, new, &["device"]);
                further.takes(Need::Right(Right::Devices), place, is_named.then_some(true), is_done);
            }
            operation if operation.ends_with("-incident") => further.of_incident(record, place),
            operation if operation.ends_with("-case") => further.sees(place),
            "set-manager" | "issue-token" => further.of_grant(record, place),
            "set-group" | "remove-group" => further.of_group(record),
            _ => {}
        }
        further.of_whom(record, place);
        further
    }

    /// A privilege that it took, if that `is_certain`; of what was done it took none where nothing is said.
    fn takes(&mut self, need: Need, place: &Place, is_certain: Option<bool>, is_done: bool) {
        match is_certain {
            Some(true) => self.needs.push((need, place.clone(), false)),
            None if is_done => {}
            Some(false) | None => self.perhaps.push((need, place.clone(), false)),
        }
    }

    /// It took to see something there that is not on record.
    fn sees(&mut self, place: &Place) {
        self.perhaps.push((Need::Sight, place.clone(), false));
        (self.is_anywhere, self.is_seen) = (true, true);
    }

    /// What is given as it was takes the same, and is not told apart from what is left out.
    fn of_subscription(&mut self, Record { old, new, .. }: &Record, place: &Place) {
        for (privilege, fields) in
            [(Privilege::Substitution, &["substitutions"][..]), (Privilege::Activation, &["active", "schedule"])]
        {
            let is_changed = !new.is_null() && differ(old, new, fields);
            self.takes(Need::Privilege(privilege), place, Some(is_changed), true);
        }
    }

    fn of_incident(&mut self, record: &Record, place: &Place) {
        match step(record) {
            Some(step) => self.needs.push((Need::Incidents(step), place.clone(), true)),
            None => {
                let steps = match record.operation.as_str() {
                    "assign-incident" => &[IncidentStep::Any, IncidentStep::Delegate][..],
                    _ => &[IncidentStep::Any],
                };
                self.perhaps.extend(steps.iter().map(|step| (Need::Incidents(*step), place.clone(), true)));
            }
        }
        self.sees(place);
    }

    fn of_grant(&mut self, record: &Record, place: &Place) {
        let Record { old, new, operation, .. } = record;
        let on = |needs: Vec<Need>| needs.into_iter().map(|need| (need, place.clone(), true));
        let is_manager = operation == "set-manager";
        if record.outcome != Verdict::Done {
            let is_of_provider = record.principal.as_ref().and_then(|who| who.login()).is_some_and(|login| {
                let whom = if is_manager { about(record).unwrap_or(login) } else { login };
                whom.organization.is_none()
            });
            let rights = Rights::of(Right::ALL, IncidentStep::Delegate);
            self.perhaps.extend(on(each(Privileges::all(), if is_of_provider { rights } else { Rights::default() })));
            if is_of_provider {
                let steps = [IncidentStep::Own, IncidentStep::Any].map(Need::Incidents);
                self.perhaps.extend(on(steps.to_vec()));
            }
            (self.is_anywhere, self.is_seen) = (true, !is_manager);
            return;
        }
        let certain = granted(old, new);
        if is_manager {
            let shown = granted(&Value::Null, new).into_iter().filter(|need| !certain.contains(need));
            self.perhaps.extend(on(shown.collect()));
        }
        self.needs.extend(on(certain));
        let places = read::<Sphere>(field(new, "sphere")).map(|sphere| sphere.places().to_vec()).unwrap_or_default();
        match is_manager {
            true => self.spheres = places,
            // A token may be good for what groups are tied to.
            false => self.needs.extend(places.into_iter().map(|place| (Need::Sight, place, false))),
        }
    }

    fn of_group(&mut self, Record { old, new, outcome, .. }: &Record) {
        self.is_anywhere = *outcome != Verdict::Done;
        self.spheres = [old, new].into_iter().flat_map(ties).map(Place::Organization).collect();
        let members = [old, new].into_iter().filter_map(|group| field(group, "members")?.as_array()).flatten();
        self.whom = members.filter_map(|name| name.as_str()?.parse().ok()).collect();
        // Who is gone by now is no longer in it.
        self.makes = true;
    }

    fn of_whom(&mut self, record: &Record, place: &Place) {
        let operation = record.operation.as_str();
        if !matches!(operation, "set-manager" | "remove-manager" | "set-password" | "revoke-token" | "revoke-session")
            || !is_of_another(record)
        {
            self.makes |= operation == "set-manager";
            return;
        }
        self.whom.extend(about(record));
        self.makes = operation == "set-manager";
        if matches!(operation, "set-password" | "revoke-token" | "revoke-session") {
            self.needs.push((Need::Privilege(Privilege::Managers), place.clone(), true));
        }
        // Whoever knows the password of another is it.
        self.takes_all = operation == "set-password"
            || (operation == "set-manager" && !record.old.is_null() && field(&record.new, "password").is_some());
    }
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
    let had = each(read(field(old, "privileges")).unwrap_or_default(), read(field(old, "rights")).unwrap_or_default());
    let has = each(read(field(new, "privileges")).unwrap_or_default(), read(field(new, "rights")).unwrap_or_default());
    has.into_iter().filter(|need| !had.contains(need)).collect()
}

/// Privileges and rights, one by one; of the steps with incidents the one there is.
fn each(privileges: Privileges, rights: Rights) -> Vec<Need> {
    let step = Some(rights.incidents()).filter(|step| *step > IncidentStep::default());
    let some = Right::ALL.into_iter().filter(|one| rights.has(*one)).map(Need::Right);
    privileges.iter().map(Need::Privilege).chain(some).chain(step.map(Need::Incidents)).collect()
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
        of(Verdict::Done, operation, about, old, new)
    }

    fn of(outcome: Verdict, operation: &str, about: &str, old: Value, new: Value) -> Further {
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
            outcome,
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
    fn what_an_attempt_may_have_taken_is_what_a_record_does_not_tell() {
        let (none, about) = (Value::Null, "acme/ben");
        let plain = json!({"substitutions": [], "active": false});
        let same = json!({"privileges": ["managers"]});
        let forbidden = Verdict::Forbidden;
        for (outcome, operation, old, new, perhaps) in [
            (
                Verdict::Done,
                "set-subscription",
                &plain,
                &plain,
                &["the privilege `substitution`", "the privilege `activation`"][..],
            ),
            (
                forbidden,
                "set-subscription",
                &none,
                &none,
                &["the privilege `substitution`", "the privilege `activation`"],
            ),
            (Verdict::Done, "activate-subscription", &none, &none, &[]),
            (forbidden, "activate-subscription", &none, &none, &["the privilege `substitution`"]),
            (Verdict::Done, "set-manager", &same, &same, &["the privilege `managers`"]),
            (
                forbidden,
                "set-manager",
                &none,
                &none,
                &[
                    "the privilege `subscription`",
                    "the privilege `substitution`",
                    "the privilege `activation`",
                    "the privilege `managers`",
                ],
            ),
            (forbidden, "close-incident", &none, &none, &["the right `incidents`, at least `any`", "sight"]),
            (Verdict::Done, "close-case", &none, &none, &["sight"]),
            (forbidden, "set-place", &none, &none, &["the right `devices`"]),
        ] {
            let found = of(outcome, operation, about, old.clone(), new.clone());
            let found: Vec<_> = found.perhaps.iter().map(|(need, ..)| need.to_string()).collect();
            assert_eq!(found, perhaps, "{outcome:?} {operation}");
        }
    }

    #[test]
    fn whom_an_attempt_was_about_and_what_it_granted_had_to_be_theirs() {
        let ben: Login = "acme/ben".parse().unwrap();
        let places = |places: &[&str]| places.iter().map(|place| place.parse().unwrap()).collect::<Vec<Place>>();
        let made = further("set-manager", "acme/ben", Value::Null, json!({"sphere": ["acme/berlin"]}));
        assert_eq!((made.spheres, made.whom, made.makes), (places(&["acme/berlin"]), vec![ben.clone()], true));
        let removed = further("remove-manager", "acme/ben", json!({"sphere": ["acme/berlin"]}), Value::Null);
        assert_eq!((removed.whom, removed.makes), (vec![ben], false));
        for operation in ["set-password", "revoke-token", "revoke-session", "set-manager"] {
            assert!(
                further(operation, "acme/ann", Value::Null, Value::Null).whom.is_empty(),
                "{operation} of one's own"
            );
        }
        let tied = json!({"members": ["mia"], "organizations": ["acme"], "device_groups": [{"organization": "bolt", "name": "x"}]});
        let group = further("set-group", "night", Value::Null, tied.clone());
        assert_eq!((group.spheres, group.whom), (places(&["acme", "bolt"]), vec!["mia".parse().unwrap()]));
        assert_eq!(further("remove-group", "night", tied, Value::Null).spheres, places(&["acme", "bolt"]));
    }
}
