//! A publisher and two subscribers.
//!
//!     client URL publish ORG FILE    publishes a bundle until it is acknowledged
//!     client URL listen ORG          prints triggers as they happen
//!     client URL follow ORG NAME     prints all triggers; goes on where NAME has stopped

use std::time::Duration;

use anyhow::{Context, bail};
use async_nats::jetstream::{self, consumer::pull};
use async_nats::{Client, ConnectOptions, ServerAddr};
use futures_util::StreamExt;
use serde_json::Value;

const TRIES: u32 = 10;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [url, "publish", org, file] => publish(connect(url).await?, org, std::fs::read(file)?).await,
        [url, "listen", org] => listen(connect(url).await?, org).await,
        [url, "follow", org, name] => follow(connect(url).await?, org, name).await,
        _ => bail!("usage: client URL publish ORG FILE | listen ORG | follow ORG NAME"),
    }
}

/// Connects with the login of the URL, which the library leaves aside.
async fn connect(url: &str) -> anyhow::Result<Client> {
    let address: ServerAddr = url.parse()?;
    let user = address.username().context("no user in the URL")?.to_owned();
    let password = address.password().context("no password in the URL")?.to_owned();
    Ok(ConnectOptions::with_user_and_password(user, password).connect(address).await?)
}

async fn publish(client: Client, org: &str, bundle: Vec<u8>) -> anyhow::Result<()> {
    let jetstream = jetstream::new(client);
    let subject = format!("in.{org}.jmb.example-rust");
    for attempt in 1..=TRIES {
        // Without an acknowledgement nobody knows whether it is stored: the same bundle again does no harm.
        match jetstream.publish(subject.clone(), bundle.clone().into()).await?.await {
            Ok(stored) => {
                println!("stored as {}", stored.sequence);
                return Ok(());
            }
            Err(error) => eprintln!("attempt {attempt}: {error}"),
        }
        tokio::time::sleep(Duration::from_secs(u64::from(attempt))).await;
    }
    bail!("not stored after {TRIES} attempts");
}

async fn listen(client: Client, org: &str) -> anyhow::Result<()> {
    let mut messages = client.subscribe(format!("out.{org}.trigger.>")).await?;
    client.flush().await?;
    println!("listening");
    while let Some(message) = messages.next().await {
        print(&message.payload)?;
    }
    Ok(())
}

async fn follow(client: Client, org: &str, name: &str) -> anyhow::Result<()> {
    let out = jetstream::new(client).get_stream("OUT").await?;
    let config = pull::Config {
        durable_name: Some(name.to_owned()),
        filter_subject: format!("out.{org}.trigger.>"),
        ..Default::default()
    };
    let mut messages = out.get_or_create_consumer(name, config).await?.messages().await?;
    while let Some(message) = messages.next().await {
        let message = message?;
        print(&message.payload)?;
        // What is not acknowledged comes again after 30 s.
        message.ack().await.map_err(anyhow::Error::from_boxed)?;
    }
    Ok(())
}

/// Prints the events of a message: one, or a batch.
fn print(payload: &[u8]) -> anyhow::Result<()> {
    let events = match serde_json::from_slice(payload)? {
        Value::Array(events) => events,
        event => vec![event],
    };
    for event in events {
        let text = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or("-");
        println!("{} {} {}", text("/type"), text("/subject"), text("/data/host_event_id"));
    }
    Ok(())
}
