//! What is asked of API tokens.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, Token, TokenIssue};
use linesman_schemas::{Login, OrgName, Privileges, Rights, Sphere, TokenName};
use serde_json::{Value, json};

use super::Answer;
use super::passwords::{Hold, hold};
use crate::desk::Desk;
use crate::managers::Managers;
use crate::rights::{Grants as _, settled};
use crate::tokens::{self, TOKENS_MOST, TokenRow};
use crate::{Error, rights};

/// From which engine level on a token has no more than its owner was granted when it was made. Before, whoever gave a
/// manager another password and made a token as that one had by it what that one was granted ever after.
const BOUNDED: u32 = 9;

/// Does what is asked of an API token. What those of the provider's people may do is part of the directory.
pub(crate) fn ask(
    desk: &mut Desk,
    managers: &mut Managers,
    org: Option<&OrgName>,
    command: &Command,
    verb: &Token,
) -> Result<Answer, Error> {
    let login = Login::new(org.cloned(), verb.manager().clone());
    let held = match hold(&managers.known(desk), &command.principal, &login, desk.now)? {
        Ok(held) => held,
        Err(refused) => return Ok(Answer::from(refused).about(&login)),
    };
    let answer = match verb {
        Token::Issue(issue) => {
            // Whoever made tokens for others, or by tokens, would come in as them, and stay.
            let is_oneself = held == Hold::Oneself && command.principal.token().is_none();
            if is_oneself { make(desk, managers, command, &login, issue)? } else { not_oneself(&login) }
        }
        Token::Revoke(_) if held == Hold::Oneself && command.principal.token().is_some() => {
            Answer::refused(Verdict::Forbidden, "an API token does nothing with how its owner comes in")
        }
        Token::Revoke(revocation) => revoke(desk, &login, &revocation.token)?,
    };
    if answer.is_done() && org.is_none() {
        managers.changed_directory();
    }
    Ok(answer.about(&login))
}

fn not_oneself(login: &Login) -> Answer {
    Answer::refused(
        Verdict::Forbidden,
        format!("API tokens of `{login}` are made by whoever logs in so, not by tokens"),
    )
}

fn make(
    desk: &mut Desk,
    managers: &Managers,
    command: &Command,
    login: &Login,
    issue: &TokenIssue,
) -> Result<Answer, Error> {
    if issue.expires.is_some_and(|expires| expires <= desk.now) {
        return Ok(Answer::refused(Verdict::Invalid, "`expires` is past"));
    }
    let sphere = issue.sphere.clone().map(Sphere::of);
    if let Some(detail) = beyond(desk, managers, command, issue, sphere.as_ref())? {
        return Ok(Answer::refused(Verdict::Forbidden, detail));
    }
    let known: Vec<_> = tokens::of(desk.state(), login).collect::<Result<_, _>>()?;
    if known.iter().any(|(name, _)| *name == issue.token) {
        let detail = format!("there is a token `{}` of `{login}`", issue.token);
        return Ok(Answer::refused(Verdict::Conflict, detail));
    }
    if known.len() >= TOKENS_MOST {
        return Ok(Answer::refused(Verdict::Conflict, format!("`{login}` has {TOKENS_MOST} tokens, and no more")));
    }
    let Bounds { sphere, privileges, rights } = bounds(desk, managers, login, issue, sphere)?;
    let row = TokenRow {
        hash: tokens::hash_of(&issue.hash),
        expires: issue.expires,
        sphere,
        privileges: privileges.map(Privileges::bits),
        rights: rights.map(Rights::bits),
        created: desk.now,
        used: None,
    };
    desk.write(tokens::key(login, &issue.token), &row)?;
    Ok(Answer::created(shown(&issue.token, &row)))
}

/// What a token is given; what is none is its owner's at each moment.
struct Bounds {
    sphere: Option<Sphere>,
    privileges: Option<Privileges>,
    rights: Option<Rights>,
}

/// What a token is given: where nothing is said of it, what its owner was granted. Of the provider's people, who see by
/// their groups too, the sphere stays the owner's.
fn bounds(
    desk: &Desk,
    managers: &Managers,
    login: &Login,
    issue: &TokenIssue,
    sphere: Option<Sphere>,
) -> Result<Bounds, Error> {
    let (privileges, rights) = (issue.privileges, issue.rights);
    let known = managers.known(desk);
    let owner = if desk.is_at(BOUNDED) { known.manager(login)? } else { None };
    let Some(owner) = owner else { return Ok(Bounds { sphere, privileges, rights }) };
    let granted = settled(&known, &owner)?;
    let is_of_organization = login.organization.is_some();
    Ok(Bounds {
        sphere: sphere.or_else(|| is_of_organization.then(|| granted.sphere.clone())),
        privileges: privileges.or(Some(granted.privileges)),
        rights: rights.or(Some(granted.rights)),
    })
}

/// What of a token is more than its owner has.
fn beyond(
    desk: &Desk,
    managers: &Managers,
    command: &Command,
    issue: &TokenIssue,
    sphere: Option<&Sphere>,
) -> Result<Option<String>, Error> {
    let known = managers.known(desk);
    let own = rights::effective(&known, &command.principal, desk.now)?.unwrap_or_default();
    let reach = rights::reach(&known, &command.principal, desk.now)?;
    let place = sphere.iter().flat_map(|sphere| sphere.places()).find(|place| !reach.covers(place));
    if let Some(place) = place {
        return Ok(Some(format!("`{place}` is not in the sphere of `{}`", command.principal)));
    }
    if let Some(privilege) = issue.privileges.and_then(|wanted| wanted.beyond(own.privileges)) {
        return Ok(Some(format!("`{}` has not the privilege `{privilege}`", command.principal)));
    }
    let right = issue.rights.and_then(|wanted| wanted.beyond(own.rights));
    Ok(right.map(|right| format!("`{}` has not the right `{right}`", command.principal)))
}

fn revoke(desk: &mut Desk, login: &Login, token: &TokenName) -> Result<Answer, Error> {
    let key = tokens::key(login, token);
    let Some(row) = desk.read(&key)? else {
        return Ok(Answer::refused(Verdict::NotFound, format!("there is no token `{token}` of `{login}`")));
    };
    desk.remove(key);
    Ok(Answer::done("revoked", shown(token, &row), Value::Null))
}

/// What the audit shows of a token.
fn shown(name: &TokenName, row: &TokenRow) -> Value {
    let allowed = row.attenuation();
    json!({
        "token": name,
        "expires": row.expires,
        "sphere": allowed.sphere,
        "privileges": allowed.privileges,
        "rights": allowed.rights,
    })
}
