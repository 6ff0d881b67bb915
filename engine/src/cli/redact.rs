//! `linesman redact` and `linesman unredact`

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::builder::PossibleValuesParser;
use linesman_redaction::{Canaries, KEY_BYTES, Key, Overwriting, Redaction, Report, Spool, unredact};
use linesman_schemas::FilterLevel;
use tempfile::{NamedTempFile, SpooledTempFile};

use super::api::{Access, seals};
use super::{Failure, output};

/// How much of a member of an archive lies in memory until its length is known.
const IN_MEMORY: usize = 1 << 20;
/// The largest list of canaries that is read, in bytes.
const CANARIES_MOST: u64 = 2 << 20;
/// What stands for the standard output.
const STANDARD_OUTPUT: &str = "-";
/// The largest document that a running engine takes, in bytes.
const DOCUMENT_MOST: u64 = 16 << 20;

/// Write what may leave of a document at a filter level
///
/// The document may be a bundle, text, XML, tar, and any of them compressed by gzip. Secrets of configurations leave at no
/// level. At `Only send list of features used` the list is written, a line each; at `Do not send` nothing is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman redact event.xml --level \"Send all information except configuration\"
  linesman redact logs.tgz --level \"Send all information with IP addresses overwritten\" -o out.tgz
  head -c 32 /dev/urandom > acme.key
  linesman redact rsi.txt --level \"Send all information with IP addresses overwritten\" \\
      --pseudonyms --key-file acme.key -o out.txt
  linesman unredact out.txt --key-file acme.key
  linesman redact rsi.txt --level \"Send all information\" --canaries planted.txt -o out.txt")]
pub(super) struct Redact {
    /// The document; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The filter level
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(FilterLevel::ALL.map(|(_, text)| text)))]
    level: String,
    /// Overwrite addresses by pseudonyms that the key undoes
    #[arg(long, requires = "key_file")]
    pseudonyms: bool,
    /// The key of the pseudonyms, 32 raw bytes
    #[arg(long, value_name = "K", requires = "pseudonyms")]
    key_file: Option<PathBuf>,
    /// Overwrite hardware addresses too
    #[arg(long)]
    mac: bool,
    /// What was planted, one a line: fail and write nothing if any of it would leave
    #[arg(long, value_name = "FILE")]
    canaries: Option<PathBuf>,
    /// Write there instead of on standard output, which `-` is too, whole or not at all
    #[arg(short, long, value_name = "OUT")]
    out: Option<PathBuf>,
}

/// Give a document back its addresses, where they were overwritten by pseudonyms
///
/// Takes the key that they were made with. With another key other addresses come out: nothing tells which is right. With
/// `--organization` a running engine does it, by the key that it keeps of that organization; it takes the right to administer
/// settings, and goes on record.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman unredact out.txt --key-file acme.key
  linesman unredact out.txt --organization acme --data-dir D")]
pub(super) struct Unredact {
    /// The document; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The key of the pseudonyms, 32 raw bytes
    #[arg(long, value_name = "K", required_unless_present = "organization", conflicts_with = "organization")]
    key_file: Option<PathBuf>,
    /// By the key of this organization that a running engine keeps; the document has 16 MiB at most
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    #[command(flatten)]
    access: Access,
    /// Write there instead of on standard output, which `-` is too, whole or not at all
    #[arg(short, long, value_name = "OUT")]
    out: Option<PathBuf>,
}

pub(super) fn redact(args: &Redact) -> Result<ExitCode, Failure> {
    let level = level(&args.level)?;
    if args.pseudonyms && level != FilterLevel::AddressesOverwritten {
        return Err(anyhow::anyhow!("`{}` overwrites no addresses: leave out `--pseudonyms`", args.level).into());
    }
    let overwriting = match &args.key_file {
        Some(file) => Overwriting::Pseudonyms(key(file)?),
        None => Overwriting::Fixed,
    };
    let canaries = args.canaries.as_deref().map(canaries).transpose()?;
    let redaction = Redaction::at(level).overwriting(overwriting).with_macs(args.mac);
    let (mut written, report) =
        carry(&args.file, args.out.as_deref(), |name, input, output| redaction.document(name, input, output, &spool))?;
    if let Some(canaries) = canaries {
        let leaked = leaked(&canaries, &mut written)?;
        errln!("canaries {} leaked {}", canaries.count(), leaked.iter().map(|(_, count)| count).sum::<u64>());
        if !leaked.is_empty() {
            let leaked: Vec<String> =
                leaked.iter().map(|(canary, count)| format!("`{canary}` {count} times")).collect();
            return Err(anyhow::anyhow!("nothing was written, canaries would leave: {}", leaked.join(", ")).into());
        }
    }
    written.keep()?;
    errln!("{}", told(&report));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn undo(args: &Unredact) -> Result<ExitCode, Failure> {
    if let Some(org) = &args.organization {
        let mut document = Vec::new();
        // One byte more says that there are too many.
        opened(&args.file)?
            .take(DOCUMENT_MOST + 1)
            .read_to_end(&mut document)
            .context("the document cannot be read")?;
        if document.len() as u64 > DOCUMENT_MOST {
            return Err(
                anyhow::anyhow!("the engine takes documents of {DOCUMENT_MOST} bytes at most: cut this one").into()
            );
        }
        let undone = seals::unredact(&args.access, org, &name_of(&args.file), document)?;
        let mut written = Written::new(args.out.as_deref())?;
        written.file.write_all(&undone).context("the document cannot be written")?;
        written.keep()?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(key_file) = &args.key_file else { return Ok(ExitCode::FAILURE) };
    let key = key(key_file)?;
    let (written, _) =
        carry(&args.file, args.out.as_deref(), |name, input, output| unredact(&key, name, input, output, &spool))?;
    written.keep()?;
    Ok(ExitCode::SUCCESS)
}

fn level(text: &str) -> anyhow::Result<FilterLevel> {
    let level = FilterLevel::ALL.iter().find(|(_, known)| *known == text);
    level.map(|(level, _)| *level).with_context(|| format!("`{text}` is no filter level"))
}

fn spool() -> io::Result<Box<dyn Spool>> {
    Ok(Box::new(SpooledTempFile::new(IN_MEMORY)))
}

fn key(file: &Path) -> anyhow::Result<Key> {
    let unread = || format!("the key `{}` cannot be read", file.display());
    let mut bytes = Vec::new();
    // One byte more says that there are too many; a device has no end.
    let limit = 64 * KEY_BYTES as u64;
    File::open(file).with_context(unread)?.take(limit).read_to_end(&mut bytes).with_context(unread)?;
    Key::of(&bytes).with_context(|| format!("`{}` is no key", file.display()))
}

fn canaries(file: &Path) -> anyhow::Result<Canaries> {
    let unread = || format!("the canaries `{}` cannot be read", file.display());
    let mut list = String::new();
    File::open(file).with_context(unread)?.take(CANARIES_MOST).read_to_string(&mut list).with_context(unread)?;
    Canaries::read(&list).with_context(|| format!("`{}` is no list of canaries", file.display()))
}

fn leaked(canaries: &Canaries, written: &mut Written) -> anyhow::Result<Vec<(String, u64)>> {
    let mut file = written.rewound()?;
    Ok(canaries.leaked("what leaves", &mut file, &spool)?.into_iter().collect())
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A document, to be read.
fn opened(file: &Path) -> anyhow::Result<Box<dyn Read>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let unread = || format!("`{}` cannot be read", file.display());
    if std::fs::metadata(file).with_context(unread)?.is_dir() {
        bail!("`{}` is a directory: name a file, or an archive of it", file.display());
    }
    Ok(Box::new(BufReader::new(File::open(file).with_context(unread)?)))
}

/// Carries a document over into a file that nobody has yet.
fn carry(
    file: &Path,
    out: Option<&Path>,
    how: impl FnOnce(&str, &mut dyn Read, &mut dyn Write) -> Result<Report, linesman_redaction::Error>,
) -> anyhow::Result<(Written, Report)> {
    let (name, mut input) = (name_of(file), opened(file)?);
    let written = Written::new(out)?;
    let mut output = BufWriter::new(written.file.as_file());
    let report = how(&name, &mut *input, &mut output)?;
    output.flush().context("what leaves cannot be written")?;
    drop(output);
    Ok((written, report))
}

/// What is written, until it is known to be whole.
struct Written {
    file: NamedTempFile,
    out: Option<PathBuf>,
}

impl Written {
    /// Beside the file that it becomes, so that it can take its place.
    fn new(out: Option<&Path>) -> anyhow::Result<Self> {
        let out = out.filter(|out| *out != Path::new(STANDARD_OUTPUT));
        let file = match out {
            Some(out) => {
                let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                NamedTempFile::new_in(folder).with_context(|| format!("`{}` cannot be written", out.display()))?
            }
            None => NamedTempFile::new().context("there is no room for what leaves")?,
        };
        Ok(Self { file, out: out.map(Path::to_owned) })
    }

    fn rewound(&mut self) -> io::Result<BufReader<&File>> {
        self.file.rewind()?;
        Ok(BufReader::new(self.file.as_file()))
    }

    /// Puts it in its place, or prints it.
    fn keep(mut self) -> anyhow::Result<()> {
        if let Some(out) = self.out {
            self.file.as_file().sync_all().with_context(|| format!("`{}` cannot be written", out.display()))?;
            self.file.persist(&out).with_context(|| format!("`{}` cannot be written", out.display()))?;
            return Ok(());
        }
        let mut file = self.rewound()?;
        let mut piece = vec![0; 64 * 1024];
        loop {
            let count = file.read(&mut piece)?;
            match piece.get(..count) {
                Some(piece) if !piece.is_empty() => output::bytes(piece)?,
                _ => return Ok(()),
            }
        }
    }
}

/// What was taken out, in a line.
fn told(report: &Report) -> String {
    let mut told = format!(
        "addresses {} secrets {} configurations {} withheld {}",
        report.addresses, report.secrets, report.configurations, report.withheld_in_all
    );
    for name in &report.withheld {
        told.push_str(&format!("\nwithheld, it cannot be looked into: {name}"));
    }
    told
}
