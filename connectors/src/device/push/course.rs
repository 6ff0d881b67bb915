//! One change at one device.
//!
//! ```text
//!  connect -> lock -> nothing waits to be confirmed? -> discard -> load -> compare --nothing--> done
//!                                                                     `-> validate -> approved? -> commit, to be confirmed
//!                                       done <- confirm <- heard of on another connection <-'
//! ```
//!
//! INVARIANT (a device that cannot be reached any more takes the change back): nothing is confirmed but what counts while
//! the device was heard of on a connection that was made after it did. Whatever breaks off before leaves the commit to its
//! time-out.
//!
//! A change that comes again, since nobody knows what came of it, finds nothing to be changed, and is done; or finds its own
//! commit waiting, which is not its to confirm: it fails, and is made anew once the device has taken that back.

use linesman_redaction::Told;
use linesman_schemas::ReactionId;
use linesman_schemas::outcome::{Difference, Failure, FailureClass};
use linesman_schemas::reaction::{Configure, GroupChange};
use tokio::time::timeout;

use super::{Pace, difference, load, look};
use crate::device::failure;
use crate::device::limits::Limits;
use crate::device::netconf::junos::{self, Commit};
use crate::device::netconf::{Body, Datastore, Error, Part, Request, Session};
use crate::device::ssh::{Connection, Login};
use crate::text::excerpt;

/// The longest message of a failure, in characters.
const MESSAGE_MOST: usize = 900;
/// When a commit that waits is looked at again, in seconds.
const PENDING_AGAIN_S: u32 = 60;
/// How many bytes what a device says of its commits may have.
const COMMITS_MOST: u64 = 1024 * 1024;
/// What a change fails with that is not approved.
pub(in crate::device) const UNAPPROVED: &str = "what the device would change is not approved: it stays as it was";
const NOT_FREE: &str = "its configuration is not free";

/// How a device is changed.
pub(super) struct Course<'a> {
    pub(super) login: &'a Login,
    pub(super) pace: &'a Pace,
}

/// What was found out of a change on the way, however that ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// What the device says that it comes to; none where it was not asked.
    pub(super) difference: Option<Difference>,
    /// Whether the device had committed it and takes it back.
    pub(super) is_taken_back: bool,
    /// Whether the device was left as it was, since that is not approved.
    pub(super) is_unapproved: bool,
}

/// A session with the connection it lives on.
pub(super) struct Talk {
    pub(super) session: Session,
    connection: Connection,
}

impl Course<'_> {
    /// Changes a group; what is found out on the way stands in `found`, also where it fails.
    pub(super) async fn change(
        &self,
        id: &ReactionId,
        configure: &Configure,
        found: &mut Found,
    ) -> Result<(), Failure> {
        let ended = self.changed(id, configure, found).await;
        ended.map_err(|failure| without(failure, &configure.change))
    }

    async fn changed(&self, id: &ReactionId, configure: &Configure, found: &mut Found) -> Result<(), Failure> {
        let mut talk = self.talk().await?;
        let ended = match self.lock(&mut talk.session).await {
            Ok(()) => {
                let ended = self.change_locked(&mut talk.session, id, configure, found).await;
                self.unlock(&mut talk.session).await;
                ended
            }
            Err(failure) => Err(failure),
        };
        self.leave(talk).await;
        ended
    }

    pub(super) async fn talk(&self) -> Result<Talk, Failure> {
        let connection = Connection::open(self.login, &self.pace.connect).await;
        let connection = connection.map_err(|error| failure(error.class(), cut(&chain(&error))))?;
        let session = Session::open(&connection, &self.pace.answer).await;
        let session = session.map_err(|error| failed("it opens no session", &error))?;
        Ok(Talk { session, connection })
    }

    pub(super) async fn leave(&self, talk: Talk) {
        // Whether the device says good-bye does not matter.
        let _ = talk.session.close(&self.pace.answer).await;
        talk.connection.close().await;
    }

    /// Junos alone has groups.
    pub(super) fn check_junos(session: &Session) -> Result<(), Failure> {
        match session.is_junos() {
            true => Ok(()),
            false => {
                let message = "the device is no Junos: it has no configuration groups".to_owned();
                Err(failure(FailureClass::Refused, message))
            }
        }
    }

    /// Keeps others from the candidate, which has nothing in it that is not committed.
    pub(super) async fn lock(&self, session: &mut Session) -> Result<(), Failure> {
        Self::check_junos(session)?;
        let locked = session.call(Request::lock(Datastore::Candidate), &self.pace.answer).await;
        locked.map(drop).map_err(|error| match error {
            // Whatever it says of it: somebody is at it, and what they have not committed is theirs.
            Error::Refused { .. } => failure(FailureClass::Unavailable, told(NOT_FREE, &error)),
            error => failed(NOT_FREE, &error),
        })
    }

    /// Ends the lock, and with it what is not committed. A commit that waits is left to its time-out.
    pub(super) async fn unlock(&self, session: &mut Session) {
        for request in [Request::discard_changes(), Request::unlock(Datastore::Candidate)] {
            // Whether the device still hears it does not matter: the end of the session does the same.
            let _ = session.call(request, &self.pace.answer).await;
        }
    }

    async fn change_locked(
        &self,
        session: &mut Session,
        id: &ReactionId,
        configure: &Configure,
        found: &mut Found,
    ) -> Result<(), Failure> {
        let (answer, work) = (&self.pace.answer, &self.pace.work);
        if self.is_pending(session).await? {
            let message = "a commit on the device waits to be confirmed: it is left to that, or to be taken back";
            let failure = failure(FailureClass::Unavailable, message.to_owned());
            return Err(Failure { retry_after_s: Some(PENDING_AGAIN_S), ..failure });
        }
        let discarded = session.call(Request::discard_changes(), answer).await;
        discarded.map_err(|error| failed("what is left in its candidate stays there", &error))?;
        let (how, text) = load::of(&configure.group, &configure.change);
        look::loaded(session, self.pace, junos::load_configuration(how, Body::text(text.as_bytes()))).await?;
        let pace = look::bounded(self.pace, look::room_of([&configure.change]));
        let compared = look::compared(session, &pace).await?;
        found.difference = Some(difference::of(&compared.text));
        if compared.text.is_empty() {
            return Ok(());
        }
        let validated = session.call(Request::validate(Datastore::Candidate), work).await;
        validated.map_err(|error| failed("it would not commit the group", &error))?;
        // What the device would not commit nobody is asked of.
        let sha256 = found.difference.as_ref().map(|difference| &difference.sha256);
        if configure.approved.as_ref().is_some_and(|approved| approved.sha256.as_ref() != sha256) {
            found.is_unapproved = true;
            return Err(failure(FailureClass::Unavailable, UNAPPROVED.to_owned()));
        }
        self.commit(session, id, &mut found.is_taken_back).await
    }

    async fn commit(&self, session: &mut Session, id: &ReactionId, is_taken_back: &mut bool) -> Result<(), Failure> {
        let log = format!("linesman {id}");
        let commit = Commit { confirmed: Some(self.pace.confirm), log: Some(&log), ..Commit::default() };
        let committed = session.call(junos::commit(commit), &self.pace.work).await;
        committed.map_err(|error| failed("it does not commit the group", &error))?;
        let heard = timeout(self.pace.heard, self.hear()).await;
        let mut unheard = |why: &str| {
            *is_taken_back = true;
            let message = format!("the change is not confirmed, and the device takes it back: {why}");
            failure(FailureClass::Unavailable, cut(&message))
        };
        match heard {
            Ok(Ok(())) => {}
            Ok(Err(failed)) => return Err(unheard(&failed.message)),
            Err(_) => return Err(unheard("nothing was heard of it on another connection")),
        }
        let confirmed = session.call(Request::commit(), &self.pace.work).await;
        confirmed.map(drop).map_err(|error| match error {
            Error::Refused { .. } => unheard(&error.to_string()),
            error => failed("whether the change is confirmed is not known", &error),
        })
    }

    /// Hears of the device on a connection of its own, while the commit waits.
    async fn hear(&self) -> Result<(), Failure> {
        let mut talk = self.talk().await?;
        match talk.session.call(junos::system_information(), &self.pace.answer).await {
            // Whatever it says, it does answer.
            Ok(_) | Err(Error::Refused { .. }) => {}
            Err(error) => return Err(failed("it does not answer", &error)),
        }
        let is_pending = self.is_pending(&mut talk.session).await?;
        self.leave(talk).await;
        match is_pending {
            true => Ok(()),
            false => Err(failure(FailureClass::Unavailable, "no commit waits on it any more".to_owned())),
        }
    }

    async fn is_pending(&self, session: &mut Session) -> Result<bool, Failure> {
        let limits = Limits { bytes: COMMITS_MOST, ..self.pace.answer };
        let told = session.ask(junos::commits(), Part::TextOf("commit-confirmed"), &limits).await;
        let (reply, waits) = told.map_err(|error| failed("it does not tell its commits", &error))?;
        if !reply.has_answer {
            return Err(look::unsaid("whether a commit waits"));
        }
        Ok(!waits.trim().is_empty())
    }
}

/// A failure at the device. Whoever is merely too busy, or at something of somebody else's, is asked again.
pub(super) fn failed(doing: &str, error: &Error) -> Failure {
    let class = match error.class() {
        FailureClass::Overloaded => FailureClass::Unavailable,
        class => class,
    };
    failure(class, told(doing, error))
}

fn told(doing: &str, error: &Error) -> String {
    cut(&format!("{doing}: {}", chain(error)))
}

/// An error with all that led to it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

/// A failure in words without the secrets that the device was told: it quotes what it does not take.
pub(super) fn without(failure: Failure, change: &GroupChange) -> Failure {
    match change {
        GroupChange::Put { text } => {
            Failure { message: Told::of([text.as_str()]).withhold(&failure.message), ..failure }
        }
        GroupChange::Remove => failure,
    }
}

/// A message on one line, and no longer than one is.
fn cut(message: &str) -> String {
    excerpt(message, MESSAGE_MOST)
}
