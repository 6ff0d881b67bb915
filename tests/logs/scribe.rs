//! Whoever writes a log down: gives sequences and times, and lets the lanes decide along.

use std::path::Path;

use anyhow::Context as _;
use jiff::{Timestamp, ToSpan};
use linesman::log::books::pack;
use linesman::log::reader::InMessage;
use linesman::log::streams::lane_of;
use linesman::record::format::{Entry, Header};
use linesman::record::replay::{Replica, Shelf};
use linesman::record::writer::Writer;
use linesman_domain::audit::{Log, Owner};
use linesman_domain::state::Memory;
use linesman_domain::{jobs, sections};
use linesman_schemas::ReactionId;
use linesman_schemas::control::{
    ClockReading, Control, InstallationSection, IntelligenceRef, RuleBook, RuleBookRef, Section, SectionRef,
};
use linesman_schemas::event::{self, Received};
use linesman_schemas::service::ServicesSection;
use serde_json::{Value, json};

/// How many lanes the logs have.
pub(crate) const LANES: u32 = 4;
/// When IN was created.
const STREAM: &str = "2026-11-21T09:00:00Z";

/// A reaction that no report has ended.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) org: String,
    pub(crate) id: String,
    pub(crate) connector: String,
    pub(crate) incident: String,
    pub(crate) attempt: u32,
}

struct Lane {
    memory: Memory,
    replica: Replica,
}

/// Writes a log.
pub(crate) struct Scribe {
    writer: Writer,
    shelf: Shelf,
    lanes: Vec<Lane>,
    sequence: u64,
    version: u64,
    commands: u64,
    pub(crate) now: Timestamp,
    /// What was said last.
    pub(crate) said: Vec<(String, Received)>,
    pub(crate) pending: Vec<Pending>,
    /// The provider's own reaction that is pending, and which try is next.
    pub(crate) poll: Option<(String, u32)>,
    /// What time it is by the engine's clocks, where that is told to lanes that ask.
    pub(crate) clocks: Option<ClockReading>,
}

impl Scribe {
    pub(crate) fn begin(dir: &Path) -> anyhow::Result<Self> {
        let header = Header::new(STREAM, LANES, "record-logs");
        let writer = Writer::begin(dir, &header, true)?;
        let mut shelf = Shelf::new(dir);
        let mut lanes = Vec::new();
        for lane in 0..LANES {
            let memory = Memory::default();
            let replica = Replica::open(Box::new(memory.handle()), lane, STREAM, &mut shelf)?;
            lanes.push(Lane { memory, replica });
        }
        Ok(Self {
            writer,
            shelf,
            lanes,
            sequence: 0,
            version: 0,
            commands: 0,
            now: STREAM.parse()?,
            said: Vec::new(),
            pending: Vec::new(),
            poll: None,
            clocks: None,
        })
    }

    pub(crate) fn end(self) -> anyhow::Result<u64> {
        Ok(self.writer.end()?)
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, seconds: i64) -> anyhow::Result<()> {
        self.now = self.now.checked_add(seconds.seconds())?;
        Ok(())
    }

    /// An input of an organization, a few milliseconds after the last.
    pub(crate) fn send(&mut self, org: &str, kind: &str, payload: impl Into<Vec<u8>>) -> anyhow::Result<()> {
        self.input(lane_of(org, LANES), format!("{org}.{kind}"), payload.into())
    }

    /// A control message of a lane.
    pub(crate) fn control(&mut self, lane: u32, payload: impl Into<Vec<u8>>) -> anyhow::Result<()> {
        self.input(lane, "ctl".to_owned(), payload.into())
    }

    fn input(&mut self, lane: u32, subject: String, payload: Vec<u8>) -> anyhow::Result<()> {
        self.sequence += 1;
        self.now = self.now.checked_add(7_000_013_i64.nanoseconds())?;
        let message = InMessage { sequence: self.sequence, time: self.now, subject, payload: payload.into() };
        let entry = Entry { lane, message };
        self.writer.entry(&entry)?;
        self.said.clear();
        let number = lane;
        let Some(lane) = usize::try_from(lane).ok().and_then(|lane| self.lanes.get_mut(lane)) else { return Ok(()) };
        let reading = self.clocks.filter(|_| lane.replica.asks_time(&entry));
        if let Some(reading) = reading {
            lane.replica.read_ahead(self.sequence + 1, reading);
        }
        lane.replica.decide(&entry, &mut self.shelf)?;
        let decision = lane.replica.take()?;
        lane.memory.apply(&decision.writes);
        lane.replica.applied(&decision.writes);
        for message in &decision.messages {
            let events = event::read(&message.payload)?;
            self.said.extend(events.into_iter().map(|event| (message.subject.clone(), event)));
        }
        self.note_reactions();
        match reading {
            Some(reading) => self.control(number, serde_json::to_vec(&Control::Clock(reading))?),
            None => Ok(()),
        }
    }

    fn note_reactions(&mut self) {
        for (subject, event) in &self.said {
            let Some((org, connector)) = subject.split_once(".reaction.") else { continue };
            if !matches!(connector, "jss" | "partner" | "log" | "device") {
                continue;
            }
            self.pending.push(Pending {
                org: org.to_owned(),
                id: text(&event.data, "/id"),
                connector: connector.to_owned(),
                incident: text(&event.data, "/incident"),
                attempt: 1,
            });
        }
    }

    /// A rule book to all lanes.
    pub(crate) fn rules(&mut self, book: &RuleBook) -> anyhow::Result<()> {
        let (hash, content) = pack(book)?;
        self.writer.book(&hash, &content)?;
        self.version += 1;
        for lane in 0..LANES {
            let named =
                Control::RuleBook(RuleBookRef { version: self.version, hash: hash.clone(), sections: Vec::new() });
            self.control(lane, serde_json::to_vec(&named)?)?;
            if lane == 0 && self.version == 1 {
                self.poll = Some((ReactionId::of_provider(self.sequence, self.now).to_string(), 1));
            }
        }
        Ok(())
    }

    /// A rule book in sections to all lanes; a whole one holds what each of them is read from.
    pub(crate) fn rules_in_sections(&mut self, book: &RuleBook) -> anyhow::Result<String> {
        let (hash, content) = pack(book)?;
        self.writer.book(&hash, &content)?;
        self.version += 1;
        let section = |section| SectionRef { section, hash: hash.clone() };
        let sections = vec![section(Section::Policies), section(Section::Settings)];
        for lane in 0..LANES {
            let named = RuleBookRef { version: self.version, hash: hash.clone(), sections: sections.clone() };
            self.control(lane, serde_json::to_vec(&Control::RuleBook(named))?)?;
        }
        Ok(hash)
    }

    /// A rule book with services to all lanes.
    pub(crate) fn rules_with_services(&mut self, book: &RuleBook, services: &ServicesSection) -> anyhow::Result<()> {
        let (whole, of_services) = (pack(book)?, pack(services)?);
        for (hash, content) in [&whole, &of_services] {
            self.writer.book(hash, content)?;
        }
        self.version += 1;
        let section = |section, (hash, _): &(String, Vec<u8>)| SectionRef { section, hash: hash.clone() };
        let sections = vec![
            section(Section::Policies, &whole),
            section(Section::Services, &of_services),
            section(Section::Settings, &whole),
        ];
        let named = sections::reference(self.version, sections);
        for lane in 0..LANES {
            self.control(lane, serde_json::to_vec(&Control::RuleBook(named.clone()))?)?;
        }
        Ok(())
    }

    /// A rule book in sections that says how the installation is connected.
    pub(crate) fn rules_installed(&mut self, book: &RuleBook, installed: InstallationSection) -> anyhow::Result<()> {
        let (whole, of_installation) = (pack(book)?, pack(&installed)?);
        for (hash, content) in [&whole, &of_installation] {
            self.writer.book(hash, content)?;
        }
        self.version += 1;
        let section = |section, (hash, _): &(String, Vec<u8>)| SectionRef { section, hash: hash.clone() };
        let sections = vec![
            section(Section::Installation, &of_installation),
            section(Section::Policies, &whole),
            section(Section::Settings, &whole),
        ];
        let named = sections::reference(self.version, sections);
        for lane in 0..LANES {
            self.control(lane, serde_json::to_vec(&Control::RuleBook(named.clone()))?)?;
        }
        Ok(())
    }

    /// An intelligence message of the provider's: lane 0 is asked to take it in, and every lane is handed it under a number.
    pub(crate) fn provided(&mut self, principal: &Value, number: u64, id: &str, message: &Value) -> anyhow::Result<()> {
        let (sha256, content) = pack(message)?;
        self.writer.book(&sha256, &content)?;
        let bytes = content.len() as u64;
        self.ask(principal, "", &json!({"add_intelligence": {"id": id, "sha256": sha256, "bytes": bytes}}))?;
        let named = IntelligenceRef { number, id: id.to_owned(), sha256, bytes };
        for lane in 0..LANES {
            self.control(lane, serde_json::to_vec(&Control::Intelligence(named.clone()))?)?;
        }
        Ok(())
    }

    /// Says the last rule book again.
    pub(crate) fn rules_again(&mut self, book: &RuleBook) -> anyhow::Result<()> {
        self.version -= 1;
        self.rules(book)
    }

    /// A command under an id of its own.
    pub(crate) fn command(&mut self, org: &str, verb: &Value) -> anyhow::Result<()> {
        self.commands += 1;
        let id = format!("command-{}", self.commands);
        self.command_as(&id, org, verb)
    }

    pub(crate) fn command_as(&mut self, id: &str, org: &str, verb: &Value) -> anyhow::Result<()> {
        let command = json!({"id": id, "actor": "ann", "node": "n1", "verb": verb});
        self.send(org, "cmd", command.to_string())
    }

    /// A command of somebody under an id of its own; to the provider where `org` is empty.
    pub(crate) fn ask(&mut self, principal: &Value, org: &str, verb: &Value) -> anyhow::Result<()> {
        self.commands += 1;
        let id = format!("command-{}", self.commands);
        self.ask_as(&id, principal, org, verb)
    }

    pub(crate) fn ask_as(&mut self, id: &str, principal: &Value, org: &str, verb: &Value) -> anyhow::Result<()> {
        let command = json!({"id": id, "principal": principal, "node": "n1", "verb": verb});
        match org {
            "" => self.control(0, json!({"command": command}).to_string()),
            org => self.send(org, "cmd", command.to_string()),
        }
    }

    /// One slice of the work on an organization's lane; whether there is more.
    pub(crate) fn slice(&mut self, org: &str) -> anyhow::Result<bool> {
        let lane = lane_of(org, LANES);
        self.control(lane, serde_json::to_vec(&Control::Continue)?)?;
        self.has_work(lane)
    }

    /// All work in slices, the lanes in turn.
    pub(crate) fn work(&mut self) -> anyhow::Result<()> {
        for lane in 0..LANES {
            while self.has_work(lane)? {
                self.control(lane, serde_json::to_vec(&Control::Continue)?)?;
            }
        }
        Ok(())
    }

    /// How far the audit's log of an organization has grown, or without one the provider's of lane 0: its size and root.
    pub(crate) fn log(&self, org: &str) -> anyhow::Result<(u64, String)> {
        let owner = if org.is_empty() { Owner::Provider(0) } else { org.parse()? };
        let lane = if org.is_empty() { 0 } else { lane_of(org, LANES) };
        let lane = self.lanes.get(usize::try_from(lane)?).context("no such lane")?;
        let log = Log::open(&lane.memory, &owner)?;
        Ok((log.head().size(), log.head().root().to_string()))
    }

    fn has_work(&self, lane: u32) -> anyhow::Result<bool> {
        let lane = usize::try_from(lane).ok().and_then(|lane| self.lanes.get(lane));
        Ok(lane.and_then(|lane| jobs::all(&lane.memory).next()).transpose()?.is_some())
    }

    /// A connector's report on a pending reaction, which it ends or lets be tried again.
    pub(crate) fn report(&mut self, pending: &Pending, outcome: &Value) -> anyhow::Result<()> {
        let attempt = json!({"reaction": pending.id, "attempt": pending.attempt, "requests": 2, "outcome": outcome});
        self.send(&pending.org, "result", json!({"attempt": attempt}).to_string())?;
        let is_over = outcome.get("done").is_some()
            || self.said.iter().any(|(subject, _)| subject.contains(".dead.reaction-failed"));
        if is_over {
            self.pending.retain(|other| other.id != pending.id);
        } else if let Some(other) = self.pending.iter_mut().find(|other| other.id == pending.id) {
            other.attempt += 1;
        }
        Ok(())
    }

    /// Devices answer what they were told, the longest waiting first, so many of them; then follows what follows.
    pub(crate) fn answer(&mut self, outcome: &Value, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            let waiting = self.pending.iter().find(|pending| pending.connector == "device").cloned();
            let Some(pending) = waiting else { break };
            self.report(&pending, outcome)?;
        }
        self.work()
    }

    /// What became of the provider's poll.
    pub(crate) fn polled(&mut self, outcome: &Value) -> anyhow::Result<()> {
        let Some((id, attempt)) = self.poll.clone() else { return Ok(()) };
        let report = json!({"reaction": id, "attempt": attempt, "requests": 1, "outcome": outcome});
        self.control(0, json!({"attempt": report}).to_string())?;
        self.poll = Some(match outcome.get("done").is_some() {
            true => (ReactionId::of_provider(self.sequence, self.now).to_string(), 1),
            false => (id, attempt + 1),
        });
        Ok(())
    }

    /// The pending reaction of a connector for an incident.
    pub(crate) fn pending_for(&self, incident: &str, connector: &str) -> anyhow::Result<Pending> {
        let found = self.pending.iter().rev().find(|p| p.incident == incident && p.connector == connector);
        found.cloned().ok_or_else(|| anyhow::anyhow!("nothing is pending at {connector} for {incident}"))
    }

    /// A tick to every lane.
    pub(crate) fn tick(&mut self) -> anyhow::Result<()> {
        for lane in 0..LANES {
            self.control(lane, serde_json::to_vec(&Control::Tick)?)?;
        }
        Ok(())
    }
}

/// A text in JSON; empty where there is none.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
