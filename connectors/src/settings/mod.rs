//! What a part of the program can be told: its section of the configuration, the keys in it and what their values
//! may be; and what it is told, as values by key.
//!
//! A folder that wants settings fills a [`Section`] and reads an [`Entry`]. Files, variables, flags, places, mistakes
//! and printing are the engine's: all of them follow these tables, so that a new section or list needs no line there.

mod entry;

pub use entry::{Entries, Entry, Value};

/// A section of the configuration.
#[derive(Debug)]
pub struct Section {
    /// Its name in the file; empty for the keys above all sections.
    pub name: &'static str,
    /// How it is written.
    pub shape: Shape,
    /// What it is for, in sentences for people.
    pub doc: &'static str,
    /// Its keys, in the order in which they are printed.
    pub keys: &'static [Key],
}

/// How a section is written.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// `[name]`. It always counts: what is not said has its default.
    Always,
    /// `[name]`, which counts when the file has it or any key of it is set. The text, for people, says what happens
    /// without it: "cases wait".
    Optional(&'static str),
    /// `[[name]]`, any number of tables. The first key is the name by which they are told apart. In a variable or a
    /// flag all of them are one TOML list. The text names one of them, with its article: "an organization".
    List(&'static str),
}

impl Section {
    /// Whether it is a list of tables.
    pub const fn is_list(&self) -> bool {
        matches!(self.shape, Shape::List(_))
    }

    /// Its key of that name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name in its section.
    pub name: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// What it is for, in sentences for people.
    pub doc: &'static str,
    /// The value when nothing is said, spelled as a flag would have it; none: it is then not set.
    pub default: Option<&'static str>,
    /// The key before it of the same table whose value it has when nothing is said.
    pub same_as: Option<&'static str>,
    /// Whether a table without it is a mistake, where it is of use.
    pub is_required: bool,
    /// The key before it of the same section, and the word that must be its value; with another this one is of no use.
    pub only_where: Option<(&'static str, &'static str)>,
    /// What the documents and helps show where there is no default, spelled as a flag would have it.
    pub example: Option<&'static str>,
}

impl Key {
    /// A key that need not be set.
    pub const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, kind, doc, default: None, same_as: None, is_required: false, only_where: None, example: None }
    }

    /// The same with a value for when nothing is said.
    pub const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    /// The same, taking the value of another key when nothing is said.
    pub const fn or_as(self, other: &'static str) -> Self {
        Self { same_as: Some(other), ..self }
    }

    /// The same, to be set wherever its table is there.
    pub const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// The same, of use only where another key has this value.
    pub const fn only_where(self, other: &'static str, word: &'static str) -> Self {
        Self { only_where: Some((other, word)), ..self }
    }

    /// The same with an example.
    pub const fn like(self, example: &'static str) -> Self {
        Self { example: Some(example), ..self }
    }
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Printable text of 1 to `most` characters.
    Text {
        /// The greatest length in characters.
        most: usize,
    },
    /// The same of ASCII characters: it travels in a header.
    Header {
        /// The greatest length in characters.
        most: usize,
    },
    /// A file or folder; made absolute: one in the configuration file starts at that file's folder.
    Path,
    /// The path of a file whose one line of 1 to 256 printable characters is a password. Who reads an [`Entry`] finds
    /// the password itself.
    PasswordFile,
    /// The path of a file of certificates (PEM), which must be good.
    Certificates,
    /// `https://host[:port][/path]`, without a password.
    HttpsUrl,
    /// `http://host[:port]`, without a password.
    ProxyUrl,
    /// `nats://`, `tls://`, `ws://` or `wss://` and an address, or several behind commas; may hold a password, which is masked wherever it is shown.
    NatsUrl,
    /// A whole number.
    Count {
        /// The least.
        least: u64,
        /// The greatest.
        most: u64,
    },
    /// A whole number of seconds.
    Seconds {
        /// The least.
        least: u64,
        /// The greatest.
        most: u64,
    },
    /// One of these words.
    Words(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// `address:port`.
    Address,
    /// The same, or an address alone: the port is that of HTTPS, 443.
    HttpsAddress,
    /// An address alone.
    Ip,
    /// [`crate::tls::Fingerprint`].
    Fingerprint,
    /// [`crate::tls::CertificateName`].
    CertificateName,
    /// Directives of the log, `level` or `target=level`, separated by commas.
    LogLevel,
    /// An organization's token in subjects.
    OrgName,
    /// One of [`linesman_schemas::FilterLevel::ALL`].
    FilterLevel,
    /// A list of texts, at least one.
    Texts(&'static Texts),
    /// A list of tables in a table.
    Tables(&'static Tables),
}

/// What a list of texts may hold.
#[derive(Debug)]
pub struct Texts {
    /// One of them, for people: "a host name".
    pub one: &'static str,
    /// Several: "host names".
    pub many: &'static str,
    /// The greatest length of one, in characters.
    pub longest: usize,
    /// How many there may be.
    pub most: usize,
    /// What helps who wrote something else.
    pub help: Option<&'static str>,
}

/// What a list of tables in a table may hold.
#[derive(Debug)]
pub struct Tables {
    /// One of them, for people and with its article: "a device group".
    pub one: &'static str,
    /// The keys of each; the first is the name by which they are told apart.
    pub keys: &'static [Key],
    /// How many there may be.
    pub most: usize,
}
