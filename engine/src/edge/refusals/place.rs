//! The place that a path names and what it is about, where nothing else tells of what was tried.

use std::borrow::Cow;

use linesman_schemas::{IncidentId, OrgName};
use percent_encoding::percent_decode_str;

/// How many characters of what was asked for are kept.
const PLACE_MOST: usize = 200;
/// What stands behind a subscription's name in a path.
const OPERATIONS: [&str; 5] = ["activate", "deactivate", "redeploy", "resume", "suspend"];

/// A path in the words of whoever asked. A part that is no text of one line stays as it came, and so does one with a `/` of its own:
/// parts are told apart.
pub(super) fn worded(path: &str) -> String {
    let word = |part| -> Cow<'_, str> {
        match percent_decode_str(part).decode_utf8() {
            Ok(text) if !text.contains('/') && !text.chars().any(char::is_control) => text,
            _ => Cow::Borrowed(part),
        }
    };
    path.split('/').map(word).collect::<Vec<_>>().join("/")
}

/// The place of a subscription that a path names behind `subscriptions/`, and its name if there is one.
fn subscribed(named: &str) -> (String, Option<&str>) {
    let mut names: Vec<&str> = named.split('/').collect();
    if names.len() > 2 {
        names.pop_if(|last| OPERATIONS.contains(last));
    }
    let name = if names.len() > 1 { names.pop() } else { None };
    (names.join("/"), name)
}

/// What a path is about beside its place, as records of what lanes decide have it and as it was asked for.
pub(super) fn about_of(path: &str) -> Option<String> {
    let rest = path.strip_prefix("/api/v1/").unwrap_or(path);
    let (kind, named) = rest.split_once('/').filter(|(_, named)| !named.is_empty())?;
    let (first, behind) = named.split_once('/').unwrap_or((named, ""));
    let about = match kind {
        "incidents" | "dead-letters" | "services" | "sessions" => first.to_owned(),
        "managers" | "groups" | "tokens" => named.to_owned(),
        "policies" if named != "load" => named.to_owned(),
        "devices" if !behind.is_empty() => behind.split('/').next().unwrap_or_default().to_owned(),
        "subscriptions" => {
            let (place, name) = subscribed(named);
            format!("{place} {}", name?)
        }
        _ => return None,
    };
    Some(about.chars().take(PLACE_MOST).collect())
}

/// The place that a path names, as it was asked for; of what names none where they belong who ask (`home`).
pub(super) fn place_of(path: &str, home: Option<&OrgName>) -> String {
    const PROVIDER: &str = "/";
    let home = || home.map_or_else(|| PROVIDER.to_owned(), OrgName::to_string);
    let rest = path.strip_prefix("/api/v1/").unwrap_or(path);
    let (kind, named) = rest.split_once('/').unwrap_or((rest, ""));
    let (first, has_more) = named.split_once('/').map_or((named, false), |(first, _)| (first, true));
    let place = match kind {
        "incidents" => first.parse().ok().map(|id: IncidentId| id.org.to_string()),
        "organizations" | "devices" => Some(first.to_owned()),
        "places" | "values" | "explain" if !named.is_empty() => Some(named.to_owned()),
        "subscriptions" if has_more => Some(subscribed(named).0),
        "activations" if has_more => named.rsplit_once('/').map(|(line, _)| line.to_owned()),
        "managers" if has_more => Some(first.to_owned()),
        "audit" if has_more && first.parse::<OrgName>().is_ok() => Some(first.to_owned()),
        "audit" if has_more => Some(PROVIDER.to_owned()),
        "managers" | "groups" | "lanes" | "level" | "log-level" | "policies" | "verification" => {
            Some(PROVIDER.to_owned())
        }
        _ => None,
    };
    place.filter(|place| !place.is_empty()).unwrap_or_else(home).chars().take(PLACE_MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_what_the_path_names() {
        for (path, place) in [
            ("/api/v1/incidents/acme-7/close", "acme"),
            ("/api/v1/organizations/acme/suspend", "acme"),
            ("/api/v1/places/acme/berlin/line-7", "acme/berlin/line-7"),
            ("/api/v1/managers/acme/ann", "acme"),
            ("/api/v1/managers/bob", "/"),
            ("/api/v1/level", "/"),
            ("/api/v1/dead-letters/1-0/replay", "bolt"),
            ("/api/v1/incidents/no%20id", "bolt"),
            ("/api/v1/places", "bolt"),
            ("/api/v1/values/acme/berlin", "acme/berlin"),
            ("/api/v1/explain/acme/berlin/line-7", "acme/berlin/line-7"),
            ("/api/v1/subscriptions/acme/cap", "acme"),
            ("/api/v1/subscriptions/acme/berlin/line-7/cap", "acme/berlin/line-7"),
            ("/api/v1/subscriptions/acme/cap/activate", "acme"),
            ("/api/v1/subscriptions/acme/berlin/cap/redeploy", "acme/berlin"),
            ("/api/v1/activations/acme/berlin/line-7/cap-0123456789ab", "acme/berlin/line-7"),
            ("/api/v1/activations", "bolt"),
            ("/api/v1/events", "bolt"),
            ("/api/v1/devices/acme/JN1/place", "acme"),
            ("/api/v1/audit/acme/checkpoint", "acme"),
            ("/api/v1/audit/_provider/checkpoint", "/"),
            // One's own, and all that is seen.
            ("/api/v1/me/password", "bolt"),
            ("/api/v1/tokens/nightly", "bolt"),
            ("/api/v1/audit", "bolt"),
            ("/api/v1/audit/export", "bolt"),
        ] {
            assert_eq!(place_of(path, Some(&"bolt".parse().unwrap())), place);
        }
        assert_eq!(place_of("/api/v1/me/password", None), "/", "of the provider's people");
    }

    #[test]
    fn a_path_is_told_in_the_words_of_whoever_asked() {
        for (path, words) in [
            ("/api/v1/dead-letters/1%2D0/replay", "/api/v1/dead-letters/1-0/replay"),
            ("/api/v1/policies/acme/Nacht%20%C3%BCber", "/api/v1/policies/acme/Nacht über"),
            ("/api/v1/groups/a%2Fb%2Dc/%0A%41/%ff%41/%2D", "/api/v1/groups/a%2Fb%2Dc/%0A%41/%ff%41/-"),
            ("/api/v1/groups/", "/api/v1/groups/"),
        ] {
            assert_eq!(worded(path), words);
        }
        let path = worded("/api/v1/incidents/a%2Dmaker%2D7/close");
        assert_eq!((place_of(&path, None), about_of(&path).as_deref()), ("a-maker".to_owned(), Some("a-maker-7")));
    }

    #[test]
    fn what_it_is_about_is_what_the_path_names_at_its_place() {
        for (path, about) in [
            ("/api/v1/incidents/acme-7/close", Some("acme-7")),
            ("/api/v1/incidents/acme-7/case/note", Some("acme-7")),
            ("/api/v1/dead-letters/1-0/replay", Some("1-0")),
            ("/api/v1/managers/acme/ann", Some("acme/ann")),
            ("/api/v1/managers/bob", Some("bob")),
            ("/api/v1/groups/shift", Some("shift")),
            ("/api/v1/tokens/nightly", Some("nightly")),
            ("/api/v1/sessions/5e551014", Some("5e551014")),
            ("/api/v1/services/nat/rollout", Some("nat")),
            ("/api/v1/policies/acme/night", Some("acme/night")),
            ("/api/v1/devices/acme/JN1/place", Some("JN1")),
            ("/api/v1/subscriptions/acme/cap", Some("acme cap")),
            ("/api/v1/subscriptions/acme/berlin/line-7/cap/activate", Some("acme/berlin/line-7 cap")),
            // The place is all.
            ("/api/v1/organizations/acme/suspend", None),
            ("/api/v1/places/acme/berlin/line-7", None),
            ("/api/v1/policies/load", None),
            ("/api/v1/values/acme/berlin", None),
            ("/api/v1/audit/acme/checkpoint", None),
            ("/api/v1/devices/acme", None),
            ("/api/v1/subscriptions/acme", None),
            ("/api/v1/incidents/", None),
            ("/api/v1/level", None),
            ("/api/v1/me/password", None),
        ] {
            assert_eq!(about_of(path).as_deref(), about, "{path}");
        }
        let long = format!("/api/v1/groups/{}", "x".repeat(300));
        assert_eq!(about_of(&long).unwrap().len(), PLACE_MOST);
    }
}
