//! How much room there is on the disks that the data lies on.

use std::path::Path;

/// With less than this of a disk free, in bytes, nothing is begun that takes room on it.
pub const ROOM_LEAST: u64 = 16 * 1024 * 1024;

/// How many bytes of the disk under a folder are free; none where it cannot be looked at.
pub fn free(folder: &Path) -> Option<u64> {
    // As if there were so few, on a disk that nobody fills.
    fail::fail_point!("disk::free", |bytes| bytes.and_then(|bytes| bytes.parse().ok()));
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Whether there is room under a folder; what cannot be looked at is taken to have some.
pub fn has_room(folder: &Path) -> bool {
    free(folder).is_none_or(|free| free >= ROOM_LEAST)
}
