//! Finds a NATS server program that is new enough.

use std::env;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::Error;

/// The oldest server with atomic batches.
pub(super) const NEEDED: Version = Version { major: 2, minor: 12 };

/// How long a program may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// The part of a server's version that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// Reads what the program prints: `nats-server: v2.15.1`.
    fn parse(said: &str) -> Option<Self> {
        let mut parts = said.trim().strip_prefix("nats-server: v")?.split('.');
        Some(Self { major: parts.next()?.parse().ok()?, minor: parts.next()?.parse().ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The program to start: the one that is set, else the first that is new enough of the `PATH`, of `.tools/bin` in the
/// working directory and its parents, and of `.tools/bin` in the folders above this executable.
pub(super) async fn find(set: Option<&Path>) -> Result<PathBuf, Error> {
    let places = set.map_or_else(usual_places, |path| vec![path.to_owned()]);
    let mut too_old = None;
    for place in places.iter().filter(|place| place.is_file()) {
        match check(place).await {
            Ok(()) => return Ok(place.clone()),
            Err(error) => too_old = too_old.or(Some(error)),
        }
    }
    Err(too_old.unwrap_or(Error::NoBinary { looked: places }))
}

fn usual_places() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = env::split_paths(&path).map(|folder| folder.join("nats-server")).collect();
    for start in [env::current_dir().ok(), env::current_exe().ok()].into_iter().flatten() {
        for folder in start.ancestors() {
            let place = folder.join(".tools/bin/nats-server");
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

async fn check(path: &Path) -> Result<(), Error> {
    let unusable = |source| Error::Unusable { path: path.to_owned(), source };
    let mut command = Command::new(path);
    command.arg("--version").kill_on_drop(true);
    let output = timeout(PATIENCE, command.output())
        .await
        .map_err(|_| unusable(io::ErrorKind::TimedOut.into()))?
        .map_err(unusable)?;
    let said = String::from_utf8_lossy(&output.stdout);
    match Version::parse(&said) {
        Some(version) if version >= NEEDED => Ok(()),
        _ => Err(Error::Version { path: path.to_owned(), found: said.trim().chars().take(80).collect() }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        for (said, new_enough) in [
            ("nats-server: v2.15.1\n", Some(true)),
            ("nats-server: v2.12.0-RC.1", Some(true)),
            ("nats-server: v2.9.25", Some(false)),
            ("nats-server: v3.0.0", Some(true)),
            ("nats-server", None),
            ("gnatsd version 1.4.1", None),
        ] {
            assert_eq!(Version::parse(said).map(|version| version >= NEEDED), new_enough, "{said}");
        }
    }

    #[tokio::test]
    async fn an_old_server_is_named_with_what_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nats-server");
        std::fs::write(&path, "#!/bin/sh\necho 'nats-server: v2.10.7'\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(
            find(Some(&path)).await.unwrap_err().to_string(),
            format!(
                "`{}` says `nats-server: v2.10.7`, NATS server 2.12 or newer is needed; `make tools` installs one",
                path.display()
            )
        );
    }

    #[tokio::test]
    async fn a_missing_server_is_told_with_the_places() {
        let path = Path::new("/nowhere/nats-server");
        assert_eq!(
            find(Some(path)).await.unwrap_err().to_string(),
            "no `nats-server` found, looked at `/nowhere/nats-server`; `make tools` installs one"
        );
    }

    #[test]
    fn the_tools_folder_is_looked_for_upwards() {
        let here = env::current_dir().unwrap();
        let places = usual_places();
        assert!(places.contains(&here.join(".tools/bin/nats-server")));
        assert!(places.contains(&here.parent().unwrap().join(".tools/bin/nats-server")));
    }
}
