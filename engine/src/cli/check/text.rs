//! A finding as people read it.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::excerpt::{Excerpt, excerpt, visible};
use super::{Finding, Severity};

/// `file:line:column: error: message`, the line with what is meant underlined, and the help.
pub(super) fn render(finding: &Finding<'_>) -> String {
    let (blue, bold) = (AnsiColor::Blue.on_default(), Style::new().bold());
    let (color, word) = match finding.severity {
        Severity::Error => (AnsiColor::Red.on_default().bold(), "error"),
        Severity::Warning => (AnsiColor::Yellow.on_default().bold(), "warning"),
    };
    let fault = finding.fault;
    let place = format!("{}:{}:{}", visible(&finding.file), fault.line, fault.column);
    let mut text = format!("{bold}{place}{bold:#}: {color}{word}{color:#}: {}\n", visible(&fault.message));
    let number = fault.line.to_string();
    let margin = " ".repeat(number.len());
    let row = fault.line.saturating_sub(1) as usize;
    let is_of_file = fault.end_column <= fault.column;
    if let Some(line) = finding.source.lines().nth(row).filter(|_| !is_of_file) {
        let at = |column: u32| column.saturating_sub(1) as usize;
        let Excerpt { line, margin: before, width } = excerpt(line, at(fault.column), at(fault.end_column));
        let (blanks, carets) = (" ".repeat(before), "^".repeat(width));
        // Writing to a text does not fail.
        _ = writeln!(text, " {blue}{number} |{blue:#} {line}");
        _ = writeln!(text, " {blue}{margin} |{blue:#} {blanks}{color}{carets}{color:#}");
    }
    if let Some(help) = &fault.help {
        _ = writeln!(text, " {blue}{margin} = help:{blue:#} {}", visible(help));
    }
    text
}
