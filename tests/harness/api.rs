//! The API, asked as programs do.

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, Method, Response};
use serde_json::Value;
use tokio::time::timeout;

/// The longest wait for the next event.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer: its status, its `Location`, and its JSON.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Where it points to.
    pub location: Option<String>,
    /// Its body; null where it has none.
    pub body: Value,
}

/// A client of an engine's API.
#[derive(Debug, Clone)]
pub struct Api {
    pub(crate) http: Client,
    pub(crate) base: String,
    /// What it bears.
    pub token: String,
}

impl Answer {
    async fn of(answer: Response) -> anyhow::Result<Self> {
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Self { status, location, body: serde_json::from_slice(&answer.bytes().await?).unwrap_or_default() })
    }
}

impl Api {
    /// Asks; `key` is the idempotency key.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> anyhow::Result<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request.send().await?).await
    }

    /// Asks without a token, with headers of one's own.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn bare(
        &self,
        method: Method,
        path: &str,
        headers: impl IntoIterator<Item = (&'static str, String)>,
        body: Value,
    ) -> anyhow::Result<Answer> {
        let request = self.http.request(method, format!("{}{path}", self.base)).json(&body);
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        Answer::of(request.send().await?).await
    }

    /// Reads a text to its end.
    ///
    /// # Errors
    /// The engine refuses, or the answer breaks off.
    pub async fn text(&self, path: &str) -> anyhow::Result<String> {
        let answer = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.token).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// What is answered as it comes, piece by piece.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn pieces(&self, path: &str) -> anyhow::Result<Response> {
        let answer = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.token).send().await?;
        Ok(answer.error_for_status()?)
    }

    /// The same, by another token.
    #[must_use]
    pub fn by(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// Posts.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn post(&self, path: &str, body: Value) -> anyhow::Result<Answer> {
        self.ask(Method::POST, path, None, Some(body)).await
    }

    /// Listens to events, behind the one of the id `last`.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn events(&self, query: &str, last: Option<&str>) -> anyhow::Result<Events> {
        let mut request = self.http.get(format!("{}/api/v1/events{query}", self.base)).bearer_auth(&self.token);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let answer = request.send().await?.error_for_status()?;
        anyhow::ensure!(answer.headers()["content-type"] == "text/event-stream", "{:?}", answer.headers());
        Ok(Events { answer, rest: Vec::new() })
    }
}

/// A server-sent event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Its id.
    pub id: String,
    /// Its type.
    pub event: String,
    /// Its data.
    pub data: Value,
}

/// Server-sent events, as they come.
pub struct Events {
    answer: Response,
    rest: Vec<u8>,
}

impl Events {
    /// The next event.
    ///
    /// # Errors
    /// None comes.
    pub async fn next(&mut self) -> anyhow::Result<Told> {
        timeout(PATIENCE, self.read()).await.context("no event comes")?
    }

    /// The id that is told before any event.
    ///
    /// # Errors
    /// None comes.
    pub async fn id(&mut self) -> anyhow::Result<String> {
        let line = timeout(PATIENCE, self.line()).await.context("nothing comes")??.context("the stream ended")?;
        Ok(line.strip_prefix("id: ").context(line.clone())?.to_owned())
    }

    async fn read(&mut self) -> anyhow::Result<Told> {
        let mut told = Told::default();
        loop {
            let line = self.line().await?.context("the stream ended")?;
            match line.split_once(": ") {
                Some(("id", id)) => id.clone_into(&mut told.id),
                Some(("event", event)) => event.clone_into(&mut told.event),
                Some(("data", data)) => told.data = serde_json::from_str(data)?,
                _ if line.is_empty() && !told.event.is_empty() => return Ok(told),
                _ => {}
            }
        }
    }

    /// Waits until the stream ends.
    ///
    /// # Errors
    /// It does not.
    pub async fn ended(mut self) -> anyhow::Result<()> {
        let ended = async { while let Ok(Some(_)) = self.line().await {} };
        timeout(PATIENCE, ended).await.context("the stream does not end")
    }

    async fn line(&mut self) -> anyhow::Result<Option<String>> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Ok(Some(String::from_utf8(line)?.trim_end().to_owned()));
            }
            match self.answer.chunk().await? {
                Some(bytes) => self.rest.extend_from_slice(&bytes),
                None => return Ok(None),
            }
        }
    }
}
