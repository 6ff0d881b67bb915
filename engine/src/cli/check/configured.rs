//! What of a configuration file is refused at the start, though it is no mistake by itself.

use std::path::Path;

use linesman_rules::{Code, Diagnostic};

use super::Severity;
use super::services::Found;
use crate::config::{Mistake, Origin, device_groups};

/// Devices that it names in two device groups.
pub(super) fn find(file: &Path) -> Vec<Found> {
    // For the lines that are shown: where it cannot be read that is told as a fault.
    let source = std::fs::read_to_string(file).unwrap_or_default();
    let faults = match device_groups::named_twice(file) {
        Ok(mistakes) => mistakes.into_iter().map(fault).collect(),
        Err(mistake) => vec![fault(*mistake)],
    };
    let found = |fault| Found { file: file.to_owned(), severity: Severity::Error, fault, source: source.clone() };
    faults.into_iter().map(found).collect()
}

fn fault(Mistake { origin, message, help }: Mistake) -> Diagnostic {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let whole = Diagnostic::of_file(Code::Configuration, message, help.as_deref());
    match origin {
        Origin::Spot(spot) => {
            let (column, (_, length)) = (spot.column, spot.underlined);
            let (line, column, end_column) = (number(spot.line), number(column), number(column.saturating_add(length)));
            Diagnostic { line, column, end_column, ..whole }
        }
        _ => whole,
    }
}
