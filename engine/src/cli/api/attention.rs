//! What works, and waits for somebody, as lines: of the status, and beside the list of policies.

use serde_json::Value;

use super::show;

/// How many refused files, and policies that fail, have a line each.
const EACH_MOST: usize = 10;
/// What is never replayed, and is no reaction that was given up: there is nothing to be done about it by its letter.
const UNTOLD: [&str; 3] = ["over-quota", "unknown-kind", "unknown-subject"];
/// Reactions that were given up.
const GIVEN_UP: &str = "reaction-failed";

/// All of it, of a status.
pub(super) fn lines(status: &Value) -> Vec<String> {
    let Some(attention) = status.get("attention") else { return Vec::new() };
    let mut lines = Vec::new();
    if let Some(why) = attention.get("rule_directory").filter(|why| why.is_string()) {
        lines.push(format!("the rule directory cannot be read: {}", show::plain(why)));
    }
    lines.extend(refused(attention, "refused_policies", "policy file"));
    lines.extend(refused(attention, "refused_services", "service"));
    lines.extend(failed(attention));
    match count(attention, "/withheld_cases") {
        0 => {}
        1 => lines.push("1 case is withheld by its filter level (`linesman case list --state withheld`)".to_owned()),
        count => {
            lines.push(format!(
                "{count} cases are withheld by their filter levels (`linesman case list --state withheld`)"
            ));
        }
    }
    lines.extend(unreplayed(attention));
    lines
}

/// Files that are refused, a line each, and how many more there are.
fn refused(attention: &Value, name: &str, what: &str) -> Vec<String> {
    let files = attention.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let all = usize::try_from(count(attention, &format!("/{name}_count"))).unwrap_or(usize::MAX).max(files.len());
    let said = |file: &Value, name: &str| file.get(name).map(show::plain).unwrap_or_default();
    let each = files.iter().take(EACH_MOST).map(|file| {
        let (path, message) = (said(file, "path"), said(file, "message"));
        format!("the {what} {path} is refused{}: {message}", line(file))
    });
    let shown = files.len().min(EACH_MOST);
    let more = (all > shown).then(|| format!("{} more of the {what}s are refused (`linesman check`)", all - shown));
    each.chain(more).collect()
}

/// In which line a refused file is at fault; nothing where it is all of it, such as its name.
pub(super) fn line(file: &Value) -> String {
    let [line, column] = ["line", "column"].map(|name| file.get(name).and_then(Value::as_u64).unwrap_or_default());
    if (line, column) == (1, 1) { String::new() } else { format!(", line {line}") }
}

/// Policies that have failed lately, a line each, and how many more there are.
fn failed(attention: &Value) -> Vec<String> {
    let policies = attention.get("failed_policies").and_then(Value::as_array).cloned().unwrap_or_default();
    let said = |policy: &Value, name: &str| policy.get(name).map(show::plain).unwrap_or_default();
    let each = policies.iter().take(EACH_MOST).map(|policy| {
        let often = match said(policy, "failures").as_str() {
            "1" => "once".to_owned(),
            failures => format!("{failures} times"),
        };
        let (name, last, org) = (said(policy, "policy"), said(policy, "last"), said(policy, "organization"));
        format!("the policy {name} has failed {often} within 24 h, last {last} for {org}: {}", said(policy, "error"))
    });
    let more = policies.len().saturating_sub(EACH_MOST);
    let more = (more > 0).then(|| format!("{more} more policies have failed (`linesman policy list`)"));
    each.chain(more).collect()
}

/// Dead letters that were not replayed, and reactions that were given up.
fn unreplayed(attention: &Value) -> Vec<String> {
    let letters = attention.get("unreplayed").and_then(Value::as_object).cloned().unwrap_or_default();
    let letters = letters.iter().filter_map(|(reason, count)| Some((reason.as_str(), count.as_u64()?)));
    let (given_up, letters): (Vec<_>, Vec<_>) = letters.partition(|(reason, _)| *reason == GIVEN_UP);
    let letters: Vec<_> = letters.into_iter().filter(|(reason, _)| !UNTOLD.contains(reason)).collect();
    let sum: u64 = letters.iter().map(|(_, count)| count).sum();
    let by_reason: Vec<String> = letters.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let verb = |count: u64| if count == 1 { ("", "was") } else { ("s", "were") };
    let waiting = (sum > 0).then(|| {
        let (plural, were) = verb(sum);
        format!("{sum} dead letter{plural} {were} not replayed: {} (`linesman dead list`)", by_reason.join(", "))
    });
    let given_up = given_up.into_iter().filter(|(_, count)| *count > 0).map(|(reason, count)| {
        let (plural, were) = verb(count);
        format!("{count} reaction{plural} {were} given up (`linesman dead list --reason {reason}`)")
    });
    waiting.into_iter().chain(given_up).collect()
}

fn count(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_that_waits_for_somebody_is_a_line() {
        let file = |n: u64| json!({"path": format!("acme/p{n}.rhai"), "line": n, "column": 1, "message": "no"});
        let status = json!({"attention": {
            "rule_directory": null, "refused_policies": (1..=12).map(file).collect::<Vec<_>>(), "refused_policies_count": 40,
            "refused_services": [], "withheld_cases": 2,
            "failed_policies": [{
                "policy": "open-case", "failures": 3, "last": "2026-11-28T10:00:00Z", "organization": "acme", "error": "oh",
            }],
            "unreplayed": {"bundle-undecodable": 2, "over-quota": 9, "policy-failed": 3, "reaction-failed": 1},
        }});
        let told = lines(&status);
        assert_eq!(told[0], "the policy file acme/p1.rhai is refused: no", "not that line, but its name");
        assert_eq!(told[1], "the policy file acme/p2.rhai is refused, line 2: no");
        let rest = [
            "30 more of the policy files are refused (`linesman check`)",
            "the policy open-case has failed 3 times within 24 h, last 2026-11-28 10:00:00Z for acme: oh",
            "2 cases are withheld by their filter levels (`linesman case list --state withheld`)",
            "5 dead letters were not replayed: bundle-undecodable 2, policy-failed 3 (`linesman dead list`)",
            "1 reaction was given up (`linesman dead list --reason reaction-failed`)",
        ];
        assert_eq!(told[10..], rest);
        let well = json!({"attention": {"refused_policies": [], "failed_policies": [], "withheld_cases": 0, "unreplayed": {}}});
        assert_eq!(lines(&well), Vec::<String>::new());
    }
}
