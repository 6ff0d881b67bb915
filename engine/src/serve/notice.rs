//! Whether the rule directory is worth a look: the system tells of changes in it, so that looking at a hundred thousand
//! files every second is not needed.
//!
//! Nobody is told by network file systems, nor of what lies behind a link or on another file system: then it is always worth
//! one. So it is where the system does not tell, as without room for more watches. That the directory was replaced is seen by
//! asking for it alone. A look that nobody has asked for is rare.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::logging::full;
use crate::rules_dir::{self, Folders, Stamp};

/// How long nothing that is told goes without a look; also how long the system is not asked again that did not tell.
const RARELY: Duration = Duration::from_secs(60);
/// File systems where others change files and nobody is told: NFS, SMB, CIFS, SMB2, FUSE, 9P, Ceph, AFS, Coda.
const REMOTE: [i64; 9] =
    [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x6573_5546, 0x0102_1997, 0x00c3_6400, 0x5346_414f, 0x7375_7245];

/// What is told of a directory.
pub(super) struct Notice {
    told: Option<Told>,
    /// When somebody looked last.
    looked: Option<Instant>,
    /// Before then the system is not asked to tell.
    ask_from: Option<Instant>,
}

/// Somebody tells.
struct Told {
    _watcher: RecommendedWatcher,
    folders: Folders,
    root: (u64, u64),
    has_changed: Arc<AtomicBool>,
}

impl Notice {
    pub(super) const fn new() -> Self {
        Self { told: None, looked: None, ask_from: None }
    }

    /// Whether the directory may be other than at the last look.
    pub(super) fn is_due(&self, dir: &Path) -> bool {
        let Some((told, looked)) = self.told.as_ref().zip(self.looked) else { return true };
        let root = std::fs::metadata(dir).ok().map(|metadata| identity(&metadata));
        told.has_changed.load(Ordering::Relaxed) || root != Some(told.root) || looked.elapsed() >= RARELY
    }

    /// Before a look: what changes from here on is told.
    pub(super) fn begin(&mut self, dir: &Path) {
        self.looked = Some(Instant::now());
        if self.ask_from.is_some_and(|from| Instant::now() < from) {
            return;
        }
        let Ok(root) = std::fs::metadata(dir) else {
            self.told = None;
            return;
        };
        let folders = rules_dir::folders(dir);
        if let Some(told) = self.told.as_ref().filter(|told| told.root == identity(&root) && told.folders == folders) {
            told.has_changed.store(false, Ordering::Relaxed);
            return;
        }
        self.told = None;
        if folders.has_links || is_remote(dir) {
            return;
        }
        match Told::of(folders, identity(&root)) {
            Ok(told) => {
                self.ask_from = None;
                self.told = Some(told);
            }
            Err(error) => {
                let why = full(&error);
                tracing::warn!(why, "changes of the rule directory are not told; it is looked at every second");
                self.ask_from = Some(Instant::now() + RARELY);
            }
        }
    }

    /// What a look showed.
    pub(super) fn end(&mut self, seen: &[Stamp]) {
        if self.told.as_ref().is_some_and(|told| seen.iter().any(|stamp| stamp.device() != told.root.0)) {
            self.told = None;
        }
    }
}

impl Told {
    fn of(folders: Folders, root: (u64, u64)) -> notify::Result<Self> {
        let has_changed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&has_changed);
        // That somebody reads it, as a look does, is no change. What cannot be told may be one.
        let heard = move |event: notify::Result<Event>| {
            if event.map_or(true, |event| !event.kind.is_access()) {
                flag.store(true, Ordering::Relaxed);
            }
        };
        let mut watcher = notify::recommended_watcher(heard)?;
        for folder in &folders.paths {
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
        Ok(Self { _watcher: watcher, folders, root, has_changed })
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn is_remote(dir: &Path) -> bool {
    rustix::fs::statfs(dir).map_or(true, |found| REMOTE.contains(&found.f_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(notice: &mut Notice, dir: &Path) {
        notice.begin(dir);
        notice.end(&rules_dir::look(dir).unwrap());
    }

    fn soon(notice: &Notice, dir: &Path) {
        let until = Instant::now() + Duration::from_secs(30);
        while !notice.is_due(dir) {
            assert!(Instant::now() < until, "nobody is told");
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_has_not_changed_is_not_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::create_dir(path("R")).unwrap();
        std::fs::create_dir(path("R/acme")).unwrap();
        std::fs::write(path("R/acme/a.rhai"), "").unwrap();
        let (root, mut notice) = (path("R"), Notice::new());
        assert!(notice.is_due(&root), "nobody has looked yet");
        looked(&mut notice, &root);
        for _ in 0..3 {
            rules_dir::read(&root).unwrap();
        }
        assert!(!notice.is_due(&root), "reading is no change");
        let changes: [&dyn Fn(); 6] = [
            &|| std::fs::write(path("R/acme/a.rhai"), "other").unwrap(),
            &|| std::fs::write(path("R/b.rhai"), "").unwrap(),
            &|| std::fs::remove_file(path("R/b.rhai")).unwrap(),
            &|| std::fs::create_dir_all(path("R/services/nat")).unwrap(),
            &|| std::fs::write(path("R/services/nat/service.toml"), "").unwrap(),
            &|| {
                std::fs::rename(&root, path("old")).unwrap();
                std::fs::create_dir(&root).unwrap();
            },
        ];
        for change in changes {
            change();
            soon(&notice, &root);
            looked(&mut notice, &root);
            // What came while it was looked at is looked at once more.
            looked(&mut notice, &root);
        }
        std::fs::remove_dir(&root).unwrap();
        assert!(notice.is_due(&root), "it is gone");
    }

    #[test]
    fn what_lies_behind_a_link_is_always_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("elsewhere", dir.path().join("a.rhai")).unwrap();
        let mut notice = Notice::new();
        looked(&mut notice, dir.path());
        assert!(notice.is_due(dir.path()));
        std::fs::remove_file(dir.path().join("a.rhai")).unwrap();
        looked(&mut notice, dir.path());
        assert!(!notice.is_due(dir.path()));
    }
}
