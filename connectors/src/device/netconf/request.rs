//! What is asked of a device: the operations of RFC 6241, and any other.

use std::fmt;
use std::time::Duration;

use tokio::io::AsyncRead;

use super::scan::escaped;

/// A request: what stands within `<rpc>`.
pub struct Request<'a> {
    pub(super) head: String,
    pub(super) body: Option<Body<'a>>,
    pub(super) tail: &'static str,
    pub(super) needs: Vec<Need>,
}

/// What is too long to lie in memory, or comes from elsewhere.
pub struct Body<'a> {
    pub(super) source: Box<dyn AsyncRead + Send + Unpin + 'a>,
    /// Whether it is text, which is escaped on its way; otherwise it is XML, and goes as it is.
    pub(super) is_text: bool,
}

impl<'a> Body<'a> {
    /// Text.
    pub fn text(source: impl AsyncRead + Send + Unpin + 'a) -> Self {
        Self { source: Box::new(source), is_text: true }
    }

    /// XML, well-formed by itself.
    pub fn xml(source: impl AsyncRead + Send + Unpin + 'a) -> Self {
        Self { source: Box::new(source), is_text: false }
    }
}

impl fmt::Debug for Request<'_> {
    /// Without what is asked: configurations have secrets in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.head.split(['>', ' ', '/']).next().unwrap_or_default();
        f.debug_struct("Request").field("name", &name).finish_non_exhaustive()
    }
}

/// A capability that a request needs (RFC 6241 section 8).
pub(super) type Need = (&'static str, &'static str);

/// A configuration of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datastore {
    /// What counts.
    Running,
    /// What is worked on; not every device has one.
    Candidate,
    /// What counts after a restart; not every device has one.
    Startup,
}

impl Datastore {
    const fn element(self) -> &'static str {
        match self {
            Self::Running => "<running/>",
            Self::Candidate => "<candidate/>",
            Self::Startup => "<startup/>",
        }
    }

    fn needs(self) -> Vec<Need> {
        match self {
            Self::Running => Vec::new(),
            Self::Candidate => vec![("candidate", "1.0")],
            Self::Startup => vec![("startup", "1.0")],
        }
    }
}

/// What is wanted of a configuration or of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter<'a> {
    /// A subtree (RFC 6241 section 6), as XML.
    Subtree(&'a str),
    /// A path, with the prefixes it uses and their namespaces.
    Xpath(&'a str, &'a [(&'a str, &'a str)]),
}

impl Filter<'_> {
    fn element(&self) -> String {
        match self {
            Self::Subtree(xml) => format!("<filter type=\"subtree\">{xml}</filter>"),
            Self::Xpath(select, prefixes) => {
                let prefixes: String =
                    prefixes.iter().map(|(prefix, name)| format!(" xmlns:{prefix}=\"{}\"", escaped(name))).collect();
                format!("<filter type=\"xpath\"{prefixes} select=\"{}\"/>", escaped(select))
            }
        }
    }

    fn need(&self) -> Option<Need> {
        matches!(self, Self::Xpath(..)).then_some(("xpath", "1.0"))
    }
}

/// How a configuration is changed by `edit-config`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit {
    /// Which one.
    pub target: Datastore,
    /// What becomes of what nothing else is said of: `merge`, `replace` or `none`.
    pub default_operation: DefaultOperation,
    /// Whether all of it or nothing is done.
    pub is_whole: bool,
}

/// What becomes of what nothing else is said of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DefaultOperation {
    /// It is added.
    #[default]
    Merge,
    /// It replaces all there is.
    Replace,
    /// It only leads to what something is said of.
    None,
}

/// How a commit is confirmed, or to be confirmed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Confirmed<'a> {
    /// After what time without confirmation the device rolls it back, in whole seconds, at least 1; none for the
    /// device's own, mostly ten minutes.
    pub timeout: Option<Duration>,
    /// Under what name it outlives the session.
    pub persist: Option<&'a str>,
    /// The name of the commit that is carried on.
    pub persist_id: Option<&'a str>,
}

impl<'a> Request<'a> {
    pub(super) const fn new(head: String, needs: Vec<Need>) -> Self {
        Self { head, body: None, tail: "", needs }
    }

    /// Any operation, as XML.
    pub fn raw(xml: &str) -> Self {
        Self::new(xml.to_owned(), Vec::new())
    }

    /// Any operation, as XML that comes from elsewhere.
    pub const fn raw_from(body: Body<'a>) -> Self {
        Self { head: String::new(), body: Some(body), tail: "", needs: Vec::new() }
    }

    /// State and configuration.
    pub fn get(filter: Option<Filter<'_>>) -> Self {
        let element = filter.map(|filter| filter.element()).unwrap_or_default();
        Self::new(format!("<get>{element}</get>"), filter.and_then(|filter| filter.need()).into_iter().collect())
    }

    /// A configuration.
    pub fn get_config(source: Datastore, filter: Option<Filter<'_>>) -> Self {
        let element = filter.map(|filter| filter.element()).unwrap_or_default();
        let mut needs = source.needs();
        needs.extend(filter.and_then(|filter| filter.need()));
        Self::new(format!("<get-config><source>{}</source>{element}</get-config>", source.element()), needs)
    }

    /// Changes a configuration; the body is what stands within `<config>`.
    pub fn edit_config(edit: Edit, body: Body<'a>) -> Self {
        let mut needs = edit.target.needs();
        let operation = match edit.default_operation {
            DefaultOperation::Merge => "merge",
            DefaultOperation::Replace => "replace",
            DefaultOperation::None => "none",
        };
        let mut head = format!(
            "<edit-config><target>{}</target><default-operation>{operation}</default-operation>",
            edit.target.element()
        );
        if edit.is_whole {
            needs.push(("rollback-on-error", "1.0"));
            head += "<error-option>rollback-on-error</error-option>";
        }
        head += "<config>";
        Self { head, body: Some(body), tail: "</config></edit-config>", needs }
    }

    /// Keeps others from changing a configuration; ends with the session at the latest.
    pub fn lock(target: Datastore) -> Self {
        Self::new(format!("<lock><target>{}</target></lock>", target.element()), target.needs())
    }

    /// Lets others change it again.
    pub fn unlock(target: Datastore) -> Self {
        Self::new(format!("<unlock><target>{}</target></unlock>", target.element()), target.needs())
    }

    /// Whether a configuration would be taken.
    pub fn validate(source: Datastore) -> Self {
        let mut needs = source.needs();
        needs.push(("validate", "1.0"));
        Self::new(format!("<validate><source>{}</source></validate>", source.element()), needs)
    }

    /// Makes the candidate count; confirms a commit of this session that waits for it.
    pub fn commit() -> Self {
        Self::new("<commit/>".to_owned(), Datastore::Candidate.needs())
    }

    /// Makes the candidate count until it is confirmed or its time is up.
    pub fn confirmed_commit(confirmed: Confirmed<'_>) -> Self {
        let is_named = confirmed.persist.is_some() || confirmed.persist_id.is_some();
        let need = ("confirmed-commit", if is_named { "1.1" } else { "1.0" });
        let timeout = element("confirm-timeout", confirmed.timeout.map(|time| time.as_secs().max(1).to_string()));
        let names = element("persist", confirmed.persist) + &element("persist-id", confirmed.persist_id);
        Self::new(format!("<commit><confirmed/>{timeout}{names}</commit>"), vec![("candidate", "1.0"), need])
    }

    /// Confirms a commit that goes by a name, in whatever session it was made.
    pub fn confirm(persist_id: &str) -> Self {
        let id = element("persist-id", Some(persist_id));
        Self::new(format!("<commit>{id}</commit>"), vec![("candidate", "1.0"), ("confirmed-commit", "1.1")])
    }

    /// Rolls a commit back that waits to be confirmed.
    pub fn cancel_commit(persist_id: Option<&str>) -> Self {
        let id = element("persist-id", persist_id);
        Self::new(format!("<cancel-commit>{id}</cancel-commit>"), vec![("confirmed-commit", "1.1")])
    }

    /// Makes the candidate what counts again.
    pub fn discard_changes() -> Self {
        Self::new("<discard-changes/>".to_owned(), Datastore::Candidate.needs())
    }

    /// Ends another session, with its locks.
    pub fn kill_session(session_id: u32) -> Self {
        Self::new(format!("<kill-session><session-id>{session_id}</session-id></kill-session>"), Vec::new())
    }

    pub(super) fn close_session() -> Self {
        Self::new("<close-session/>".to_owned(), Vec::new())
    }
}

/// An element with a text; nothing of none.
pub(super) fn element(name: &str, text: Option<impl AsRef<str>>) -> String {
    text.map(|text| format!("<{name}>{}</{name}>", escaped(text.as_ref()))).unwrap_or_default()
}
