//! Commands about data that is gathered from devices without scripts: the groups of commands that are run there, and asking for it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, label};
use super::device::name;
use crate::Priority;
use crate::gathering::{COMMAND_MOST, COMMANDS_MOST, GatheringKind, SYNOPSIS_MOST};

/// What is asked for of a group of commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directives {
    /// Make one, or let it have other commands.
    Set(DirectivesGroup),
    /// Remove one.
    Remove(DirectivesName),
}

/// A group of commands, by which data is gathered from devices without scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DirectivesGroup {
    /// Its name, `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
    pub name: String,
    /// The commands in their order, 1 to 64, each a line of at most 255 characters.
    pub commands: Vec<String>,
}

/// Which group of commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DirectivesName {
    /// Its name.
    pub name: String,
}

/// Data is to be gathered from a device: the commands of its groups are run there, and what they tell becomes a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gathering {
    /// The name that the device was given.
    pub name: String,
    /// What kind of bundle it becomes.
    pub kind: GatheringKind,
    /// The problem in one line; not of information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synopsis: Option<String>,
    /// How urgent; `3 - Medium`. Not of information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Said by the engine alone, which makes the device's snapshots: not where one of the device's own has come since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless_since: Option<Timestamp>,
}

impl Directives {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Set(_) => "set-directives-group",
            Self::Remove(_) => "remove-directives-group",
        }
    }

    /// The group's name.
    pub fn group(&self) -> &str {
        match self {
            Self::Set(DirectivesGroup { name, .. }) | Self::Remove(DirectivesName { name }) => name,
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        name("/name", self.group())?;
        let Self::Set(DirectivesGroup { commands, .. }) = self else { return Ok(()) };
        if commands.is_empty() || commands.len() > COMMANDS_MOST {
            return Err(Fault::new("/commands", format!("has {}, and must have 1 to {COMMANDS_MOST}", commands.len())));
        }
        for (at, command) in commands.iter().enumerate() {
            let pointer = format!("/commands/{at}");
            label(&pointer, command, COMMAND_MOST)?;
            if command.trim().is_empty() {
                return Err(Fault::new(pointer, "is empty"));
            }
        }
        Ok(())
    }
}

impl Gathering {
    pub(super) fn check(&self) -> Result<(), Fault> {
        if let Some(synopsis) = &self.synopsis {
            label("/synopsis", synopsis, SYNOPSIS_MOST)?;
        }
        if self.kind != GatheringKind::Information {
            return Ok(());
        }
        for (pointer, is_there) in [("/synopsis", self.synopsis.is_some()), ("/priority", self.priority.is_some())] {
            if is_there {
                return Err(Fault::new(pointer, "is of a problem, and information tells of none"));
            }
        }
        Ok(())
    }
}
