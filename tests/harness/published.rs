//! The published documents, and whether what stands on a subject is as they say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, bail, ensure};
use async_nats::HeaderMap;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use linesman_schemas::event;
use serde_json::{Map, Value};

use crate::stream::Message;

/// What to do when something travels that no document knows.
const UNKNOWN: &str = "add its channel or message to schemas/tests/published/catalog.rs and its sample to samples.rs, \
                       then run `make schemas`";

/// `schemas/asyncapi.json` and the schemas it refers to.
pub struct Documents {
    channels: Vec<Channel>,
    /// By name: what headers and payload have to be; none for what is no JSON.
    messages: BTreeMap<String, Schemas>,
}

struct Schemas {
    headers: Option<Validator>,
    payload: Option<Validator>,
    examples: Vec<Value>,
}

struct Channel {
    /// The address, by token.
    address: Vec<String>,
    /// The values of the parameters that have only some.
    values: BTreeMap<String, Vec<String>>,
    /// Names of its messages.
    messages: Vec<String>,
}

static PUBLISHED: LazyLock<anyhow::Result<Documents>> = LazyLock::new(Documents::open);

/// The channel and message that something is: `out.{organization}.dead.policy-failed: dead-letter`.
pub type Kind = String;

impl Documents {
    /// The documents of this tree.
    ///
    /// # Errors
    /// They cannot be read, or are no schemas.
    pub fn published() -> anyhow::Result<&'static Self> {
        PUBLISHED.as_ref().map_err(|error| anyhow::anyhow!("the published documents cannot be used: {error:#}"))
    }

    fn open() -> anyhow::Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("schemas");
        let document = read(&folder.join("asyncapi.json"))?;
        let messages = object(&document, "/components/messages")?
            .iter()
            .map(|(name, message)| Ok((name.clone(), Schemas::of(&folder, message).with_context(|| name.clone())?)));
        let channels = object(&document, "/channels")?.values().map(Channel::of);
        Ok(Self {
            channels: channels.collect::<anyhow::Result<_>>()?,
            messages: messages.collect::<anyhow::Result<_>>()?,
        })
    }

    /// Every documented kind. What IN does not keep of a subject, such as the verb, distinguishes nothing.
    pub fn kinds(&self) -> BTreeSet<Kind> {
        let of = |channel: &Channel| {
            let addresses = channel.addresses();
            let pairs = addresses
                .into_iter()
                .flat_map(|address| channel.messages.iter().map(move |name| (address.clone(), name)));
            pairs.map(|(address, name)| format!("{address}: {name}")).collect::<Vec<_>>()
        };
        self.channels.iter().flat_map(of).collect()
    }

    /// The first example of every message that goes to a kind of input, such as `cmd`.
    pub fn examples(&self, kind: &str) -> Vec<Value> {
        let channels = self.channels.iter().filter(|channel| channel.address.get(2).is_some_and(|token| token == kind));
        let names = channels.flat_map(|channel| &channel.messages);
        names.filter_map(|name| self.messages.get(name)?.examples.first().cloned()).collect()
    }

    /// Which kind a stored message is.
    ///
    /// # Errors
    /// No document knows its subject, or it is not as they say: subject, pointer and reason.
    pub(crate) fn check(&self, message: &Message) -> anyhow::Result<Kind> {
        let subject = message.published();
        let mut channels: Vec<_> = self.channels.iter().filter(|channel| channel.takes(&subject)).collect();
        // The one that says most of the subject is meant.
        channels.sort_by_key(|channel| channel.address.iter().filter(|token| parameter(token).is_some()).count());
        let Some(channel) = channels.first() else {
            bail!("`{}` is in no channel of schemas/asyncapi.json: {UNKNOWN}", message.subject);
        };
        let mut faults = Vec::new();
        for name in &channel.messages {
            match self.messages.get(name).with_context(|| name.clone())?.check(message) {
                Ok(()) => return Ok(format!("{}: {name}", channel.shown(&subject))),
                Err(fault) => faults.push(format!("as {name}: {fault:#}")),
            }
        }
        let text = String::from_utf8_lossy(&message.payload);
        let text: String = text.chars().take(2_000).collect();
        bail!(
            "`{}` is not what schemas/asyncapi.json says ({UNKNOWN}):\n{}\n{text}",
            message.subject,
            faults.join("\n")
        )
    }
}

impl Schemas {
    fn of(folder: &Path, message: &Value) -> anyhow::Result<Self> {
        let options = || jsonschema::draft202012::options().should_validate_formats(true);
        let headers = message.get("headers").map(|schema| options().build(schema)).transpose()?;
        let reference = message.pointer("/payload/schema/$ref").and_then(Value::as_str);
        let schema = reference.map(|reference| read(&folder.join(reference))).transpose()?;
        let payload = schema.as_ref().map(|schema| options().build(schema)).transpose()?;
        let examples = schema.as_ref().and_then(|schema| schema.get("examples")?.as_array().cloned());
        Ok(Self { headers, payload, examples: examples.unwrap_or_default() })
    }

    fn check(&self, message: &Message) -> anyhow::Result<()> {
        if let Some(validator) = &self.headers {
            check(validator, &headers(&message.headers)).context("headers")?;
        }
        if let Some(validator) = &self.payload {
            let payload = serde_json::from_slice(&message.payload)?;
            check(validator, &payload)?;
            if message.headers.get("Content-Type").is_some() {
                check_events(message, &payload)?;
            }
        }
        Ok(())
    }
}

impl Channel {
    fn of(channel: &Value) -> anyhow::Result<Self> {
        let address = channel.get("address").and_then(Value::as_str).context("no address")?;
        let parameters = channel.get("parameters").and_then(Value::as_object).into_iter().flatten();
        let values = parameters.filter_map(|(name, parameter)| {
            let values = parameter.get("enum")?.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned);
            Some((name.clone(), values.collect()))
        });
        Ok(Self {
            address: address.split('.').map(str::to_owned).collect(),
            values: values.collect(),
            messages: object(channel, "/messages")?.keys().cloned().collect(),
        })
    }

    fn takes(&self, subject: &[&str]) -> bool {
        let fits = |(token, found): (&String, &&str)| match parameter(token) {
            None => token == found,
            Some(_) if *found == ANY => true,
            Some("organization") => !found.starts_with('_'),
            Some(name) => self.values.get(name).is_none_or(|values| values.iter().any(|value| value == found)),
        };
        self.address.len() == subject.len() && self.address.iter().zip(subject).all(fits)
    }

    /// The address with the values that a subject has of those parameters that have only some.
    fn shown(&self, subject: &[&str]) -> String {
        let shown = |(token, found): (&String, &&str)| match parameter(token) {
            Some(name) if *found != ANY && self.values.contains_key(name) => (*found).to_owned(),
            _ => token.clone(),
        };
        self.address.iter().zip(subject).map(shown).collect::<Vec<_>>().join(".")
    }

    /// The addresses with every such value.
    fn addresses(&self) -> Vec<String> {
        let mut addresses = vec![self.address.join(".")];
        if self.address.first().is_some_and(|first| first == "in") {
            return addresses;
        }
        for (name, values) in &self.values {
            let place = format!("{{{name}}}");
            addresses = addresses
                .iter()
                .flat_map(|address| values.iter().map(|value| address.replace(&place, value)))
                .collect();
        }
        addresses
    }
}

/// A token that IN has not kept.
pub(crate) const ANY: &str = "*";

fn parameter(token: &str) -> Option<&str> {
    token.strip_prefix('{')?.strip_suffix('}')
}

fn read(path: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read(path).with_context(|| path.display().to_string())?;
    serde_json::from_slice(&text).with_context(|| path.display().to_string())
}

fn object<'a>(value: &'a Value, pointer: &str) -> anyhow::Result<&'a Map<String, Value>> {
    value.pointer(pointer).and_then(Value::as_object).with_context(|| format!("no object at {pointer}"))
}

fn check(validator: &Validator, value: &Value) -> anyhow::Result<()> {
    match validator.iter_errors(value).next() {
        None => Ok(()),
        Some(error) => {
            let error = innermost(&error);
            bail!("at `{}`: {}", error.instance_path(), error.masked())
        }
    }
}

/// What is wrong within the alternative that fits best.
fn innermost<'a>(error: &'a ValidationError<'a>) -> &'a ValidationError<'a> {
    let alternatives = match error.kind() {
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => context,
        _ => return error,
    };
    let errors = alternatives.iter().filter_map(|errors| errors.first()).map(innermost);
    errors.max_by_key(|error| error.instance_path().as_str().len()).unwrap_or(error)
}

fn headers(headers: &HeaderMap) -> Value {
    let first = |(name, values): (&async_nats::HeaderName, &Vec<async_nats::HeaderValue>)| {
        Some((name.to_string(), Value::from(values.first()?.as_str())))
    };
    headers.iter().filter_map(first).collect()
}

/// What a schema cannot say: that type, source and form of events follow from their subject and headers.
fn check_events(message: &Message, payload: &Value) -> anyhow::Result<()> {
    let content_type = if payload.is_array() { event::BATCH } else { event::SINGLE };
    let found = message.headers.get("Content-Type").map(|value| value.as_str());
    ensure!(found == Some(content_type), "the content type is {found:?} and not `{content_type}`");
    let rest = message.subject.strip_prefix("out.").unwrap_or_default();
    let (whose, kind) = rest.split_once('.').unwrap_or_default();
    let source = match whose {
        "_unknown" => "/unknown".to_owned(),
        "_provider" => "/provider".to_owned(),
        org => format!("/organizations/{org}"),
    };
    for event in event::read(&message.payload)? {
        ensure!(event.kind == format!("linesman.{kind}"), "`/type` is `{}`", event.kind);
        ensure!(event.source == source, "`/source` is `{}`", event.source);
    }
    Ok(())
}
