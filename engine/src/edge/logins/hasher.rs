//! Passwords to hashes, and a password and a hash to yes or no: Argon2id (RFC 9106), in PHC strings.
//!
//! A hash takes a core and [`COST`] of memory for a tenth of a second, which is what it is for. So it runs beside the
//! threads that answer requests, two at a time, and few wait: who comes when the row is full is told to come again.

use std::sync::Arc;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use linesman_connectors::Secret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::data_dir::private;

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 32 * 1024;
/// How often a hash passes over its memory. With [`MEMORY_KIB`]: 55 to 140 ms on machines of two cores, of which it takes
/// one; to be raised as machines grow: what was hashed before is read on, and takes as long.
const PASSES: u32 = 5;
/// How many threads work on one hash.
const THREADS: u32 = 1;
/// How many hashes are made at once: lanes need the cores more.
const SEATS: usize = 2;
/// How many wait for a seat: two seconds' work.
const QUEUE: usize = 32;
/// How long a salt is, in bytes (RFC 9106, section 3.1).
pub(super) const SALT: usize = 16;

/// What a hash costs.
#[derive(Debug, Clone)]
pub(in crate::edge) struct Cost(Params);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Every seat and place in the row is taken.
    #[error("too many log in at once")]
    Busy,
    /// The system gives no random numbers or no memory, or what is kept is no hash.
    #[error("a password cannot be hashed")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Makes and compares hashes.
#[derive(Debug)]
pub(super) struct Hasher {
    cost: Cost,
    seats: Arc<Semaphore>,
    /// Seats, and places in the row for one.
    room: Arc<Semaphore>,
    /// Compared with where there is no hash: the same work, and never the same.
    nobodys: PasswordHash,
}

impl Cost {
    /// What is usual.
    ///
    /// # Errors
    /// The parameters are none: never.
    pub(in crate::edge) fn usual() -> Result<Self, Error> {
        Self::of(MEMORY_KIB, PASSES)
    }

    fn of(memory_kib: u32, passes: u32) -> Result<Self, Error> {
        Params::new(memory_kib, passes, THREADS, None).map(Self).map_err(broken)
    }

    fn argon2(&self) -> Argon2<'static> {
        Argon2::from(&self.0)
    }

    /// What this costs more than a hash that was made at `other`; none where it does not.
    fn beyond(&self, other: &Params) -> Option<Self> {
        let passes = |params: &Params| u64::from(params.t_cost()) * u64::from(params.m_cost());
        let rest = passes(&self.0).checked_sub(passes(other))? / u64::from(self.0.m_cost());
        let rest = u32::try_from(rest).ok().filter(|rest| *rest > 0)?;
        Self::of(self.0.m_cost(), rest).ok()
    }
}

#[cfg(test)]
impl Cost {
    /// As little as there can be, for tests of something else.
    pub(in crate::edge) fn least() -> Self {
        Self::of(Params::MIN_M_COST, Params::MIN_T_COST).unwrap()
    }
}

impl Hasher {
    /// One of that cost.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(super) fn new(cost: Cost) -> Result<Self, Error> {
        let nobodys = nobodys(&cost)?;
        let [seats, room] = [SEATS, SEATS + QUEUE].map(|places| Arc::new(Semaphore::new(places)));
        Ok(Self { cost, seats, room, nobodys })
    }

    /// The hash of a password with a salt, as a PHC string.
    ///
    /// # Errors
    /// There is no room, or no memory.
    pub(super) async fn hash(&self, password: Secret, salt: [u8; SALT]) -> Result<String, Error> {
        let argon2 = self.cost.argon2();
        self.seated(move || {
            let hash = argon2.hash_password_with_salt(password.expose().as_bytes(), &salt).map_err(broken)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether it is the password of `hash`. Without one it is not, and that takes as long to say.
    ///
    /// # Errors
    /// There is no room, no memory, or what is kept is no hash.
    pub(super) async fn verify(&self, password: Secret, hash: Option<String>) -> Result<bool, Error> {
        let (argon2, cost) = (self.cost.argon2(), self.cost.clone());
        let nobodys = self.nobodys.clone();
        self.seated(move || {
            let hash = match hash {
                Some(hash) => PasswordHash::new(&hash).map_err(broken)?,
                None => nobodys,
            };
            if let Some(rest) = Params::try_from(&hash).ok().and_then(|params| cost.beyond(&params)) {
                let salt = [0; SALT];
                rest.argon2().hash_password_with_salt(password.expose().as_bytes(), &salt).map_err(broken)?;
            }
            match argon2.verify_password(password.expose().as_bytes(), &hash) {
                Ok(()) => Ok(true),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(broken(error)),
            }
        })
        .await
    }

    async fn seated<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let place = Arc::clone(&self.room).try_acquire_owned().map_err(|_| Error::Busy)?;
        let seat = Arc::clone(&self.seats).acquire_owned().await.map_err(broken)?;
        // IMPORTANT: the work holds its seat, not whoever waits for it: many who ask and go away would have as many
        // threads at work.
        let held: [OwnedSemaphorePermit; 2] = [place, seat];
        let work = move || {
            let _held = held;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(broken)?
    }
}

/// A hash nobody knows a password of.
fn nobodys(cost: &Cost) -> Result<PasswordHash, Error> {
    let salt = private::random::<SALT>().map_err(broken)?;
    let output = private::random::<{ Params::DEFAULT_OUTPUT_LEN }>().map_err(broken)?;
    Ok(PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&cost.0).map_err(broken)?,
        salt: Some(Salt::new(&salt).map_err(broken)?),
        hash: Some(Output::new(&output).map_err(broken)?),
    })
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Broken(error.into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn hasher() -> Hasher {
        Hasher::new(Cost::least()).unwrap()
    }

    fn secret() -> Secret {
        Secret::new("correct horse battery")
    }

    #[tokio::test]
    async fn a_password_is_its_own_hashs_and_no_others() {
        let hasher = hasher();
        let hash = hasher.hash(secret(), [1; SALT]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert_ne!(hash, hasher.hash(secret(), [2; SALT]).await.unwrap(), "by another salt it is another");
        assert!(hasher.verify(secret(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify(Secret::new("correct horse batterY"), Some(hash)).await.unwrap());
        let error = hasher.verify(secret(), Some("plain".to_owned())).await.unwrap_err();
        assert_eq!(error.to_string(), "a password cannot be hashed");
    }

    #[tokio::test]
    async fn what_was_hashed_at_another_cost_is_known() {
        let dearer = Hasher::new(Cost::of(64, 2).unwrap()).unwrap();
        let hash = dearer.hash(secret(), [1; SALT]).await.unwrap();
        assert!(hasher().verify(secret(), Some(hash)).await.unwrap());
    }

    #[test]
    fn what_was_hashed_at_a_lesser_cost_takes_as_long_to_compare() {
        let beyond = |own: (u32, u32), other: (u32, u32)| {
            let other = Params::new(other.0, other.1, THREADS, None).unwrap();
            Cost::of(own.0, own.1).unwrap().beyond(&other).map(|rest| (rest.0.m_cost(), rest.0.t_cost()))
        };
        assert_eq!(beyond((32_768, 4), (32_768, 3)), Some((32_768, 1)));
        assert_eq!(beyond((32_768, 4), (16_384, 2)), Some((32_768, 3)));
        assert_eq!(beyond((32_768, 4), (32_768, 4)), None);
        assert_eq!(beyond((32_768, 4), (65_536, 4)), None);
    }

    /// Time is not asked: that both go the same way with the same parameters is.
    #[tokio::test]
    async fn nobodys_password_is_as_much_work_and_never_right() {
        let usual = Cost::usual().unwrap();
        let nobodys = nobodys(&usual).unwrap();
        assert!(nobodys.to_string().starts_with("$argon2id$v=19$m=32768,t=5,p=1$"), "{nobodys}");
        assert_eq!(Params::try_from(&nobodys).unwrap().block_count(), usual.0.block_count());
        assert!(!hasher().verify(secret(), None).await.unwrap());
    }

    #[tokio::test]
    async fn the_row_is_bounded_and_who_goes_away_leaves_their_seat_to_the_work() {
        let hasher = Arc::new(hasher());
        let seats = Arc::clone(&hasher.seats).acquire_many_owned(SEATS as u32).await.unwrap();
        let waiting: Vec<_> = (0..SEATS + QUEUE)
            .map(|_| {
                let hasher = Arc::clone(&hasher);
                tokio::spawn(async move { hasher.verify(secret(), None).await })
            })
            .collect();
        let full = timeout(Duration::from_secs(10), async {
            while hasher.room.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
        });
        full.await.expect("they stand in the row");
        let refused = timeout(Duration::from_secs(10), hasher.verify(secret(), None)).await;
        let error = refused.expect("at once").unwrap_err();
        assert_eq!(error.to_string(), "too many log in at once");
        // Who waits and goes away makes room.
        waiting.first().unwrap().abort();
        drop(seats);
        let mut answered = 0;
        for waits in waiting {
            answered += usize::from(matches!(waits.await, Ok(Ok(false))));
        }
        assert_eq!(answered, SEATS + QUEUE - 1);
        assert_eq!(hasher.room.available_permits(), SEATS + QUEUE);

        // Who went away while their hash was made has the seat until it is.
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let working = Arc::clone(&hasher);
        let asked = tokio::spawn(async move { working.seated(move || wait.recv().map_err(broken)).await });
        let taken = timeout(Duration::from_secs(10), async {
            while hasher.seats.available_permits() == SEATS {
                tokio::task::yield_now().await;
            }
        });
        taken.await.expect("it has a seat");
        asked.abort();
        assert!(asked.await.unwrap_err().is_cancelled());
        assert_eq!(hasher.seats.available_permits(), SEATS - 1);
        done.send(()).unwrap();
    }
}
