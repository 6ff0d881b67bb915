//! `linesman dead`

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::show::{self, Column, column};
use super::{Api, Args, List, ask, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::DeadLetters;

const PATH: &str = "/api/v1/dead-letters";
pub(in crate::cli) const COLUMNS: [Column; 7] = [
    column("ID", "/id"),
    column("TIME", "/time").whole(),
    column("ORGANIZATION", "/organization").name(),
    column("REASON", "/reason").whole(),
    column("POLICY", "/policy/name").spare(),
    column("REPLAYED", "/replayed/at").spare(),
    column("DETAIL", "/detail"),
];
/// Those of one policy or one reason together, by the newest of them.
pub(in crate::cli) const GROUPED: [Column; 8] = [
    column("LATEST", "/id"),
    column("TIME", "/time").whole(),
    column("COUNT", "/count").whole(),
    column("REPLAYED", "/done").spare(),
    column("ORGANIZATION", "/organization").name(),
    column("REASON", "/reason").whole(),
    column("POLICY", "/policy/name").spare(),
    column("DETAIL", "/detail"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman dead list --data-dir D
  linesman dead list --organization acme --reason policy-failed --replayed false --all --data-dir D
  linesman dead show 1234-0 --data-dir D
  linesman dead replay 1234-0 --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List dead letters, newest first: those of one policy or reason in one row, with --all or --limit each
    List(List<DeadLetters>),
    /// Show one, with what was set aside in base64
    Show {
        /// Its id, as the list shows it
        id: String,
    },
    /// Put it to work again: an input enters the log anew, a policy that failed judges again, a case or a file of one goes upward again
    Replay {
        /// Its id, as the list shows it
        id: String,
        /// Also where it was replayed before: what comes of it comes once more
        #[arg(long)]
        again: bool,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => print(api, list).await,
        Action::Show { id } => api.show(&format!("{PATH}/{}", segment(id)), &()).await,
        Action::Replay { id, again } => replay(api, id, *again).await,
    })
}

/// Prints the list: grouped for people, unless they want each.
async fn print(api: &Api, list: &List<DeadLetters>) -> anyhow::Result<()> {
    let List { filters, paging } = list;
    if api.is_json || filters.has_order() || paging.cursor.is_some() || paging.limit.is_some() {
        return api.list(PATH, list, &COLUMNS).await;
    }
    // In their own order they are read once, and not for each page.
    let mut letters = api.every(PATH, filters).await?;
    letters.reverse();
    if paging.all {
        out!("{}", show::table(&letters, &COLUMNS, api.room()));
        return Ok(());
    }
    let count = letters.len();
    let groups = grouped(letters);
    out!("{}", show::table(&groups, &GROUPED, api.room()));
    if groups.len() < count {
        let rows = if groups.len() == 1 { "one row".to_owned() } else { format!("{} rows", groups.len()) };
        errln!("{count} dead letters in {rows}: --all for each");
    }
    Ok(())
}

/// Letters, newest first, as one row for each organization, reason and policy: the newest, how many there are, and how many of
/// them were replayed.
fn grouped(letters: Vec<Value>) -> Vec<Value> {
    let mut groups: Vec<(Value, u64, u64)> = Vec::new();
    let mut places: BTreeMap<[String; 3], usize> = BTreeMap::new();
    for letter in letters {
        let said = |pointer: &str| letter.pointer(pointer).map(show::plain).unwrap_or_default();
        let key = [said("/organization"), said("/reason"), said("/policy/name")];
        let done = u64::from(letter.pointer("/replayed/times").and_then(Value::as_u64).unwrap_or_default() > 0);
        let place = places.get(&key).copied();
        match place.and_then(|place| groups.get_mut(place)) {
            Some((_, count, replayed)) => (*count, *replayed) = (*count + 1, *replayed + done),
            None => {
                places.insert(key, groups.len());
                groups.push((letter, 1, done));
            }
        }
    }
    let rows = groups.into_iter().map(|(mut letter, count, done)| {
        if let Value::Object(members) = &mut letter {
            members.extend([("count".to_owned(), json!(count)), ("done".to_owned(), json!(done))]);
        }
        letter
    });
    rows.collect()
}

/// Puts one to work again, and prints what that was.
async fn replay(api: &Api, id: &str, is_again: bool) -> anyhow::Result<()> {
    let path = format!("{PATH}/{}", segment(id));
    let query = if is_again { "?again=true" } else { "" };
    let letter = api.get(&path, &()).await?;
    let said = |pointer: &str| letter.pointer(pointer).map(show::plain).unwrap_or_default();
    let (policy, about, subject) = (said("/policy/name"), said("/policy/about"), said("/subject"));
    let done = match policy.is_empty() {
        true => format!("the input has entered the log again by {subject}"),
        false => format!("the policy {policy} has judged {about} again"),
    };
    api.write_said(Method::POST, &format!("{path}/replay{query}"), None, &done).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_letters_are_one_row_with_the_newest_of_them() {
        let letter = |id: u64, policy: &str, times: u64| {
            json!({
                "id": format!("{id}-0"), "organization": "acme", "reason": "policy-failed", "detail": format!("why {id}"),
                "policy": {"name": policy}, "replayed": if times > 0 { json!({"times": times}) } else { Value::Null },
            })
        };
        let letters = (0..900).rev().map(|id| letter(id, "open-case", u64::from(id < 3))).chain([letter(7, "tell", 0)]);
        let groups = grouped(letters.collect());
        let told: Vec<_> = groups.iter().map(|row| (&row["id"], &row["count"], &row["done"], &row["detail"])).collect();
        let (first, other) = (json!("899-0"), json!("7-0"));
        let expected =
            [(&first, &json!(900), &json!(3), &json!("why 899")), (&other, &json!(1), &json!(0), &json!("why 7"))];
        assert_eq!(told, expected);
    }
}
