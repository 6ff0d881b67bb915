//! Commands about sessions and logins. Passwords are verified before: what enters the log is what came of it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, OWNER_MOST, hash, label, list};
use crate::{ManagerName, SessionId, TokenName};

/// What is asked for of a manager's sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Session {
    /// A manager has logged in.
    Open(SessionOpening),
    /// A manager logs out.
    Close(SessionName),
    /// A session is ended by somebody.
    Revoke(SessionName),
    /// Sessions and tokens were used.
    Touch(Touch),
    /// Logins were refused.
    Refuse(LoginRefusals),
    /// Somebody is locked out for a while.
    Lock(Lockout),
}

impl Session {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Open(_) => "login",
            Self::Close(_) => "logout",
            Self::Revoke(_) => "revoke-session",
            Self::Touch(_) => "touch-sessions",
            Self::Refuse(_) => "login-refused",
            Self::Lock(_) => "login-locked",
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Open(opening) => {
                hash("/hash", &opening.hash)?;
                label("/source", &opening.source, OWNER_MOST)
            }
            Self::Close(_) | Self::Revoke(_) => Ok(()),
            Self::Touch(touch) => {
                list("/sessions", &touch.sessions)?;
                list("/tokens", &touch.tokens)
            }
            Self::Refuse(refusals) => {
                list("/sources", &refusals.sources)?;
                let mut sources = refusals.sources.iter().enumerate();
                sources.try_for_each(|(at, source)| label(&format!("/sources/{at}"), source, OWNER_MOST))
            }
            Self::Lock(lockout) => lockout.source.iter().try_for_each(|source| label("/source", source, OWNER_MOST)),
        }
    }
}

/// A session that begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionOpening {
    /// Whose.
    pub manager: ManagerName,
    /// Its id among the manager's.
    pub session: SessionId,
    /// SHA-256 of its secret, in hexadecimal.
    pub hash: String,
    /// From where: an address.
    pub source: String,
    /// When it ends at the latest.
    pub expires: Timestamp,
}

/// Which session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionName {
    /// Whose.
    pub manager: ManagerName,
    /// Its id among the manager's.
    pub session: SessionId,
}

/// What was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Touch {
    /// Sessions.
    pub sessions: Vec<SessionName>,
    /// API tokens.
    pub tokens: Vec<TokenUse>,
}

/// A token that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenUse {
    /// Whose.
    pub manager: ManagerName,
    /// Which.
    pub token: TokenName,
}

/// Logins that were refused, counted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoginRefusals {
    /// As whom; none for names that nobody has, and for what is beyond what is told one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<ManagerName>,
    /// How many since the last one was told.
    pub count: u64,
    /// From where, at most a few.
    pub sources: Vec<String>,
    /// What they count among at the manager's door; none up to level 6, and where there is no manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counting: Option<Counting>,
}

/// What refusals count among: a login, or another password, forgets what was refused before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counting {
    /// The input of the lane behind which they count: the last login or password; 0 for none.
    pub since: u64,
    /// When the first of them was.
    pub first: Timestamp,
    /// When the last of them was.
    pub last: Timestamp,
}

/// A login or a source that is locked out; or how many were that have no name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lockout {
    /// The login; none where a source is locked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<ManagerName>,
    /// The source; none where a login is locked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// After how many failures.
    pub failures: u32,
    /// Until when.
    pub until: Timestamp,
    /// Behind which input of the lane the failures count, as in [`Counting`]; none up to level 6, and where there is no
    /// manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// How many were locked out, where they are counted together: failures are those of all of them, and the last is
    /// locked out until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unnamed: Option<Unnamed>,
}

/// What was locked out and is not named one by one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unnamed {
    /// How many logins that nobody has.
    pub logins: u64,
    /// How many sources.
    pub sources: u64,
}
