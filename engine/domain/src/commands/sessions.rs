//! What is asked of sessions, and what is told of logins. Whoever asks has verified the password.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, Lockout, LoginRefusals, Session, SessionName, SessionOpening, Touch};
use linesman_schemas::{Login, OrgName};
use serde_json::{Value, json};

use super::Answer;
use super::managers::Refused;
use super::passwords::{Hold, hold};
use crate::desk::Desk;
use crate::failures::FORGETTING;
use crate::managers::Managers;
use crate::rights::Grants as _;
use crate::sessions::{self, SessionRow};
use crate::{Error, failures, tokens};

/// Does what is asked of sessions.
pub(crate) fn ask(
    desk: &mut Desk,
    managers: &Managers,
    org: Option<&OrgName>,
    command: &Command,
    verb: &Session,
) -> Result<Answer, Error> {
    match verb {
        Session::Open(opening) => open(desk, managers, org, command, opening),
        Session::Close(name) | Session::Revoke(name) => end(desk, managers, org, command, name),
        Session::Touch(touch) => used(desk, org, touch),
        Session::Refuse(refusals) => refused(desk, managers, org, refusals),
        Session::Lock(lockout) => locked(desk, managers, org, lockout),
    }
}

fn open(
    desk: &mut Desk,
    managers: &Managers,
    org: Option<&OrgName>,
    command: &Command,
    opening: &SessionOpening,
) -> Result<Answer, Error> {
    let login = Login::new(org.cloned(), opening.manager.clone());
    match hold(&managers.known(desk), &command.principal, &login, desk.now)? {
        Ok(Hold::Oneself) if command.principal.token().is_none() => {}
        Err(refused) => return Ok(Answer::from(refused).about(&login)),
        Ok(Hold::Oneself | Hold::Managing) => {
            let detail = format!("nobody logs in as `{login}` but by its password");
            return Ok(Answer::refused(Verdict::Forbidden, detail).about(&login));
        }
    }
    let key = sessions::key(&login, &opening.session);
    if desk.read(&key)?.is_some() {
        let detail = format!("there is a session `{}` of `{login}`", opening.session);
        return Ok(Answer::refused(Verdict::Conflict, detail).about(&login));
    }
    sessions::open(desk, &login, opening)?;
    failures::forget(desk, &login)?;
    let row = desk.read(&key)?;
    Ok(Answer::created(shown(&opening.session, row.as_ref())).about(&login))
}

fn end(
    desk: &mut Desk,
    managers: &Managers,
    org: Option<&OrgName>,
    command: &Command,
    name: &SessionName,
) -> Result<Answer, Error> {
    let login = Login::new(org.cloned(), name.manager.clone());
    match hold(&managers.known(desk), &command.principal, &login, desk.now)? {
        Ok(Hold::Oneself) if command.principal.token().is_some() => {
            let detail = "an API token does nothing with how its owner comes in";
            return Ok(Answer::refused(Verdict::Forbidden, detail).about(&login));
        }
        Ok(_) => {}
        Err(refused) => return Ok(Answer::from(refused).about(&login)),
    }
    let key = sessions::key(&login, &name.session);
    let Some(row) = desk.read(&key)? else {
        let detail = format!("there is no session `{}` of `{login}`", name.session);
        return Ok(Answer::refused(Verdict::NotFound, detail).about(&login));
    };
    desk.remove(key);
    Ok(Answer::done("ended", shown(&name.session, Some(&row)), Value::Null).about(&login))
}

/// What was used; what has ended since is passed over.
fn used(desk: &mut Desk, org: Option<&OrgName>, touch: &Touch) -> Result<Answer, Error> {
    let mut count = 0_u64;
    for used in &touch.sessions {
        let login = Login::new(org.cloned(), used.manager.clone());
        count += u64::from(sessions::touch(desk, &login, &used.session)?);
    }
    for used in &touch.tokens {
        let login = Login::new(org.cloned(), used.manager.clone());
        count += u64::from(tokens::touch(desk, &login, &used.token)?);
    }
    Ok(Answer::done("noted", Value::Null, json!({"count": count})))
}

fn refused(
    desk: &mut Desk,
    managers: &Managers,
    org: Option<&OrgName>,
    refusals: &LoginRefusals,
) -> Result<Answer, Error> {
    let told = Answer::done("counted", Value::Null, json!({"count": refusals.count, "sources": refusals.sources}));
    let Some(name) = &refusals.manager else { return Ok(told) };
    let login = Login::new(org.cloned(), name.clone());
    if managers.known(desk).manager(&login)?.is_none() {
        return Ok(Refused::nobody(&login).into());
    }
    failures::count(desk, &login, refusals)?;
    Ok(told.about(&login))
}

fn locked(desk: &mut Desk, managers: &Managers, org: Option<&OrgName>, lockout: &Lockout) -> Result<Answer, Error> {
    let mut new = json!({"source": lockout.source, "failures": lockout.failures, "until": lockout.until});
    if let Some(unnamed) = lockout.unnamed.filter(|_| desk.is_at(FORGETTING)) {
        new = json!({"logins": unnamed.logins, "sources": unnamed.sources, "failures": lockout.failures, "until": lockout.until});
    }
    let told = Answer::done("locked", Value::Null, new);
    let Some(name) = &lockout.manager else { return Ok(told) };
    let login = Login::new(org.cloned(), name.clone());
    if managers.known(desk).manager(&login)?.is_none() {
        return Ok(Refused::nobody(&login).into());
    }
    failures::lock(desk, &login, lockout)?;
    Ok(told.about(&login))
}

/// What the audit shows of a session.
fn shown(id: &linesman_schemas::SessionId, row: Option<&SessionRow>) -> Value {
    let Some(row) = row else { return Value::Null };
    json!({"session": id, "source": row.source, "created": row.created, "expires": row.expires})
}
