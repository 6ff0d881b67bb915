//! `linesman known`: names that the engine knows, one a line, for the completion of shells.

use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::Value;

use super::{Access, ask};
use crate::cli::Failure;

/// How many are asked for: what a shell shows at once.
const MOST: &str = "200";

/// Print names that the engine knows
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Whose
    what: What,
    #[command(flatten)]
    access: Access,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    Organizations,
    Incidents,
    Cases,
    DeadLetters,
    Policies,
}

impl What {
    /// Where they are listed, and where in an item its name stands.
    const fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Organizations => ("/api/v1/organizations", "/name"),
            Self::Incidents => ("/api/v1/incidents", "/id"),
            Self::Cases => ("/api/v1/cases", "/incident"),
            Self::DeadLetters => ("/api/v1/dead-letters", "/id"),
            Self::Policies => ("/api/v1/policies", "/name"),
        }
    }
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| {
        let (path, pointer) = args.what.place();
        let page = api.get(path, &[("limit", MOST)]).await?;
        for item in page.get("items").and_then(Value::as_array).into_iter().flatten() {
            if let Some(name) = item.pointer(pointer).and_then(Value::as_str) {
                outln!("{name}");
            }
        }
        Ok(())
    })
}
