//! How urgent a problem is.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A problem's priority: a bare word inside (`High`), numbered in bundles and upstream (`2 - High`).
/// Source: DOMAIN, "Incidents and cases".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// `1 - Critical`
    Critical,
    /// `2 - High`
    High,
    /// `3 - Medium`
    Medium,
    /// `4 - Low`
    Low,
}

impl Priority {
    /// All four, most urgent first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The bare word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "Critical",
            Self::High => "High",
            Self::Medium => "Medium",
            Self::Low => "Low",
        }
    }

    /// The numbered form of bundles and of the upstream.
    pub const fn numbered(self) -> &'static str {
        match self {
            Self::Critical => "1 - Critical",
            Self::High => "2 - High",
            Self::Medium => "3 - Medium",
            Self::Low => "4 - Low",
        }
    }
}

/// A text that is no priority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a priority: expected `1 - Critical`, `2 - High`, `3 - Medium`, `4 - Low` or the bare word")]
pub struct PriorityError;

impl FromStr for Priority {
    type Err = PriorityError;

    /// Accepts both forms.
    fn from_str(text: &str) -> Result<Self, PriorityError> {
        Self::ALL.into_iter().find(|p| text == p.as_str() || text == p.numbered()).ok_or(PriorityError)
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Priority {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl JsonSchema for Priority {
    fn schema_name() -> Cow<'static, str> {
        "Priority".into()
    }

    /// What is written is the bare word, what is read may be the numbered form.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut words: Vec<&str> = Self::ALL.iter().map(|priority| priority.as_str()).collect();
        if generator.contract().is_deserialize() {
            words.extend(Self::ALL.iter().map(|priority| priority.numbered()));
        }
        json_schema!({"description": "How urgent a problem is.", "type": "string", "enum": words})
    }
}

impl<'de> Deserialize<'de> for Priority {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_the_bare_word_is_written() {
        for priority in Priority::ALL {
            assert_eq!(priority.as_str().parse(), Ok(priority));
            assert_eq!(priority.numbered().parse(), Ok(priority));
            assert_eq!(serde_json::to_string(&priority).unwrap(), format!("\"{}\"", priority.as_str()));
        }
        assert_eq!("2 - high".parse::<Priority>(), Err(PriorityError));
        assert_eq!("1 - High".parse::<Priority>(), Err(PriorityError));
    }
}
