//! The operator's log: text on a terminal, JSON otherwise, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::{Log, LogFormat};

/// Sets up the log for this process.
///
/// # Errors
/// The level is no directive.
pub fn init(log: &Log) -> Result<(), ParseError> {
    // The NATS client tells of every connection at `info`; what is said behind this overrides it.
    let filter = EnvFilter::try_new(format!("async_nats=warn,{}", log.level))?;
    let is_terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_terminal);
    let is_text = match log.format {
        LogFormat::Auto => is_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    // A second call in one process, by tests, leaves the first in place.
    let _ = if is_text { builder.try_init() } else { builder.json().try_init() };
    Ok(())
}
