//! What all tasks use and one of them fetches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use linesman_schemas::outcome::Failure;
use tokio::sync::Mutex;

/// A value that is fetched when there is none, and kept.
#[derive(Debug)]
pub(crate) struct Shared<T> {
    kept: Mutex<Kept<T>>,
    /// How many fetches have failed, read without the lock.
    failures: AtomicU64,
}

#[derive(Debug)]
struct Kept<T> {
    value: Option<Arc<T>>,
    last_failure: Option<Failure>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { kept: Mutex::new(Kept { value: None, last_failure: None }), failures: AtomicU64::new(0) }
    }
}

impl<T> Shared<T> {
    /// The value kept where it is good and not `stale`, else what `fetch` brings.
    ///
    /// Tasks that need a new one at the same time wait for one fetch and share its end, also when
    /// it fails: against a sick server each would otherwise wait for the time-outs of all before it.
    pub(crate) async fn get(
        &self,
        stale: Option<&Arc<T>>,
        is_good: impl Fn(&T) -> bool,
        fetch: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Arc<T>, Failure> {
        let failures = self.failures.load(Ordering::Acquire);
        let mut kept = self.kept.lock().await;
        let is_usable = |value: &&Arc<T>| is_good(value) && stale.is_none_or(|stale| !Arc::ptr_eq(stale, value));
        if let Some(value) = kept.value.as_ref().filter(is_usable) {
            return Ok(Arc::clone(value));
        }
        if self.failures.load(Ordering::Acquire) != failures
            && let Some(failure) = &kept.last_failure
        {
            return Err(failure.clone());
        }
        kept.value = None;
        match fetch.await {
            Ok(value) => Ok(Arc::clone(kept.value.insert(Arc::new(value)))),
            Err(failure) => {
                kept.last_failure = Some(failure.clone());
                self.failures.fetch_add(1, Ordering::Release);
                Err(failure)
            }
        }
    }

    /// Gives `stale` up, if it is still the one kept.
    pub(crate) async fn give_up(&self, stale: &Arc<T>) {
        let mut kept = self.kept.lock().await;
        if kept.value.as_ref().is_some_and(|value| Arc::ptr_eq(stale, value)) {
            kept.value = None;
        }
    }
}
