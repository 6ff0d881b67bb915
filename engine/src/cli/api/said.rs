//! Who asks, where a command is told of it more than once: what stands on the command line goes before what stands in the
//! environment.

use anyhow::bail;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, Error, FromArgMatches};

/// Which of the options that say who asks, and where, stand on the command line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// `--api`.
    pub(super) api: bool,
    data_dir: bool,
    token_file: bool,
    session_file: bool,
}

impl Said {
    /// Whether it is the session that asks, whatever the environment says.
    ///
    /// # Errors
    /// The command line names somebody else too.
    pub(super) fn is_by_session(self) -> anyhow::Result<bool> {
        let other = match self {
            Self { session_file: false, .. } => return Ok(false),
            Self { token_file: true, .. } => "--token-file",
            Self { data_dir: true, .. } => "--data-dir",
            Self { .. } => return Ok(true),
        };
        bail!("`--session-file` and `{other}` each say who asks: give one of both")
    }
}

impl FromArgMatches for Said {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let is_said = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        Ok(Self {
            api: is_said("api"),
            data_dir: is_said("data_dir"),
            token_file: is_said("token_file"),
            session_file: is_said("session_file"),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for Said {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

/// What is wrong with a field of the API's, in the words of the command line: which of a list, and by which option.
pub(super) fn by_flags(detail: &str) -> String {
    const OPTIONS: [(&str, &str); 1] = [("poll_s", "--poll")];
    const LISTS: [&str; 4] = ["files", "commands", "events", "directives"];
    let Some((field, rest)) = detail.strip_prefix('`').and_then(|rest| rest.split_once('`')) else {
        return detail.to_owned();
    };
    let parts: Vec<&str> = field.split('/').collect();
    let at = |number: &str| number.parse::<u32>().ok().and_then(|at| at.checked_add(1));
    if let [list, number, within @ ..] = parts.as_slice()
        && let Some(at) = at(number)
        && LISTS.contains(list)
    {
        let of = format!("number {at} of the {list}");
        return match within {
            [] => format!("{of}{rest}"),
            within => format!("`{}` of {of}{rest}", within.join("/")),
        };
    }
    match OPTIONS.iter().find(|(known, _)| *known == field) {
        Some((_, option)) => format!("`{option}`{rest}"),
        None => detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(subcommand)]
        command: One,
    }

    #[derive(clap::Subcommand)]
    enum One {
        Device(super::super::Args<Two>),
    }

    #[derive(Debug, clap::Subcommand)]
    enum Two {
        List,
    }

    fn said(options: &[&str]) -> Said {
        let cli = Cli::parse_from(["linesman", "device", "list"].iter().chain(options));
        let One::Device(args) = cli.command;
        args.access.said
    }

    #[test]
    fn what_is_wrong_with_a_field_is_said_as_the_command_line_has_it() {
        for (said, told) in [
            ("`files/0/name` does not end with `.py`", "`name` of number 1 of the files does not end with `.py`"),
            ("`commands/1` is empty", "number 2 of the commands is empty"),
            ("`poll_s` is 1", "`--poll` is 1"),
            ("`acme/1/x` is no place", "`acme/1/x` is no place"),
            ("`acme` has no device", "`acme` has no device"),
            ("no field", "no field"),
        ] {
            assert_eq!(by_flags(said), told);
        }
    }

    #[test]
    fn the_session_asks_where_the_command_line_names_it_alone() {
        assert!(!said(&[]).is_by_session().unwrap());
        assert!(!said(&["--data-dir", "D"]).is_by_session().unwrap());
        assert!(said(&["--session-file", "S"]).is_by_session().unwrap());
        assert!(said(&["--session-file", "S", "--api", "https://a"]).is_by_session().unwrap());
        for other in ["--data-dir", "--token-file"] {
            let refused = said(&["--session-file", "S", other, "D"]).is_by_session().unwrap_err().to_string();
            assert!(refused.contains(other) && refused.contains("one of both"), "{refused}");
        }
    }
}
