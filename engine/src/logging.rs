//! The operator's log: text on a terminal, JSON otherwise, on standard error; what it tells can be
//! changed while the engine runs. It is written beside: nobody who tells something waits for whoever reads it.

mod beside;

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use linesman_connectors::settings::{Entry, Key, Kind, Section, Shape};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{ParseError, filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::config;
use crate::harmless::Harmless;
use beside::Beside;

/// What is told of the log.
#[rustfmt::skip]
pub static SECTION: Section = Section {
    name: "log",
    shape: Shape::Always,
    doc: "The program's own log, on standard error. `linesman log-level` changes the level of a running engine.",
    keys: &[
        Key::new("format", Kind::Words(&["auto", "text", "json"]), "How the program's log looks; `auto` is text on a terminal and JSON elsewhere.").or("auto"),
        Key::new("level", Kind::LogLevel, "What the program's log tells: a level, or `target=level` after commas.").or("info"),
    ],
};

/// The program's own log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// How it looks.
    pub format: LogFormat,
    /// What it tells, as directives of `tracing_subscriber::EnvFilter`.
    pub level: String,
}

/// How the program's log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// Text.
    Text,
    /// A JSON object per line.
    Json,
}

impl Log {
    /// What a table of [`SECTION`] says; none where a key that is needed has no value.
    pub fn read(entry: &Entry) -> Option<Self> {
        let format = match entry.text("format")?.as_str() {
            "json" => LogFormat::Json,
            "text" => LogFormat::Text,
            _ => LogFormat::Auto,
        };
        Some(Self { format, level: entry.text("level")? })
    }
}

/// What is said in front of every directive, which may say otherwise behind it. The NATS client tells
/// of every connection at `info`, the SSH client of all that a device sends unasked at `warn`; and what libraries send and receive, secrets among it, some of them
/// tell at `trace`.
const BEFORE: &str =
    "async_nats=warn,russh=error,hyper=info,hyper_util=info,h2=info,reqwest=info,rustls=info,tower=info";

/// Why the level stays what it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directives are none.
    #[error("{0}")]
    Directives(String),
    /// The library reads them otherwise than we do.
    #[error("the directives cannot be read")]
    Parse(#[from] ParseError),
    /// The log's thread cannot be started.
    #[error("the log cannot be written")]
    Thread(#[from] std::io::Error),
    /// There is no log to change.
    #[error("the log of this process is not ours to change")]
    Gone(#[from] reload::Error),
}

/// The log's level, for whoever changes it.
#[derive(Clone)]
pub struct Logging {
    filter: reload::Handle<EnvFilter, Registry>,
    current: Arc<Mutex<String>>,
}

impl Logging {
    /// The directives that count, as they were given.
    pub fn current(&self) -> String {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells from now on what `directives` say, of at most 4,096 bytes: `level` or `target=level`, separated by commas.
    ///
    /// # Errors
    /// They are no directives; the level then stays what it was.
    pub fn set(&self, directives: &str) -> Result<(), Error> {
        config::check_log_level(directives).map_err(Error::Directives)?;
        // The directives and what is told of them change together.
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        self.filter.reload(filter(directives)?)?;
        directives.clone_into(&mut current);
        Ok(())
    }
}

/// Sets up the log for this process. A second call, by tests, leaves the first one's in place.
///
/// # Errors
/// The level is no directive.
pub fn init(log: &Log) -> Result<Logging, Error> {
    let beside = Beside::start(Harmless(std::io::stderr()), is_json(log))?;
    let (subscriber, logging) = build_to(log, beside.clone())?;
    if subscriber.try_init().is_ok() {
        let _ = WRITTEN.set(beside);
    }
    Ok(logging)
}

/// What writes this process's log.
static WRITTEN: OnceLock<Beside> = OnceLock::new();

/// Waits until what this process has told is written, at most so long: where nobody reads the log, the rest is lost.
pub fn drain(most: Duration) {
    if let Some(beside) = WRITTEN.get() {
        beside.drain(most);
    }
}

/// Ends this process at once, after what it has told.
pub fn end(code: i32) -> ! {
    drain(LAST_LINES);
    std::process::exit(code);
}

/// How long what was told may take to be written before the process ends.
pub const LAST_LINES: Duration = Duration::from_secs(1);

/// A log that is not set up yet, and its level.
#[cfg(test)]
pub(crate) fn build(log: &Log) -> Result<(impl Subscriber + Send + Sync + 'static, Logging), Error> {
    build_to(log, Beside::start(Harmless(std::io::stderr()), is_json(log))?)
}

fn is_json(log: &Log) -> bool {
    match log.format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    }
}

fn build_to(log: &Log, beside: Beside) -> Result<(impl Subscriber + Send + Sync + 'static, Logging), Error> {
    let (filter, handle) = reload::Layer::new(filter(&log.level)?);
    let lines = fmt::layer().with_writer(beside).with_ansi(std::io::stderr().is_terminal());
    let lines = if is_json(log) { lines.json().boxed() } else { lines.boxed() };
    let subscriber =
        tracing_subscriber::registry().with(filter).with(Counted).with(lines.with_filter(filter_fn(is_shown)));
    Ok((subscriber, Logging { filter: handle, current: Arc::new(Mutex::new(log.level.clone())) }))
}

fn filter(directives: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::try_new(format!("{BEFORE},{directives}"))
}

/// Whether it may be shown at all: the NATS client tells its password at `debug`.
fn is_shown(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || !metadata.target().starts_with("async_nats")
}

/// Counts what the log tells of errors and warnings.
struct Counted;

impl<S: Subscriber> Layer<S> for Counted {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        if level == Level::ERROR {
            metrics::counter!("linesman_log_messages_total", "level" => "error").increment(1);
        } else if level == Level::WARN {
            metrics::counter!("linesman_log_messages_total", "level" => "warn").increment(1);
        }
    }
}

/// An error and all that is behind it, in one line, as the log tells it.
pub(crate) fn full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(level: &str) -> Log {
        Log { format: LogFormat::Json, level: level.to_owned() }
    }

    #[test]
    fn the_level_changes_and_what_is_no_level_changes_nothing() {
        let (subscriber, logging) = build(&log("error")).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            assert!(tracing::enabled!(Level::ERROR) && !tracing::enabled!(Level::DEBUG));
            logging.set("linesman=debug,warn").unwrap();
            assert_eq!(logging.current(), "linesman=debug,warn");
            assert!(tracing::enabled!(Level::DEBUG));
            assert!(!tracing::enabled!(target: "other", Level::INFO));
            let said = logging.set("inof").unwrap_err().to_string();
            let expected = "`log.level` must be `off`, `error`, `warn`, `info`, `debug` or `trace`, or such levels behind \
                            `target=`, separated by commas, not `inof`; did you mean `info`?";
            assert_eq!(said, expected);
            assert!(logging.set(&format!("info,{}", "a=info,".repeat(1000))).is_err());
            assert_eq!(logging.current(), "linesman=debug,warn");
            assert!(tracing::enabled!(Level::DEBUG));
        });
    }

    #[test]
    fn libraries_tell_what_they_send_only_when_asked_by_name() {
        let (subscriber, logging) = build(&log("trace")).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            assert!(tracing::enabled!(Level::TRACE));
            assert!(!tracing::enabled!(target: "hyper::proto", Level::TRACE));
            logging.set("info,hyper=trace").unwrap();
            assert!(tracing::enabled!(target: "hyper::proto", Level::TRACE));
        });
    }
}
