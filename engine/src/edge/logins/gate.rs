//! Where passwords are shown: how often, whether they are right, and what is told of those that are not.
//!
//! A login nobody has meets the same doors, the same work and the same answers as a wrong password.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::StatusCode;
use jiff::Timestamp;
use linesman_connectors::Secret;
use linesman_domain::table::Table;
use linesman_domain::{credentials, failures};
use linesman_schemas::{CommandId, Login};
use sha2::{Digest as _, Sha256};

use super::doors::{Failed, Logged, Wait};
use super::hasher::{self, SALT};
use super::notices::{Notice, Told};
use super::{Logins, rules};
use crate::edge::transport::problem::Problem;

/// What somebody showed was wrong.
pub(super) enum Denied {
    /// It is no password of the login.
    Wrong,
    /// It was not looked at, or could not be.
    Unasked(Problem),
}

impl Logins {
    /// Whether `password` is that of the login; if so, who it is and whether they have to change it.
    pub(super) async fn verify(
        self: &Arc<Self>,
        text: &str,
        password: Secret,
        source: IpAddr,
    ) -> Result<(Login, bool), Denied> {
        let (known, logged) = self.known(text)?;
        let attempt = self.doors.enter_logged(Timestamp::now(), text, source, logged).map_err(too_soon)?;
        let can_be = rules::can_be(password.expose());
        let hash = known.as_ref().filter(|_| can_be).map(|(_, row)| row.password.clone());
        // What cannot be a password is none, and takes as long.
        let password = if can_be { password } else { Secret::new(String::new()) };
        let is_right = self.hasher.verify(password, hash).await.map_err(unverified)?;
        match known {
            Some((login, row)) if is_right => {
                attempt.passed();
                count("done");
                Ok((login, row.must_change))
            }
            known => {
                let failed = attempt.failed(Timestamp::now());
                count("refused");
                let login = known.map(|(login, _)| Told { login, since: logged.since });
                self.tell(login, source, &failed);
                Err(Denied::Wrong)
            }
        }
    }

    /// The credentials of a login, if there are any, and what the log has of its failures.
    fn known(&self, text: &str) -> Result<(Option<(Login, credentials::CredentialsRow)>, Logged), Denied> {
        let nobody = (None, Logged::default());
        let Ok(login) = text.parse::<Login>() else { return Ok(nobody) };
        let Some(lane) = self.lane(login.organization.as_ref()) else { return Ok(nobody) };
        let unread = |error| Denied::Unasked(Problem::internal(&error));
        let mut logged = Logged { since: failures::since(lane, &login).map_err(unread)?, ..Logged::default() };
        if let Some(row) = Table::read(lane, &failures::key(&login)).map_err(unread)? {
            logged.failures = u32::try_from(row.count).unwrap_or(u32::MAX);
            (logged.last, logged.locked_until) = (row.last, row.locked_until);
        }
        let credentials = Table::read(lane, &credentials::key(&login)).map_err(unread)?;
        Ok((credentials.map(|row| (login, row)), logged))
    }

    fn tell(&self, login: Option<Told>, source: IpAddr, failed: &Failed) {
        let now = Timestamp::now();
        let due = {
            let mut notices = self.notices();
            if let Some(locked) = failed.source {
                notices.locked_source(source, locked);
            }
            if let Some(locked) = failed.login {
                notices.locked_login(login.clone(), locked);
            }
            notices.failed(Notice { login, source, count: 1, first: now, last: now })
        };
        if let Some(notice) = due {
            self.tell_refused(notice);
        }
    }

    /// The hash of a password that is to be the one of `login` from here on, as asked under `id`. Its salt is made of these,
    /// so that what is asked again is the same, and of what only this engine knows.
    ///
    /// # Errors
    /// It cannot be one, which is told at `pointer`; or too many log in at once.
    pub(in crate::edge) async fn new_hash(
        &self,
        password: &Secret,
        pointer: &str,
        (login, id): (&Login, &CommandId),
    ) -> Result<String, Problem> {
        rules::judge(password.expose())
            .map_err(|unfit| Problem::field(StatusCode::UNPROCESSABLE_ENTITY, pointer.to_owned(), unfit.to_string()))?;
        let mut salt = [0; SALT];
        let made = Sha256::new_with_prefix(self.salted).chain_update(format!("{login}\n{id}")).finalize();
        salt.iter_mut().zip(made).for_each(|(ours, made)| *ours = made);
        self.hasher.hash(password.clone(), salt).await.map_err(problem)
    }

    /// Somebody's password was changed: who was locked out is let in.
    pub(in crate::edge) fn changed(&self, login: &Login) {
        self.doors.forget(&login.to_string());
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Wrong => Self::new(StatusCode::UNAUTHORIZED, "login or password is wrong"),
            Denied::Unasked(problem) => problem,
        }
    }
}

fn too_soon(wait: Wait) -> Denied {
    count("waiting");
    let detail = format!("too many logins have failed: wait {} s before the next one", wait.retry_after_s);
    Denied::Unasked(Problem::too_soon(detail, wait.retry_after_s))
}

fn unverified(error: hasher::Error) -> Denied {
    count("busy");
    Denied::Unasked(problem(error))
}

fn problem(error: hasher::Error) -> Problem {
    match error {
        hasher::Error::Busy => Problem::busy(error.to_string(), 1),
        hasher::Error::Broken(_) => Problem::internal(&error),
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("linesman_logins_total", "outcome" => outcome).increment(1);
}

#[cfg(test)]
impl Logins {
    /// Somebody from `source` showed a wrong password then.
    pub(in crate::edge) fn fail(self: &Arc<Self>, text: &str, source: IpAddr, then: Timestamp) {
        let Ok((_, logged)) = self.known(text) else { unreachable!("rows are read") };
        let Ok(attempt) = self.doors.enter_logged(then, text, source, logged) else { unreachable!("it is let in") };
        attempt.failed(then);
    }

    /// In how many seconds somebody from `source` may try a login again; none: at once.
    pub(in crate::edge) fn wait(self: &Arc<Self>, text: &str, source: IpAddr) -> Option<u64> {
        let Ok((_, logged)) = self.known(text) else { unreachable!("rows are read") };
        self.doors.enter_logged(Timestamp::now(), text, source, logged).err().map(|wait| wait.retry_after_s)
    }
}
