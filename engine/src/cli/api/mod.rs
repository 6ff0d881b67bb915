//! The commands that ask a running engine's API, and how they reach it.
//!
//! | room | what |
//! |---|---|
//! | here | where the API is; requests, answers, pages |
//! | `show` | answers as tables, cards and JSON |
//! | `incident`, `case`, `device`, `intel`, `org`, `policy`, `dead`, `status`, `log_level` | one command each |

pub(super) mod case;
pub(super) mod dead;
pub(super) mod device;
pub(super) mod incident;
pub(super) mod intel;
pub(super) mod log_level;
pub(super) mod org;
pub(super) mod policy;
mod show;
pub(super) mod status;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use linesman_connectors::tls;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Failure, runtime};
use crate::data_dir::DataDir;
use crate::data_dir::private::random_hex;
use show::Column;

/// How long a request may take: a page of a long list is looked for up to 10 s.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a write is sent again when the engine does not answer; it is done once.
const TRIES: u32 = 3;

/// Where the API is, and how answers are printed.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Access {
    /// The data directory of a running engine on this machine
    #[arg(long, value_name = "D", env = "LINESMAN_DATA_DIR", global = true)]
    data_dir: Option<PathBuf>,
    /// The API of an engine elsewhere
    #[arg(long, value_name = "URL", env = "LINESMAN_API", global = true, requires = "token_file")]
    api: Option<String>,
    /// The file with the API's token
    #[arg(long, value_name = "FILE", env = "LINESMAN_TOKEN_FILE", global = true)]
    token_file: Option<PathBuf>,
    /// The certificate authority of the API, in PEM; without one the system's count
    #[arg(long, value_name = "FILE", env = "LINESMAN_API_CA", global = true)]
    ca: Option<PathBuf>,
    /// Print JSON: of a list, one line each
    #[arg(long, global = true)]
    json: bool,
}

/// How much of a list is asked for.
#[derive(Debug, clap::Args, Serialize)]
struct Paging {
    /// The order: a field's name, `-` in front for the other way round
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    sort: Option<String>,
    /// How many at most, up to 1,000
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    /// Where the page before ended
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// All of them, page by page
    #[arg(long)]
    #[serde(skip)]
    all: bool,
}

#[derive(Deserialize)]
struct Ready {
    api: String,
    ca: PathBuf,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    next: Option<String>,
}

/// A running engine's API.
struct Api {
    http: Client,
    base: String,
    token: String,
    is_json: bool,
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

impl Api {
    fn new(access: &Access) -> anyhow::Result<Self> {
        let (base, token_file, ca) = match (&access.api, &access.data_dir) {
            (Some(api), _) => (api.trim_end_matches('/').to_owned(), access.token_file.clone(), access.ca.clone()),
            (None, Some(dir)) => {
                let path = DataDir::ready_path(dir);
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("no engine is ready there: `{}` cannot be read", path.display()))?;
                let ready: Ready = serde_json::from_str(&text).with_context(|| format!("`{}`", path.display()))?;
                let token = access.token_file.clone().unwrap_or_else(|| dir.join("token"));
                (ready.api, Some(token), access.ca.clone().or(Some(ready.ca)))
            }
            (None, None) => {
                bail!("where is the engine? give `--data-dir` of a running one, or `--api` and `--token-file`")
            }
        };
        let token_file = token_file.context("which token? give `--token-file`")?;
        let token = std::fs::read_to_string(&token_file)
            .with_context(|| format!("the token cannot be read from `{}`", token_file.display()))?;
        let http = tls::http_client(ca.as_deref())?.timeout(PATIENCE).build()?;
        Ok(Self { http, base, token: token.trim().to_owned(), is_json: access.json })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    async fn answer(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let answer = request.send().await.with_context(|| format!("the engine at {} does not answer", self.base))?;
        let status = answer.status();
        let text = answer.bytes().await.context("the answer broke off")?;
        if status.is_success() {
            return serde_json::from_slice(&text).context("the answer is no JSON: is this an engine's API?");
        }
        bail!(refusal(status, &text))
    }

    async fn get(&self, path: &str, query: &impl Serialize) -> anyhow::Result<Value> {
        self.answer(self.request(Method::GET, path).query(query)).await
    }

    /// Writes, and prints what became of it. Sent again under the same key when the engine is away.
    async fn write(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<()> {
        let key = format!("cli-{}", random_hex::<16>()?);
        let mut tries = 0;
        let state = loop {
            tries += 1;
            let mut request = self.request(method.clone(), path).header("Idempotency-Key", &key);
            if let Some(body) = &body {
                request = request.json(body);
            }
            match self.answer(request).await {
                Err(error) if tries < TRIES && error.downcast_ref::<reqwest::Error>().is_some() => {}
                answer => break answer?,
            }
        };
        if self.is_json {
            anstream::println!("{state}");
            return Ok(());
        }
        let text = |name: &str| state.get(name).map(show::plain).unwrap_or_default();
        if text("verdict") == "pending" {
            anstream::println!("accepted, not yet decided: the engine is behind (command {})", text("command"));
        } else {
            anstream::println!("{}", text("detail"));
        }
        Ok(())
    }

    /// Prints a list.
    async fn list(
        &self,
        path: &str,
        filters: &impl Serialize,
        paging: &Paging,
        columns: &[Column],
    ) -> anyhow::Result<()> {
        let mut items = Vec::new();
        let mut cursor = paging.cursor.clone();
        let next = loop {
            let paging = Paging { sort: paging.sort.clone(), limit: paging.limit, cursor, all: paging.all };
            let request = self.request(Method::GET, path).query(filters).query(&paging);
            let page: Page = serde_json::from_value(self.answer(request).await?).context("the answer is no page")?;
            if self.is_json {
                page.items.iter().for_each(|item| anstream::println!("{item}"));
            } else {
                items.extend(page.items);
            }
            match page.next {
                Some(next) if paging.all => cursor = Some(next),
                next => break next,
            }
        };
        if !self.is_json {
            anstream::print!("{}", show::table(&items, columns, show::width()));
        }
        if let Some(next) = next {
            anstream::eprintln!("there are more: --all, or --cursor {next}");
        }
        Ok(())
    }

    /// Prints one thing.
    async fn show(&self, path: &str, query: &impl Serialize) -> anyhow::Result<()> {
        let item = self.get(path, query).await?;
        if self.is_json {
            anstream::println!("{item}");
        } else {
            anstream::print!("{}", show::card(&item));
        }
        Ok(())
    }
}

/// What the engine said no with, and what can be done.
fn refusal(status: StatusCode, text: &[u8]) -> String {
    let problem: Value = serde_json::from_slice(text).unwrap_or_else(|_| json!({}));
    let detail = match problem.get("detail").and_then(Value::as_str) {
        Some(detail) => detail.to_owned(),
        None => format!("the engine answers {status}"),
    };
    let help = match status {
        StatusCode::UNAUTHORIZED => "; the token is another engine's, or was changed: see `--token-file`",
        StatusCode::SERVICE_UNAVAILABLE => "; try again in a while",
        StatusCode::INTERNAL_SERVER_ERROR => "; this is a fault of the engine",
        _ => "",
    };
    format!("{detail}{help}")
}
