//! `linesman incident`

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::show::{self, Column, column};
use super::{Api, Args, List, ask, segment};
use crate::cli::Failure;
use crate::cli::choices::Choices;
use crate::edge::filters::tables::Incidents;

pub(in crate::cli) const COLUMNS: [Column; 9] = [
    column("ID", "/id"),
    column("DETECTED", "/detected").whole(),
    column("PRIORITY", "/priority").whole(),
    column("STATUS", "/status").whole(),
    column("OWNER", "/owner").spare(),
    column("HOST", "/device/host_name").name(),
    column("EVENT", "/event_type").spare(),
    column("CASE", "/case/state"),
    column("SYNOPSIS", "/synopsis"),
];

/// What was changed of one.
pub(in crate::cli) const HISTORY: [Column; 6] = [
    column("CHANGED", "/at").whole(),
    column("BY", "/actor"),
    column("ON", "/on").spare(),
    column("WHAT", "/what").whole(),
    column("FROM", "/old"),
    column("TO", "/new"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman incident list --organization acme --priority Critical --data-dir D
  linesman incident assign acme-17 ann@partner.example --data-dir D
  linesman incident close acme-17 --note 'line card changed' --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List incidents
    List(List<Incidents>),
    /// Show one, with its notes and its history
    Show {
        /// Its id, such as acme-17
        id: String,
    },
    /// Give it to somebody, or to nobody
    Assign {
        /// Its id
        id: String,
        /// Whose it becomes; without one nobody's
        #[arg(default_value = "")]
        owner: String,
        /// Its owner has begun to work on it
        #[arg(long)]
        in_progress: bool,
    },
    /// Change how urgent it is
    Prioritise {
        /// Its id
        id: String,
        /// Critical, High, Medium or Low
        #[arg(value_parser = Choices::priority(), hide_possible_values = true)]
        priority: String,
    },
    /// It is completed
    Close {
        /// Its id
        id: String,
        /// What is to be noted
        #[arg(long, default_value = "")]
        note: String,
    },
    /// It is not completed after all
    Reopen {
        /// Its id
        id: String,
        /// What is to be noted
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Add a note
    Annotate {
        /// Its id
        id: String,
        /// What is to be noted
        note: String,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/incidents", list, &COLUMNS).await,
        Action::Show { id } => show(api, id).await,
        Action::Assign { id, owner, in_progress } => {
            let body = json!({ "owner": owner, "in_progress": in_progress });
            api.write(Method::POST, &path(id, "assign"), Some(body)).await
        }
        Action::Prioritise { id, priority } => {
            api.write(Method::POST, &path(id, "prioritise"), Some(json!({ "priority": priority }))).await
        }
        Action::Close { id, note } => api.write(Method::POST, &path(id, "close"), Some(json!({ "note": note }))).await,
        Action::Reopen { id, note } => {
            api.write(Method::POST, &path(id, "reopen"), Some(json!({ "note": note }))).await
        }
        Action::Annotate { id, note } => {
            api.write(Method::POST, &path(id, "annotate"), Some(json!({ "note": note }))).await
        }
    })
}

/// Prints one, its history as a table.
async fn show(api: &Api, id: &str) -> anyhow::Result<()> {
    let mut incident = api.get(&format!("/api/v1/incidents/{}", segment(id)), &()).await?;
    if api.is_json {
        outln!("{incident}");
        return Ok(());
    }
    let mut take = |name: &str| incident.as_object_mut().and_then(|members| members.remove(name));
    let (history, left_out) = (take("history"), take("history_left_out"));
    out!("{}", show::card(&incident));
    let lines = history.as_ref().and_then(Value::as_array).map(|lines| rows_of(lines)).unwrap_or_default();
    if !lines.is_empty() {
        out!("\n{}", show::table(&lines, &HISTORY, api.room()));
    }
    if let Some(left_out) = left_out.and_then(|count| count.as_u64()).filter(|count| *count > 0) {
        outln!("{left_out} lines before these are gone");
    }
    Ok(())
}

/// A row for each change of a history, and for each wish for a case that it tells of.
fn rows_of(history: &[Value]) -> Vec<Value> {
    let rows = history.iter().flat_map(|line| {
        let part = |name: &str| line.get(name).cloned().unwrap_or_default();
        let row = |what: Value, old: Value, new: Value| {
            json!({"at": part("at"), "actor": part("actor"), "on": part("on"), "what": what, "old": old, "new": new})
        };
        let changes = part("changes").as_array().cloned().unwrap_or_default();
        let told = |change: &Value, name: &str| change.get(name).cloned().unwrap_or_default();
        let mut rows: Vec<Value> =
            changes.iter().map(|change| row(told(change, "what"), told(change, "old"), told(change, "new"))).collect();
        let keys = |name: &str| Some(show::plain(&part(name))).filter(|keys| !keys.is_empty());
        let wished = [("used", keys("used")), ("not used", keys("unused"))];
        let wished: Vec<String> = wished.into_iter().filter_map(|(how, keys)| Some(format!("{how}: {}", keys?))).collect();
        if !wished.is_empty() {
            rows.push(row("submit_case".into(), Value::Null, wished.join("; ").into()));
        }
        rows
    });
    rows.collect()
}

fn path(id: &str, what: &str) -> String {
    format!("/api/v1/incidents/{}/{what}", segment(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_a_row_for_each_change_and_for_what_became_of_a_wish() {
        let history = [
            json!({
                "at": "2026-11-28T10:00:00Z", "actor": "policy urgent", "on": "incident.detected", "event": "acme-2",
                "changes": [{"what": "priority", "old": "High", "new": "Critical"}, {"what": "owner", "old": null, "new": "ann"}],
            }),
            json!({"at": "2026-11-28T10:00:00Z", "actor": "policy open", "used": ["cc"], "unused": ["synopsis", "priority"]}),
        ];
        let shown = show::table(&rows_of(&history), &HISTORY, show::Room::default());
        let shown = anstream::adapter::strip_str(&shown).to_string();
        let expected = "\
CHANGED               BY             ON                 WHAT         FROM  TO
2026-11-28 10:00:00Z  policy urgent  incident.detected  priority     High  Critical
2026-11-28 10:00:00Z  policy urgent  incident.detected  owner              ann
2026-11-28 10:00:00Z  policy open                       submit_case        used: cc; not used: synopsis, priority
";
        assert_eq!(shown, expected);
    }
}
