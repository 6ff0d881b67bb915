//! `linesman audit`

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use reqwest::{Method, StatusCode};

use super::filters::Filters;
use super::show::{Column, column};
use super::{Api, Args, List, Never, Refusal, ask, segment};
use crate::audit::verify::{Kept, Report, verify};
use crate::audit::{Checkpoint, VerifierKey, notes};
use crate::cli::{Failure, output};
use crate::edge::filters::tables::Audit;

pub(in crate::cli) const COLUMNS: [Column; 8] = [
    column("TIME", "/time"),
    column("LOG", "/organization").key(),
    column("INDEX", "/index").key(),
    column("ACTOR", "/actor").whole(),
    column("OPERATION", "/operation").whole(),
    column("PLACE", "/place").spare(),
    column("ABOUT", "/about").name(),
    column("OUTCOME", "/outcome").whole(),
];
/// Whose log is that of the provider.
const PROVIDER: &str = "_provider";
/// How long an export may take.
const EXPORT_MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman audit list --organization acme --data-dir D
  linesman audit list --actor bob --outcome forbidden --data-dir D
  linesman audit show acme 17 --data-dir D
  linesman audit key --data-dir D > audit.key
  linesman audit checkpoint acme --data-dir D > acme.checkpoint
  linesman audit export --organization acme --output acme.jsonl --data-dir D
  linesman audit verify acme.jsonl --checkpoint acme.checkpoint --public-key audit.key";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List records: who did what, where, and what became of it
    List(List<Audit>),
    /// Show one record, with what it changed
    Show {
        /// Which log, as the list shows it: an organization's, `_provider`, `_provider-1`
        log: String,
        /// Which record of it, as the list shows it
        index: u64,
    },
    /// Write records as they lie in the log: all of one log can be verified
    Export(Export),
    /// Tell whether an export is the whole log and as it was written: needs no engine
    Verify(Verify),
    /// Print how far a log has grown, signed: kept elsewhere it tells later what was changed
    Checkpoint {
        /// Whose log: an organization's, or `_provider` for all of the provider's, one behind the other
        log: String,
        /// The one that the engine kept when the log had so many records
        #[arg(long, value_name = "N")]
        size: Option<u64>,
    },
    /// Print the public key of checkpoints
    Key,
    /// There is none: records are what happened
    #[command(hide = true)]
    Add(Never),
    /// There is none: records stay as they are
    #[command(hide = true)]
    Set(Never),
    /// There is none: records go by age
    #[command(hide = true)]
    Remove(Never),
}

/// What is written, and where to.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    filters: Filters<Audit>,
    /// Lines of JSON, or a table
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// The file; without one, the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How an export is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

/// What is verified, and by what.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Verify {
    /// The export, of a whole log in lines of JSON, or of several; `-` for the standard input
    #[arg(value_name = "FILE")]
    export: PathBuf,
    /// A checkpoint that was kept, or several one behind the other; may be given several times
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// The public key, as `audit key` printed it; without it no signature is checked
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
}

/// What is said to who wants to make a record.
const NEVER_ADDED: &str = "records of the audit come of what is done, and of nothing else: see them with \
                           `linesman audit list`";
/// What is said to who wants to change one.
const NEVER_SET: &str = "a record of the audit never changes: see it with `linesman audit show`";
/// What is said to who wants to remove one.
const NEVER_REMOVED: &str = "a record of the audit is removed by nobody: its text goes by age, with the setting \
                             `audit_retention_s`";

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    match &args.action {
        Action::Verify(verify) => return Ok(run_verify(verify, args.access.json)?),
        Action::Add(_) => return Err(Failure::Unused(NEVER_ADDED)),
        Action::Set(_) => return Err(Failure::Unused(NEVER_SET)),
        Action::Remove(_) => return Err(Failure::Unused(NEVER_REMOVED)),
        _ => {}
    }
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/audit", list, &COLUMNS).await,
        Action::Show { log, index } => api.show(&format!("/api/v1/audit/{}/{index}", segment(log)), &()).await,
        Action::Export(export) => run_export(api, export).await,
        Action::Checkpoint { log, size } => {
            let query = Vec::from_iter(size.map(|size| ("size", size)));
            print_checkpoint(api, log, &received(api, &checkpoint_of(log), &query).await?, "")?;
            if log == PROVIDER && size.is_none() { print_others(api).await } else { Ok(()) }
        }
        Action::Key => print_key(api, &received(api, "/api/v1/audit/key", &[]).await?),
        // They were run above, without an engine.
        Action::Verify(_) | Action::Add(_) | Action::Set(_) | Action::Remove(_) => Ok(()),
    })
}

/// Prints the checkpoints of the provider's logs on the lanes behind the first.
async fn print_others(api: &Api) -> anyhow::Result<()> {
    for lane in 1..u32::MAX {
        let log = format!("{PROVIDER}-{lane}");
        let note = match received(api, &checkpoint_of(&log), &[]).await {
            Err(error)
                if error.downcast_ref().is_some_and(|Refusal { status, .. }| *status == StatusCode::NOT_FOUND) =>
            {
                break;
            }
            note => note?,
        };
        print_checkpoint(api, &log, &note, "\n")?;
    }
    Ok(())
}

fn checkpoint_of(log: &str) -> String {
    format!("/api/v1/audit/{}/checkpoint", segment(log))
}

/// A text, as the engine gives it.
async fn received(api: &Api, path: &str, query: &[(&str, u64)]) -> anyhow::Result<String> {
    let answer = api.received(api.request(Method::GET, path).query(query)).await?;
    answer.text().await.context("the answer broke off")
}

/// Prints a checkpoint: as it is behind `gap`, or in JSON as one line.
fn print_checkpoint(api: &Api, log: &str, note: &str, gap: &str) -> anyhow::Result<()> {
    if !api.is_json {
        out!("{gap}{note}");
        return Ok(());
    }
    let read = Checkpoint::read(note, None).context("the answer is no checkpoint")?;
    let told = serde_json::json!({
        "organization": log, "origin": read.origin, "size": read.size, "root": read.root,
        "bodies_from": read.bodies, "note": note,
    });
    outln!("{told}");
    Ok(())
}

/// Prints the public key: as it is, or in JSON.
fn print_key(api: &Api, text: &str) -> anyhow::Result<()> {
    if !api.is_json {
        out!("{text}");
        return Ok(());
    }
    let key: VerifierKey = text.parse().context("the answer is no key")?;
    let told = serde_json::json!({"name": key.name(), "algorithm": "Ed25519", "public_key": key.to_string()});
    outln!("{told}");
    Ok(())
}

/// Writes an export as it comes.
async fn run_export(api: &Api, export: &Export) -> anyhow::Result<()> {
    let format = match export.format {
        Format::Jsonl => "jsonl",
        Format::Csv => "csv",
    };
    let request = api.request(Method::GET, "/api/v1/audit/export").query(&export.filters).query(&[("format", format)]);
    let mut answer = api.received(request.timeout(EXPORT_MOST)).await?;
    let mut file = match &export.output {
        Some(path) => Some(File::create(path).with_context(|| format!("`{}` cannot be written", path.display()))?),
        None => None,
    };
    while let Some(part) = answer.chunk().await.context("the export broke off: what was written is not all")? {
        match &mut file {
            Some(file) => file.write_all(&part).context("the export cannot be written")?,
            None => output::bytes(&part)?,
        }
    }
    Ok(())
}

/// Verifies an export, and tells what was found.
fn run_verify(args: &Verify, is_json: bool) -> anyhow::Result<ExitCode> {
    let read =
        |path: &Path| std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()));
    let key = match &args.public_key {
        Some(path) => Some(read(path)?.parse::<VerifierKey>().with_context(|| format!("`{}`", path.display()))?),
        None => None,
    };
    let mut kept = Vec::new();
    for path in &args.checkpoint {
        let name = path.display().to_string();
        kept.extend(notes(&read(path)?).into_iter().map(|note| Kept { name: name.clone(), note }));
    }
    let export: Box<dyn BufRead> = if args.export == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = File::open(&args.export).with_context(|| format!("`{}` cannot be read", args.export.display()))?;
        Box::new(BufReader::new(file))
    };
    let reports = verify(export, &kept, key.as_ref())?;
    if is_json {
        reports.iter().for_each(|report| outln!("{}", json(report, key.is_some())));
    } else {
        let words: Vec<String> = reports.iter().map(|report| words(report, key.is_some())).collect();
        out!("{}", words.join("\n"));
    }
    let is_whole = reports.iter().all(|report| report.faults.is_empty());
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn json(report: &Report, is_keyed: bool) -> serde_json::Value {
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    serde_json::json!({
        "log": report.origin, "size": report.size, "root": report.root, "aged": report.aged, "bodies_from": report.bodies,
        "checkpoints": report.agreeing, "signatures": is_keyed, "is_whole": faults.is_empty(), "faults": faults,
        "more": report.more,
    })
}

/// What was found, for people.
fn words(report: &Report, is_keyed: bool) -> String {
    let Report { origin, size, root, aged, bodies, agreeing, faults, more } = report;
    let mut lines = vec![format!("log     {origin}"), format!("size    {size} records"), format!("root    {root}")];
    if *aged > 0 {
        let said = bodies.map(|first| format!("; the checkpoint says that bodies are there from record {first} on"));
        lines.push(format!("aged    {aged} records have their hash alone{}", said.unwrap_or_default()));
    }
    let signed = if is_keyed { "signed with the key" } else { "signatures not checked: no --public-key" };
    lines.push(format!("agreed  {agreeing} checkpoints, {signed}"));
    if faults.is_empty() {
        lines.push("whole, and as it was written; `detail` is in no hash".to_owned());
    } else {
        lines.push("NOT as it was written:".to_owned());
        lines.extend(faults.iter().map(|fault| format!("  {fault}")));
    }
    if *more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines.join("\n") + "\n"
}
