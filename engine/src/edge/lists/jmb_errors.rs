//! `/api/v1/jmb-errors`: files of devices that are no bundles.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_schemas::OrgName;
use serde::Serialize;
use utoipa::ToSchema;

use super::reached::{Reached, named};
use super::walk::{OrgRows, answer};
use super::{Error, Stored, page};
use crate::edge::filters::passes;
use crate::edge::filters::tables::JmbErrors;
use crate::edge::paging::{Page, Paging, Value};
use crate::edge::paths::JmbErrorPath;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use linesman_domain::reached::{self, JmbErrorRow, WishRow};
use linesman_domain::sight::Sight;

/// A file of a device that is no bundle.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JmbError {
    /// Whose device.
    #[schema(value_type = String)]
    organization: OrgName,
    /// The name by which that is reached.
    device: String,
    /// What it is called.
    id: String,
    /// The file's name; what is no printable character is written as `\u001b`, a byte that is no text as `\xff`.
    file: String,
    /// How many bytes it has.
    size: u64,
    /// When it was changed last, by the device's clock.
    #[schema(nullable)]
    modified: Option<Timestamp>,
    /// When it was set aside.
    found: Timestamp,
    /// What is wrong with it, by name.
    fault: String,
    /// What is wrong with it, in words.
    detail: String,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    line: Option<u64>,
    /// The column, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    column: Option<u64>,
    /// What somebody has asked for, and is done when the device is next looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    wish: Option<Wish>,
}

/// What somebody has asked for of a file.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = JmbErrorWish)]
enum Wish {
    /// That it is removed from the device.
    Delete,
    /// That it is checked once more.
    Recheck,
}

/// A file with its beginning.
#[derive(Debug, Serialize, ToSchema)]
struct JmbErrorWithHead {
    #[serde(flatten)]
    error: JmbError,
    /// Its beginning; what is no UTF-8 is replaced.
    head: String,
}

/// Files that are no bundles, page by page.
#[utoipa::path(
    get, path = "/api/v1/jmb-errors", operation_id = "jmb-errors", tag = "devices", params(JmbErrors),
    responses((status = 200, description = "A page.", body = Page<JmbError>))
)]
pub(in crate::edge) async fn jmb_errors(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<JmbErrors>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, viewer, move |walk| page(walk, &list, &paging)).await
}

/// One file, with its beginning.
#[utoipa::path(
    get, path = "/api/v1/jmb-errors/{organization}/{device}/{id}", operation_id = "jmb-error", tag = "devices",
    params(JmbErrorPath), responses((status = 200, description = "The file.", body = JmbErrorWithHead))
)]
pub(in crate::edge) async fn jmb_error(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(JmbErrorPath { organization, device, id }): PathOf<JmbErrorPath>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| {
        let what = || format!("no file `{}` of `{device}` is set aside", linesman_rules::excerpt(&id));
        let of = named(walk, &organization, &device)?;
        let device = of.reached.ok_or_else(|| Error::Nothing(what()))?.name;
        let what = || format!("no file `{}` of `{device}` is set aside", linesman_rules::excerpt(&id));
        let row = walk.one(&organization, &reached::jmb_error_key(&organization, &device, &id), what)?;
        let head = row.head.clone();
        Ok(JmbErrorWithHead { error: JmbError::new(organization, device, id, row), head })
    })
    .await
}

impl Stored for JmbErrors {
    type Row = JmbErrorRow;
    type Item = JmbError;

    fn prefix(organization: &str, own: &[u8]) -> Vec<u8> {
        reached::jmb_errors_within(organization, own)
    }

    fn organization(&self) -> Option<&OrgName> {
        self.organization.as_ref()
    }

    fn is_seen(
        rows: &OrgRows<'_>,
        sight: &Sight,
        org: &OrgName,
        key: &[u8],
        _: &mut JmbErrorRow,
    ) -> Result<bool, Error> {
        let (device, _) = parts(key);
        Reached::is_seen_of(rows, sight, org, &device)
    }

    fn value(_: &str, row: &JmbErrorRow) -> Value {
        Value::Time(row.found)
    }

    fn item(
        &self,
        _: &OrgRows<'_>,
        org: &OrgName,
        key: &[u8],
        row: JmbErrorRow,
    ) -> Result<Option<(JmbError, usize)>, Error> {
        let (device, id) = parts(key);
        let is_wanted = passes(self.device.as_ref(), &device)
            && passes(self.file.as_ref(), &row.file)
            && passes(self.fault.as_ref(), &row.fault);
        Ok(is_wanted.then(|| (JmbError::new(org.clone(), device, id, row), key.len())))
    }
}

/// The device and the id that a row's own key is.
fn parts(key: &[u8]) -> (String, String) {
    let end = key.iter().position(|byte| *byte == 0).unwrap_or(key.len());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(key.get(..end).unwrap_or_default()), text(key.get(end + 1..).unwrap_or_default()))
}

impl JmbError {
    fn new(organization: OrgName, device: String, id: String, row: JmbErrorRow) -> Self {
        let known = |number: u64| Some(number).filter(|number| *number > 0);
        Self {
            organization,
            device,
            id,
            file: row.file,
            size: row.size,
            modified: i64::try_from(row.modified).ok().and_then(|second| Timestamp::from_second(second).ok()),
            found: row.found,
            fault: row.fault,
            detail: row.detail,
            line: known(row.line),
            column: known(row.column),
            wish: match row.wish {
                WishRow::None => None,
                WishRow::Delete => Some(Wish::Delete),
                WishRow::Recheck => Some(Wish::Recheck),
            },
        }
    }
}
