//! `linesman licence`

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use jiff::{SignedDuration, Timestamp};
use linesman_schemas::Mode;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::Failure;
use super::flags::Flags;
use crate::audit::{Signer, VerifierKey};
use crate::config;
use crate::data_dir::private;
use crate::licence::{self, Against, Feature, Licence, Request, SIGNED_AS, request, vendor};

/// How it is used.
pub(super) const EXAMPLES: &str = "\
Examples:
  linesman licence request --data-dir D --out request
  linesman licence install partner.licence --config linesman.toml
  linesman licence show partner.licence
  linesman licence keygen --out vendor
  linesman licence issue --key vendor --mode partner --organizations 100 --devices 10000 \\
      --days 365 --request request --out partner.licence";

/// The largest private key, in bytes.
const KEY_BYTES_MOST: u64 = 1024;
/// The longest that a licence is good, in days: a hundred years.
const DAYS_MOST: i64 = 36_500;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Make a key that signs licences, and beside it the public part that installations believe
    Keygen {
        /// Where the key goes; its public part goes to the same name with `.pub` behind it
        #[arg(long, value_name = "K")]
        out: PathBuf,
    },
    /// Write what asks for a licence of this installation
    Request {
        /// The data directory of the installation
        #[arg(long, value_name = "D", env = "LINESMAN_DATA_DIR")]
        data_dir: PathBuf,
        /// Write there instead of on standard output
        #[arg(long, value_name = "F")]
        out: Option<PathBuf>,
    },
    /// Sign a licence
    Issue(Issue),
    /// Show what a licence says
    ///
    /// Fails on one that was tampered with. Whose signature counts is the vendor's key of this build, unless another is
    /// named.
    Show {
        /// The licence
        #[arg(value_name = "L")]
        licence: PathBuf,
        /// The public key that it should be signed by
        #[arg(long, value_name = "K.pub")]
        vendor_key: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Put a licence where the configuration says that it lies, if it is one for this installation
    ///
    /// The engine reads it when it starts.
    Install {
        /// The licence
        #[arg(value_name = "L")]
        licence: PathBuf,
        #[command(flatten)]
        flags: Flags,
    },
}

/// What a licence is to say.
#[derive(Debug, clap::Args)]
pub(super) struct Issue {
    /// The key that signs it, as `licence keygen` made it
    #[arg(long, value_name = "K")]
    key: PathBuf,
    /// The mode it is for; `offline` goes with either, the others need none
    #[arg(long, value_name = "MODE", value_parser = PossibleValuesParser::new(["partner", "direct"]))]
    mode: String,
    /// How many organizations may take part
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    organizations: u64,
    /// How many devices there may be
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    devices: u64,
    /// For how many days it is good, from now on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..=DAYS_MOST))]
    days: i64,
    /// The installation's request; without one the licence fits any installation
    #[arg(long, value_name = "F")]
    request: Option<PathBuf>,
    /// The only upstream that may be configured; without one any may
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// Where the licence goes
    #[arg(long, value_name = "L")]
    out: PathBuf,
}

pub(super) fn run(action: &Action) -> Result<ExitCode, Failure> {
    match action {
        Action::Keygen { out } => keygen(out)?,
        Action::Request { data_dir, out } => ask(data_dir, out.as_deref())?,
        Action::Issue(args) => issue(args)?,
        Action::Show { licence, vendor_key, json } => show(licence, vendor_key.as_deref(), *json)?,
        Action::Install { licence, flags } => return install(licence, flags),
    }
    Ok(ExitCode::SUCCESS)
}

fn keygen(out: &Path) -> anyhow::Result<()> {
    let mut public = out.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    for file in [out, &public] {
        anyhow::ensure!(!file.exists(), "`{}` is there already: name another, or remove it", file.display());
    }
    let bytes = Signer::generate()?;
    let signer = Signer::of(&bytes).context("the key that was made is none")?;
    private::write(out, &bytes).with_context(|| unwritten(out))?;
    write(&public, &format!("{}\n", signer.public(SIGNED_AS)))?;
    outln!("{} signs licences, keep it; {} is its public part", out.display(), public.display());
    Ok(())
}

fn ask(data_dir: &Path, out: Option<&Path>) -> anyhow::Result<()> {
    let text = Request { installation: installation(data_dir)? }.text()?;
    match out {
        Some(out) => write(out, &text),
        None => {
            out!("{text}");
            Ok(())
        }
    }
}

fn issue(args: &Issue) -> anyhow::Result<()> {
    let signer = signer(&args.key)?;
    let installation = args.request.as_deref().map(requested).transpose()?;
    if let Some(url) = args.upstream.as_deref().filter(|url| !config::is_https(url)) {
        bail!("`{url}` is no upstream: write `https://host[:port][/path]`");
    }
    // Whoever reads it by a clock that is a little behind finds it good all the same.
    let not_before = Timestamp::from_second(Timestamp::now().as_second().saturating_sub(60))?;
    let not_after = Timestamp::now().saturating_add(SignedDuration::from_hours(args.days.saturating_mul(24)))?;
    let mode: Mode = args.mode.parse()?;
    let licence = Licence {
        id: private::random_hex::<8>()?,
        key: signer.public(SIGNED_AS).to_string(),
        mode,
        features: Feature::of(mode, args.organizations),
        organizations: args.organizations,
        devices: args.devices,
        not_before,
        not_after: Timestamp::from_second(not_after.as_second())?,
        installation,
        upstream: args.upstream.clone(),
    };
    write(&args.out, &licence.sign(&signer)?)?;
    if args.days == 0 {
        errln!("the licence is good for 0 days: it has ended already");
    }
    Ok(())
}

fn show(path: &Path, vendor_key: Option<&Path>, is_json: bool) -> anyhow::Result<()> {
    let signed = licence::read(path).with_context(|| refused(path))?;
    let vendor = vendor_of(vendor_key)?;
    let refusal = signed.clone().by(&vendor).and_then(|licence| licence.is_good(Timestamp::now())).err();
    let standing = refusal.map_or_else(|| "valid".to_owned(), |refusal| refusal.to_string());
    let mut value = serde_json::to_value(&signed.licence)?;
    if let Value::Object(members) = &mut value {
        members.insert("standing".to_owned(), json!(standing));
    }
    if is_json {
        outln!("{value}");
        return Ok(());
    }
    let Licence { id, key, mode, features, organizations, devices, not_before, not_after, .. } = &signed.licence;
    let features: Vec<_> = features.iter().map(|feature| feature.as_str()).collect();
    outln!("licence        {id}");
    outln!("standing       {standing}");
    outln!("mode           {mode}");
    outln!("features       {}", features.join(", "));
    outln!("organizations  {organizations}");
    outln!("devices        {devices}");
    outln!("not before     {not_before}");
    outln!("not after      {not_after}");
    outln!("installation   {}", signed.licence.installation.as_deref().unwrap_or("any"));
    outln!("upstream       {}", signed.licence.upstream.as_deref().unwrap_or("any"));
    outln!("signed by      {key}");
    Ok(())
}

fn install(path: &Path, flags: &Flags) -> Result<ExitCode, Failure> {
    let wanted = config::licence(&flags.sources()).map_err(Failure::Mistakes)?;
    let Some(to) = wanted.file else {
        let help = "write where it is to lie, `file = \"partner.licence\"` under `[licence]` in the configuration file";
        return Err(anyhow::anyhow!("the configuration names no file of a licence: {help}").into());
    };
    let data_dir =
        wanted.data_dir.context("`data_dir` is missing: say `--data-dir`, or `data_dir` in the configuration")?;
    let (vendor, installation) = (vendor_of(wanted.vendor_key.as_deref())?, installation(&data_dir)?);
    let against = Against { vendor: &vendor, installation: &installation, mode: wanted.mode };
    let licence = licence::open(path, against).with_context(|| refused(path))?;
    licence.is_good(Timestamp::now()).with_context(|| refused(path))?;
    if let Some(elsewhere) = wanted.upstream.as_deref().and_then(|url| licence.elsewhere(url)) {
        return Err(anyhow::anyhow!(elsewhere).context(refused(path)).into());
    }
    let bytes = std::fs::read(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    private::write(&to, &bytes).with_context(|| unwritten(&to))?;
    outln!("installed `{}`: the engine takes it up when it is started again", to.display());
    Ok(ExitCode::SUCCESS)
}

fn refused(path: &Path) -> String {
    format!("the licence `{}` is refused, and nothing was changed", path.display())
}

fn vendor_of(file: Option<&Path>) -> anyhow::Result<VerifierKey> {
    match file {
        Some(file) => Ok(vendor::read(file)?),
        None => vendor::built_in().context("this build has no key of a vendor"),
    }
}

fn installation(data_dir: &Path) -> anyhow::Result<String> {
    request::installation(data_dir)
        .with_context(|| format!("the id of the installation cannot be had from `{}`", data_dir.display()))
}

fn signer(path: &Path) -> anyhow::Result<Signer> {
    let bytes =
        licence::contents(path, KEY_BYTES_MOST).with_context(|| format!("`{}` cannot be read", path.display()))?;
    Signer::of(&bytes).with_context(|| format!("`{}` is no key: `linesman licence keygen` makes one", path.display()))
}

fn requested(path: &Path) -> anyhow::Result<String> {
    let bytes =
        licence::contents(path, request::BYTES_MOST).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let request = Request::read(&bytes);
    let request = request
        .with_context(|| format!("`{}` is no request: `linesman licence request` writes one", path.display()))?;
    Ok(request.installation)
}

fn unwritten(path: &Path) -> String {
    format!("`{}` cannot be written", path.display())
}

/// Writes a file whole or not at all; others may read it.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder).with_context(|| unwritten(path))?;
    file.write_all(text.as_bytes()).with_context(|| unwritten(path))?;
    file.as_file().sync_all().with_context(|| unwritten(path))?;
    file.persist(path).with_context(|| unwritten(path))?;
    Ok(())
}
