//! `linesman check`

mod configured;
mod excerpt;
mod services;
mod stray;
mod text;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use linesman_rules::{Diagnostic, Policy, modes};
use linesman_schemas::mode::UnknownMode;
use linesman_schemas::{Mode, OrgName};
use serde::Serialize;

use super::Failure;
use super::api::org;
use crate::rules_dir::organizations::unknown;
use crate::{config, rules_dir};

/// Check policies, services and the parameters of all services
///
/// Of policies that is syntax, header, filters, and what their scripts call; of services their parameters, their
/// templates, what those render, and the form of their scenarios. Prints every fault of every file with file, line and
/// column, the line with what is meant underlined, and help. The engine refuses the same policies and services for the
/// same faults. A warning is about a file that is no policy, though it looks like one, about a policy that never fires,
/// about what of a policy is likely meant otherwise, or of no use in the mode that `--mode` or `--config` names, about an
/// organization that the engine of `--data-dir` does not know, or about what works in a service and may still surprise. Of the
/// configuration that `--config` names it is an error that it names a device in two device groups of an organization: the engine
/// does not start with it, unless the organization has these groups already.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With --json, each fault is one JSON object on a line of its own:
  file, line, column    where it begins; columns count characters, from 1
  end_column            the column behind it, on the same line
  severity              \"error\" or \"warning\"
  code                  the sort of fault, such as \"unknown-function\"; the words do not change
  message, help         what is wrong, and what to do about it; help may be null

Exit codes:
  0  no errors
  1  there are errors, or with --strict warnings, or the directory cannot be read
  2  wrong usage

Example:
  linesman check /etc/linesman/rules
  linesman check /etc/linesman/rules --mode end-customer
  linesman check /etc/linesman/rules --data-dir D --strict")]
pub(super) struct Args {
    /// The rule directory
    dir: PathBuf,
    /// The mode of the installation they are for: of policies it is said what is of no use there
    #[arg(long, value_name = "MODE", value_parser = parse_mode, conflicts_with = "config")]
    mode: Option<Mode>,
    /// The configuration file of the installation they are for, instead of its mode
    #[arg(long, value_name = "F")]
    config: Option<PathBuf>,
    /// The data directory of a running engine on this machine: it is asked which organizations there are
    #[arg(long, value_name = "D")]
    data_dir: Option<PathBuf>,
    /// Fail where there is a warning, too
    #[arg(long)]
    strict: bool,
    /// Print JSON, one object a line, and nothing else
    #[arg(long)]
    json: bool,
}

fn parse_mode(text: &str) -> Result<Mode, UnknownMode> {
    text.parse()
}

/// The mode they are for, if anybody says it.
fn mode(args: &Args) -> Result<Option<Mode>, Failure> {
    let Some(file) = &args.config else { return Ok(args.mode) };
    let sources = config::Sources { file: Some(file.clone()), environment: Vec::new(), flags: Vec::new() };
    config::licence(&sources).map(|found| Some(found.mode)).map_err(Failure::Mistakes)
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    /// The policy, the service or the configuration is refused.
    Error,
    /// The file is passed over, the policy loaded in vain, or something else may surprise.
    Warning,
}

/// A fault of a file, as it is shown.
struct Finding<'a> {
    file: String,
    severity: Severity,
    fault: &'a Diagnostic,
    /// The file's text.
    source: &'a str,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    if args.dir.is_file() {
        return Err(anyhow::anyhow!("`{}` is a file: name the rule directory it lies in", args.dir.display()).into());
    }
    let mode = mode(args)?;
    let read = rules_dir::read_all(&args.dir).context("nothing is checked: name a directory with policies")?;
    let (files, services) = (read.policies, read.services.folders.len());
    let in_services = services::find(&args.dir, read.services)?;
    let configured = args.config.as_deref().map(configured::find).unwrap_or_default();
    let stray = stray::find(&args.dir)?;
    let known = args.data_dir.as_deref().map(organizations_of).transpose()?;
    let unknown = known.map(|known| unknown(&files, &known)).unwrap_or_default();
    let of_policies = files.iter().flat_map(|file| {
        let name = file.path.to_string_lossy();
        file.faults.iter().map(move |fault| Finding {
            file: name.to_string(),
            severity: Severity::Error,
            fault,
            source: &file.text,
        })
    });
    let idle: Vec<_> =
        files.iter().flat_map(|file| in_vain(file, mode).into_iter().map(move |fault| (file, fault))).collect();
    let of_idle = idle.iter().map(|(file, fault)| Finding {
        file: file.path.to_string_lossy().into_owned(),
        severity: Severity::Warning,
        fault,
        source: &file.text,
    });
    let of_nobody = unknown.iter().map(|unknown| Finding {
        file: unknown.path.to_string_lossy().into_owned(),
        severity: Severity::Warning,
        fault: &unknown.fault,
        source: &unknown.file.text,
    });
    let of_others = stray.iter().map(|(path, fault)| Finding {
        file: path.to_string_lossy().into_owned(),
        severity: Severity::Warning,
        fault,
        source: "",
    });
    let of_services = in_services.iter().chain(&configured).map(|found| Finding {
        file: found.file.to_string_lossy().into_owned(),
        severity: found.severity,
        fault: &found.fault,
        source: &found.source,
    });
    let of_policies = of_policies.chain(of_idle).chain(of_nobody);
    let mut findings: Vec<Finding<'_>> = of_policies.chain(of_others).chain(of_services).collect();
    findings.sort_by(|a, b| (&a.file, a.fault.line, a.fault.column).cmp(&(&b.file, b.fault.line, b.fault.column)));
    for finding in &findings {
        if args.json {
            outln!("{}", json(finding)?);
        } else {
            out!("{}", text::render(finding));
        }
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if !args.json {
        outln!(
            "{}",
            summary(files.iter().filter(|file| !file.is_folder).count(), services, errors, findings.len() - errors)
        );
    }
    let is_good = if args.strict { findings.is_empty() } else { errors == 0 };
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The organizations that a running engine knows.
fn organizations_of(dir: &Path) -> Result<BTreeSet<OrgName>, Failure> {
    Ok(org::names(dir)
        .with_context(|| format!("which organizations there are is not known from `{}`", dir.display()))?)
}

/// Why a policy without fault never fires, where that is certain, what of it is likely meant otherwise, and what is of no
/// use in a mode.
fn in_vain(file: &rules_dir::PolicyFile, mode: Option<Mode>) -> Vec<Diagnostic> {
    let Some(source) = file.source.as_ref().filter(|_| file.faults.is_empty()) else { return Vec::new() };
    let of_mode = mode.map(|mode| modes::of_no_use(source, mode)).unwrap_or_default();
    Policy::never_fires(source).into_iter().chain(Policy::warnings(source)).chain(of_mode).collect()
}

/// A finding as editors read it.
fn json(finding: &Finding<'_>) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Line<'a> {
        file: &'a str,
        line: u32,
        column: u32,
        end_column: u32,
        severity: Severity,
        code: &'a str,
        message: &'a str,
        help: Option<&'a str>,
    }
    let fault = finding.fault;
    serde_json::to_string(&Line {
        file: &finding.file,
        line: fault.line,
        column: fault.column,
        end_column: fault.end_column,
        severity: finding.severity,
        code: fault.code.as_str(),
        message: &fault.message,
        help: fault.help.as_deref(),
    })
}

fn summary(policies: usize, services: usize, errors: usize, warnings: usize) -> String {
    let count = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    if policies == 0 && services == 0 && errors + warnings == 0 {
        return "no policies: a policy is a file whose name ends in `.rhai`".to_owned();
    }
    let mut parts = Vec::new();
    if policies > 0 || services == 0 {
        parts.push(count(policies, "policy", "policies"));
    }
    if services > 0 {
        parts.push(count(services, "service", "services"));
    }
    parts.push(if errors == 0 { "no fault".to_owned() } else { count(errors, "fault", "faults") });
    if warnings > 0 {
        parts.push(count(warnings, "warning", "warnings"));
    }
    parts.join(", ")
}
