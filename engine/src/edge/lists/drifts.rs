//! `/api/v1/drifts`: configuration groups that devices were found to have otherwise than they were told.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain::activations::drift::{self, DriftRow, LineRow};
use linesman_domain::activations::parts::{self, GroupRow, PartRow};
use linesman_domain::sight::Sight;
use linesman_domain::table::Table;
use linesman_schemas::{OrgName, Place, PlacePath, ServiceName, SubscriptionName};
use serde::Serialize;
use utoipa::ToSchema;

use super::reached::Reached;
use super::walk::{OrgRows, answer};
use super::{Error, Stored, page};
use crate::edge::filters::passes;
use crate::edge::filters::tables::Drifts;
use crate::edge::owned::OwnedLine;
use crate::edge::paging::{Page, Paging, Value};
use crate::edge::sources::Sources;
use crate::edge::transport::params::Params;
use crate::edge::transport::problem::Problem;
use crate::edge::undone::OPERATION;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use crate::store::Lane;

/// A configuration group that a device was found to have otherwise than it was told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Drift)]
pub(super) struct Item {
    /// Whose device.
    #[schema(value_type = String)]
    organization: OrgName,
    /// The name by which that is reached.
    device: String,
    /// Its serial number, or its host name where that is not known.
    serial_number: String,
    /// The group.
    group: String,
    /// The access line that it is for.
    #[schema(schema_with = words::place)]
    place: PlacePath,
    /// The activation.
    activation: String,
    /// The subscription that it is of.
    #[schema(value_type = String)]
    subscription: SubscriptionName,
    /// The service.
    #[schema(value_type = String)]
    service: ServiceName,
    /// How it is: `drifted`, `accepted` where that counts until it is told anew, or `in-sync` again.
    state: &'static str,
    /// Since when, as far as it was looked at.
    since: Timestamp,
    /// How many lines the device lacks.
    missing: u64,
    /// How many it has besides.
    extra: u64,
    /// The first of those that it lacks, for whoever may read its configuration.
    missing_lines: Vec<OwnedLine>,
    /// The first of those that it has besides, likewise.
    extra_lines: Vec<OwnedLine>,
    /// When the device had it again, told for that; null where it did not.
    restored: Option<Timestamp>,
    /// How often.
    restores: u32,
}

/// Configuration groups that devices have otherwise than they were told, page by page.
#[utoipa::path(
    get, path = "/api/v1/drifts", operation_id = "drifts", tag = "devices", params(Drifts),
    responses((status = 200, description = "A page.", body = Page<Item>))
)]
pub(in crate::edge) async fn drifts(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<Drifts>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, viewer, move |walk| page(walk, &list, &paging)).await
}

impl Stored for Drifts {
    type Row = DriftRow;
    type Item = Item;

    fn prefix(organization: &str, own: &[u8]) -> Vec<u8> {
        drift::within(organization, own)
    }

    fn organization(&self) -> Option<&OrgName> {
        self.organization.as_ref()
    }

    fn is_seen(
        rows: &OrgRows<'_>,
        sight: &Sight,
        org: &OrgName,
        key: &[u8],
        row: &mut DriftRow,
    ) -> Result<bool, Error> {
        let Some(owned) = Owned::of(rows.lane, org, key)? else { return Ok(false) };
        if !rows.viewer.sees_place(&Place::Below(owned.row.line)) {
            return Ok(false);
        }
        Reached::is_seen_of(rows, sight, org, &row.device)
    }

    fn value(_: &str, row: &DriftRow) -> Value {
        Value::Time(row.since)
    }

    fn item(
        &self,
        rows: &OrgRows<'_>,
        org: &OrgName,
        key: &[u8],
        row: DriftRow,
    ) -> Result<Option<(Item, usize)>, Error> {
        let Some(owned) = Owned::of(rows.lane, org, key)? else { return Ok(None) };
        let is_wanted = passes(self.device.as_ref(), &row.device)
            && passes(self.group.as_ref(), &owned.group)
            && passes(self.state.as_ref(), row.state.as_str());
        if !is_wanted {
            return Ok(None);
        }
        let item = Item::new(rows.viewer, org.clone(), owned, row);
        let bytes = key.len() + 64 * (item.missing_lines.len() + item.extra_lines.len());
        Ok(Some((item, bytes)))
    }
}

/// Whose a group is.
pub(super) struct Owned {
    device: String,
    group: String,
    row: GroupRow,
    part: PartRow,
}

impl Owned {
    /// By a row's own key; none where it is nobody's any more.
    fn of(lane: &Lane, org: &OrgName, key: &[u8]) -> Result<Option<Self>, Error> {
        let Some((device, group)) = drift::names(key) else { return Ok(None) };
        let Some(row) = Table::read(lane, &parts::group_key(org, &device, &group))? else { return Ok(None) };
        let part = Table::read(lane, &parts::key(&row.line, &row.activation))?;
        Ok(part.map(|part| Self { device, group, row, part }))
    }
}

impl Item {
    fn new(viewer: &Viewer, organization: OrgName, owned: Owned, row: DriftRow) -> Self {
        // Lines are shown to whoever may have the whole configuration read.
        let is_shown = viewer.may(OPERATION, &Place::Organization(organization.clone())).is_ok();
        let lines = |lines: &[LineRow]| {
            let shown = lines.iter().filter(|_| is_shown);
            shown.map(|line| OwnedLine { text: line.text.clone(), template: line.template.clone() }).collect::<Vec<_>>()
        };
        let Owned { device: serial_number, group, row: owner, part } = owned;
        Self {
            organization,
            serial_number,
            group,
            place: owner.line,
            activation: owner.activation,
            subscription: part.name,
            service: part.service,
            state: row.state.as_str(),
            since: row.since,
            missing: row.missing.len() as u64 + row.more_missing,
            extra: row.extra.len() as u64 + row.more_extra,
            missing_lines: lines(&row.missing),
            extra_lines: lines(&row.extra),
            restored: row.restored,
            restores: row.restores,
            device: row.device,
        }
    }
}
