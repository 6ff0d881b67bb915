//! What is asked of passwords, and how whoever asks stands to the manager it is about.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, PasswordChange};
use linesman_schemas::{Login, OrgName, Privilege};
use serde_json::{Value, json};

use super::Answer;
use super::managers::Refused;
use crate::desk::Desk;
use crate::managers::Managers;
use crate::rights::{Asker, Grants as _, Managing};
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
    let is_own = match hold(desk, managers, command, &login)? {
        Hold::Oneself if command.principal.token().is_some() => {
            let detail = "one's own password is not changed by an API token";
            return Ok(Answer::refused(Verdict::Forbidden, detail).about(&login));
        }
        Hold::Oneself => true,
        Hold::Managing => false,
        Hold::None(refused) => return Ok(refused),
    };
    let old = desk.read(&credentials::key(&login))?.map(|known| json!({"must_change": known.must_change}));
    credentials::set(desk, &login, &change.password, !is_own)?;
    let new = json!({"password": "changed", "must_change": !is_own});
    Ok(Answer::done("changed", old.unwrap_or(Value::Null), new).about(&login))
}

/// What somebody may do with how a manager comes in.
pub(super) enum Hold {
    /// They are it.
    Oneself,
    /// They manage it.
    Managing,
    /// Nothing, and why.
    None(Answer),
}

/// What whoever asks may do with how a manager comes in: whoever manages it, and it itself.
pub(super) fn hold(desk: &Desk, managers: &Managers, command: &Command, login: &Login) -> Result<Hold, Error> {
    let known = managers.known(desk);
    let refused = |refused: Refused| Ok(Hold::None(Answer::from(refused).about(login)));
    let Some(member) = known.manager(login)? else { return refused(Refused::nobody(login)) };
    let Some(asker) = Asker::of(&known, &command.principal, desk.now)? else { return refused(Refused::nobody(login)) };
    match asker.manages(&known, &member)? {
        Managing::Itself => Ok(Hold::Oneself),
        Managing::Yes(_) if asker.effective.privileges.has(Privilege::Managers) => Ok(Hold::Managing),
        Managing::Yes(_) => refused(Refused::lacks(&asker, Privilege::Managers)),
        Managing::Above => refused(Refused::above(&asker, login)),
        Managing::Unseen => refused(Refused::nobody(login)),
    }
}
