//! The demo's managers: places of one organization, who may what there, and one who tries what it may not.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, ensure};
use linesman_connectors::tls;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// Asks the API of the demo's engine, whose data directory this is, for all of it.
///
/// # Errors
/// The engine does not answer, or otherwise than it should.
pub(super) async fn introduce(api: SocketAddr, data: &Path) -> anyhow::Result<()> {
    let http = tls::http_client(Some(&data.join("tls/ca.pem")))?.build()?;
    let admin = std::fs::read_to_string(data.join("token")).context("the token cannot be read")?;
    let engine = Engine { http, base: format!("https://{api}/api/v1") };
    for (path, body) in [
        ("/places/acme/berlin", json!({"display_name": "Acme Berlin"})),
        ("/places/acme/berlin/line-7", json!({"interface": "ge-0/0/7.0", "speed": 100_000_000})),
        ("/managers/acme/ann", json!({"sphere": ["acme"], "privileges": ["activation", "managers"]})),
        ("/managers/acme/ben", json!({"sphere": ["acme/berlin"], "privileges": []})),
    ] {
        let (status, answer) = engine.ask(admin.trim(), Method::PUT, path, &body).await?;
        ensure!(status.is_success(), "`{path}` is not made: {answer}");
    }
    // A token that may only read in Berlin: whoever has it makes no managers, and the audit tells that they tried.
    let token = json!({"name": "reader", "sphere": ["acme/berlin"], "privileges": [], "rights": {}});
    let (status, answer) = engine.ask(admin.trim(), Method::POST, "/tokens", &token).await?;
    let reader = answer.get("token").and_then(Value::as_str).filter(|_| status.is_success());
    let reader = reader.with_context(|| format!("no token is made: {answer}"))?;
    let cleo = json!({"sphere": ["acme/berlin"], "privileges": []});
    let (status, answer) = engine.ask(reader, Method::PUT, "/managers/acme/cleo", &cleo).await?;
    ensure!(status == StatusCode::FORBIDDEN, "a token that may only read has made a manager: {status} {answer}");
    Ok(())
}

struct Engine {
    http: Client,
    base: String,
}

impl Engine {
    async fn ask(&self, token: &str, method: Method, path: &str, body: &Value) -> anyhow::Result<(StatusCode, Value)> {
        let request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(token);
        let answer = request.json(body).send().await.context("the engine's API does not answer")?;
        let status = answer.status();
        Ok((status, answer.json().await.context("the answer is no JSON")?))
    }
}
