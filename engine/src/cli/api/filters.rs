//! What a list is narrowed and sorted by, as flags: made of the same table as the API's query.

use std::marker::PhantomData;

use clap::{Arg, ArgMatches, Command};
use serde::{Serialize, Serializer};

use crate::cli::choices::Choices;
use crate::edge::filters::{Filter, Listing, Takes};

/// The parameter that every list has.
const SORT: &str = "sort";
/// The filter that also stands without its flag.
const UNDER: &str = "under";
/// What it is called then.
const PLACE: &str = "place";

/// The orders of what comes by itself, in which people find the newest first.
const COMES: [&str; 7] = ["time", "detected", "opened", "received", "found", "since", "asked"];

/// What is asked of a list.
#[derive(Debug)]
pub(super) struct Filters<L> {
    /// Parameters and their texts.
    given: Vec<(&'static str, String)>,
    list: PhantomData<L>,
}

impl<L> Filters<L> {
    /// Whether an order is asked for.
    pub(super) fn has_order(&self) -> bool {
        self.given.iter().any(|(name, _)| *name == SORT)
    }
}

impl<L: Listing> clap::Args for Filters<L> {
    fn augment_args(command: Command) -> Command {
        let newest = COMES.iter().find(|sort| L::SORTS.contains(*sort));
        let newest = newest.map(|sort| format!("; `-{sort}` where nothing is said")).unwrap_or_default();
        let help = format!("The order: {}; with `-` in front, the other way round{newest}", words(L::SORTS));
        let sorts =
            L::SORTS.iter().map(|sort| (*sort).to_owned()).chain(L::SORTS.iter().map(|sort| format!("-{sort}")));
        let sort = Arg::new(SORT).long(SORT).value_name("FIELD").allow_hyphen_values(true).help(help);
        let sort = sort.value_parser(Choices::of(sorts)).hide_possible_values(true);
        let under = L::FILTERS.iter().find(|filter| filter.name == UNDER).map(|filter| {
            let help = filter.doc().trim_end_matches('.').to_owned();
            Arg::new(PLACE).value_name("PLACE").conflicts_with(UNDER).help(format!("{help}; as with `--{UNDER}`"))
        });
        L::FILTERS.iter().map(flag).chain([sort]).chain(under).fold(command, Command::arg)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<L: Listing> clap::FromArgMatches for Filters<L> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let names = L::FILTERS.iter().map(|filter| filter.name).chain([SORT]);
        let given = names.filter_map(|name| Some((name, matches.get_one::<String>(name)?.clone())));
        let has_under = L::FILTERS.iter().any(|filter| filter.name == UNDER);
        let place = if has_under { matches.get_one::<String>(PLACE).cloned() } else { None };
        Ok(Self { given: given.chain(place.map(|place| (UNDER, place))).collect(), list: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<L: Listing> Filters<L> {
    /// The parameter that has the newest come first, where no order was asked for and the list is of what comes by itself.
    pub(super) fn newest_first(&self) -> Option<(&'static str, String)> {
        let is_sorted = self.given.iter().any(|(name, _)| *name == SORT);
        let sort = COMES.iter().find(|sort| L::SORTS.contains(*sort)).filter(|_| !is_sorted)?;
        Some((SORT, format!("-{sort}")))
    }
}

impl<L> Serialize for Filters<L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.given.iter().map(|(name, text)| (name, text)))
    }
}

/// A filter as a flag. The engine says which words there are: one of another version may know others.
fn flag(filter: &Filter) -> Arg {
    let doc = filter.doc();
    let doc = doc.trim_end_matches('.');
    let (value, help) = match filter.takes {
        Takes::Organization => ("ORG".to_owned(), doc.to_owned()),
        Takes::Whose | Takes::Log => ("ORG".to_owned(), doc.to_owned()),
        Takes::Place => ("PLACE".to_owned(), doc.to_owned()),
        Takes::Plain => ("TEXT".to_owned(), doc.to_owned()),
        Takes::Text => ("TEXT".to_owned(), format!("{doc} (`*` for any text)")),
        Takes::Time => ("TIME".to_owned(), format!("{doc} (2026-11-21T10:00:00Z)")),
        Takes::Flag => ("true|false".to_owned(), doc.to_owned()),
        Takes::Word(_) => (filter.name.to_uppercase(), format!("{doc} ({})", words(&filter.takes.words()))),
    };
    let words = match filter.takes {
        Takes::Flag => vec!["true".to_owned(), "false".to_owned()],
        takes => takes.words(),
    };
    let flag = Arg::new(filter.name).long(filter.name.replace('_', "-")).value_name(value).help(help);
    let flag = flag.value_parser(Choices::of(words)).hide_possible_values(true);
    // As commands about one thing call it.
    if filter.name == "organization" { flag.alias("org") } else { flag }
}

fn words(words: &[impl AsRef<str>]) -> String {
    words.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;
    use crate::edge::filters::tables::{Cases, Incidents, Subscriptions};

    #[test]
    fn every_filter_is_a_flag_and_becomes_its_parameter() {
        let command = Filters::<Incidents>::augment_args(Command::new("list"));
        let mut said = vec!["list".to_owned()];
        for filter in Incidents::FILTERS {
            said.extend([format!("--{}", filter.name.replace('_', "-")), format!("any {}", filter.name)]);
        }
        said.extend(["--sort".to_owned(), "-detected".to_owned()]);
        let filters = Filters::<Incidents>::from_arg_matches(&command.get_matches_from(said)).unwrap();
        let asked = serde_json::to_value(&filters).unwrap();
        let asked = asked.as_object().unwrap();
        assert_eq!(asked.len(), Incidents::FILTERS.len() + 1);
        assert_eq!((&asked["event_type"], &asked["sort"]), (&"any event_type".into(), &"-detected".into()));
    }

    #[test]
    fn what_comes_by_itself_is_listed_with_the_newest_first() {
        let asked = |said: &[&str]| {
            let command = Filters::<Cases>::augment_args(Command::new("list"));
            let matches = command.get_matches_from([&["list"], said].concat());
            Filters::<Cases>::from_arg_matches(&matches).unwrap().newest_first()
        };
        assert_eq!(asked(&["--state", "waiting"]), Some(("sort", "-opened".to_owned())));
        assert_eq!(asked(&["--sort", "incident"]), None);
        let command = Filters::<Subscriptions>::augment_args(Command::new("list"));
        let matches = command.get_matches_from(["list"]);
        assert_eq!(Filters::<Subscriptions>::from_arg_matches(&matches).unwrap().newest_first(), None);
    }

    #[test]
    fn a_place_stands_with_its_flag_or_without() {
        let asked = |said: &[&str]| {
            let command = Filters::<Subscriptions>::augment_args(Command::new("list"));
            let matches = command.try_get_matches_from([&["list"], said].concat()).map_err(|error| error.kind())?;
            let filters = Filters::<Subscriptions>::from_arg_matches(&matches).unwrap();
            Ok(serde_json::to_value(&filters).unwrap())
        };
        assert_eq!(asked(&["acme/berlin"]), Ok(serde_json::json!({"under": "acme/berlin"})));
        assert_eq!(asked(&["acme/berlin"]), asked(&["--under", "acme/berlin"]));
        assert_eq!(asked(&["acme", "--under", "acme"]), Err(clap::error::ErrorKind::ArgumentConflict));
        assert_eq!(asked(&[]), Ok(serde_json::json!({})));
    }

    #[test]
    fn flags_say_what_they_take() {
        let help = Filters::<Cases>::augment_args(Command::new("list")).term_width(80).render_help().to_string();
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for line in ["--organization <ORG>", "--case-id <TEXT>", "--opened-after <TIME>", "--state <STATE>"] {
            assert!(help.contains(line), "{help}");
        }
        assert!(help.contains("Its id at the upstream (`*` for any text)"), "{help}");
        assert!(help.contains("`incident`, `opened`, `updated`; with `-` in"), "{help}");
        assert!(help.contains("`withheld`"), "{help}");
    }
}
