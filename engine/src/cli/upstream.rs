//! `linesman upstream`

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use console::Term;
use linesman_connectors::Secret;
use linesman_connectors::tls::{self, Fingerprint, Presented, Trust};
use linesman_connectors::upstream::{Proxy, probe};
use serde_json::json;

use super::Failure;
use super::api::{Access, seals, secrets};

/// How it is used.
pub(super) const EXAMPLES: &str = "\
Examples:
  linesman upstream fingerprint https://partner.example
  linesman upstream fingerprint https://partner.example --expect sha256:4355a4...
  linesman upstream fingerprint https://partner.example --proxy http://proxy.example:3128
  linesman upstream pin sha256:4355a4... --data-dir D";

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Show the certificate that an upstream presents, and what to write so that it alone is believed
    ///
    /// TLS is spoken with the upstream and nothing is said to it. Compare what is shown with what the other side says by
    /// another way. Nothing is changed: the configuration says whom the engine believes, or `linesman upstream pin`, and
    /// whoever says another does so on purpose.
    Fingerprint {
        /// Its address, as `upstream.url` has it; without a port that of HTTPS, 443
        #[arg(value_name = "URL")]
        url: String,
        /// The file of certificates (PEM) to hold it against; without one the system's
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
        /// What the other side says it is; fails where another one is shown. Nobody is asked then
        #[arg(long, value_name = "SHA256")]
        expect: Option<Fingerprint>,
        #[command(flatten)]
        through: Through,
        /// Print JSON; nobody is asked
        #[arg(long)]
        json: bool,
    },
    /// Let a running engine believe the certificate that was confirmed, and no other, from its next start on
    ///
    /// It counts where the configuration says neither `upstream.ca` nor `upstream.fingerprint`, for the address that is there.
    /// It takes the right to administer settings, and goes on record.
    Pin {
        /// The SHA-256 of the certificate, as `linesman upstream fingerprint` shows it
        #[arg(value_name = "SHA256", required_unless_present = "none", conflicts_with = "none")]
        fingerprint: Option<Fingerprint>,
        /// Nobody has confirmed one any more: the system's certificates count
        #[arg(long)]
        none: bool,
        #[command(flatten)]
        access: Access,
    },
}

/// The way there.
#[derive(Debug, clap::Args)]
pub(super) struct Through {
    /// The HTTP proxy that it is reached through, as `upstream.proxy` has it; without one directly, whatever `HTTPS_PROXY` says
    #[arg(long, value_name = "URL", value_parser = proxy)]
    proxy: Option<String>,
    /// The user that the proxy is used as; its password is asked for without an echo
    #[arg(long, value_name = "USER", requires = "proxy")]
    proxy_user: Option<String>,
    /// A file with that user's password; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "proxy_user")]
    proxy_password_file: Option<PathBuf>,
}

impl Through {
    /// # Errors
    /// The password cannot be read.
    fn proxy(&self) -> anyhow::Result<Option<Proxy>> {
        let Some(url) = self.proxy.clone() else { return Ok(None) };
        let login = match &self.proxy_user {
            None => None,
            Some(user) => {
                let password = secrets::password(
                    self.proxy_password_file.as_deref(),
                    &format!("password of {user} at the proxy"),
                )?;
                Some((user.clone(), Secret::new(password)))
            }
        };
        Ok(Some(Proxy { url, login }))
    }
}

fn proxy(text: &str) -> Result<String, &'static str> {
    if Proxy::is_address(text) {
        Ok(text.to_owned())
    } else {
        Err("an address of the form `http://host[:port]` is wanted")
    }
}

pub(super) fn run(action: &Action) -> Result<ExitCode, Failure> {
    let (url, ca, expect, through, json) = match action {
        Action::Fingerprint { url, ca, expect, through, json } => (url, ca, expect, through, json),
        Action::Pin { fingerprint, access, .. } => {
            return seals::pin(access, fingerprint.map(|fingerprint| fingerprint.to_string()));
        }
    };
    let trust = ca.clone().map_or(Trust::System, Trust::Authority);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
    let proxy = through.proxy()?;
    let presented = runtime.block_on(probe::look(url, &trust, proxy.as_ref())).map_err(anyhow::Error::msg)?;
    show(&presented, &trust, *json);
    confirm(&presented, expect.as_ref(), *json)?;
    Ok(ExitCode::SUCCESS)
}

fn show(presented: &Presented, trust: &Trust, is_json: bool) {
    let Presented { version, fingerprint, subject, issuer, validity, fault } = presented;
    let (from, until) = validity.unzip();
    let disbelief = fault.as_ref().map(tls::in_words);
    if is_json {
        let shown = json!({
            "fingerprint": fingerprint.to_string(), "subject": subject, "issuer": issuer, "not_before": from,
            "not_after": until, "tls": version, "believed": disbelief.is_none(), "reason": disbelief,
        });
        outln!("{shown}");
        return;
    }
    let text = |time: Option<jiff::Timestamp>| time.map_or_else(|| "cannot be read".to_owned(), |at| at.to_string());
    outln!("SHA-256     {fingerprint}");
    outln!("subject     {}", subject.escape_default());
    outln!("issuer      {}", issuer.escape_default());
    outln!("not before  {}", text(from));
    outln!("not after   {}", text(until));
    outln!("spoken      {version}");
    let believed = match disbelief {
        None => format!("yes, by {trust}"),
        Some(reason) => format!("no, by {trust}: {reason}"),
    };
    outln!("believed    {believed}");
}

/// Whether it is the right one, and what to write then.
fn confirm(presented: &Presented, expected: Option<&Fingerprint>, is_json: bool) -> anyhow::Result<()> {
    let found = presented.fingerprint;
    match expected {
        Some(expected) if *expected != found => bail!(
            "the certificate that is shown is `{found}`, and `{expected}` is expected: it has a new one, or somebody is \
             between; ask the other side by another way"
        ),
        Some(_) => {}
        None if is_json => return Ok(()),
        None if !has_somebody() => {
            errln!("compare it with what the other side says, and say `--expect` with that");
            return Ok(());
        }
        None => {
            let term = Term::stderr();
            term.write_str("does the other side say the same, by another way? [y/N] ")?;
            if !matches!(term.read_line()?.trim(), "y" | "yes") {
                bail!("nothing is to be written: the certificate is not confirmed");
            }
        }
    }
    if !is_json {
        outln!("\nwrite into the configuration, so that it alone is believed until it ends:\n");
        outln!("[upstream]\nfingerprint = \"{found}\"\n");
        outln!("or let the engine keep it, on record:\n\nlinesman upstream pin {found} --data-dir D");
    }
    Ok(())
}

fn has_somebody() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
