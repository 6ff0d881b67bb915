//! Service contracts of organizations, as they were imported, and that they end.
//!
//! Of each line it is said once that it ends within [`AHEAD_DAYS`] days, and once that it has ended, by the log's clock. A job
//! looks once a day, and after each change. What had ended when it came is known to whoever brought it.

use std::rc::Rc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use linesman_rules::{Field, Subject, SubjectKind, Value};
use linesman_schemas::OrgName;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Contract, ContractChanges};
use linesman_schemas::trigger::{ContractData, Trigger};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Error;
use super::commands::Answer;
use super::commands::held::told;
use super::desk::Desk;
use super::devices::{DeviceRow, Devices};
use super::outgoing::Topic;
use super::policies::Fired;
use super::state::Base;
use super::subject::text;
use super::table::{Key, Row, Table};

/// How many lines of contracts an organization may have.
pub const CONTRACTS_MOST: usize = 20_000;
/// How many days before its end it is said that a contract ends.
pub const AHEAD_DAYS: i64 = 30;

/// What was said of a contract. Stored by its place: a new word is added at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// Nothing.
    Running,
    /// That it ends soon.
    Expiring,
    /// That it has ended.
    Ended,
}

/// A line of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractRow {
    /// The number of the agreement.
    pub agreement_number: String,
    /// How the agreement stands, as its issuer says it.
    pub status: String,
    /// What was bought.
    pub sku: String,
    /// Of what type that is.
    pub sku_type: String,
    /// Its first day; empty where that is not known.
    pub start: String,
    /// Its last day.
    pub end: String,
    /// The device it covers.
    pub serial_number: String,
    /// The part number of that.
    pub part_number: String,
    /// What was said of its end.
    pub said: Stage,
}

impl Row for ContractRow {}

impl ContractRow {
    fn new(contract: Contract, said: Stage) -> Self {
        let Contract { agreement_number, status, sku, sku_type, start, end, serial_number, part_number } = contract;
        Self { agreement_number, status, sku, sku_type, start, end, serial_number, part_number, said }
    }

    /// How it stands at a moment. Its last day is a day of UTC, and counts to its end.
    fn stage(&self, now: Timestamp) -> Stage {
        let ends = self.end.parse::<Date>().ok().and_then(|day| day.tomorrow().ok());
        let moment = |date: Date| date.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |at| at.timestamp());
        let ahead = ends.and_then(|ends| ends.checked_sub(AHEAD_DAYS.days()).ok());
        match (ends.map(moment), ahead.map(moment)) {
            (Some(ends), _) if ends <= now => Stage::Ended,
            (_, Some(ahead)) if ahead <= now => Stage::Expiring,
            _ => Stage::Running,
        }
    }

    /// By what it is named: agreement, serial number and SKU.
    fn name(&self) -> String {
        format!("{} {} {}", self.agreement_number, self.serial_number, self.sku)
    }
}

impl From<ContractRow> for Contract {
    fn from(row: ContractRow) -> Self {
        let ContractRow { agreement_number, status, sku, sku_type, start, end, serial_number, part_number, said: _ } =
            row;
        Self { agreement_number, status, sku, sku_type, start, end, serial_number, part_number }
    }
}

/// The table of contracts.
pub const CONTRACTS: Table<ContractRow> = Table::new(b'$');

/// The key of a line of a contract.
pub fn key(org: &OrgName, agreement_number: &str, serial_number: &str, sku: &str) -> Key<ContractRow> {
    CONTRACTS.key(&[org.as_str(), agreement_number, serial_number], sku.as_bytes())
}

fn key_of(org: &OrgName, contract: &Contract) -> Key<ContractRow> {
    key(org, &contract.agreement_number, &contract.serial_number, &contract.sku)
}

/// An organization's contracts, by agreement, serial number and SKU; of one agreement where it is named.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(
    base: &(impl Base + ?Sized),
    org: &OrgName,
    agreement_number: Option<&str>,
) -> Result<Vec<ContractRow>, Error> {
    let texts: Vec<&str> = [org.as_str()].into_iter().chain(agreement_number).collect();
    CONTRACTS.rows(base, &texts).map(|row| row.map(|(_, row)| row)).collect()
}

/// Changes contracts: all of it, or nothing where any of it is wrong.
pub(crate) fn change(desk: &mut Desk, org: &OrgName, changes: &ContractChanges) -> Result<Answer, Error> {
    let mut gone = Vec::new();
    let mut faults = Vec::new();
    for number in &changes.removed {
        let lines = all(desk.state(), org, Some(number))?;
        if lines.is_empty() {
            faults.push(format!("there is no contract `{number}`"));
        }
        gone.extend(lines);
    }
    if !faults.is_empty() {
        return Ok(Answer::refused(Verdict::NotFound, told(faults.into_iter())));
    }
    let mut old: Vec<Contract> = gone.iter().cloned().map(Contract::from).collect();
    for row in &gone {
        desk.remove(key(org, &row.agreement_number, &row.serial_number, &row.sku));
    }
    for contract in &changes.contracts {
        let key = key_of(org, contract);
        let known = desk.read(&key)?;
        let said = match &known {
            // Of another end it is said anew.
            Some(row) if row.end == contract.end => row.said,
            _ => match ContractRow::new(contract.clone(), Stage::Running).stage(desk.now) {
                Stage::Ended => Stage::Ended,
                Stage::Running | Stage::Expiring => Stage::Running,
            },
        };
        old.extend(known.map(Contract::from));
        desk.write(key, &ContractRow::new(contract.clone(), said))?;
    }
    Ok(Answer::done("changed", json!({ "contracts": old }), json!(changes)))
}

/// Why so many more contracts cannot be kept; none where they can.
pub(crate) fn refusal(desk: &Desk, org: &OrgName, changes: &ContractChanges) -> Result<Option<Answer>, Error> {
    let mut count = CONTRACTS.rows(desk.state(), &[org.as_str()]).count();
    for contract in &changes.contracts {
        count += usize::from(desk.read(&key_of(org, contract))?.is_none());
    }
    let detail = || format!("an organization has at most {CONTRACTS_MOST} lines of contracts");
    Ok((count > CONTRACTS_MOST).then(|| Answer::refused(Verdict::Conflict, detail())))
}

/// Whether something is to be said of a contract.
pub(crate) fn is_due(row: &ContractRow, now: Timestamp) -> bool {
    row.stage(now) > row.said
}

/// Whether the lane has any.
pub(crate) fn has_any(desk: &Desk) -> Result<bool, Error> {
    let prefix = CONTRACTS.prefix(&[], &[]);
    Ok(desk.first(std::ops::Bound::Included(&prefix), &prefix)?.is_some())
}

/// Says of a contract that it ends or has ended, where it does and that was not said; what policies are then to judge.
pub(crate) fn look_at(
    desk: &mut Desk,
    devices: &Devices,
    org: &OrgName,
    row: &ContractRow,
) -> Result<Option<(Fired, ContractSubject)>, Error> {
    let stage = row.stage(desk.now);
    if stage <= row.said {
        return Ok(None);
    }
    let row = ContractRow { said: stage, ..row.clone() };
    desk.write(key(org, &row.agreement_number, &row.serial_number, &row.sku), &row)?;
    let subject = subject(desk, devices, org, row)?;
    let (trigger, about) = (Trigger::ContractExpiring, subject.row.name());
    desk.tally.trigger(trigger.as_str());
    let event = desk.say(&Topic::Trigger(org.clone(), trigger), org, Some(&about), subject.data())?;
    Ok(Some((Fired { trigger, event, about, is_providers: false }, subject)))
}

/// A contract that is kept, by its name.
pub(crate) fn find(
    desk: &Desk,
    devices: &Devices,
    org: &OrgName,
    name: &str,
) -> Result<Option<ContractSubject>, Error> {
    let row = all(desk.state(), org, None)?.into_iter().find(|row| row.name() == name);
    row.map(|row| subject(desk, devices, org, row)).transpose()
}

fn subject(desk: &Desk, devices: &Devices, org: &OrgName, row: ContractRow) -> Result<ContractSubject, Error> {
    let device = devices.find(desk, org, &row.serial_number)?.unwrap_or_else(|| Rc::new(DeviceRow::unknown()));
    Ok(ContractSubject { has_ended: row.stage(desk.now) == Stage::Ended, row, device })
}

/// A contract, as policies see it.
#[derive(Debug, Clone)]
pub(crate) struct ContractSubject {
    row: ContractRow,
    device: Rc<DeviceRow>,
    has_ended: bool,
}

impl ContractSubject {
    fn data(&self) -> ContractData<'_> {
        let row = &self.row;
        ContractData {
            agreement_number: &row.agreement_number,
            status: &row.status,
            sku: &row.sku,
            sku_type: &row.sku_type,
            start: &row.start,
            end: &row.end,
            has_ended: self.has_ended,
            serial_number: &row.serial_number,
            part_number: &row.part_number,
            host_name: &self.device.host_name,
        }
    }
}

impl Subject for ContractSubject {
    fn kind(&self) -> SubjectKind {
        SubjectKind::Contract
    }

    fn value(&self, field: Field) -> Value<'_> {
        let row = &self.row;
        match field {
            Field::AgreementNumber => Value::Text(&row.agreement_number),
            Field::Status => text(&row.status),
            Field::Sku => Value::Text(&row.sku),
            Field::SkuType => text(&row.sku_type),
            Field::Start => text(&row.start),
            Field::Ends => Value::Text(&row.end),
            Field::HasEnded => Value::Flag(self.has_ended),
            Field::PartNumber => text(&row.part_number),
            Field::DeviceSerialNumber => Value::Text(&row.serial_number),
            Field::DeviceHostName => text(&self.device.host_name),
            Field::DeviceProduct => text(&self.device.product),
            Field::DeviceGroup => text(&self.device.group),
            _ => Value::Absent,
        }
    }
}
