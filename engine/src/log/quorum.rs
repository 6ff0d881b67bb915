//! Whether enough of the servers that keep a stream are there for it to take anything, by what one of them says of the others.
//!
//! A stream that has lost most of its servers still answers for a while: its leader notices only after some 20 s that it is
//! alone, and takes until then what it can never acknowledge. What it says of the others tells it earlier.

use std::time::Duration;

use serde::Deserialize;

use super::Error;

/// How long the leader has not heard of a server that counts as away. It hears of each every second.
pub const AWAY_AFTER: Duration = Duration::from_secs(4);

/// What a server says of a stream that nobody leads: JetStream, or the stream, is not to be had.
const UNLED: [u64; 3] = [10_008, 10_009, 10_118];

const NOBODY_LEADS: &str = "has no leader: too few of the servers that keep it are there, or they are electing one";

/// What a stream lacks to take anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// What it has not, and why; goes on behind the stream's name.
    pub what: String,
    /// Which servers.
    pub detail: String,
}

/// The servers that keep a stream, as the one says that answers.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Cluster {
    #[serde(default)]
    leader: Option<String>,
    /// The others; all of them where there is no leader.
    #[serde(default)]
    replicas: Option<Vec<Replica>>,
}

#[derive(Debug, Deserialize)]
struct Replica {
    name: String,
    #[serde(default)]
    offline: bool,
    /// How long ago the leader has heard of it, in nanoseconds.
    #[serde(default)]
    active: u64,
}

impl Replica {
    fn is_away(&self) -> bool {
        self.offline || Duration::from_nanos(self.active) > AWAY_AFTER
    }
}

impl Cluster {
    /// That nobody leads the stream, where it is so.
    pub(super) fn unled(&self) -> Option<Lack> {
        let is_led = self.leader.as_ref().is_some_and(|leader| !leader.is_empty());
        let detail = format!("it is kept by {}", named(self.others().iter()));
        (!is_led).then(|| Lack { what: NOBODY_LEADS.to_owned(), detail })
    }

    /// What the stream lacks although somebody leads it.
    pub(super) fn lack(&self) -> Option<Lack> {
        let count = self.others().len() + 1;
        let away: Vec<&Replica> = self.others().iter().filter(|one| one.is_away()).collect();
        let is_enough = count - away.len() > count / 2;
        (!is_enough).then(|| Lack {
            what: format!("has no quorum: {} of the {count} servers that keep it are away", away.len()),
            detail: format!("away are {}", named(away.iter().copied())),
        })
    }

    fn others(&self) -> &[Replica] {
        self.replicas.as_deref().unwrap_or_default()
    }
}

fn named<'a>(servers: impl Iterator<Item = &'a Replica>) -> String {
    servers.map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What a stream lacks of which a server says this.
pub(super) fn refused(error: &Error) -> Option<Lack> {
    match error {
        Error::Refused { code, description, .. } if UNLED.contains(code) => {
            Some(Lack { what: NOBODY_LEADS.to_owned(), detail: format!("{description} ({code})") })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Cluster {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_stream_needs_more_than_half_of_its_servers() {
        let led = |active: [u64; 2]| {
            let [b, c] = active;
            of(&format!(
                r#"{{"name": "c", "leader": "a", "replicas": [
                    {{"name": "b", "current": true, "active": {b}}}, {{"name": "c", "current": true, "active": {c}}}
                ]}}"#
            ))
        };
        assert_eq!(led([900_000_000, 12_000_000]).lack(), None);
        assert_eq!(led([900_000_000, 6_000_000_000]).lack(), None, "one of three may be away");
        let lack = led([5_000_000_000, 6_000_000_000]).lack().unwrap();
        assert_eq!(
            (&*lack.what, &*lack.detail),
            ("has no quorum: 2 of the 3 servers that keep it are away", "away are b, c")
        );
        assert_eq!(of(r#"{"leader": "a"}"#).lack(), None, "one that keeps it alone");
        let unled = of(r#"{"replicas": [{"name": "a", "current": true, "active": 0}, {"name": "b"}, {"name": "c"}]}"#);
        assert_eq!(unled.unled().unwrap().detail, "it is kept by a, b, c");
        assert_eq!(led([0, 0]).unled(), None);
    }

    #[test]
    fn what_a_server_refuses_for_want_of_a_leader_is_told_from_the_rest() {
        let refused_by = |code| {
            let description = "JetStream system temporarily unavailable".to_owned();
            refused(&Error::Refused { subject: "x".to_owned(), description, code })
        };
        let detail = "JetStream system temporarily unavailable (10008)";
        assert_eq!(refused_by(10_008).map(|lack| lack.detail).as_deref(), Some(detail));
        assert_eq!(refused_by(10_059), None);
    }
}
