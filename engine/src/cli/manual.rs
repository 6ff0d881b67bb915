//! `linesman completions` and `linesman man`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Failure, output};

/// What the engine knows, behind what the program knows.
const KNOWN: &[u8] = include_bytes!("known.bash");

/// Print a shell's completions
///
/// Those of bash complete organizations and ids too, which they ask the engine of `--data-dir` or LINESMAN_DATA_DIR for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman completions bash > ~/.local/share/bash-completion/completions/linesman
  linesman completions zsh > ~/.zfunc/_linesman")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

/// Print the manual page, or write all of them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman man | man -l -
  linesman man --out ~/.local/share/man/man1")]
pub(super) struct Man {
    /// Write a page for each command into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn completions(args: &Completions) -> Result<ExitCode, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "linesman", &mut text);
    if args.shell == Shell::Bash {
        text.extend(KNOWN);
    }
    output::bytes(&text)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn man(args: &Man) -> Result<ExitCode, Failure> {
    if let Some(dir) = &args.out {
        std::fs::create_dir_all(dir).with_context(|| format!("`{}` cannot be made", dir.display()))?;
        clap_mangen::generate_to(Cli::command(), dir)
            .with_context(|| format!("the pages cannot be written to `{}`", dir.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text)?;
    output::bytes(&text)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;

    /// The flags that the commands of the API share.
    const SHARED: [&str; 8] = ["data-dir", "api", "token-file", "ca", "session-file", "json", "key", "utc"];

    /// Looks at a command and all below it.
    fn visit(command: &mut Command, look: &mut impl FnMut(&mut Command)) {
        look(command);
        for below in command.get_subcommands_mut() {
            visit(below, look);
        }
    }

    #[test]
    fn the_help_of_a_command_has_its_own_options_first_and_the_shared_ones_apart() {
        let (mut command, mut count) = (Cli::command(), 0);
        command.build();
        visit(&mut command, &mut |command| {
            let help = command.render_help().to_string();
            let Some((own, shared)) = help.split_once("\nWhere the engine is, and how it answers:\n") else { return };
            let shared = shared.split("\n\n").next().unwrap_or_default();
            count += 1;
            let flags = |text: &str| {
                let flags = text.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
                flags.filter_map(|rest| rest.split([' ', '=']).next().map(str::to_owned)).collect::<Vec<_>>()
            };
            assert!(flags(shared).iter().all(|flag| SHARED.contains(&flag.as_str())), "{help}");
            for flag in ["data-dir", "api", "token-file"] {
                assert!(!flags(own).iter().any(|own| own == flag), "{flag}: {help}");
            }
        });
        assert!(count > 100, "{count}");
    }

    #[test]
    fn shells_complete_the_keys_that_can_be_explained() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "linesman", &mut text);
            let text = String::from_utf8(text).unwrap();
            assert!(text.contains("nats.url") && text.contains("upstream.requests_per_hour"), "{shell}");
        }
    }
}
