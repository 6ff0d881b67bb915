//! Who may come: the end customers with a user and a password in the configuration.
//!
//! A user that nobody has costs the same work as one that somebody has, and is answered the same. A few failures are
//! free, then doors shut as they do at the API: here one for each user at each place it comes from, so that nobody
//! elsewhere keeps an end customer out, and one for each place.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use linesman_connectors::tls::{Fingerprint, Shown};
use linesman_schemas::OrgName;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::pace::Pace;
use super::section::Settings;
use crate::config::Login;
use crate::edge::logins::doors::{Doors, Wait};

/// How many requests of an end customer are under way at a time.
const UNDER_WAY: usize = 16;
/// How many connections an end customer may have.
pub(super) const CONNECTIONS: usize = 32;

type Digest = [u8; 32];

/// An end customer who may come.
#[derive(Debug)]
pub(super) struct Customer {
    /// The organization it is here.
    pub(super) org: OrgName,
    /// The same, as connections are claimed by it.
    pub(super) owner: Arc<str>,
    pub(super) pace: Pace,
    /// Room for its requests under way.
    pub(super) seats: Arc<Semaphore>,
    /// Held while an upload of its is changed: one at a time.
    pub(super) uploading: tokio::sync::Mutex<()>,
    /// None where it comes by its certificate alone.
    password: Option<Digest>,
    /// When it last asked, in seconds; 0 for never.
    heard: AtomicI64,
}

/// All who may come.
#[derive(Debug)]
pub(super) struct Customers {
    /// By the digest of their user.
    users: BTreeMap<Digest, Arc<Customer>>,
    /// By their certificate.
    certificates: BTreeMap<Fingerprint, Arc<Customer>>,
    /// How many there are.
    count: usize,
    doors: Arc<Doors>,
    /// Held while a password is looked at: a door lets in few who have not shown theirs yet.
    looking: Mutex<()>,
}

/// What came of a password.
#[derive(Debug)]
pub(super) enum Entered {
    /// It is right.
    Right(Arc<Customer>),
    /// It is wrong; whose it is not, where there is somebody by that user.
    Wrong(Option<Arc<Customer>>),
    /// It was not looked at: it is too soon after others that were wrong.
    TooSoon {
        /// In how many seconds it is worth another try.
        retry_after_s: u64,
    },
}

impl Customers {
    pub(super) fn new(logins: Vec<(OrgName, Login)>, settings: &Settings) -> Self {
        let now = Instant::now();
        let customer = |org: OrgName, login: &Login| Customer {
            owner: org.as_str().into(),
            org,
            pace: Pace::new(settings.requests_per_second, settings.burst, now),
            seats: Arc::new(Semaphore::new(UNDER_WAY)),
            uploading: tokio::sync::Mutex::new(()),
            password: login.password.as_ref().map(|(_, password)| digest(password.expose())),
            heard: AtomicI64::new(0),
        };
        let (mut users, mut certificates, count) = (BTreeMap::new(), BTreeMap::new(), logins.len());
        for (org, login) in logins {
            let customer = Arc::new(customer(org, &login));
            if let Some((user, _)) = &login.password {
                users.insert(digest(user), Arc::clone(&customer));
            }
            if let Some(certificate) = login.certificate {
                certificates.insert(certificate, customer);
            }
        }
        Self { users, certificates, count, doors: Doors::new(), looking: Mutex::default() }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// How many have asked for something within so long.
    pub(super) fn heard(&self, within: Duration) -> usize {
        let within = i64::try_from(within.as_secs()).unwrap_or(i64::MAX);
        let since = Timestamp::now().as_second().saturating_sub(within);
        let heard = |customer: &&Arc<Customer>| customer.heard.load(Ordering::Relaxed) > since;
        // Who has both is counted by the user.
        let by_certificate = self.certificates.values().filter(|customer| customer.password.is_none());
        self.users.values().chain(by_certificate).filter(heard).count()
    }

    /// Whose certificate a connection has shown; none where it is nobody's, or is over. Whoever shows it holds its key.
    pub(super) fn of_certificate(&self, now: Timestamp, shown: Shown) -> Option<Arc<Customer>> {
        let customer = self.certificates.get(&shown.fingerprint)?;
        if !shown.is_valid(now) {
            return None;
        }
        customer.heard.store(now.as_second(), Ordering::Relaxed);
        Some(Arc::clone(customer))
    }

    /// Looks at a password that somebody at `source` shows.
    pub(super) fn show(&self, now: Timestamp, user: &str, password: &str, source: IpAddr) -> Entered {
        // Nothing under the lock panics, and it guards nothing of its own.
        let _looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = match self.doors.enter(now, &format!("{user}\n{source}"), source) {
            Ok(attempt) => attempt,
            Err(Wait { retry_after_s }) => return Entered::TooSoon { retry_after_s },
        };
        let (known, shown) = (self.users.get(&digest(user)), digest(password));
        let right = known.and_then(|customer| customer.password);
        let is_right = is_same(&shown, &right.unwrap_or_default()) && right.is_some();
        match known.filter(|_| is_right) {
            Some(customer) => {
                attempt.passed();
                customer.heard.store(now.as_second(), Ordering::Relaxed);
                Entered::Right(Arc::clone(customer))
            }
            None => {
                let failed = attempt.failed(now);
                if let Some(locked) = failed.login.or(failed.source) {
                    tracing::warn!(%source, until = %locked.until, "too many wrong passwords at the partner listener");
                }
                Entered::Wrong(known.cloned())
            }
        }
    }
}

fn digest(text: &str) -> Digest {
    Sha256::digest(text).into()
}

/// Whether two digests are the same; how far they are makes no difference to the time.
fn is_same(one: &Digest, other: &Digest) -> bool {
    one.iter().zip(other).fold(0, |differing, (one, other)| differing | (one ^ other)) == 0
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use linesman_connectors::Secret;

    use super::*;

    fn customers() -> Customers {
        let few = NonZeroU32::new(10).unwrap();
        let settings = Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            identity: None,
            requests_per_second: few,
            burst: few,
            uploads: crate::partner::section::Uploads { most_bytes: 1, kept_most_bytes: 1 },
        };
        let login = |user: &str| Login {
            password: Some((user.to_owned(), Secret::new(format!("{user}'s own")))),
            certificate: Some(Fingerprint::of(user.as_bytes())),
        };
        let logins = ["acme", "bolt"].map(|name| (name.parse().unwrap(), login(name)));
        Customers::new(logins.to_vec(), &settings)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn org(shown: &Entered) -> Option<&str> {
        match shown {
            Entered::Right(customer) => Some(customer.org.as_str()),
            Entered::Wrong(_) | Entered::TooSoon { .. } => None,
        }
    }

    #[test]
    fn a_password_is_one_users_own() {
        let customers = customers();
        assert_eq!(org(&customers.show(at(0), "acme", "acme's own", HERE)), Some("acme"));
        assert_eq!(org(&customers.show(at(0), "bolt", "bolt's own", HERE)), Some("bolt"));
        assert!(matches!(customers.show(at(0), "bolt", "acme's own", HERE), Entered::Wrong(Some(_))));
        assert!(matches!(customers.show(at(0), "corp", "acme's own", HERE), Entered::Wrong(None)));
        // Nobody's is not the one that nobody has.
        assert!(matches!(customers.show(at(0), "", "", HERE), Entered::Wrong(None)));
    }

    #[test]
    fn guessing_shuts_the_door_where_it_is_done_and_nowhere_else() {
        for user in ["acme", "corp"] {
            let customers = customers();
            for _ in 0..3 {
                assert!(matches!(customers.show(at(0), user, "guess", HERE), Entered::Wrong(_)));
            }
            let waits = customers.show(at(0), user, "acme's own", HERE);
            assert!(matches!(waits, Entered::TooSoon { retry_after_s: 1 }), "{user}: {waits:?}");
            assert_eq!(org(&customers.show(at(0), "acme", "acme's own", THERE)), Some("acme"));
            assert_eq!(org(&customers.show(at(0), "bolt", "bolt's own", HERE)), Some("bolt"));
        }
    }

    #[test]
    fn a_certificate_is_one_end_customers_own_until_it_ends() {
        let customers = customers();
        let shown = |of: &str, until: i64| Shown {
            fingerprint: Fingerprint::of(of.as_bytes()),
            begins: Some(at(-10)),
            ends: Some(at(until)),
        };
        let who = |shown: Shown| customers.of_certificate(at(0), shown).map(|customer| customer.org.to_string());
        assert_eq!(who(shown("acme", 10)).as_deref(), Some("acme"));
        assert_eq!(who(shown("bolt", 10)).as_deref(), Some("bolt"));
        assert_eq!(who(shown("corp", 10)), None, "nobody's");
        assert_eq!(who(shown("acme", -1)), None, "it is over");
        assert_eq!(who(Shown { begins: Some(at(5)), ..shown("acme", 10) }), None, "it has not begun");
        assert_eq!(who(Shown { ends: None, ..shown("acme", 10) }), None, "it does not say until when");
    }

    #[test]
    fn who_was_heard_of_is_counted() {
        let customers = customers();
        customers.show(Timestamp::now(), "acme", "acme's own", HERE);
        customers.show(at(0) - jiff::SignedDuration::from_hours(24 * 3650), "bolt", "bolt's own", HERE);
        assert_eq!((customers.count(), customers.heard(Duration::from_secs(60))), (2, 1));
    }
}
