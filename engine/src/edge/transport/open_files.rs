//! Connections are open files, and the usual limit of a process is 1,024 of them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the store, the log, the connectors and another listener open besides.
const OTHERS: u64 = 2048;

/// Raises this process's limit of open files so that `connections` fit beside everything else, as
/// far as the system lets it. Children started before keep theirs.
pub(super) fn allow(connections: usize) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let limit = getrlimit(Resource::Nofile);
    let allowed = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if limit.current.is_none_or(|current| current >= allowed) {
        return;
    }
    let raised = Rlimit { current: Some(allowed), maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, wanted, "the limit of open files cannot be raised");
    } else if allowed < wanted {
        tracing::warn!(allowed, wanted, "the system allows fewer open files than the API may need");
    }
}
