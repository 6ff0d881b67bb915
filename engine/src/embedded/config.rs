//! The server's configuration file: loopback only, two logins in accounts of their own, one store.

use std::path::Path;

use super::login::Logins;
use super::{Error, Settings, Sync};

/// Where the public login may publish: bundles and intelligence in, and what a consumer of the stream OUT needs.
///
/// `cmd`, `result`, `p.N.ctl` and `w.>` belong to the engine.
pub const PUBLIC_PUBLISH: [&str; 10] = [
    "in.*.jmb.*",
    "in.*.intel.*",
    "$JS.API.STREAM.INFO.OUT",
    "$JS.API.CONSUMER.CREATE.OUT",
    "$JS.API.CONSUMER.CREATE.OUT.>",
    "$JS.API.CONSUMER.INFO.OUT.*",
    "$JS.API.CONSUMER.DELETE.OUT.*",
    "$JS.API.CONSUMER.MSG.NEXT.OUT.>",
    "$JS.ACK.OUT.>",
    "$JS.FC.OUT.>",
];

/// What the public login may hear. The engine's replies go to [`super::INBOX_PREFIX`] for this reason: `_INBOX.>` of the
/// engine's account is where push consumers deliver to.
pub const PUBLIC_SUBSCRIBE: [&str; 2] = ["out.>", "_INBOX.>"];

/// Size of the server's log file at which it starts another, in bytes; [`LOG_FILES`] are kept.
const LOG_BYTES: usize = 8 * 1024 * 1024;
const LOG_FILES: usize = 3;

/// What a disk is taken to have left that does not tell, in bytes.
const UNKNOWN_ROOM: u64 = 1 << 40;

/// How long the server keeps the way back of a fetch on which nothing more arrives: each costs it half a kilobyte.
/// A heartbeat of the fetch counts as an arrival.
const FETCH_SILENCE: &str = "2m";

/// The text of the configuration file.
///
/// INVARIANT (only the engine writes what is the engine's): the two logins stand in accounts of their own. In one
/// account, a publisher names any subject as the place of a reply, and the server itself publishes there, past all
/// permissions: an acknowledgement becomes a forged mark or command. Across accounts a reply goes to the asker's.
///
/// The server writes its own log: it bounds the file, which it cannot do for what it writes to a pipe. A client that
/// does not take a write within 10 s is cut off, so that it holds no memory.
///
/// # Errors
///
/// [`Error::File`] for a path that is no UTF-8: the format has no way to spell it.
pub(super) fn text(settings: &Settings, folder: &Path, logins: &Logins, port: u16) -> Result<String, Error> {
    let sync = match settings.sync {
        Sync::EverySecond => "\"1s\"",
        Sync::Always => "always",
    };
    let (exports, imports) = services();
    Ok(format!(
        r#"# Written by linesman at every start: changes are lost.
listen: "127.0.0.1:{port}"
server_name: {name}
max_payload: {max_payload}
write_deadline: "10s"
log_file: {log}
log_size_limit: {LOG_BYTES}
logfile_max_num: {LOG_FILES}
jetstream {{ store_dir: {store}, sync_interval: {sync}, max_file_store: {room} }}
accounts {{
  ENGINE: {{
    jetstream: enabled
    users: [ {{ user: {engine}, password: {engine_password} }} ]
    exports: [ {{ stream: "out.>" }}, {{ stream: "_INBOX.>" }}{exports} ]
  }}
  PUBLIC: {{
    users: [ {{ user: {public}, password: {public_password}, permissions: {{
      publish: {PUBLIC_PUBLISH:?}, subscribe: {PUBLIC_SUBSCRIBE:?}
    }} }} ]
    imports: [
      {{ stream: {{ account: ENGINE, subject: "out.>" }} }}, {{ stream: {{ account: ENGINE, subject: "_INBOX.>" }} }}{imports}
    ]
  }}
}}
"#,
        name = quoted(&logins.server_name),
        max_payload = settings.max_payload_bytes,
        log = quoted(path_text(&folder.join("server.log"))?.as_str()),
        room = room(&folder.join("jetstream")),
        store = quoted(path_text(&folder.join("jetstream"))?.as_str()),
        engine = quoted(&logins.engine.user),
        engine_password = quoted(&logins.engine.password),
        public = quoted(&logins.public.user),
        public_password = quoted(&logins.public.password),
    ))
}

/// How much the server may store, in bytes: what it has, and three quarters of what the disk has left. Its own default
/// forgets what it has, and refuses everything once that is more than what is left.
fn room(store: &Path) -> u64 {
    let free = store.ancestors().find_map(|folder| rustix::fs::statvfs(folder).ok());
    let free = free.map_or(UNKNOWN_ROOM, |found| found.f_bavail.saturating_mul(found.f_frsize));
    used(store).saturating_add(free / 4 * 3).min(i64::MAX.unsigned_abs())
}

/// How many bytes the files of a folder have. What cannot be read is left out.
fn used(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let found = entry.metadata().ok()?;
            Some(if found.is_dir() { used(&entry.path()) } else { found.len() })
        })
        .sum()
}

/// What the public account asks of the engine's, under the same subjects: exports and imports.
fn services() -> (String, String) {
    let (mut exports, mut imports) = (String::new(), String::new());
    // IMPORTANT: an account without a store imports all of `$JS.API.>` from the server, which then answers that there
    // is none, unless `$JS.API.INFO` is imported from elsewhere. No login of the account may publish there.
    for subject in PUBLIC_PUBLISH.into_iter().chain(["$JS.API.INFO"]) {
        // Every message of a fetch answers one request, and an acknowledgement may be such a request (`+NXT`).
        let several = subject.contains("MSG.NEXT") || subject.contains("$JS.ACK");
        let answers =
            if several { format!("stream, response_threshold: {FETCH_SILENCE:?}") } else { "singleton".to_owned() };
        exports.push_str(&format!(",\n      {{ service: {subject:?}, response_type: {answers} }}"));
        imports.push_str(&format!(",\n      {{ service: {{ account: ENGINE, subject: {subject:?} }} }}"));
    }
    (exports, imports)
}

fn path_text(path: &Path) -> Result<String, Error> {
    let no_text = || std::io::Error::new(std::io::ErrorKind::InvalidInput, "the path is no UTF-8 text");
    path.to_str().map(str::to_owned).ok_or_else(|| Error::file(path)(no_text()))
}

/// A text in the format's double quotes, where a backslash escapes quote and backslash.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
