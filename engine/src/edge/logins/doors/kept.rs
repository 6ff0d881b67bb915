//! Doors across restarts: what failed at them, in a file.
//!
//! ```text
//! {"version":1,"logins":[{"login":<hash>,"is_house":..,"since":..,"failures":..,"last":..}, ..],
//!  "sources":[{"source":<address>,"failures":..,"last":..}, ..]}
//! ```
//!
//! The log has what failed at logins that somebody has, and of no other. Were it all that is left after a restart, whoever
//! failed at a login before and is let in at once would know that nobody has it.
//!
//! What was typed as a login may be somebody's password: its hash is made with a key that is made of the engine's token,
//! so that nobody tries passwords at the file alone. What is forgotten is not written.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use ring::hmac;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{DOORS, Door, Doors, Login, Side, Table};
use crate::data_dir::private;

/// The form of the file.
const VERSION: u32 = 1;
/// The most bytes that are read of it: more than all doors have.
const BYTES_MOST: u64 = 128 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Content {
    version: u32,
    /// Those that were touched last come last.
    logins: Vec<AtLogin>,
    sources: Vec<AtSource>,
}

#[derive(Serialize, Deserialize)]
struct AtLogin {
    login: String,
    is_house: bool,
    since: u64,
    failures: u32,
    last: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct AtSource {
    source: IpAddr,
    failures: u32,
    last: Timestamp,
}

impl Doors {
    /// As they are kept in a file, under the engine's token; all of them open where there is none, or where it cannot be
    /// read, which is told in the log.
    pub(in crate::edge) fn kept(path: PathBuf, token: &str, now: Timestamp) -> Arc<Self> {
        let key = Sha256::new().chain_update("logins at doors\n").chain_update(token).finalize();
        let table = read(&path, now).unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), %error, "what failed at logins before is forgotten");
            Table::of(DOORS)
        });
        let (key, file) = (hmac::Key::new(hmac::HMAC_SHA256, &key), Some(Mutex::new(path)));
        Arc::new(Self { table: Mutex::new(table), key, file })
    }

    /// Keeps what failed, if any did since this was done last; where that fails, it is told in the log and tried at the
    /// next call. Waits for the disk.
    pub(in crate::edge) fn keep(&self, now: Timestamp) {
        let Some(file) = &self.file else { return };
        // One at a time, and each takes the table when it is its turn: the last to write has the newest.
        let path = file.lock().unwrap_or_else(PoisonError::into_inner);
        let (logins, sources) = {
            let mut table = self.table();
            if !std::mem::take(&mut table.is_changed) {
                return;
            }
            let logins: Vec<(Login, Door)> = remembered(table.logins.in_turn(), now).collect();
            let sources: Vec<(IpAddr, Door)> = remembered(table.sources.in_turn(), now).collect();
            (logins, sources)
        };
        let written = serde_json::to_vec(&Content::of(&logins, &sources)).map_err(io::Error::from);
        if let Err(error) = written.and_then(|content| private::write(&path, &content)) {
            self.table().is_changed = true;
            tracing::warn!(path = %path.display(), %error, "what failed at logins is not kept");
        }
    }
}

fn remembered<'a, K: Copy + 'a>(
    doors: impl Iterator<Item = (&'a K, &'a Door)>,
    now: Timestamp,
) -> impl Iterator<Item = (K, Door)> {
    doors.filter(move |(_, door)| door.remembered(now) > 0).map(|(key, door)| (*key, *door))
}

impl Content {
    fn of(logins: &[(Login, Door)], sources: &[(IpAddr, Door)]) -> Self {
        let at_login = |((hash, side), door): &(Login, Door)| {
            let Door { since, failures, last, .. } = *door;
            AtLogin { login: hex::encode(hash), is_house: *side == Side::House, since, failures, last }
        };
        let at_source =
            |(source, door): &(IpAddr, Door)| AtSource { source: *source, failures: door.failures, last: door.last };
        let (logins, sources) = (logins.iter().map(at_login).collect(), sources.iter().map(at_source).collect());
        Self { version: VERSION, logins, sources }
    }
}

fn no_file() -> io::Error {
    io::Error::other("it is no file")
}

/// The doors of a file; all open where there is none.
fn read(path: &Path, now: Timestamp) -> io::Result<Table> {
    let (mut table, mut bytes) = (Table::of(DOORS), Vec::new());
    // What is no file, such as a named pipe, might be waited for without an end.
    match fs::metadata(path).and_then(|found| if found.is_file() { File::open(path) } else { Err(no_file()) }) {
        Ok(file) => file.take(BYTES_MOST).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(table),
        Err(error) => return Err(error),
    };
    let Content { version, logins, sources } = serde_json::from_slice(&bytes)?;
    if version != VERSION {
        return Err(io::Error::other(format!("it has the form {version}, and this program knows {VERSION}")));
    }
    // A clock that went back meanwhile keeps nobody out for longer than a failure of now would.
    let door =
        |since, failures, last: Timestamp| Door { since, failures, last: last.min(now), trying: 0, has_passed: false };
    for AtLogin { login, is_house, since, failures, last } in logins {
        let mut hash = [0; 32];
        hex::decode_to_slice(login, &mut hash).map_err(io::Error::other)?;
        let side = if is_house { Side::House } else { Side::Street };
        table.logins.put((hash, side), door(since, failures, last));
    }
    for AtSource { source, failures, last } in sources {
        table.sources.put(source, door(0, failures, last));
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::Wait;
    use super::*;

    const FAR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    /// Fails ten times, in ten minutes of which the last is that of second 540.
    fn lock(doors: &Arc<Doors>, login: &str) {
        for number in 0..10 {
            doors.enter(at(number * 60), login, FAR).unwrap().failed(at(number * 60));
        }
    }

    #[test]
    fn what_failed_is_kept_without_what_was_typed_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doors.json");
        let doors = Doors::kept(path.clone(), "token", at(0));
        doors.keep(at(0));
        assert!(!path.exists(), "nothing failed");
        lock(&doors, "my password");
        doors.keep(at(540));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        for typed in ["my password".to_owned(), hex::encode(Sha256::digest("my password"))] {
            assert!(!text.contains(&typed), "{text}");
        }
        let again = |second| Doors::kept(path.clone(), "token", at(second));
        assert_eq!(again(600).enter(at(600), "my password", ELSEWHERE).unwrap_err(), Wait { retry_after_s: 840 });
        assert_eq!(again(0).enter(at(0), "my password", ELSEWHERE).unwrap_err(), Wait { retry_after_s: 900 });
        assert!(again(1440).enter(at(1440), "my password", ELSEWHERE).is_ok());
        assert!(again(600).enter(at(600), "bob", FAR).is_ok());
        let doors = again(600);
        doors.forget("my password");
        doors.keep(at(600));
        assert!(again(600).enter(at(600), "my password", ELSEWHERE).is_ok());
        assert_eq!(again(600).table().sources.get(&FAR).map(|door| door.failures), Some(10));
        lock(&doors, "bob");
        doors.keep(at(2000));
        assert!(!std::fs::read_to_string(&path).unwrap().contains("failures"), "it was forgotten by then");
    }

    #[test]
    fn a_damaged_file_is_all_doors_open_and_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doors.json");
        let doors = Doors::kept(path.clone(), "token", at(0));
        lock(&doors, "bob");
        doors.keep(at(540));
        let whole = std::fs::read_to_string(&path).unwrap();
        let hash = &whole[whole.find("\"login\":\"").unwrap() + 9..][..64];
        for damaged in [
            &whole[..whole.len() / 2],
            "",
            &whole.replace("\"version\":1", "\"version\":2"),
            &whole.replace(hash, "00"),
            &whole.replace(hash, &"z".repeat(64)),
        ] {
            std::fs::write(&path, damaged).unwrap();
            let doors = Doors::kept(path.clone(), "token", at(540));
            assert!(doors.enter(at(540), "bob", ELSEWHERE).is_ok(), "{damaged}");
            lock(&doors, "bob");
            doors.keep(at(540));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        }
    }
    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doors.json");
        let _pipe = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert_eq!(read(&path, at(0)).map(drop).unwrap_err().to_string(), "it is no file");
    }
}
