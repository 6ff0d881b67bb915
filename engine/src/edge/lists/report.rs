//! `/api/v1/intelligence-report`: devices with the messages that concern them.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::intelligence::{Kind, Relevance};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::walk::{OrgRows, Walk, answer};
use super::{Error, Stored, page, text_key};
use crate::edge::filters::tables::IntelligenceReport;
use crate::edge::filters::{Filter, Limit, Listing, passes};
use crate::edge::paging::{Page, Paging, Value};
use crate::edge::sources::Sources;
use crate::edge::transport::params::Params;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use linesman_domain::devices::{self, DeviceRow};
use linesman_domain::intelligence::impact::Impact;
use linesman_domain::intelligence::provided;
use linesman_domain::intelligence::relevance::Traits;
use linesman_domain::intelligence::{INTELLIGENCE, MessageRow};
use linesman_domain::sight::Sight;
use linesman_domain::snapshots::parts;

/// A device with the messages that concern it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConcernedDevice {
    /// Whose it is.
    #[schema(value_type = String)]
    organization: OrgName,
    /// Its chassis serial number.
    serial_number: String,
    /// Its host name.
    host_name: String,
    /// Its model.
    product: String,
    /// Its system family; empty where it is not known.
    platform: String,
    /// The version of its operating system.
    os_version: String,
    /// The messages that concern it, by id: first those of the organization, then the provider's.
    messages: Vec<ConcerningMessage>,
}

/// A message that concerns a device.
#[derive(Debug, Serialize, ToSchema)]
struct ConcerningMessage {
    /// Whose it is; null for one of the provider's.
    #[schema(value_type = Option<String>)]
    organization: Option<OrgName>,
    /// Its id at its source.
    id: String,
    /// What kind of message.
    #[schema(schema_with = words::kind)]
    kind: Kind,
    /// One line.
    title: String,
    /// When the source issued it.
    issued: Timestamp,
    /// Why, a reason for each list that the message gives, such as `product MX*`; or `everybody`.
    reasons: Vec<String>,
}

/// Devices that bug notices and end-of-life notices concern, with these, page by page.
#[utoipa::path(
    get, path = "/api/v1/intelligence-report", operation_id = "intelligence-report", tag = "intelligence",
    params(IntelligenceReport),
    responses((status = 200, description = "A page.", body = Page<ConcernedDevice>))
)]
pub(in crate::edge) async fn report(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<IntelligenceReport>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, viewer, move |walk| {
        let provided = Ready::provided(walk, &list)?;
        page(walk, &Report { list, held: Mutex::new(Held { provided, own: None }) }, &paging)
    })
    .await
}

/// Messages, ready to be held against devices.
#[derive(Debug)]
struct Ready {
    messages: Vec<MessageRow>,
    impact: Impact,
}

impl Default for Ready {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

impl Ready {
    fn of(messages: Vec<MessageRow>) -> Self {
        let relevances: Vec<Relevance> = messages.iter().map(|row| row.relevance.clone().into()).collect();
        Self { impact: Impact::of(&relevances), messages }
    }

    /// Those of the provider's that are asked for, where they are seen.
    fn provided(walk: &Walk, list: &IntelligenceReport) -> Result<Self, Error> {
        let mut messages = Vec::new();
        if let Some(lane) = walk.lane_of_provider(0) {
            for row in provided::all(lane) {
                walk.step()?;
                messages.extend(Some(row?.message).filter(|row| is_asked_for(list, row)));
            }
        }
        Ok(Self::of(messages))
    }

    /// Those of an organization that are asked for. Whoever sees it in part is shown those that name serial numbers.
    fn own(rows: &OrgRows<'_>, org: &OrgName, list: &IntelligenceReport) -> Result<Self, Error> {
        let mut messages = Vec::new();
        for row in INTELLIGENCE.rows(rows.lane, &[org.as_str()]) {
            let row = row?.1.message;
            let is_shown = rows.sight.is_none() || !row.relevance.serial_numbers.is_empty();
            messages.extend(Some(row).filter(|row| is_shown && is_asked_for(list, row)));
        }
        Ok(Self::of(messages))
    }

    fn on(&mut self, device: &Traits<'_>, whose: Option<&OrgName>) -> Vec<ConcerningMessage> {
        let Self { messages, impact } = self;
        let places = impact.on(device);
        let message = |place: usize| {
            let (row, reasons) = (messages.get(place)?, impact.reasons(place, device)?);
            Some(ConcerningMessage {
                organization: whose.cloned(),
                id: row.id.clone(),
                kind: row.kind,
                title: row.title.clone(),
                issued: row.issued,
                reasons: reasons.iter().map(ToString::to_string).collect(),
            })
        };
        places.into_iter().filter_map(message).collect()
    }
}

fn is_asked_for(list: &IntelligenceReport, row: &MessageRow) -> bool {
    let is_kind = match list.kind {
        Some(kind) => kind == row.kind,
        None => matches!(row.kind, Kind::BugNotice | Kind::EndOfLife),
    };
    is_kind && passes(list.message.as_ref(), &row.id)
}

/// A list, and the messages it is about.
#[derive(Debug, Deserialize)]
struct Report {
    #[serde(flatten)]
    list: IntelligenceReport,
    /// Nobody else has it: a list is to be shared, and messages are held against devices one by one.
    #[serde(skip)]
    held: Mutex<Held>,
}

/// The provider's messages, and those of the organization that is walked.
#[derive(Debug, Default)]
struct Held {
    provided: Ready,
    own: Option<(OrgName, Ready)>,
}

impl Report {
    fn messages(
        &self,
        rows: &OrgRows<'_>,
        org: &OrgName,
        (serial_number, device): (&str, &DeviceRow),
    ) -> Result<Vec<ConcerningMessage>, Error> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Held { provided, own } = &mut *held;
        let ready = match own.take() {
            Some((of, ready)) if of == *org => ready,
            _ => Ready::own(rows, org, &self.list)?,
        };
        let (_, ready) = own.insert((org.clone(), ready));
        let parts = match ready.impact.names_serial_numbers() || provided.impact.names_serial_numbers() {
            true => parts::parts(rows.lane, org, serial_number)?,
            false => Vec::new(),
        };
        let device = Traits::of(serial_number, device, &parts);
        let mut found = ready.on(&device, Some(org));
        found.extend(provided.on(&device, None));
        Ok(found)
    }
}

impl Listing for Report {
    const SORTS: &'static [&'static str] = IntelligenceReport::SORTS;
    const FILTERS: &'static [Filter] = IntelligenceReport::FILTERS;

    fn take(&mut self) -> (Option<Limit>, Option<String>, Option<String>) {
        self.list.take()
    }
}

impl Stored for Report {
    type Row = DeviceRow;
    type Item = ConcernedDevice;

    fn prefix(organization: &str, own: &[u8]) -> Vec<u8> {
        devices::within(organization, own)
    }

    fn organization(&self) -> Option<&OrgName> {
        self.list.organization.as_ref()
    }

    fn is_seen(_: &OrgRows<'_>, sight: &Sight, _: &OrgName, key: &[u8], row: &mut DeviceRow) -> Result<bool, Error> {
        Ok(sight.has(&text_key(key), Some(row)))
    }

    fn value(_: &str, row: &DeviceRow) -> Value {
        Value::Text(row.host_name.clone())
    }

    fn item(
        &self,
        rows: &OrgRows<'_>,
        org: &OrgName,
        key: &[u8],
        row: DeviceRow,
    ) -> Result<Option<(ConcernedDevice, usize)>, Error> {
        let serial_number = text_key(key);
        if !passes(self.list.serial_number.as_ref(), &serial_number) {
            return Ok(None);
        }
        let messages = self.messages(rows, org, (&serial_number, &row))?;
        if messages.is_empty() {
            return Ok(None);
        }
        let bytes = |message: &ConcerningMessage| {
            message.title.len() + message.id.len() + message.reasons.iter().map(String::len).sum::<usize>() + 128
        };
        let more = messages.iter().map(bytes).sum();
        let DeviceRow { host_name, product, platform, os_version, .. } = row;
        let organization = org.clone();
        let device =
            ConcernedDevice { organization, serial_number, host_name, product, platform, os_version, messages };
        Ok(Some((device, more)))
    }
}
