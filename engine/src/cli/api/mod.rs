//! The commands that ask a running engine's API, and how they reach it.
//!
//! | room | what |
//! |---|---|
//! | here | where the API is; requests and answers |
//! | `printed` | lists, page by page, and things |
//! | `filters` | what a list is narrowed and sorted by |
//! | `show` | answers as tables, cards and JSON |
//! | `preview` | what a write would do |
//! | `seals` | what the engine keeps sealed |
//! | `kept`, `secrets` | the session that was logged in by; passwords |
//! | `said` | who asks, where that is said more than once |
//! | `login` | logging in and out |
//! | `csv_file` | CSV files |
//! | `attention` | what works, and waits for somebody |
//! | `published` | what `linesman publish` asks |
//! | `following` | what is looked at again and again, while the engine may be away |
//! | `address`, `contract`, `approval`, `audit`, `incident`, `case`, `device`, `device_config`, `directives_group`, `jmb_error`, `netconf`, `scripts`, `intel`, `org`, `place`, `service`, `value`, `subscription`, `activation`, `manager`, `group`, `token`, `session`, `policy`, `dead`, `status`, `lane`, `clock`, `level`, `log_level` | one command each |

pub(super) mod activation;
pub(super) mod address;
pub(super) mod approval;
mod attention;
pub(super) mod audit;
pub(super) mod case;
pub(super) mod clock;
pub(super) mod contract;
mod csv_file;
pub(super) mod dead;
pub(super) mod device;
pub(super) mod device_config;
pub(super) mod directives_group;
mod each;
mod files;
mod filters;
mod following;
pub(super) mod group;
pub(super) mod incident;
pub(super) mod intel;
pub(super) mod jmb_error;
mod kept;
pub(super) mod known;
pub(super) mod lane;
pub(super) mod level;
pub(super) mod log_level;
pub(super) mod login;
pub(super) mod manager;
pub(super) mod mode;
pub(super) mod netconf;
pub(super) mod org;
pub(super) mod place;
pub(super) mod policy;
mod preview;
mod printed;
pub(super) mod published;
mod said;
pub(super) mod scripts;
pub(super) mod seals;
pub(super) mod secrets;
pub(super) mod service;
pub(super) mod session;
pub(super) mod show;
pub(super) mod status;
pub(super) mod subscription;
#[cfg(test)]
mod tables;
pub(super) mod token;
pub(super) mod value;
pub(super) mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Subcommand;
use linesman_connectors::tls;
use linesman_schemas::command::{CHANGES_MOST, Fault};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Failure, runtime};
use crate::data_dir::DataDir;
use crate::data_dir::private::random_hex;
use crate::edge::filters::Listing;
use crate::logging::full;
use filters::Filters;
use kept::Kept;

/// How long a request may take: a page of a long list is looked for up to 10 s.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long one may take that a device answers.
const DEVICE_PATIENCE: Duration = Duration::from_secs(660);
/// The heading of the flags that every command of these has.
const GLOBAL: &str = "Where the engine is, and how it answers";
/// How often a write is sent again when the engine does not answer; it is done once.
const TRIES: u32 = 3;
/// How long until a look at what became of it, and until it is sent again.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Where the API is, and how answers are printed.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Access {
    // Before the values themselves are taken.
    #[command(flatten)]
    said: said::Said,
    // They stand behind what a command has of its own: the order counts among both.
    /// The data directory of a running engine on this machine
    #[arg(long, value_name = "D", env = "LINESMAN_DATA_DIR", global = true, help_heading = GLOBAL, display_order = 901)]
    data_dir: Option<PathBuf>,
    /// The API of an engine elsewhere
    #[arg(long, value_name = "URL", env = "LINESMAN_API", global = true, help_heading = GLOBAL, display_order = 902)]
    api: Option<String>,
    /// The file with an API token; without one the session counts that `linesman login` began
    #[arg(long, value_name = "FILE", env = "LINESMAN_TOKEN_FILE", global = true, help_heading = GLOBAL, display_order = 903)]
    token_file: Option<PathBuf>,
    /// The certificate authority of the API, in PEM; without one the system's count
    #[arg(long, value_name = "FILE", env = "LINESMAN_API_CA", global = true, help_heading = GLOBAL, display_order = 904)]
    ca: Option<PathBuf>,
    /// The file with the session; without one it lies in your folder of state
    #[arg(long, value_name = "FILE", env = "LINESMAN_SESSION_FILE", global = true, help_heading = GLOBAL, display_order = 905)]
    session_file: Option<PathBuf>,
    /// Print JSON: of a list, one line each
    #[arg(long, global = true, help_heading = GLOBAL, display_order = 906)]
    json: bool,
    /// Print times in UTC in lists on a terminal too, where they are told from now
    #[arg(long, global = true, help_heading = GLOBAL, display_order = 908)]
    utc: bool,
    /// The id of what is changed: given again within a day, it is not done again
    #[arg(long, value_name = "ID", global = true, help_heading = GLOBAL, display_order = 907)]
    key: Option<String>,
}

/// A command: what it is to do, and where the API is.
#[derive(Debug, clap::Args)]
pub(super) struct Args<A: Subcommand> {
    #[command(subcommand)]
    action: A,
    #[command(flatten)]
    access: Access,
}

/// A list: what of it, and how much.
#[derive(Debug, clap::Args)]
pub(super) struct List<L: Listing> {
    #[command(flatten)]
    filters: Filters<L>,
    #[command(flatten)]
    paging: Paging,
}

/// How much of a list is asked for.
#[derive(Debug, clap::Args, Serialize)]
struct Paging {
    /// How many at most, up to 1,000
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    /// Where the page before ended
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// All of them; with --json in the engine's own order, unless --sort says another
    #[arg(long, conflicts_with = "limit")]
    #[serde(skip)]
    all: bool,
}

#[derive(Deserialize)]
struct Ready {
    api: String,
    ca: PathBuf,
}

/// A running engine's API.
struct Api {
    http: Client,
    /// Where it was when it was looked for last.
    base: Mutex<String>,
    /// The data directory that says where it is.
    dir: Option<PathBuf>,
    ca: Option<PathBuf>,
    token: String,
    /// Whether it is asked by the session that was logged in by.
    is_session: bool,
    is_json: bool,
    /// Whether times are printed as they are.
    is_exact: bool,
    key: Option<String>,
}

/// What is given to a command that only says what to use instead.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Never {
    #[arg(hide = true, num_args = 0.., allow_hyphen_values = true, trailing_var_arg = true)]
    given: Vec<String>,
}

/// Runs what a command asks of the API.
fn ask(access: &Access, what: impl AsyncFnOnce(&Api) -> anyhow::Result<()>) -> Result<ExitCode, Failure> {
    let api = Api::new(access)?;
    runtime()?.block_on(what(&api))?;
    Ok(ExitCode::SUCCESS)
}

/// A part of a path.
fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The path of a thing whose name has parts.
fn path_of(front: &str, name: &str) -> String {
    name.split('/').fold(front.to_owned(), |path, part| format!("{path}/{}", segment(part)))
}

impl Api {
    /// By the token that is named, that of the data directory, or the session that is kept; in this order, unless the command
    /// line names the session.
    fn new(access: &Access) -> anyhow::Result<Self> {
        let is_by_session = access.said.is_by_session()?;
        let token_file = match (&access.token_file, &access.api, &access.data_dir) {
            (Some(file), ..) if !is_by_session => file.clone(),
            (None, None, Some(dir)) if !is_by_session => dir.join("token"),
            _ => {
                let kept = Kept::read(&kept::path(access.session_file.as_deref())?)?;
                let named = access.api.as_ref().filter(|_| access.said.api || !is_by_session);
                let wanted = named.map(|api| api.trim_end_matches('/'));
                return match kept.filter(|kept| wanted.is_none_or(|api| api == kept.api)) {
                    Some(kept) => Self::of_kept(&kept, access),
                    None => Err(nobody(access)),
                };
            }
        };
        let (base, ca) = place(access)?.context(
            "where is the engine? give `--data-dir` of a running one (or set LINESMAN_DATA_DIR), or `--api`",
        )?;
        let token = std::fs::read_to_string(&token_file)
            .with_context(|| format!("the token cannot be read from `{}`", token_file.display()))?;
        Self::at(base, ca, token.trim().to_owned(), access)
    }

    /// That of the engine of a data directory on this machine, by the token that lies there.
    fn of_data_dir(dir: &Path) -> anyhow::Result<Self> {
        let Ready { api, ca } = ready(dir)?;
        let path = dir.join("token");
        let token = std::fs::read_to_string(&path)
            .with_context(|| format!("the token cannot be read from `{}`", path.display()))?;
        let http = tls::http_client(Some(ca.as_path()))?.timeout(PATIENCE).build()?;
        let (base, dir, ca, token) = (Mutex::new(api), Some(dir.to_owned()), Some(ca), token.trim().to_owned());
        Ok(Self { http, base, dir, ca, token, is_session: false, is_json: false, is_exact: false, key: None })
    }

    /// By the session that is kept.
    fn of_kept(kept: &Kept, access: &Access) -> anyhow::Result<Self> {
        let ca = access.ca.clone().or_else(|| kept.ca.clone());
        Ok(Self { is_session: true, dir: None, ..Self::at(kept.api.clone(), ca, kept.token.clone(), access)? })
    }

    /// By nothing: to log in, where it is said or where somebody was logged in before.
    fn anonymous(access: &Access) -> anyhow::Result<Self> {
        let (base, ca) = match place(access)? {
            Some(place) => place,
            None => match Kept::read(&kept::path(access.session_file.as_deref())?)? {
                Some(kept) => (kept.api, kept.ca),
                None => bail!(
                    "where is the engine? give `--api`, or `--data-dir` of a running one (or set LINESMAN_DATA_DIR)"
                ),
            },
        };
        Self::at(base, ca, String::new(), access)
    }

    fn at(base: String, ca: Option<PathBuf>, token: String, access: &Access) -> anyhow::Result<Self> {
        let http = tls::http_client(ca.as_deref())?.timeout(PATIENCE).build()?;
        let (is_json, is_exact, key) = (access.json, access.utc, access.key.clone());
        let dir = access.data_dir.clone().filter(|_| access.api.is_none());
        Ok(Self { http, base: Mutex::new(base), dir, ca, token, is_session: false, is_json, is_exact, key })
    }

    /// Where it is, as far as is known.
    fn base(&self) -> MutexGuard<'_, String> {
        self.base.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks where it is by now: an engine that was started again may be at another address.
    fn look_again(&self) {
        if let Some(found) = self.dir.as_deref().and_then(|dir| ready(dir).ok()) {
            *self.base() = found.api;
        }
    }

    /// Where tables are shown.
    fn room(&self) -> show::Room {
        show::room(self.is_exact)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous_request(method, path).bearer_auth(&self.token)
    }

    /// A request that the engine answers once a device has.
    fn patient(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).timeout(DEVICE_PATIENCE)
    }

    fn anonymous_request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.base());
        self.http.request(method, url)
    }

    async fn answer(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let text = self.received(request).await?.bytes().await.context("the answer broke off")?;
        serde_json::from_slice(&text).context("the answer is no JSON: is this an engine's API?")
    }

    /// An answer that says yes, its body still to come.
    async fn received(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let answer = request.send().await.map_err(|error| self.unreached(error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let text = answer.bytes().await.context("the answer broke off")?;
        let problem: Value = serde_json::from_slice(&text).unwrap_or_else(|_| json!({}));
        let reply = problem.get("reply").and_then(Value::as_str).map(str::to_owned);
        Err(Refusal { status, text: refusal(status, &problem, self.is_session), reply }.into())
    }

    async fn get(&self, path: &str, query: &impl Serialize) -> anyhow::Result<Value> {
        self.answer(self.request(Method::GET, path).query(query)).await
    }

    /// One thing; none where there is none of that name.
    async fn find(&self, path: &str) -> anyhow::Result<Option<Value>> {
        match self.get(path, &()).await {
            Ok(item) => Ok(Some(item)),
            Err(error) => match error.downcast_ref::<Refusal>() {
                Some(refusal) if refusal.status == StatusCode::NOT_FOUND => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Makes something that is not there yet, and prints what became of it.
    async fn add(&self, path: &str, kind: &str, name: &str, body: Value) -> anyhow::Result<()> {
        self.is_new(path, kind, name).await?;
        self.write(Method::PUT, path, Some(body)).await
    }

    /// Refuses to make what is there already.
    async fn is_new(&self, path: &str, kind: &str, name: &str) -> anyhow::Result<()> {
        // Said again under a key of one's own, it is there because it was done.
        if self.key.is_none() && self.find(path).await?.is_some() {
            bail!("there is a {kind} `{name}` already; `set` changes it");
        }
        Ok(())
    }

    /// Writes what is answered with a secret at `pointer`, and prints that alone, or all in JSON.
    async fn write_secret(&self, method: Method, path: &str, body: Value, pointer: &str) -> anyhow::Result<()> {
        let key = self.command_key()?;
        let made = self.send(&method, path, &key, Some(&body)).await?;
        if self.is_json {
            outln!("{made}");
        } else {
            outln!("{}", made.pointer(pointer).map(show::plain).unwrap_or_default());
            errln!("this is shown once");
        }
        Ok(())
    }

    fn command_key(&self) -> anyhow::Result<String> {
        Ok(match &self.key {
            Some(key) => key.clone(),
            None => format!("cli-{}", random_hex::<16>()?),
        })
    }

    /// Writes, and prints what became of it. Sent again under the same key when the engine is away.
    async fn write(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<()> {
        self.write_told(method, path, body).await.map(drop)
    }

    /// The same, said in `done` where it is done.
    async fn write_said(&self, method: Method, path: &str, body: Option<Value>, done: &str) -> anyhow::Result<()> {
        self.write_as(method, path, body, Some(done)).await.map(drop)
    }

    /// Writes, and prints what became of it; what that is.
    async fn write_told(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        self.write_as(method, path, body, None).await
    }

    async fn write_as(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        done: Option<&str>,
    ) -> anyhow::Result<Value> {
        let key = self.command_key()?;
        let state = self.written(&method, path, &key, body.as_ref()).await?;
        let state = self.decided(&key, state).await?;
        if self.is_json {
            outln!("{state}");
            return Ok(state);
        }
        let text = |name: &str| state.get(name).map(show::plain).unwrap_or_default();
        if text("verdict") == "pending" {
            outln!(
                "accepted, not yet decided: the engine is behind; the same words with `--key {key}` tell what became of it"
            );
        } else {
            let done = done.filter(|_| text("verdict") == "done");
            outln!("{}", done.map_or_else(|| text("detail"), str::to_owned));
        }
        Ok(state)
    }

    /// What became of a write, once it is decided, or not in a while.
    async fn decided(&self, key: &str, mut state: Value) -> anyhow::Result<Value> {
        let asked = Instant::now();
        while state.get("verdict").is_some_and(|verdict| verdict == "pending") && asked.elapsed() < PATIENCE {
            tokio::time::sleep(LOOK_EVERY).await;
            let org = state.get("organization").map(|org| ("organization", show::plain(org)));
            let path = format!("/api/v1/commands/{}", segment(key));
            state = self.followed(&path, &Vec::from_iter(org), asked.checked_add(PATIENCE)).await?;
        }
        Ok(state)
    }

    /// Sends a write under a key; where no answer comes it is said what can be done.
    async fn written(&self, method: &Method, path: &str, key: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        self.send(method, path, key, body).await.map_err(|error| {
            let is_decided = error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.status.is_client_error());
            if is_decided { error } else { error.context(unknown(key)) }
        })
    }

    /// Sends a write until there is an answer, a few times at most.
    async fn send(&self, method: &Method, path: &str, key: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut tries = 1;
        loop {
            let mut request = self.request(method.clone(), path).header("Idempotency-Key", key);
            if let Some(body) = body {
                request = request.json(body);
            }
            let error = match self.answer(request).await {
                Ok(state) => return Ok(state),
                Err(error) => error,
            };
            let refusal = error.downcast_ref::<Refusal>();
            let is_away = refusal.is_none_or(|refusal| refusal.status == StatusCode::SERVICE_UNAVAILABLE);
            if !is_away || tries == TRIES {
                return Err(error);
            }
            tries += 1;
            tokio::time::sleep(LOOK_EVERY).await;
            self.look_again();
        }
    }

    /// Sends what was read of a file, so many entries at a time, unless it was only to be looked at.
    async fn import<T: Serialize>(&self, path: &str, name: &str, entries: &[T], is_dry: bool) -> anyhow::Result<()> {
        if is_dry {
            return self.import_previewed(path, name, entries).await;
        }
        let key = self.command_key()?;
        for (at, part) in entries.chunks(CHANGES_MOST).enumerate() {
            let body = json!({ name: part });
            let key = if entries.len() > CHANGES_MOST { format!("{key}-{at}") } else { key.clone() };
            let state = self.written(&Method::POST, path, &key, Some(&body)).await.with_context(|| {
                format!("{} of {} lines are imported; import them again", at * CHANGES_MOST, entries.len())
            })?;
            let state = self.decided(&key, state).await?;
            let verdict = state.get("verdict").map(show::plain).unwrap_or_default();
            if verdict != "done" {
                let detail = state.get("detail").map(show::plain).unwrap_or_default();
                let before = at * CHANGES_MOST;
                bail!(
                    "{before} of {} lines are imported; the next are `{verdict}` {detail}: import them again",
                    entries.len()
                );
            }
        }
        outln!("{} lines are imported", entries.len());
        Ok(())
    }

    /// Asks the engine what it would do with what was read of a file, so many entries at a time, each held against what is
    /// there now.
    async fn import_previewed<T: Serialize>(&self, path: &str, name: &str, entries: &[T]) -> anyhow::Result<()> {
        for (at, part) in entries.chunks(CHANGES_MOST).enumerate() {
            let found = self.previewed(Method::POST, path, Some(&json!({ name: part }))).await?;
            let field = |name: &str| found.get(name).map(show::plain).unwrap_or_default();
            if field("verdict") != "done" {
                let (first, last) = (at * CHANGES_MOST + 1, at * CHANGES_MOST + part.len());
                bail!("it would be refused, of entries {first} to {last}: {}", field("detail"));
            }
        }
        outln!("{} lines are right, and would be taken; nothing is imported", entries.len());
        Ok(())
    }

    /// Why the engine was not reached, and what can be done.
    fn unreached(&self, error: reqwest::Error) -> anyhow::Error {
        let text = full(&error);
        let help = if text.contains("certificate") {
            "; `--ca` names the authority of its certificate"
        } else if text.contains("scheme") {
            "; the API is `https://`"
        } else if error.is_timeout() {
            "; it may be busy: try again in a while"
        } else {
            "; is it running? `ready.json` in its data directory has the address"
        };
        anyhow::Error::new(error).context(format!("the engine at {} does not answer{help}", self.base()))
    }
}

/// Where the API is, and whose certificates it has; none where neither is said.
fn place(access: &Access) -> anyhow::Result<Option<(String, Option<PathBuf>)>> {
    match (&access.api, &access.data_dir) {
        (Some(api), _) => Ok(Some((api.trim_end_matches('/').to_owned(), access.ca.clone()))),
        (None, Some(dir)) => {
            let ready = ready(dir)?;
            Ok(Some((ready.api, access.ca.clone().or(Some(ready.ca)))))
        }
        (None, None) => Ok(None),
    }
}

/// What a running engine tells in its data directory.
fn ready(dir: &Path) -> anyhow::Result<Ready> {
    let path = DataDir::ready_path(dir);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("no engine is ready there: start it first, `{}` cannot be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("`{}`", path.display()))
}

/// Nobody is logged in, and no token is named.
fn nobody(access: &Access) -> anyhow::Error {
    match &access.api {
        Some(api) => {
            anyhow::anyhow!("nobody is logged in at {api}: `linesman login --api {api}`, or give `--token-file`")
        }
        None => anyhow::anyhow!(
            "where is the engine? log in with `linesman login`, or give `--data-dir` of a running one (or set LINESMAN_DATA_DIR), \
             or `--api` and `--token-file`"
        ),
    }
}

/// What is wrong with a field of a line, without where it stood in the command.
fn csv_fault(fault: &Fault) -> String {
    let field = fault.pointer.rsplit('/').next().unwrap_or_default();
    format!("`{field}` {}", fault.message)
}

/// With which status the engine said no, if it said anything.
fn status(error: &anyhow::Error) -> Option<StatusCode> {
    error.downcast_ref::<Refusal>().map(|refusal| refusal.status)
}

/// What is said where an answer did not come.
fn unknown(key: &str) -> String {
    format!("whether it was done is not known: the same words with `--key {key}` do it once at most")
}

/// The engine says no.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Refusal {
    status: StatusCode,
    text: String,
    /// What the device said that refused.
    reply: Option<String>,
}

/// What the engine said no with, and what can be done.
fn refusal(status: StatusCode, problem: &Value, is_session: bool) -> String {
    let detail = match problem.get("detail").and_then(Value::as_str) {
        // The API's words, for whoever has these.
        Some(detail) => {
            let detail =
                detail.replace("`PUT /api/v1/me/password`", "`linesman password`").replace("`force`", "`--force`");
            said::by_flags(&detail)
        }
        None => format!("the engine answers {status}"),
    };
    let help = match status {
        StatusCode::UNAUTHORIZED if is_session => "; the session has ended: `linesman login`",
        StatusCode::UNAUTHORIZED if detail.starts_with("login") => "",
        StatusCode::UNAUTHORIZED => "; the token is another engine's, or was changed: see `--token-file`",
        StatusCode::SERVICE_UNAVAILABLE => "; try again in a while",
        StatusCode::NOT_FOUND => elsewhere(&detail),
        StatusCode::INTERNAL_SERVER_ERROR => "; this is a fault of the engine",
        _ => "",
    };
    format!("{detail}{help}")
}

/// Where it stands what there is, of what a detail says that there is not.
fn elsewhere(detail: &str) -> &'static str {
    const LISTS: [(&str, &str); 5] = [
        ("device group `", "; `linesman org show` tells which there are"),
        ("bundle of scripts `", "; `linesman script-bundle list` shows what there is"),
        ("event profile `", "; `linesman event-profile list` shows what there is"),
        ("directives group `", "; `linesman directives-group list` shows what there is"),
        ("reaches no device `", "; `linesman device list` shows what there is"),
    ];
    let found = LISTS.iter().find(|(what, _)| detail.contains(what));
    found.map_or("; the command's `list` shows what there is", |(_, help)| help)
}
