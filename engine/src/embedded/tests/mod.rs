//! Tests on the real server.

mod lifecycle;
mod permissions;
mod raw;

use std::path::Path;
use std::time::Duration;

use async_nats::jetstream::{self, stream};
use async_nats::{Client, ConnectOptions};
use tokio::time::{Instant, sleep};

use super::{INBOX_PREFIX, Login, Server, Settings, start};

/// The longest that anything may take.
const BOUND: Duration = Duration::from_secs(30);

/// Starts a server for the data directory, or says what is missing.
async fn started(data_dir: &Path) -> Server {
    start(Settings::new(data_dir)).await.unwrap_or_else(|error| panic!("{error}"))
}

/// Options of a connection with this login.
fn options(login: &Login) -> ConnectOptions {
    ConnectOptions::with_user_and_password(login.user.clone(), login.password.clone())
}

/// Connects with the engine's login.
async fn engine(server: &Server) -> Client {
    options(server.engine_login()).custom_inbox_prefix(INBOX_PREFIX).connect(server.address()).await.unwrap()
}

/// Makes a stream that stores what is published on `subjects` under `stored`.
async fn make_stream(engine: &Client, name: &str, subjects: &str, stored: &str) {
    let transform = stream::SubjectTransform { source: subjects.into(), destination: stored.into() };
    let config = stream::Config {
        name: name.into(),
        subjects: vec![subjects.into()],
        subject_transform: Some(transform),
        ..Default::default()
    };
    jetstream::new(engine.clone()).create_stream(config).await.unwrap();
}

/// Waits until `condition` holds, within [`BOUND`].
async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let end = Instant::now() + BOUND;
    while !condition().await {
        assert!(Instant::now() < end, "still not: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
