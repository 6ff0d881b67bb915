//! The `linesman` command on a terminal, as people see it.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::document::root;
use crate::engine::{binary, ours};

/// The longest a command may take, all its steps together.
const PATIENCE: Duration = Duration::from_secs(300);

/// How a command on a terminal ended.
#[derive(Debug, Deserialize)]
pub struct Shown {
    /// Its exit code; the negative number of the signal that ended it.
    pub code: i32,
    /// Whether the terminal is set as it was before.
    pub is_restored: bool,
    /// All that was shown up to where the terminal was given back, or at all.
    pub screen: String,
    /// What stands there behind.
    pub left: String,
}

/// Runs a command on a pseudo terminal of so many columns and lines. Its steps are those of `tests/tools/terminal.py`.
///
/// # Errors
/// It cannot be run, a step does not come to pass, or it does not end.
pub async fn on_terminal((columns, lines): (u16, u16), steps: &Value, args: &[&str]) -> anyhow::Result<Shown> {
    let mut command = Command::new(root().join(".tools/venv/bin/python"));
    command.arg(root().join("tests/tools/terminal.py")).args([columns.to_string(), lines.to_string()]);
    command.arg(steps.to_string()).arg(binary()?).args(args);
    for name in ours() {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await.context("it does not end")??;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{args:?} on a terminal: {said}");
    Ok(serde_json::from_slice(&output.stdout)?)
}
