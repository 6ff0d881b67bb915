//! What is asked of passwords, and how whoever asks stands to the manager it is about.

use jiff::Timestamp;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, PasswordChange};
use linesman_schemas::{Login, OrgName, Principal, Privilege};
use serde_json::{Value, json};

use super::Answer;
use super::managers::Refused;
use crate::desk::Desk;
use crate::managers::Managers;
use crate::rights::{Asker, Grants, Managing, Member, effective, settled};
use crate::{Error, credentials};

/// Gives a manager another password. One that somebody else sets is to be changed by its owner.
pub(crate) fn ask(
    desk: &mut Desk,
    managers: &Managers,
    org: Option<&OrgName>,
    command: &Command,
    change: &PasswordChange,
) -> Result<Answer, Error> {
    let login = Login::new(org.cloned(), change.manager.clone());
    let is_own = match hold(&managers.known(desk), &command.principal, &login, desk.now)? {
        Ok(Hold::Oneself) if command.principal.token().is_some() => {
            let detail = "one's own password is not changed by an API token";
            return Ok(Answer::refused(Verdict::Forbidden, detail).about(&login));
        }
        Ok(Hold::Oneself) => true,
        // Whoever knows its password is it, and so has what it has.
        Ok(Hold::Managing) => match beyond(desk, managers, &command.principal, &login)? {
            Some(refused) => return Ok(Answer::from(refused).about(&login)),
            None => false,
        },
        Err(refused) => return Ok(Answer::from(refused).about(&login)),
    };
    let old = desk.read(&credentials::key(&login))?.map(|known| json!({"must_change": known.must_change}));
    credentials::set(desk, &login, &change.password, !is_own)?;
    let new = json!({"password": "changed", "must_change": !is_own});
    Ok(Answer::done("changed", old.unwrap_or(Value::Null), new).about(&login))
}

/// From which engine level on it counts what was granted, whether or not it is in effect.
const LEVEL: u32 = 8;

/// Why somebody does not set the password of a manager: it was granted something that they have not. What somebody above
/// has not at the moment it has again once they have; whoever came in by the password would, too.
pub(super) fn beyond(
    desk: &Desk,
    managers: &Managers,
    principal: &Principal,
    login: &Login,
) -> Result<Option<Refused>, Error> {
    let (known, now) = (managers.known(desk), desk.now);
    let own = effective(&known, principal, now)?.unwrap_or_default();
    let (privileges, rights) = match known.manager(login)?.filter(|_| desk.is_at(LEVEL)) {
        Some(other) => {
            let granted = settled(&known, &other)?;
            (granted.privileges, granted.rights)
        }
        None => {
            let other = effective(&known, &Principal::of_login(login, None), now)?.unwrap_or_default();
            (other.privileges, other.rights)
        }
    };
    let privilege = privileges.beyond(own.privileges).map(|beyond| format!("the privilege `{beyond}`"));
    let beyond = privilege.or_else(|| rights.beyond(own.rights).map(|beyond| format!("the right `{beyond}`")));
    Ok(beyond.map(|beyond| {
        let has = if desk.is_at(LEVEL) { "was granted" } else { "has" };
        let detail = format!("`{principal}` has not {beyond}, which `{login}` {has}");
        Refused::new(Verdict::Forbidden, detail)
    }))
}

/// As whom somebody may do something with how a manager comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// They are it.
    Oneself,
    /// They manage it.
    Managing,
}

/// Whether somebody may do something with how a manager comes in: whoever manages it, and it itself.
///
/// # Errors
/// What was granted cannot be read.
pub fn hold(
    known: &impl Grants,
    principal: &Principal,
    login: &Login,
    now: Timestamp,
) -> Result<Result<Hold, Refused>, Error> {
    let Some(asker) = Asker::of(known, principal, now)? else { return Ok(Err(Refused::nobody(login))) };
    let Some(member) = known.manager(login)? else {
        // As much is looked up as where it is there and not seen.
        let nobody = Member { login: login.clone(), number: 0, grant: asker.grant() };
        asker.manages(known, &nobody)?;
        return Ok(Err(Refused::nobody(login)));
    };
    Ok(match asker.manages(known, &member)? {
        Managing::Itself => Ok(Hold::Oneself),
        Managing::Yes(_) if asker.effective.privileges.has(Privilege::Managers) => Ok(Hold::Managing),
        Managing::Yes(_) => Err(Refused::lacks(&asker, Privilege::Managers)),
        Managing::Above => Err(Refused::above(&asker, login)),
        Managing::Unseen => Err(Refused::nobody(login)),
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use linesman_schemas::directory::{Attenuation, Grant, Granter, Group};
    use linesman_schemas::{ManagerName, Privileges, Sphere, TokenName};

    use super::*;

    /// Managers, and how often something was looked up.
    #[derive(Default)]
    struct Counted {
        members: BTreeMap<Login, Arc<Member>>,
        asked: Cell<usize>,
    }

    impl Counted {
        fn add(&mut self, login: &str, sphere: &str, granter: Option<&str>) {
            let login: Login = login.parse().unwrap();
            let granter = granter.map(|login| Granter { login: login.parse().unwrap(), number: 1 });
            let sphere = Sphere::of([sphere.parse().unwrap()]);
            let grant = Grant { sphere, privileges: Privileges::all(), granter, ..Grant::default() };
            self.members.insert(login.clone(), Arc::new(Member { login, number: 1, grant }));
        }

        fn count<T>(&self, found: T) -> Result<T, Error> {
            self.asked.set(self.asked.get() + 1);
            Ok(found)
        }
    }

    impl Grants for Counted {
        fn manager(&self, login: &Login) -> Result<Option<Arc<Member>>, Error> {
            self.count(self.members.get(login).cloned())
        }

        fn gone(&self, _: &Granter) -> Result<Option<Grant>, Error> {
            self.count(None)
        }

        fn token(&self, _: &Login, _: &TokenName) -> Result<Option<Attenuation>, Error> {
            self.count(None)
        }

        fn groups(&self, _: &ManagerName) -> Vec<Arc<Group>> {
            Vec::new()
        }
    }

    #[test]
    fn whoever_is_not_seen_is_as_much_work_as_who_is_not_there() {
        let mut known = Counted::default();
        known.add("acme/ann", "acme", None);
        known.add("acme/ben", "acme/berlin", Some("acme/ann"));
        known.add("acme/pia", "acme/paris", Some("acme/ann"));
        let ben = Principal::of_login(&"acme/ben".parse().unwrap(), None);
        let asked = ["acme/pia", "acme/xyz"].map(|whose| {
            known.asked.set(0);
            let refused = hold(&known, &ben, &whose.parse().unwrap(), Timestamp::UNIX_EPOCH).unwrap().unwrap_err();
            assert_eq!(refused, Refused::nobody(&whose.parse().unwrap()));
            known.asked.get()
        });
        assert_eq!(asked[0], asked[1]);
    }
}
