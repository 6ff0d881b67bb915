//! What is known of the demo while it runs, made of what is heard. It asks nobody, and reads no clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use linesman_schemas::event::Received;
use serde_json::Value;

use super::super::super::line;
use super::super::configuration;
use super::ledger::Ledger;

/// How many events are kept: more than a screen has lines.
const EVENTS_MOST: usize = 200;
/// How many messages are kept.
const MESSAGES_MOST: usize = 40;

/// How an engine is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Engine {
    /// It is being started.
    #[default]
    Starting,
    Running,
    /// It is killed so many seconds from now.
    Doomed(u64),
    /// It was killed, and starts again.
    Killed,
}

/// The kill, once the engine is back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Return {
    /// How long it was away.
    pub(super) away: Duration,
    /// How many bundles its log has taken in meanwhile.
    pub(super) meanwhile: u64,
}

/// How a case stands that is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// Without an id.
    Waiting,
    Open,
    Withheld,
}

/// A customer, and what came of what its devices sent.
#[derive(Debug, Default)]
pub(super) struct Customer {
    org: String,
    /// What people call it.
    pub(super) name: String,
    open: BTreeSet<String>,
    cases: BTreeMap<String, Stand>,
    closed: BTreeSet<String>,
    /// Messages that it was told of.
    pub(super) messages: u64,
    pub(super) dead_letters: u64,
}

/// Counts of a customer, or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) incidents: u64,
    pub(super) waiting: u64,
    pub(super) open: u64,
    pub(super) closed: u64,
    pub(super) withheld: u64,
    pub(super) messages: u64,
    pub(super) dead_letters: u64,
}

impl Counts {
    /// In the order of the screen's columns.
    pub(super) const fn columns(self) -> [u64; 7] {
        [self.incidents, self.waiting, self.open, self.closed, self.withheld, self.messages, self.dead_letters]
    }
}

impl Customer {
    /// What is open of it, and what it was told.
    pub(super) fn counts(&self) -> Counts {
        let standing = |stand: Stand| self.cases.values().filter(|found| **found == stand).count() as u64;
        Counts {
            incidents: self.open.len() as u64,
            waiting: standing(Stand::Waiting),
            open: standing(Stand::Open),
            closed: self.closed.len() as u64,
            withheld: standing(Stand::Withheld),
            messages: self.messages,
            dead_letters: self.dead_letters,
        }
    }

    fn case(&mut self, incident: &str, state: &str) {
        let stand = match state {
            "waiting" | "submitted" => Stand::Waiting,
            "withheld" => Stand::Withheld,
            "created" | "updated" => Stand::Open,
            "closed" => {
                self.cases.remove(incident);
                self.closed.insert(incident.to_owned());
                return;
            }
            _ => return,
        };
        self.closed.remove(incident);
        self.cases.insert(incident.to_owned(), stand);
    }
}

/// A message, and whom it concerns: names, and how many devices.
#[derive(Debug, Default)]
pub(super) struct Message {
    id: String,
    pub(super) kind: String,
    pub(super) title: String,
    pub(super) concerns: BTreeMap<String, u64>,
}

/// An event, or what was sent, as a line has it.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// The time of day; empty for what was sent.
    pub(super) clock: String,
    /// Whose it is, by the name that people know.
    pub(super) whose: String,
    pub(super) channel: String,
    pub(super) name: String,
    pub(super) text: String,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// In the order of the screen.
    pub(super) customers: Vec<Customer>,
    /// What nobody's is, as dead letters of organizations that there are not.
    pub(super) others: Customer,
    /// The latest last.
    pub(super) messages: VecDeque<Message>,
    /// The latest last.
    pub(super) events: VecDeque<Told>,
    pub(super) ledger: Ledger,
    pub(super) engine: Engine,
    pub(super) back: Option<Return>,
    /// Cases at the support system, and how many of these an incident has more than once.
    pub(super) at_support: (u64, u64),
    pub(super) is_paused: bool,
    pub(super) is_help: bool,
    /// Which page of it, from 0.
    pub(super) help_page: usize,
    /// Since the demo began.
    pub(super) elapsed: Duration,
    /// What the help says of where to look, line by line.
    pub(super) look: Vec<String>,
}

/// What somebody has to do about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    /// The support system has a case of this incident.
    Assigned(String),
    /// This incident is new.
    New(String),
    /// The case of this incident is closed.
    Closed(String),
}

impl Board {
    /// An empty one with the customers of the demo.
    pub(super) fn new() -> Self {
        let customers = configuration::customers().map(|(org, name)| Customer {
            org: org.to_owned(),
            name: name.to_owned(),
            ..Customer::default()
        });
        let others = Customer { name: "nobody's".to_owned(), ..Customer::default() };
        Self { customers: customers.collect(), others, ..Self::default() }
    }

    /// Of all customers together, and what is nobody's.
    pub(super) fn sum(&self) -> Counts {
        let mut sum = Counts::default();
        for counts in self.customers.iter().chain([&self.others]).map(Customer::counts) {
            sum.incidents += counts.incidents;
            sum.waiting += counts.waiting;
            sum.open += counts.open;
            sum.closed += counts.closed;
            sum.withheld += counts.withheld;
            sum.messages += counts.messages;
            sum.dead_letters += counts.dead_letters;
        }
        sum
    }

    /// The name that people know of an organization.
    fn name(&self, org: &str) -> String {
        let found = self.customers.iter().find(|customer| customer.org == org);
        found.map_or_else(|| org.to_owned(), |customer| customer.name.clone())
    }

    /// Something was sent, and the log has it. `id`: the host-event-ID, where an incident comes of it.
    pub(super) fn sent(&mut self, org: &str, what: &str, name: &str, id: Option<&str>) {
        if what == "bundle" {
            self.ledger.take(org, id, self.elapsed);
        }
        self.went(org, what, name);
    }

    /// Something went elsewhere than into the log.
    pub(super) fn went(&mut self, org: &str, what: &str, name: &str) {
        self.tell(Told {
            clock: String::new(),
            whose: self.name(org),
            channel: "sent".to_owned(),
            name: what.to_owned(),
            text: name.to_owned(),
        });
    }

    /// An event was heard; what somebody has to do about it.
    pub(super) fn heard(&mut self, subject: &str, event: &Received) -> Option<Due> {
        let mut tokens = subject.splitn(4, '.').skip(1);
        let (org, channel, name) = (tokens.next()?, tokens.next()?, tokens.next()?);
        self.tell(Told {
            clock: line::clock(event),
            whose: self.name(org),
            channel: channel.to_owned(),
            name: name.to_owned(),
            text: line::summary(channel, name, &event.data),
        });
        let text = |path: &str| event.data.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let about = event.subject.clone().unwrap_or_default();
        let at = self.customers.iter().position(|customer| customer.org == org);
        let customer = at.and_then(|at| self.customers.get_mut(at)).unwrap_or(&mut self.others);
        match (channel, name) {
            ("dead", _) => customer.dead_letters += 1,
            ("trigger", "incident.detected") => {
                customer.open.insert(about.clone());
                self.ledger.decide(org, text("/host_event_id"));
                return Some(Due::New(about));
            }
            ("trigger", "incident.reported-by-end-customer") => {
                customer.open.insert(about.clone());
                return Some(Due::New(about));
            }
            ("trigger", "incident.changed") => {
                customer.case(&about, text("/new/case"));
                match text("/new/status") {
                    "" => {}
                    "completed" => drop(customer.open.remove(&about)),
                    _ => drop(customer.open.insert(about.clone())),
                }
                return (text("/new/case") == "closed").then_some(Due::Closed(about));
            }
            ("trigger", "case.assigned") => return Some(Due::Assigned(about)),
            ("trigger", "intelligence.received") => {
                customer.messages += 1;
                self.message(text("/id"), text("/kind"), text("/title"));
            }
            ("trigger", "intelligence.matched" | "end-of-life.matched" | "bug-notice.matched") => {
                let whom = self.name(text("/organization"));
                let count = event.data.pointer("/count").and_then(Value::as_u64).unwrap_or_default();
                if let Some(message) = self.message(text("/id"), text("/kind"), text("/title")) {
                    message.concerns.insert(whom, count);
                }
            }
            _ => {}
        }
        None
    }

    /// The message of an id, as it was first told.
    fn message(&mut self, id: &str, kind: &str, title: &str) -> Option<&mut Message> {
        if self.messages.iter().all(|message| message.id != id) {
            if self.messages.len() == MESSAGES_MOST {
                self.messages.pop_front();
            }
            let [id, kind, title] = [id, kind, title].map(str::to_owned);
            self.messages.push_back(Message { id, kind, title, concerns: BTreeMap::new() });
        }
        self.messages.iter_mut().rev().find(|message| message.id == id)
    }

    fn tell(&mut self, told: Told) {
        if self.events.len() == EVENTS_MOST {
            self.events.pop_front();
        }
        self.events.push_back(told);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn heard(board: &mut Board, subject: &str, about: &str, data: Value) -> Option<Due> {
        let event = Received {
            specversion: "1.0".to_owned(),
            id: "e".to_owned(),
            source: "/organizations/acme".to_owned(),
            kind: "linesman.kind".to_owned(),
            subject: Some(about.to_owned()),
            time: "2026-11-21T10:15:02.5Z".parse().unwrap(),
            data,
        };
        board.heard(subject, &event)
    }

    #[test]
    fn a_case_is_counted_where_it_stands() {
        let mut board = Board::new();
        let changed = |board: &mut Board, new: Value| {
            heard(board, "out.acme.trigger.incident.changed", "acme-1", json!({"new": new}))
        };
        let detected = json!({"id": "acme-1", "host_event_id": "x"});
        assert_eq!(
            heard(&mut board, "out.acme.trigger.incident.detected", "acme-1", detected),
            Some(Due::New("acme-1".to_owned()))
        );
        let acme = |board: &Board| board.customers[0].counts();
        assert_eq!(acme(&board), Counts { incidents: 1, ..Counts::default() });
        for (state, expected) in [
            ("waiting", Counts { incidents: 1, waiting: 1, ..Counts::default() }),
            ("submitted", Counts { incidents: 1, waiting: 1, ..Counts::default() }),
            ("created", Counts { incidents: 1, open: 1, ..Counts::default() }),
            ("updated", Counts { incidents: 1, open: 1, ..Counts::default() }),
            ("closed", Counts { incidents: 1, closed: 1, ..Counts::default() }),
        ] {
            let due = changed(&mut board, json!({"case": state}));
            assert_eq!(due, (state == "closed").then(|| Due::Closed("acme-1".to_owned())));
            assert_eq!(acme(&board), expected, "{state}");
        }
        changed(&mut board, json!({"status": "completed"}));
        assert_eq!(acme(&board), Counts { closed: 1, ..Counts::default() });
        changed(&mut board, json!({"case": "withheld"}));
        assert_eq!(acme(&board), Counts { withheld: 1, ..Counts::default() });
        assert_eq!(board.sum(), acme(&board));
    }

    #[test]
    fn a_message_tells_whom_it_concerns_by_the_names_that_people_know() {
        let mut board = Board::new();
        let received = json!({"id": "T1", "kind": "alert", "title": "fan"});
        heard(&mut board, "out.acme.trigger.intelligence.received", "T1", received.clone());
        heard(&mut board, "out.bolt.trigger.intelligence.received", "T1", received);
        let matched = json!({"id": "T1", "kind": "alert", "title": "fan", "organization": "bolt", "count": 3});
        heard(&mut board, "out.bolt.trigger.intelligence.matched", "T1", matched);
        heard(&mut board, "out._unknown.dead.unknown-organization", "", json!({"detail": "there is none"}));
        assert_eq!(board.messages.len(), 1);
        assert_eq!(board.messages[0].concerns, BTreeMap::from([("Bolt Logistics".to_owned(), 3)]));
        assert_eq!((board.others.dead_letters, board.sum().messages), (1, 2));
        let last = board.events.back().unwrap();
        assert_eq!((&*last.clock, &*last.name, &*last.text), ("10:15:02.500", "unknown-organization", "there is none"));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut board = Board::new();
        for number in 0..1_000 {
            board.sent("acme", "bundle", &format!("e-{number}"), None);
            board.message(&number.to_string(), "alert", "fan");
        }
        assert_eq!((board.events.len(), board.messages.len()), (EVENTS_MOST, MESSAGES_MOST));
        assert_eq!(board.events.back().unwrap().text, "e-999");
    }
}
