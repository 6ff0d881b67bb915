//! What is wrong with a template, or with what it renders, and where.

use std::fmt;

use minijinja::{Error, ErrorKind};

use crate::diagnostic::{Code, Diagnostic, excerpt};

/// One fault of one template. [`fmt::Display`] gives `file:line:column: message` and the help on a line of
/// its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The template's file, as it is called in the service's folder.
    pub file: String,
    /// The line of the template, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The column behind what is meant, on the same line; `column` itself where the line or all of the
    /// file is meant.
    pub end_column: u32,
    /// Which sort of fault.
    pub code: Code,
    /// What is wrong: lower case, the user's words in backticks, no full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Fault {
    /// A fault of a file as a whole.
    pub(super) fn of_file(file: &str, message: impl Into<String>, help: &str) -> Self {
        let (file, message, help) = (file.to_owned(), message.into(), Some(help.to_owned()));
        Self { file, line: 1, column: 1, end_column: 1, code: Code::Template, message, help }
    }

    /// The same fault as one of a sort.
    pub(super) fn sort(self, code: Code) -> Self {
        Self { code, ..self }
    }

    /// A fault of what stands between two offsets of the template's text, in bytes.
    pub(in crate::services) fn between(
        file: &str,
        source: &str,
        range: std::ops::Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Self {
        let Diagnostic { line, column, end_column, code, message, .. } =
            Diagnostic::between(Code::Template, source, range, message);
        Self { file: file.to_owned(), line, column, end_column, code, message, help }
    }

    /// A fault that the engine found, in one of the texts it was given.
    pub(super) fn of_engine<'a>(error: &Error, file: &str, source_of: impl Fn(&str) -> Option<&'a str>) -> Self {
        // An error of an included template lies beneath that of the include.
        let mut innermost = error;
        while let Some(source) = std::error::Error::source(innermost).and_then(|source| source.downcast_ref::<Error>())
        {
            innermost = source;
        }
        let file = innermost.name().unwrap_or(file);
        let source = source_of(file).unwrap_or_default();
        let range = innermost.range().unwrap_or_default();
        let meant = excerpt(source.get(range.clone()).unwrap_or_default());
        let (message, help) = told(innermost, &meant);
        let mut fault = Self::between(file, source, range, message, help.map(str::to_owned));
        if is_endless(innermost) {
            fault.code = Code::Limit;
        }
        if is_of_operator(innermost) {
            fault.code = Code::WrongType;
        }
        if innermost.range().is_none() {
            fault.line = innermost.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(1);
        }
        fault
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}

/// Whether a template does more than it may.
fn is_endless(error: &Error) -> bool {
    error.kind() == ErrorKind::OutOfFuel
        || error.kind() == ErrorKind::InvalidOperation && error.detail().unwrap_or_default().contains("recursion")
}

/// Whether an operator cannot be used on what it is given: what a filter says begins with its name.
fn is_of_operator(error: &Error) -> bool {
    let detail = error.detail().unwrap_or_default();
    error.kind() == ErrorKind::InvalidOperation && !is_endless(error) && detail.starts_with("tried to use ")
        || detail.starts_with("unable to calculate ")
}

/// The engine's error in the house's words. `meant` is the text it lies in.
fn told(error: &Error, meant: &str) -> (String, Option<&'static str>) {
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::UndefinedError => (
            format!("`{meant}` has no value"),
            Some("require the parameter, give it a default, or ask `is defined` first"),
        ),
        ErrorKind::OutOfFuel => (
            "the template does more than a template may".to_owned(),
            Some("render less: a loop goes over one list, and no list is long"),
        ),
        ErrorKind::InvalidOperation if detail.contains("recursion") => {
            ("templates call themselves without end".to_owned(), Some("end the recursion of macros and includes"))
        }
        ErrorKind::SyntaxError if !detail.is_empty() => (format!("the template cannot be read: {detail}"), None),
        // What a filter says names the filter, of which alone the engine tells the place.
        _ if detail.starts_with('`') => (detail.to_owned(), None),
        _ if detail.is_empty() => (format!("`{meant}`: {}", error.kind()), None),
        _ => (format!("`{meant}`: {detail}"), None),
    }
}
