//! The texts of sessions and API tokens. Such a text says whose it is and which, so that what is kept of it is found
//! without a search; its secret is kept nowhere, only the hash of it.
//!
//! ```text
//! lms_ base64url( login ":" session ":" secret )      a session
//! lmt_ base64url( login ":" token   ":" secret )      an API token
//! ```

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use linesman_connectors::Secret;
use linesman_schemas::{Login, TokenName};
use sha2::{Digest as _, Sha256};

use crate::data_dir::private;

/// How long such a text is at most, in bytes: a login, a name and a secret have room in it.
const LONGEST: usize = 512;
/// How many random bytes a secret has.
const SECRET: usize = 32;
/// How many random bytes the name of a session has.
const NAME: usize = 8;

/// What a text lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::edge) enum Kind {
    /// A session.
    Session,
    /// An API token.
    Token,
}

/// Who shows what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::edge) struct Bearer {
    /// What it is.
    pub(in crate::edge) kind: Kind,
    /// Whose.
    pub(in crate::edge) login: Login,
    /// Which of theirs: a session's id, a token's name.
    pub(in crate::edge) name: String,
    secret: Secret,
}

/// What is kept of a secret.
pub(in crate::edge) type Hash = [u8; 32];

impl Kind {
    const ALL: [Self; 2] = [Self::Session, Self::Token];

    fn prefix(self) -> &'static str {
        match self {
            Self::Session => "lms_",
            Self::Token => "lmt_",
        }
    }
}

impl Bearer {
    /// A new session.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(in crate::edge) fn session(login: &Login) -> io::Result<Self> {
        Self::new(Kind::Session, login, &private::random_hex::<NAME>()?)
    }

    /// A new API token of that name.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(in crate::edge) fn token(login: &Login, name: &TokenName) -> io::Result<Self> {
        Self::new(Kind::Token, login, name.as_str())
    }

    fn new(kind: Kind, login: &Login, name: &str) -> io::Result<Self> {
        let secret = Secret::new(URL_SAFE_NO_PAD.encode(private::random::<SECRET>()?));
        Ok(Self { kind, login: login.clone(), name: name.to_owned(), secret })
    }

    /// Reads what somebody shows; none if it is no such text.
    pub(in crate::edge) fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (kind, coded) = Kind::ALL.into_iter().find_map(|kind| Some((kind, text.strip_prefix(kind.prefix())?)))?;
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(coded).ok()?).ok()?;
        let mut parts = plain.split(':');
        let (Some(login), Some(name), Some(secret), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        Some(Self { kind, login: login.parse().ok()?, name: name.to_owned(), secret: Secret::new(secret) })
    }

    /// The text, for whoever it lets in and nobody else.
    pub(in crate::edge) fn text(&self) -> Secret {
        let plain = format!("{}:{}:{}", self.login, self.name, self.secret.expose());
        Secret::new(format!("{}{}", self.kind.prefix(), URL_SAFE_NO_PAD.encode(plain)))
    }

    /// What is kept of its secret. It has 256 random bits: nothing slow is needed.
    pub(in crate::edge) fn hash(&self) -> Hash {
        Sha256::digest(self.secret.expose()).into()
    }

    /// Whether `kept` is of its secret. Hashes are compared, whole: how long that takes tells nothing of them.
    pub(in crate::edge) fn is(&self, kept: &Hash) -> bool {
        let differing = self.hash().iter().zip(kept).fold(0, |all, (ours, theirs)| all | (ours ^ theirs));
        std::hint::black_box(differing) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(login: &str) -> Bearer {
        Bearer::session(&login.parse().unwrap()).unwrap()
    }

    fn token(login: &str, name: &str) -> Bearer {
        Bearer::token(&login.parse().unwrap(), &name.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_text_is_read_as_it_was_made() {
        for made in [session("acme/ann"), token("bob", "nightly_2")] {
            let text = made.text();
            let read = Bearer::read(text.expose()).unwrap();
            assert_eq!(read, made);
            assert!(read.is(&made.hash()));
            assert!(text.expose().len() < LONGEST);
        }
        let (one, other) = (token("bob", "ci"), token("bob", "ci"));
        assert!(!one.is(&other.hash()));
        assert_eq!(one.secret.expose().len(), 43);
        // The longest that can be asked for.
        let long = "x".repeat(64);
        let made = token(&format!("{long}/{long}"), &long);
        assert_eq!(Bearer::read(made.text().expose()), Some(made));
    }

    #[test]
    fn a_text_shows_its_secret_to_nobody() {
        let made = session("acme/ann");
        let shown = format!("{made:?} {:?}", made.text());
        assert!(!shown.contains(made.secret.expose()) && shown.contains("***"), "{shown}");
    }

    #[test]
    fn what_is_no_such_text_is_nobodys() {
        let coded = |plain: &str| format!("lms_{}", URL_SAFE_NO_PAD.encode(plain));
        for text in [
            "",
            "lms_",
            "lmx_YTpiOmM",
            "YTpiOmM",
            "lms_YTpiOmM=",
            "lms_YTpi OmM",
            &coded("a:b"),
            &coded("a b:b:c"),
            &coded("a:b:c:d"),
            &format!("lms_{}", URL_SAFE_NO_PAD.encode([b'a', b':', 0xff, b':', b'c'])),
            &coded(&format!("a:b:{}", "c".repeat(LONGEST))),
        ] {
            assert_eq!(Bearer::read(text), None, "{text}");
        }
        assert!(Bearer::read(&coded("a:b:c")).is_some());
    }
}
