//! What is wrong with a configuration: all of it, each with where it was made.

use std::fmt;

use super::origin::Origin;

/// How many mistakes are kept; a file of nonsense has more than anybody reads.
const MOST: usize = 1000;

/// One mistake.
///
/// ```text
/// linesman.toml:3:9: `lanes` must be a whole number from 1 to 48, not `99`
///   lanes = 99
///           ^^
///   help: ...
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it was made.
    pub origin: Origin,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Default => f.write_str(&self.message)?,
            origin => write!(f, "{origin}: {}", self.message)?,
        }
        if let Origin::Spot(spot) = &self.origin {
            let (column, length) = spot.underlined;
            write!(f, "\n  {}\n  {:column$}{:^<length$}", spot.text, "", "")?;
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// All mistakes of a configuration, in the order file, environment, flags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mistakes {
    list: Vec<Mistake>,
    /// How many more there were than are kept.
    more: usize,
}

impl Mistakes {
    /// The mistakes, at most 1000.
    pub fn list(&self) -> &[Mistake] {
        &self.list
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether a further one would only be counted: no work is worth its text.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= MOST
    }

    pub(super) fn add(&mut self, origin: Origin, message: impl Into<String>, help: Option<String>) {
        if self.is_full() {
            self.more += 1;
        } else {
            self.list.push(Mistake { origin, message: message.into(), help });
        }
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&Mistake) -> bool) {
        self.list.retain(keep);
    }

    pub(super) fn append(&mut self, other: Self) {
        self.more += other.more;
        for mistake in other.list {
            self.add(mistake.origin, mistake.message, mistake.help);
        }
    }

    /// Brings them into the order of their origins; those of one stay as they are.
    pub(super) fn sorted(mut self) -> Self {
        // What belongs to no layer comes last.
        let order = |origin: &Origin| (origin.layer().is_none(), origin.layer());
        self.list.sort_by(|a, b| order(&a.origin).cmp(&order(&b.origin)).then_with(|| a.origin.cmp(&b.origin)));
        self
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
