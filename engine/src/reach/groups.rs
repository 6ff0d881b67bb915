//! Which configuration groups of ours a device has by the rows, and what it has of them otherwise, line by line with whose
//! each is.
//!
//! What lies beside our groups is neither read nor touched.

use std::sync::Arc;

use linesman_connectors::device::push::room_for;
use linesman_domain::activations::drift::{self, DriftRow, LineRow, State};
use linesman_domain::activations::origins;
use linesman_domain::activations::parts::{self, Goal, PartRow};
use linesman_domain::devices;
use linesman_domain::reached;
use linesman_domain::shelf::Shelf;
use linesman_domain::table::Table;
use linesman_redaction::{Redaction, Told};
use linesman_rules::configuration::{Line, Lines};
use linesman_rules::services::OnDrift;
use linesman_schemas::device::{DRIFT_LINE_MOST, DRIFT_LINES_MOST, DeviceState, DriftedLine, GroupRead};
use linesman_schemas::outcome::Failure;
use linesman_schemas::reaction::{self, GroupChange};
use linesman_schemas::{FilterLevel, OrgName, PlacePath};

use super::{Device, Hands};

/// How many templates are told of that drifted lines are of.
const TEMPLATES_MOST: usize = 64;

/// A configuration group that a device has, or is to have.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The device, as activations name it.
    pub on: String,
    /// The access line that it is for.
    pub line: PlacePath,
    /// The activation.
    pub activation: String,
    /// What the rows say of it.
    pub part: PartRow,
    /// How it was found when it was read back last, where it was otherwise once.
    pub known: Option<DriftRow>,
}

impl Group {
    /// What the device would be told of it; nothing where it was never told anything.
    pub fn change(&self) -> Option<GroupChange> {
        match self.part.goal {
            Goal::On if self.part.text.is_empty() => None,
            Goal::On => Some(GroupChange::Put { text: self.part.text.clone() }),
            Goal::Off | Goal::Gone => Some(GroupChange::Remove),
        }
    }
}

/// A group as its device has it.
#[derive(Debug, Clone)]
pub struct Compared {
    /// Which.
    pub group: Group,
    /// What the device has of it otherwise; none where that is not known, since it is being told, or is to lose it.
    pub found: Option<Found>,
}

/// What a device has of a group otherwise than it was told; nothing where it is in sync.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// What it lacks.
    pub missing: Vec<DriftedLine>,
    /// What it has besides.
    pub extra: Vec<DriftedLine>,
    /// The templates of all of it; empty for those lines of which none is known.
    pub templates: Vec<String>,
    /// What is done about it.
    pub action: OnDrift,
}

impl Found {
    /// Whether the device has it as it was told.
    pub const fn is_in_sync(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty()
    }
}

/// What a device has of groups.
struct Held {
    lines: Vec<Lines>,
    /// The secrets in it, which lines by themselves do not announce as blocks and marks do.
    secrets: Told,
}

impl Hands {
    /// The groups of a device by the name by which it is reached.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn groups(&self, org: &OrgName, name: &str) -> Result<Vec<Group>, linesman_domain::Error> {
        let Some(lane) = self.lane(org) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for on in self.called(org, name)? {
            for row in parts::groups_of(lane, org, &on) {
                let (group, owner) = row?;
                let part = Table::read(lane, &parts::key(&owner.line, &owner.activation))?;
                let Some(part) = part.filter(|part: &PartRow| part.device == on && part.group == group) else {
                    continue;
                };
                let known = Table::read(lane, &drift::key(org, &on, &group))?;
                let (line, activation, on) = (owner.line, owner.activation, on.clone());
                found.push(Group { name: group, on, line, activation, part, known });
            }
        }
        Ok(found)
    }

    /// How activations may call the device that is reached by a name, those that mean this one.
    fn called(&self, org: &OrgName, name: &str) -> Result<Vec<String>, linesman_domain::Error> {
        let device = Device { org: org.clone(), name: name.to_owned() };
        let (Some(lane), Some(row)) = (self.lane(org), self.row(&device)?) else { return Ok(Vec::new()) };
        let standing = self.standing(&device)?;
        let mut names = vec![name.to_owned()];
        match reached::serial_number(&row, standing.as_ref()) {
            Some(serial_number) => names.push(serial_number.to_owned()),
            None => {
                for serial_number in reached::of_host(lane, org, name) {
                    names.push(serial_number?);
                }
            }
        }
        names.dedup();
        let mut meant = Vec::new();
        for on in names {
            if self.way(&self.as_told(org, &on)?)?.as_deref() == Some(name) {
                meant.push(on);
            }
        }
        Ok(meant)
    }

    /// A device as it is told something.
    fn as_told(&self, org: &OrgName, on: &str) -> Result<reaction::Device, linesman_domain::Error> {
        let row = self.lane(org).map(|lane| Table::read(lane, &devices::key(org, on))).transpose()?.flatten();
        let host_name = row.map(|row| row.host_name).filter(|name| !name.is_empty());
        Ok(reaction::Device { organization: org.clone(), serial_number: on.to_owned(), host_name })
    }

    /// The name by which the device is reached that activations call so, where it may be asked something.
    ///
    /// # Errors
    /// Why not.
    pub fn answering(&self, org: &OrgName, on: &str) -> Result<String, String> {
        if self.is_suspended(org).map_err(|error| error.to_string())? {
            return Err(super::pushed::suspended(org));
        }
        let way = self.as_told(org, on).and_then(|device| self.way(&device));
        let name = way.map_err(|error| error.to_string())?;
        let name = name.ok_or_else(|| format!("`{org}` reaches no such device: `linesman device add`"))?;
        let device = Device { org: org.clone(), name };
        let standing = self.standing(&device).map_err(|error| error.to_string())?;
        match standing.map(|standing| standing.state) {
            Some(DeviceState::Unreachable) => Err("the device does not answer".to_owned()),
            _ => Ok(device.name),
        }
    }

    /// A device as it is told something, by the name by which it is reached.
    pub fn to_tell(org: &OrgName, name: &str) -> reaction::Device {
        reaction::Device { organization: org.clone(), serial_number: name.to_owned(), host_name: None }
    }

    /// Reads the groups of a device back, and holds them against what it was told.
    ///
    /// # Errors
    /// It is not reached, does not hand them out, or not within `patience`; or the rows cannot be read.
    pub async fn compare(
        self: &Arc<Self>,
        org: &OrgName,
        name: &str,
        patience: std::time::Duration,
    ) -> Result<Vec<Compared>, Failure> {
        let groups = self.groups(org, name).map_err(|error| super::pushed::failure(error.into()))?;
        let wanted: Vec<String> = groups
            .iter()
            .filter(|group| drift::readable(&group.part).is_some())
            .map(|group| group.name.clone())
            .collect();
        if wanted.is_empty() {
            return Ok(groups.into_iter().map(|group| Compared { group, found: None }).collect());
        }
        let room = room_for(groups.iter().filter_map(|group| drift::readable(&group.part)));
        let texts = self.held(&Self::to_tell(org, name), &wanted, (patience, room)).await?;
        let hands = Arc::clone(self);
        // The room is closed by nobody. What devices say lies in memory many times as long as it is, and of one at a time.
        let room = Arc::clone(&self.rooms.compared).acquire_owned().await.ok();
        let work = tokio::task::spawn_blocking(move || {
            let compared = hands.held_against(groups, &wanted, &texts);
            drop((texts, room));
            compared
        });
        let broke_off = |_| super::pushed::garbled("what it has of them was not held against what it was told");
        work.await.unwrap_or_else(|error| Err(broke_off(error)))
    }

    /// Holds groups against what was read of them.
    fn held_against(&self, groups: Vec<Group>, wanted: &[String], texts: &[String]) -> Result<Vec<Compared>, Failure> {
        let held: Result<Vec<Lines>, _> = texts.iter().map(|text| Lines::read(text)).collect();
        // A fault names what stands there.
        let secrets = Told::of(texts.iter().map(String::as_str));
        let held = held.map_err(|fault| super::pushed::garbled(&secrets.withhold(&fault.to_string())))?;
        let held = Held { lines: held, secrets };
        let shelf = Shelf::default();
        let compared = groups.into_iter().map(|group| {
            let found = match drift::readable(&group.part) {
                Some(text) if wanted.contains(&group.name) => Some(self.hold(&shelf, &group, text, &held)?),
                _ => None,
            };
            Ok(Compared { group, found })
        });
        let compared: Result<Vec<Compared>, linesman_domain::Error> = compared.collect();
        compared.map_err(|error| super::pushed::failure(error.into()))
    }

    /// Holds one group against what was read.
    fn hold(&self, shelf: &Shelf, group: &Group, text: &str, held: &Held) -> Result<Found, linesman_domain::Error> {
        let none = Lines::default();
        let found = held.lines.iter().find_map(|held| held.within(&["groups", &group.name]));
        let is_applied = held.lines.iter().any(|held| held.has(&["apply-groups", &group.name]));
        // It was printed from a configuration.
        let told = Lines::read(text).unwrap_or_default();
        let drift = told.drift(found.as_ref().unwrap_or(&none));
        if drift.is_empty() && is_applied {
            return Ok(Found::default());
        }
        let Some(lane) = self.lane(&group.line.organization) else { return Ok(Found::default()) };
        let templates = origins::templates(lane, shelf, (&group.line, &group.activation))?;
        let templates: Vec<(String, Lines)> = templates
            .into_iter()
            .map(|(file, rendered)| (file, Lines::read(&rendered.text()).unwrap_or_default()))
            .collect();
        let (redaction, secrets) = (Redaction::at(FilterLevel::All), Told::of([text]));
        let told = |line: &Line| held.secrets.withhold(&secrets.withhold(&redaction.statement(&line.to_string())));
        let owned = |line: &Line| DriftedLine {
            text: told(line),
            template: owner(line, &templates).unwrap_or_default().to_owned(),
        };
        let mut missing: Vec<DriftedLine> = drift.missing.iter().map(owned).collect();
        missing.extend(drift.moved.iter().map(|moved| DriftedLine { text: told(&moved.line), ..owned(&moved.of) }));
        let extra: Vec<DriftedLine> = drift.extra.iter().map(owned).collect();
        let mut of: Vec<String> = missing.iter().chain(&extra).map(|line| line.template.clone()).collect();
        if !is_applied {
            // All of it does not count then.
            missing.push(DriftedLine { text: format!("apply-groups {}", group.name), template: String::new() });
            of.extend(templates.into_iter().map(|(file, _)| file));
        }
        of.sort_unstable();
        of.dedup();
        let globals = shelf.globals(lane)?;
        let service = shelf.service(lane, &group.part.service, &group.part.version, &globals)?;
        let action = service.map(|service| service.definition.on_drift(of.iter().map(String::as_str)));
        Ok(Found { missing, extra, templates: of, action: action.unwrap_or_default() })
    }
}

/// The template that a line is of, or that what stands around it is of.
fn owner<'a>(line: &Line, templates: &'a [(String, Lines)]) -> Option<&'a str> {
    let near = templates.iter().map(|(file, rendered)| (rendered.nearness(line), file)).filter(|(near, _)| *near > 0);
    // Of several that are as near the first.
    near.rev().max_by_key(|(near, _)| *near).map(|(_, file)| file.as_str())
}

impl Compared {
    /// What is reported of it; nothing where it is not known.
    pub fn report(&self, device: &str, node: &str) -> Option<GroupRead> {
        let (found, text) = (self.found.as_ref()?, drift::readable(&self.group.part)?);
        let first = |lines: &[DriftedLine]| lines.iter().take(DRIFT_LINES_MOST).map(cut).collect::<Vec<_>>();
        let more = |lines: &[DriftedLine]| lines.len().saturating_sub(DRIFT_LINES_MOST) as u64;
        Some(GroupRead {
            device: device.to_owned(),
            serial_number: self.group.on.clone(),
            group: self.group.name.clone(),
            sha256: drift::digest(text),
            missing: first(&found.missing),
            more_missing: more(&found.missing),
            extra: first(&found.extra),
            more_extra: more(&found.extra),
            templates: found.templates.iter().take(TEMPLATES_MOST).cloned().collect(),
            node: node.to_owned(),
        })
    }
}

fn cut(line: &DriftedLine) -> DriftedLine {
    let template = line.template.clone();
    DriftedLine { text: line.text.chars().take(DRIFT_LINE_MOST).collect(), template }
}

/// Whether a report says more than is known.
pub(super) fn is_news(known: Option<&DriftRow>, read: &GroupRead, action: OnDrift) -> bool {
    let Some(known) = known else { return !read.is_in_sync() };
    if read.is_in_sync() {
        return known.state != State::InSync;
    }
    let state = if action == OnDrift::Accept { State::Accepted } else { State::Drifted };
    let rows = |lines: &[DriftedLine]| lines.iter().map(LineRow::from).collect::<Vec<_>>();
    known.state != state
        || known.missing != rows(&read.missing)
        || known.extra != rows(&read.extra)
        || (known.more_missing, known.more_extra) != (read.more_missing, read.more_extra)
        // It is told again once its time has come, which the log knows.
        || action == OnDrift::Restore
}
