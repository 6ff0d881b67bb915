//! The demo's managers: places of one organization, who may what there, and one who tries what it may not.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, ensure};
use linesman_connectors::tls;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// The access line that there is of an organization.
pub(super) fn line_of(org: &str) -> String {
    format!("{org}/berlin/line-7")
}

/// Asks the API of the demo's engine for all of it.
///
/// # Errors
/// The engine does not answer, or otherwise than it should.
pub(super) async fn introduce(engine: &Engine) -> anyhow::Result<()> {
    let line = format!("/places/{}", line_of("acme"));
    for (path, body) in [
        ("/places/acme/berlin", json!({"display_name": "Acme Berlin"})),
        (line.as_str(), json!({"interface": "ge-0/0/7.0", "speed": 100_000_000})),
        ("/managers/acme/ann", json!({"sphere": ["acme"], "privileges": ["activation", "managers"]})),
        ("/managers/acme/ben", json!({"sphere": ["acme/berlin"], "privileges": []})),
    ] {
        let (status, answer) = engine.ask(engine.admin(), Method::PUT, path, &body).await?;
        ensure!(status.is_success(), "`{path}` is not made: {answer}");
    }
    // A token that may only read in Berlin: whoever has it makes no managers, and the audit tells that they tried.
    let token = json!({"name": "reader", "sphere": ["acme/berlin"], "privileges": [], "rights": {}});
    let (status, answer) = engine.ask(engine.admin(), Method::POST, "/tokens", &token).await?;
    let reader = answer.get("token").and_then(Value::as_str).filter(|_| status.is_success());
    let reader = reader.with_context(|| format!("no token is made: {answer}"))?;
    let cleo = json!({"sphere": ["acme/berlin"], "privileges": []});
    let (status, answer) = engine.ask(reader, Method::PUT, "/managers/acme/cleo", &cleo).await?;
    ensure!(status == StatusCode::FORBIDDEN, "a token that may only read has made a manager: {status} {answer}");
    Ok(())
}

/// The API of the demo's engine.
pub(super) struct Engine {
    http: Client,
    base: String,
    admin: String,
}

impl Engine {
    /// That of the engine whose data directory this is.
    ///
    /// # Errors
    /// Its certificate or its token cannot be read.
    pub(super) fn new(api: SocketAddr, data: &Path) -> anyhow::Result<Self> {
        let http = tls::http_client(Some(&data.join("tls/ca.pem")))?.build()?;
        let admin = std::fs::read_to_string(data.join("token")).context("the token cannot be read")?;
        Ok(Self { http, base: format!("https://{api}/api/v1"), admin: admin.trim().to_owned() })
    }

    /// The token of the provider's administrator.
    pub(super) fn admin(&self) -> &str {
        &self.admin
    }

    /// Asks by a token: the answer's status and its body.
    ///
    /// # Errors
    /// There is no answer, or it is no JSON.
    pub(super) async fn ask(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(token);
        let answer = request.json(body).send().await.context("the engine's API does not answer")?;
        let status = answer.status();
        Ok((status, answer.json().await.context("the answer is no JSON")?))
    }
}
