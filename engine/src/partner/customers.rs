//! Who may come: the end customers with a user and a password, or a certificate, in the configuration, and those to whom
//! they were given through the API.
//!
//! A user that nobody has costs the same work as one that somebody has, and is answered the same. A few failures are
//! free, then doors shut as they do at the API: here one for each user at each place it comes from, so that nobody
//! elsewhere keeps an end customer out, and one for each place.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use linesman_connectors::tls::{ClientAuthorities, ShownChain};
use linesman_schemas::OrgName;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::certificates::Certificates;
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
    /// How much it may report, in bytes.
    pub(super) reported: Pace,
    /// Room for its requests under way.
    pub(super) seats: Arc<Semaphore>,
    /// Held while an upload of its is changed: one at a time.
    pub(super) uploading: tokio::sync::Mutex<()>,
    /// How much is kept of it, as of when: it is not counted with every upload.
    pub(super) counted: Mutex<Option<(Instant, u64)>>,
    /// None where it comes by its certificate alone.
    password: Mutex<Option<Digest>>,
    /// When it last asked, in seconds; 0 for never.
    heard: AtomicI64,
}

/// All who may come.
#[derive(Debug)]
pub(super) struct Customers {
    /// By the digest of their user.
    users: RwLock<BTreeMap<Digest, Arc<Customer>>>,
    certificates: Certificates,
    /// Whose user stands in the configuration.
    configured: BTreeSet<OrgName>,
    /// How often each may ask: a second, at once, and bytes a day.
    bounds: (NonZeroU32, NonZeroU32, NonZeroU32),
    doors: Arc<Doors>,
    /// Held while a password is looked at: a door lets in few who have not shown theirs yet.
    looking: Mutex<()>,
}

/// Why an organization is not let in by what is given beside the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotLetIn {
    /// The configuration has its user.
    #[error("the user of `{org}` stands in the configuration: change it there, or take `user` and `password_file` out")]
    Configured {
        /// Whose.
        org: OrgName,
    },
    /// Somebody else comes by that user.
    #[error("the user `{user}` is that of another organization")]
    Taken {
        /// The user.
        user: String,
    },
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
    /// Those who have a login, certificates being issued by some authorities, if by any.
    pub(super) fn new(
        logins: Vec<(OrgName, Login)>,
        authorities: Option<ClientAuthorities>,
        settings: &Settings,
    ) -> Self {
        let bounds = (settings.requests_per_second, settings.burst, settings.reported_most_bytes);
        let (mut users, mut configured, mut all) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        for (org, login) in logins {
            let password = login.password.as_ref().map(|(_, password)| digest(password.expose()));
            let customer = Arc::new(customer(org.clone(), password, bounds));
            if let Some((user, _)) = &login.password {
                users.insert(digest(user), Arc::clone(&customer));
                configured.insert(org);
            }
            all.push((login, customer));
        }
        let certificates = Certificates::of(all.iter().map(|(login, customer)| (login, customer)), authorities);
        let (users, doors, looking) = (RwLock::new(users), Doors::new(), Mutex::default());
        Self { users, certificates, configured, bounds, doors, looking }
    }

    fn users(&self) -> RwLockReadGuard<'_, BTreeMap<Digest, Arc<Customer>>> {
        self.users.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an organization may be let in by a user that is given beside the configuration.
    ///
    /// # Errors
    /// It may not.
    pub(super) fn takes(&self, org: &OrgName, user: Option<&str>) -> Result<(), NotLetIn> {
        if self.configured.contains(org) {
            return Err(NotLetIn::Configured { org: org.clone() });
        }
        match user.and_then(|user| self.users().get(&digest(user)).map(|known| (user, known.org != *org))) {
            Some((user, true)) => Err(NotLetIn::Taken { user: user.to_owned() }),
            _ => Ok(()),
        }
    }

    /// Lets an organization in by another user and password than before, or by none.
    ///
    /// # Errors
    /// As [`Self::takes`].
    pub(super) fn let_in(&self, org: &OrgName, login: Option<(&str, &str)>) -> Result<(), NotLetIn> {
        self.takes(org, login.map(|(user, _)| user))?;
        let mut users = self.users.write().unwrap_or_else(PoisonError::into_inner);
        let known = users.values().chain(self.certificates.customers()).find(|known| known.org == *org).map(Arc::clone);
        users.retain(|_, known| known.org != *org);
        let Some((user, password)) = login else {
            if let Some(known) = known {
                known.change_password(None);
            }
            return Ok(());
        };
        // One who came before keeps its pace and its requests under way.
        let customer = known.unwrap_or_else(|| Arc::new(customer(org.clone(), None, self.bounds)));
        customer.change_password(Some(digest(password)));
        users.insert(digest(user), customer);
        Ok(())
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.all().len()
    }

    /// All of them, each once.
    fn all(&self) -> BTreeMap<OrgName, Arc<Customer>> {
        let users = self.users();
        let all = users.values().chain(self.certificates.customers());
        all.map(|customer| (customer.org.clone(), Arc::clone(customer))).collect()
    }

    /// How many have asked for something within so long.
    pub(super) fn heard(&self, within: Duration) -> usize {
        let within = i64::try_from(within.as_secs()).unwrap_or(i64::MAX);
        let since = Timestamp::now().as_second().saturating_sub(within);
        self.all().values().filter(|customer| customer.heard.load(Ordering::Relaxed) > since).count()
    }

    /// Whose certificate a connection has shown, as [`Certificates::whose`].
    pub(super) fn of_certificate(&self, now: Timestamp, shown: &ShownChain) -> Option<Arc<Customer>> {
        let customer = self.certificates.whose(now, shown)?;
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
        let (known, shown) = (self.users().get(&digest(user)).map(Arc::clone), digest(password));
        let right = known.as_ref().and_then(|customer| customer.password());
        let is_right = is_same(&shown, &right.unwrap_or_default()) && right.is_some();
        match known.clone().filter(|_| is_right) {
            Some(customer) => {
                attempt.passed();
                customer.heard.store(now.as_second(), Ordering::Relaxed);
                Entered::Right(customer)
            }
            None => {
                let failed = attempt.failed(now);
                if let Some(locked) = failed.login.or(failed.source) {
                    tracing::warn!(%source, until = %locked.until, "too many wrong passwords at the partner listener");
                }
                Entered::Wrong(known)
            }
        }
    }
}

impl Customer {
    fn password(&self) -> Option<Digest> {
        *self.password.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change_password(&self, password: Option<Digest>) {
        *self.password.lock().unwrap_or_else(PoisonError::into_inner) = password;
    }
}

pub(super) fn customer(
    org: OrgName,
    password: Option<Digest>,
    (per_second, burst, bytes_a_day): (NonZeroU32, NonZeroU32, NonZeroU32),
) -> Customer {
    Customer {
        owner: org.as_str().into(),
        org,
        pace: Pace::new(per_second, burst, Instant::now()),
        reported: Pace::a_day(bytes_a_day, Instant::now()),
        seats: Arc::new(Semaphore::new(UNDER_WAY)),
        uploading: tokio::sync::Mutex::new(()),
        counted: Mutex::default(),
        password: Mutex::new(password),
        heard: AtomicI64::new(0),
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
    use linesman_connectors::Secret;
    use linesman_connectors::tls::Fingerprint;

    use super::*;

    fn customers() -> Customers {
        let few = NonZeroU32::new(10).unwrap();
        let settings = Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            identity: None,
            clients: None,
            requests_per_second: few,
            burst: few,
            reported_most_bytes: NonZeroU32::MAX,
            uploads: crate::partner::section::Uploads { most_bytes: 1, kept_most_bytes: 1, kept_most_count: 1 },
        };
        let login = |user: &str| Login {
            password: Some((user.to_owned(), Secret::new(format!("{user}'s own")))),
            certificate: Some(Fingerprint::of(user.as_bytes())),
            subject: None,
        };
        let logins = ["acme", "bolt"].map(|name| (name.parse().unwrap(), login(name)));
        Customers::new(logins.to_vec(), None, &settings)
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
    fn who_is_given_a_user_comes_by_it_until_it_is_taken_back() {
        let customers = customers();
        let corp: OrgName = "corp".parse().unwrap();
        customers.let_in(&corp, Some(("corp-1", "one"))).unwrap();
        assert_eq!(org(&customers.show(at(0), "corp-1", "one", HERE)), Some("corp"));
        assert_eq!(customers.count(), 3);
        customers.let_in(&corp, Some(("corp-2", "two"))).unwrap();
        assert_eq!(org(&customers.show(at(0), "corp-2", "two", HERE)), Some("corp"));
        assert!(matches!(customers.show(at(0), "corp-1", "one", HERE), Entered::Wrong(None)), "the user of before");
        let taken = customers.let_in(&corp, Some(("acme", "three"))).unwrap_err();
        assert_eq!(taken.to_string(), "the user `acme` is that of another organization");
        let configured = customers.let_in(&"acme".parse().unwrap(), None).unwrap_err();
        let expected =
            "the user of `acme` stands in the configuration: change it there, or take `user` and `password_file` out";
        assert_eq!(configured.to_string(), expected);
        customers.let_in(&corp, None).unwrap();
        assert!(matches!(customers.show(at(1), "corp-2", "two", THERE), Entered::Wrong(None)));
        assert_eq!(customers.count(), 2);
    }

    #[test]
    fn who_was_heard_of_is_counted() {
        let customers = customers();
        customers.show(Timestamp::now(), "acme", "acme's own", HERE);
        customers.show(at(0) - jiff::SignedDuration::from_hours(24 * 3650), "bolt", "bolt's own", HERE);
        assert_eq!((customers.count(), customers.heard(Duration::from_secs(60))), (2, 1));
    }
}
