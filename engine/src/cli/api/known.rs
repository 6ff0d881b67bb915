//! `linesman known`: names that the engine knows, one a line, for the completion of shells.

use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::Value;

use super::{Access, ask, show};
use crate::cli::Failure;

/// How many are asked for: what a shell shows at once.
const MOST: &str = "200";

/// Print names that the engine knows
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Whose
    what: What,
    /// Of one organization: devices by their names there, messages by their ids
    #[arg(long, value_name = "ORG")]
    organization: Option<String>,
    #[command(flatten)]
    access: Access,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Organizations,
    Incidents,
    Cases,
    DeadLetters,
    Policies,
    Devices,
    Messages,
    Approvals,
    Groups,
    Managers,
    Services,
    Sessions,
    Tokens,
    Places,
}

impl What {
    /// Where they are listed, where in an item its name stands, and by what the newest come first, where they come by themselves.
    const fn place(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Self::Organizations => ("/api/v1/organizations", "/name", None),
            Self::Incidents => ("/api/v1/incidents", "/id", Some("-detected")),
            Self::Cases => ("/api/v1/cases", "/incident", Some("-opened")),
            Self::DeadLetters => ("/api/v1/dead-letters", "/id", Some("-time")),
            Self::Policies => ("/api/v1/policies", "/name", None),
            Self::Devices => ("/api/v1/devices", "/name", None),
            Self::Messages => ("/api/v1/intelligence", "/id", Some("-received")),
            Self::Approvals => ("/api/v1/approvals", "/id", Some("-asked")),
            Self::Groups => ("/api/v1/groups", "/name", None),
            Self::Managers => ("/api/v1/managers", "/login", None),
            Self::Services => ("/api/v1/services", "/name", None),
            Self::Sessions => ("/api/v1/sessions", "/id", None),
            Self::Tokens => ("/api/v1/tokens", "/name", None),
            Self::Places => ("/api/v1/places", "/place", None),
        }
    }

    /// Whether they come page by page.
    const fn is_paged(self) -> bool {
        !matches!(self, Self::Sessions | Self::Tokens)
    }
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let Args { what, organization, access } = args;
    ask(access, async |api| {
        let (path, pointer, newest) = what.place();
        let limit = what.is_paged().then_some(("limit", MOST));
        let whose = organization.as_deref().map(|organization| ("organization", organization));
        let query: Vec<_> = limit.into_iter().chain(newest.map(|sort| ("sort", sort))).chain(whose).collect();
        let page = api.get(path, &query).await?;
        for item in page.get("items").and_then(Value::as_array).into_iter().flatten() {
            let Some(name) = item.pointer(pointer).filter(|name| name.is_string()).map(show::plain) else { continue };
            let of = item.get("organization").and_then(Value::as_str);
            match of.filter(|_| *what == What::Devices && organization.is_none()) {
                Some(of) => outln!("{of}/{name}"),
                None => outln!("{name}"),
            }
        }
        Ok(())
    })
}
