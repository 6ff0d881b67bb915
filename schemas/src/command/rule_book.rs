//! Commands about the rule book; the provider's own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, hash};
use crate::PlacePath;
use crate::control::Section;

/// What is asked for of the rule book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleBook {
    /// Let a section have another content from here on.
    LoadSection(SectionLoad),
    /// Let the section of the directory name a place no more that is gone.
    ClearPlace(PlaceClearing),
}

impl RuleBook {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::LoadSection(_) => "load-section",
            Self::ClearPlace(_) => "clear-place",
        }
    }

    /// By what name it is looked up who may ask for it.
    pub(super) const fn operation(&self) -> &'static str {
        match self {
            Self::LoadSection(load) => match load.section {
                Section::Directory => "load-directory",
                Section::Installation => "load-installation",
                Section::Policies => "load-policies",
                Section::Services => "load-services",
                Section::Settings => "load-settings",
            },
            Self::ClearPlace(_) => "clear-place",
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::LoadSection(load) => load.check(),
            Self::ClearPlace(_) => Ok(()),
        }
    }
}

/// Which content a section is to have. It lies in the object store before the command is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SectionLoad {
    /// The section.
    pub section: Section,
    /// SHA-256 of the content, in hexadecimal; also its name in the object store.
    pub hash: String,
    /// The hash of what files say, where the content comes from files; none when it was changed otherwise, which
    /// leaves what was last loaded from files as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded: Option<String>,
    /// The hash that the section has now: with another one nothing is changed. None changes it whatever it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// A version that some lane has already: the rule book gets a higher one, even if nothing else changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<u64>,
}

/// Which place is to be taken out of the spheres of the provider's people, and of their API tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceClearing {
    /// The place; what lies below it goes too.
    pub place: PlacePath,
    /// The version of the rule book by which the place's lane found it still named. Once there is another one nothing is
    /// changed: there may be a place of that name again.
    pub rule_book: u64,
}

impl SectionLoad {
    fn check(&self) -> Result<(), Fault> {
        hash("/hash", &self.hash)?;
        let optional = [("/loaded", &self.loaded), ("/expected", &self.expected)];
        optional.into_iter().try_for_each(|(pointer, value)| value.iter().try_for_each(|value| hash(pointer, value)))
    }
}
