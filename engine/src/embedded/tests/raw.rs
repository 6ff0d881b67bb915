//! A client that speaks the protocol by hand, so that a refusal is seen in its place and not some time later.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// One connection.
pub(super) struct Raw {
    stream: BufReader<TcpStream>,
    /// What arrived for a subscription: subject and body.
    heard: Vec<(String, String)>,
}

impl Raw {
    /// Logs in at `nats://user:password@host:port`; panics when refused.
    pub(super) async fn connect(url: &str) -> Self {
        let (login, address) = url.strip_prefix("nats://").unwrap().split_once('@').unwrap();
        let (user, password) = login.split_once(':').unwrap();
        let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
        let mut greeting = String::new();
        stream.read_line(&mut greeting).await.unwrap();
        let mut raw = Self { stream, heard: Vec::new() };
        let options = json!({"verbose": false, "pedantic": false, "headers": true, "user": user, "pass": password});
        assert_eq!(raw.send(&format!("CONNECT {options}")).await, None);
        raw
    }

    /// Publishes and returns the server's refusal.
    pub(super) async fn publish(&mut self, subject: &str, reply: &str, body: &str) -> Option<String> {
        self.send(&format!("PUB {subject} {reply} {}\r\n{body}", body.len())).await
    }

    /// Subscribes and returns the server's refusal.
    pub(super) async fn subscribe(&mut self, subject: &str) -> Option<String> {
        self.send(&format!("SUB {subject} 1")).await
    }

    /// Asks on a subject and returns the answer, which comes to an inbox that is subscribed to.
    pub(super) async fn ask(&mut self, subject: &str, inbox: &str, body: &Value) -> Result<Value, String> {
        if let Some(refusal) = self.publish(subject, inbox, &body.to_string()).await {
            return Err(refusal);
        }
        loop {
            if let Some(place) = self.heard.iter().position(|(subject, _)| subject == inbox) {
                return Ok(serde_json::from_str(&self.heard.remove(place).1).unwrap());
            }
            assert_eq!(self.read().await, None);
        }
    }

    /// What arrived so far.
    pub(super) fn heard(&self) -> &[(String, String)] {
        &self.heard
    }

    /// Sends one protocol line and returns the error that came before the answer to a ping behind it.
    async fn send(&mut self, line: &str) -> Option<String> {
        self.stream.write_all(format!("{line}\r\nPING\r\n").as_bytes()).await.unwrap();
        let mut refusal = None;
        loop {
            match self.read().await {
                Some(line) if line == "PONG" => return refusal,
                Some(line) if line.starts_with("-ERR") => refusal = Some(line),
                Some(line) => panic!("unexpected: {line}"),
                None => {}
            }
        }
    }

    /// Reads one protocol line; none when it was a message, which is kept.
    async fn read(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = tokio::time::timeout(super::BOUND, self.stream.read_line(&mut line)).await;
        assert_ne!(read.expect("the server answers in time").unwrap(), 0, "the server closed the connection");
        let line = line.trim_end();
        let words: Vec<&str> = line.split(' ').collect();
        if !matches!(words[0], "MSG" | "HMSG") {
            return Some(line.to_owned());
        }
        let mut body = vec![0; words.last().unwrap().parse::<usize>().unwrap() + 2];
        self.stream.read_exact(&mut body).await.unwrap();
        // A message with headers tells their length in the word before the last.
        let start = if words[0] == "HMSG" { words[words.len() - 2].parse().unwrap() } else { 0 };
        self.heard.push((words[1].to_owned(), String::from_utf8_lossy(&body[start..body.len() - 2]).into_owned()));
        None
    }
}
