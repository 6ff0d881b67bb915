//! What one activation puts on a device: a configuration group, and its application.
//!
//! A group is the unit of ownership: whatever an activation renders for a line lies in a group of its
//! own, and removing the group removes exactly that. What the device's own configuration sets, and what
//! others' groups set, is not touched.

use std::fmt;

use super::print::print;
use super::{Configuration, Statement};

/// A configuration under a name of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    name: String,
    configuration: Configuration,
}

/// What happens to a group on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The group holds this configuration and is applied; whatever it held before is gone.
    Put(Group),
    /// The group of this name and its application are gone. That it is not there is no fault.
    Remove(String),
}

/// Why a configuration cannot be a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ungroupable {
    /// The name is empty, longer than 255 characters, or of other than letters, digits, `-` and `_`.
    Name(String),
    /// There is nothing in it.
    Empty,
    /// It holds this statement, which groups may not: a group neither defines groups nor applies them.
    Nested(&'static str),
}

impl fmt::Display for Ungroupable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(
                f,
                "`{}` cannot name a configuration group: names have 1 to {LONGEST_NAME} letters, digits, `-` and `_`",
                crate::diagnostic::excerpt(name)
            ),
            Self::Empty => f.write_str("there is no statement to put into a configuration group"),
            Self::Nested(word) => {
                write!(f, "`{word}` cannot stand in a configuration group: write the statements themselves")
            }
        }
    }
}

impl std::error::Error for Ungroupable {}

const LONGEST_NAME: usize = 255;

/// The statement that defines groups.
pub(crate) const GROUPS: &str = "groups";

impl Group {
    /// A group of this name that holds the configuration.
    ///
    /// # Errors
    ///
    /// The name or the configuration is none that a group can have.
    pub fn new(name: &str, configuration: Configuration) -> Result<Self, Ungroupable> {
        Self::check(name, &configuration)?;
        Ok(Self { name: name.to_owned(), configuration })
    }

    /// Whether there can be a group of this name that holds the configuration.
    ///
    /// # Errors
    ///
    /// The name or the configuration is none that a group can have.
    pub fn check(name: &str, configuration: &Configuration) -> Result<(), Ungroupable> {
        let is_safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_safe) {
            return Err(Ungroupable::Name(name.to_owned()));
        }
        if configuration.is_empty() {
            return Err(Ungroupable::Empty);
        }
        match configuration.nested() {
            Some(word) => Err(Ungroupable::Nested(word)),
            None => Ok(()),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The commands that remove exactly this group, for people.
    pub fn removal(&self) -> String {
        Change::Remove(self.name.clone()).to_string()
    }
}

impl fmt::Display for Group {
    /// The text that creates the group and applies it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "groups {{\n    {} {{", self.name)?;
        print(f, &self.configuration.statements, "", 2)?;
        writeln!(f, "    }}\n}}\napply-groups {};", self.name)
    }
}

impl fmt::Display for Change {
    /// For people: the text that is put, or the commands that remove.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put(group) => group.fmt(f),
            Self::Remove(name) => write!(f, "delete groups {name}\ndelete apply-groups {name}\n"),
        }
    }
}

impl Configuration {
    /// The word of a statement that no group may hold: one that defines groups, or applies them.
    pub(crate) fn nested(&self) -> Option<&'static str> {
        nested(&self.statements, true)
    }

    /// Whether groups are defined at its top.
    pub(crate) fn defines_groups(&self) -> bool {
        self.statements.iter().any(|statement| {
            let (Statement::Leaf { words, .. } | Statement::Container { words, .. }) = statement;
            words.first().is_some_and(|word| word.as_str() == GROUPS)
        })
    }
}

/// A statement of groups. Recursion is as deep as the statements are, which the parser bounds.
fn nested(statements: &[Statement], is_top: bool) -> Option<&'static str> {
    statements.iter().find_map(|statement| {
        let words = match statement {
            Statement::Leaf { words, .. } | Statement::Container { words, .. } => words,
        };
        let word = match words.first().map(super::Word::as_str) {
            Some(GROUPS) if is_top => Some(GROUPS),
            Some("apply-groups") => Some("apply-groups"),
            Some("apply-groups-except") => Some("apply-groups-except"),
            _ => None,
        };
        match statement {
            Statement::Container { statements, .. } => word.or_else(|| nested(statements, false)),
            Statement::Leaf { .. } => word,
        }
    })
}
