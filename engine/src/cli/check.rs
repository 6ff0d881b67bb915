//! `linesman check`

use std::path::PathBuf;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use super::Failure;
use crate::rules_dir::{self, PolicyFile};

/// Check policies: syntax, header, trigger
///
/// Prints each fault with file, line and column, and ends with 1 if there is any.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  linesman check /etc/linesman/rules")]
pub(super) struct Args {
    /// The rule directory
    dir: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let files = rules_dir::read(&args.dir)?;
    let mut faults = 0;
    for file in &files {
        faults += file.faults.len();
        show(file);
    }
    let (policies, plural) = (files.len(), if files.len() == 1 { "policy" } else { "policies" });
    if faults == 0 {
        anstream::println!("{policies} {plural}, no fault");
        return Ok(ExitCode::SUCCESS);
    }
    anstream::println!("{policies} {plural}, {faults} {}", if faults == 1 { "fault" } else { "faults" });
    Ok(ExitCode::FAILURE)
}

fn show(file: &PolicyFile) {
    let (red, blue, bold) = (AnsiColor::Red.on_default().bold(), AnsiColor::Blue.on_default(), Style::new().bold());
    for fault in &file.faults {
        let path = file.path.display();
        anstream::println!(
            "{bold}{path}:{}:{}{bold:#}: {red}error{red:#}: {}",
            fault.line,
            fault.column,
            fault.message
        );
        if let Some(text) = file.text.lines().nth(fault.line.saturating_sub(1) as usize) {
            // Tabs stay tabs, so that the caret stands below its column however wide they are shown.
            let before = text.chars().take(fault.column.saturating_sub(1) as usize);
            let margin: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            anstream::println!("{blue}   |{blue:#} {text}\n{blue}   |{blue:#} {margin}{red}^{red:#}");
        }
        if let Some(help) = &fault.help {
            anstream::println!("{blue}   = help:{blue:#} {help}");
        }
    }
}
