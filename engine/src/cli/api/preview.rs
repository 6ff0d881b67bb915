//! `--dry-run`: what a write would do, printed instead of done.

use std::fmt::Write as _;

use anyhow::bail;
use reqwest::Method;
use serde_json::Value;

use super::Api;
use super::show::{self, Column, column};
use crate::harmless::in_line;

pub(in crate::cli) const VALUES: [Column; 6] = [
    column("PLACE", "/place"),
    column("SERVICE", "/service").name(),
    column("SUBSCRIPTION", "/subscription").name(),
    column("PARAMETER", "/parameter").key(),
    column("BEFORE", "/was"),
    column("AFTER", "/is"),
];

/// Whether it is only to be told what would be done.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(in crate::cli) struct DryRun {
    /// Tell what would be done, and do nothing; the exit code is 1 where it would be refused
    #[arg(long)]
    dry_run: bool,
}

impl DryRun {
    pub(super) const fn is_on(self) -> bool {
        self.dry_run
    }
}

impl Api {
    /// Writes and prints what became of it, or prints what would.
    pub(super) async fn write_or_preview(
        &self,
        dry_run: DryRun,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<()> {
        if !dry_run.is_on() {
            return self.write(method, path, body).await;
        }
        let found = self.previewed(method, path, body.as_ref()).await?;
        if self.is_json {
            outln!("{found}");
        } else {
            out!("{}", told(&found));
        }
        let field = |name: &str| found.get(name).map(show::plain).unwrap_or_default();
        if field("verdict") != "done" {
            bail!("it would be refused: {}", field("detail"));
        }
        Ok(())
    }

    /// What a write would do.
    pub(super) async fn previewed(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let request = self.request(method, &format!("{path}{mark}dry_run=true"));
        self.answer(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }
}

/// A preview for people: how much it affects, each device's diff and the way back, values, and what would be wrong.
pub(super) fn told(found: &Value) -> String {
    let field = |name: &str| found.get(name).map(show::plain).unwrap_or_default();
    let count = |name: &str| found.get(name).and_then(Value::as_u64).unwrap_or_default();
    let items = |name: &str| found.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = match field("verdict").as_str() {
        "done" => writeln!(text, "would be done: {}", field("detail")),
        verdict => writeln!(text, "would be refused ({verdict}): {}", field("detail")),
    };
    let _ = writeln!(text, "access lines affected: {}", count("lines"));
    if found.get("complete") == Some(&Value::Bool(false)) {
        let _ = writeln!(text, "this is not all: more is affected than is looked at, or it took too long");
    }
    if !field("begins").is_empty() {
        let _ = writeln!(text, "when its schedule begins, at {}:", field("begins"));
    }
    for change in items("changes") {
        tell_change(&mut text, &change);
    }
    tell_more(&mut text, count("more_changes"));
    let values: Vec<Value> = items("values").into_iter().map(with_words).collect();
    if !values.is_empty() {
        let _ = write!(text, "\nvalues:\n{}", show::table(&values, &VALUES, show::room(false)));
    }
    tell_more(&mut text, count("more_values"));
    for (name, title) in [("conflicts", "conflicts"), ("illegal", "values that would be illegal")] {
        let wrong = items(name);
        if !wrong.is_empty() {
            let _ = writeln!(text, "\n{title}:");
        }
        for one in wrong {
            let part = |name: &str| one.get(name).map(show::plain).filter(|text| !text.is_empty());
            let place = part("place").map(|place| format!("{place}: ")).unwrap_or_default();
            let _ = writeln!(text, "  {place}{}", part("detail").unwrap_or_default());
        }
    }
    tell_more(&mut text, count("more_wrong"));
    text
}

fn tell_change(text: &mut String, change: &Value) {
    let part = |name: &str| change.get(name).map(show::plain).unwrap_or_default();
    let _ = write!(text, "\n{} {}", part("line"), part("activation"));
    if !part("device").is_empty() {
        let _ = write!(text, " on {}", part("device"));
    }
    let state = part("state");
    let _ = write!(text, ": {}", if state.is_empty() { "gone" } else { &state });
    let reason = part("reason");
    let _ = if reason.is_empty() { writeln!(text) } else { writeln!(text, ": {reason}") };
    if change.get("hidden") == Some(&Value::Bool(true)) {
        let _ = writeln!(text, "what changes is not shown: what is fixed above and hidden stands in it");
    }
    for (name, title) in [("diff", ""), ("reverse", "the way back:\n")] {
        let diff = show::lines(change.get(name));
        text.push_str(if diff.is_empty() { "" } else { title });
        for line in diff {
            let _ = writeln!(text, "{line}");
        }
    }
    tell_on_device(text, change);
}

/// What the device says itself.
fn tell_on_device(text: &mut String, change: &Value) {
    let part = |name: &str| change.pointer(&format!("/on_device/{name}")).and_then(Value::as_str).unwrap_or_default();
    if !part("error").is_empty() {
        let _ = writeln!(text, "what the device would say of it is not known: {}", in_line(part("error")));
    }
    let diff = show::lines(change.pointer("/on_device/diff"));
    text.push_str(if diff.is_empty() { "" } else { "as the device says it:\n" });
    for line in diff {
        let _ = writeln!(text, "{line}");
    }
}

fn tell_more(text: &mut String, more: u64) {
    if more > 0 {
        let _ = writeln!(text, "\nand {more} more");
    }
}

/// A value's change, with how it stands and would stand in words.
fn with_words(mut change: Value) -> Value {
    let words = |standing: Option<&Value>| {
        let part = |name: &str| standing?.get(name).map(show::plain).filter(|text| !text.is_empty());
        let is_hidden = standing.is_some_and(|standing| standing.get("hidden") == Some(&Value::Bool(true)));
        [
            part("value").or_else(|| is_hidden.then(|| "hidden".to_owned())),
            part("status").map(|status| format!("({status})")),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
    };
    let (was, is) = (words(change.get("before")), words(change.get("after")));
    if let Value::Object(fields) = &mut change {
        fields.insert("was".to_owned(), was.into());
        fields.insert("is".to_owned(), is.into());
    }
    change
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_preview_is_told_line_by_line_with_the_way_back() {
        let change = json!({
            "line": "acme/berlin/line-7", "activation": "cap-1", "device": "SN1", "state": "pending", "reason": "",
            "diff": "[edit]\n+  a;\n", "reverse": "[edit]\n-  a;\n",
        });
        let gone = json!({
            "line": "acme/berlin/line-8", "activation": "cap-1", "device": "", "state": null, "reason": "",
            "diff": "", "reverse": "",
        });
        let found = json!({
            "verdict": "done", "detail": "changed", "complete": false, "lines": 2, "changes": [change, gone],
            "more_changes": 3, "more_values": 0, "conflicts": [],
            "values": [{"place": "acme", "service": "limit", "subscription": null, "parameter": "rate",
                "before": null, "after": {"status": "fixed", "value": "10"}}],
            "illegal": [{"place": "acme/berlin/line-9", "activation": null, "detail": "`rate` is too much"}],
        });
        assert_eq!(
            anstream::adapter::strip_str(&told(&found)).to_string(),
            "would be done: changed\n\
             access lines affected: 2\n\
             this is not all: more is affected than is looked at, or it took too long\n\
             \n\
             acme/berlin/line-7 cap-1 on SN1: pending\n\
             [edit]\n+  a;\n\
             the way back:\n[edit]\n-  a;\n\
             \n\
             acme/berlin/line-8 cap-1: gone\n\
             \n\
             and 3 more\n\
             \n\
             values:\n\
             PLACE  SERVICE  SUBSCRIPTION  PARAMETER  BEFORE  AFTER\n\
             acme   limit                  rate               10 (fixed)\n\
             \n\
             values that would be illegal:\n  \
             acme/berlin/line-9: `rate` is too much\n"
        );
        let later = json!({"verdict": "done", "detail": "activated", "complete": true, "lines": 1,
            "begins": "2026-03-01T21:00:00Z"});
        assert_eq!(
            told(&later),
            "would be done: activated\naccess lines affected: 1\nwhen its schedule begins, at 2026-03-01 21:00:00Z:\n"
        );
        let refused = json!({"verdict": "conflict", "detail": "no", "complete": true, "lines": 0});
        assert_eq!(told(&refused), "would be refused (conflict): no\naccess lines affected: 0\n");
    }
}
