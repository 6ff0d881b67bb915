//! `linesman completions` and `linesman man`

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Arg, Command, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Failure, output};

/// What the engine knows, behind what the program knows.
const KNOWN: &str = include_str!("known.bash");

/// Print a shell's completions
///
/// Those of bash complete names and ids too, of organizations, devices, incidents, cases and what else there is, which they ask the
/// engine of `--data-dir` or LINESMAN_DATA_DIR for.
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
    output::bytes(script(args.shell).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// What a shell reads to complete.
fn script(shell: Shell) -> String {
    let mut command = Cli::command();
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, "linesman", &mut text);
    let mut text = String::from_utf8_lossy(&text).into_owned();
    match shell {
        Shell::Bash => {
            text.push_str(&facts(&command));
            text.push_str(KNOWN);
        }
        // It would take the words of a value for values.
        Shell::Fish => {
            let words = options(&command).into_values().flatten().collect::<BTreeSet<_>>();
            for word in words.iter().filter(|word| word.contains(' ')) {
                let told = |word: &str| format!("{word}\\t''");
                text = text.replace(&told(word), &told(&word.replace(' ', "\\ ")));
            }
        }
        _ => {}
    }
    text
}

/// The values that options may have, by the command's words and the option; none of those that may have any.
fn options(command: &Command) -> BTreeMap<String, Vec<String>> {
    let mut options = BTreeMap::new();
    each(command, "", &mut |path, option| {
        let values = option.get_possible_values();
        let values = values.iter().filter(|value| !value.is_hide_set()).map(|value| value.get_name().to_owned());
        let values: Vec<String> = values.collect();
        if let Some(long) = option.get_long().filter(|_| !values.is_empty()) {
            options.insert(format!("{path} --{long}"), values);
        }
    });
    options
}

/// Looks at every option of a command and of those below it, with the words that lead there.
fn each<'a>(command: &'a Command, path: &str, look: &mut impl FnMut(&str, &'a Arg)) {
    command.get_opts().for_each(|option| look(path, option));
    for below in command.get_subcommands() {
        let path = format!("{path} {}", below.get_name());
        each(below, path.trim_start(), look);
    }
}

/// What bash has to know of the options: which take a value, and which of them one that has spaces or begins with `-`.
fn facts(command: &Command) -> String {
    let mut valued = BTreeSet::new();
    each(command, "", &mut |_, option| {
        // One that may stand without its value has it behind `=`.
        let takes =
            option.get_action().takes_values() && option.get_num_args().is_none_or(|most| most.min_values() > 0);
        let names = option.get_long_and_visible_aliases().into_iter().flatten().map(|long| format!("--{long}"));
        let aliases = option.get_all_aliases().into_iter().flatten().map(|long| format!("--{long}"));
        let short = option.get_short().map(|short| format!("-{short}"));
        valued.extend(names.chain(aliases).chain(short).filter(|_| takes));
    });
    let valued: Vec<String> = valued.into_iter().collect();
    let mut text = format!(
        "\n_linesman_takes() {{\n    case \"$1\" in\n        {}) return 0 ;;\n    esac\n    return 1\n}}\n",
        valued.join("|")
    );
    text.push_str("\n_linesman_words() {\n    case \"$1\" in\n");
    for (option, words) in options(command) {
        if words.iter().any(|word| word.contains(' ') || word.starts_with('-')) {
            let words: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
            // Writing to a string does not fail.
            let _ = writeln!(text, "        '{option}') printf '%s\\n' {} ;;", words.join(" "));
        }
    }
    text.push_str("        *) return 1 ;;\n    esac\n}\n");
    text
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
            let text = script(shell);
            assert!(text.contains("nats.url") && text.contains("upstream.requests_per_hour"), "{shell}");
        }
    }

    /// Of fish by its text alone: a machine of tests may have none.
    #[test]
    fn shells_complete_words_of_filters_and_orders_and_those_with_spaces_whole() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let text = script(shell);
            assert!(text.contains("unassigned") && text.contains("-detected"), "{shell}");
        }
        assert!(script(Shell::Fish).contains(r"Do\ not\ send\t''"));
        assert!(script(Shell::Zsh).contains(r"Do\ not\ send"));
        assert!(script(Shell::Bash).contains("'org set --filter-level') printf '%s\\n' 'Do not send' "));
    }

    #[test]
    fn what_completes_an_option_is_no_other_commands() {
        let mut command = Cli::command();
        command.build();
        // What bash tells by its name alone is so everywhere.
        let mut takes: BTreeMap<String, BTreeSet<bool>> = BTreeMap::new();
        each(&command, "", &mut |_, option| {
            if let Some(long) = option.get_long() {
                takes.entry(long.to_owned()).or_default().insert(option.get_action().takes_values());
            }
        });
        let both: Vec<_> = takes.iter().filter(|(_, takes)| takes.len() > 1).map(|(long, _)| long).collect();
        assert_eq!(both, Vec::<&String>::new());
    }
}
