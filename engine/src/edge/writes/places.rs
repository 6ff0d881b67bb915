//! What people do with places, and with the devices tied to them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use linesman_schemas::command::{PlaceRemoval, PlaceSettings, PlaceVerb, Tie, Verb};
use linesman_schemas::{OrgName, PlacePath};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{IntoParams, ToSchema};

use super::{DryRun, IdempotencyKey, Way, or_null, preview, send_or_preview};
use crate::edge::paths::{DevicePath, LinePath, SitePath};
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words::{self, Flag};

/// The engine level from which on there are places.
const LEVEL: u32 = 3;
/// The highest speed, in bits per second: one that programs do not round.
const SPEED_MOST: u64 = 1_000_000_000_000_000;

/// A place as it is to be; what is left out stays, what is null or empty is cleared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct PlaceBody {
    /// The name people see.
    #[serde(default, deserialize_with = "or_null")]
    #[schema(value_type = Option<String>, required = false, max_length = 200, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    display_name: Option<Option<String>>,
    /// The device that serves it, by serial number or host name; it is tied to the place.
    #[serde(default, deserialize_with = "or_null")]
    #[schema(value_type = Option<String>, required = false, max_length = 200, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    device: Option<Option<String>>,
    /// The interface there.
    #[serde(default, deserialize_with = "or_null")]
    #[schema(value_type = Option<String>, required = false, max_length = 200, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    interface: Option<Option<String>>,
    /// IP addresses, with or without a prefix length.
    #[serde(default, deserialize_with = "or_null")]
    #[schema(value_type = Option<Vec<String>>, required = false, max_items = 1000)]
    addresses: Option<Option<Vec<String>>>,
    /// In bits per second, or as `100M`.
    #[serde(default, deserialize_with = "speed")]
    #[schema(schema_with = speed_schema, required = false)]
    speed: Option<u64>,
}

/// What goes with a place.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct RemovalQuery {
    /// Whether what hangs on it goes too: access lines of a site, ties of devices, managers who were granted nothing
    /// else. Without it a place on which something hangs stays.
    #[param(value_type = Option<bool>, required = false)]
    cascade: Option<Flag>,
    /// Whether it is only to be told what would be done.
    #[param(value_type = Option<bool>, required = false)]
    dry_run: Option<Flag>,
}

/// Where a device is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct TieBody {
    /// A site or an access line of its organization; null: nowhere in particular.
    #[schema(schema_with = site_or_line)]
    #[serde(deserialize_with = "place")]
    place: Option<PlacePath>,
}

/// Defines a place, or changes it.
async fn set(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    place: PlacePath,
    way: Way<'_>,
    body: PlaceBody,
) -> Result<Response, Problem> {
    let organization = place.organization.clone();
    let settings = PlaceSettings {
        place,
        display_name: body.display_name.map(Option::unwrap_or_default),
        device: body.device.map(Option::unwrap_or_default),
        interface: body.interface.map(Option::unwrap_or_default),
        addresses: body.addresses.map(Option::unwrap_or_default),
        speed: body.speed,
    };
    ask(sources, viewer, organization, way, PlaceVerb::Set(settings)).await
}

/// Removes a place.
async fn remove(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    place: PlacePath,
    headers: &HeaderMap,
    query: RemovalQuery,
) -> Result<Response, Problem> {
    let (organization, cascade) = (place.organization.clone(), query.cascade == Some(Flag::True));
    let way = (DryRun::of(query.dry_run), headers);
    ask(sources, viewer, organization, way, PlaceVerb::Remove(PlaceRemoval { place, cascade })).await
}

/// Sends what is asked of a place of an organization.
async fn ask(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    org: OrgName,
    way: Way<'_>,
    verb: PlaceVerb,
) -> Result<Response, Problem> {
    send_or_preview(sources, viewer, way, LEVEL, org, Verb::Place(verb)).await
}

/// Defines a site, or changes it.
#[utoipa::path(
    put, path = "/api/v1/places/{organization}/{site}", operation_id = "set-place.site", tag = "places", params(SitePath, DryRun, IdempotencyKey),
    request_body = PlaceBody,
    responses(preview::Answers, (status = 201, description = "it is created", body = super::CommandState))
)]
pub(in crate::edge) async fn set_site(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<SitePath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<PlaceBody>,
) -> Result<Response, Problem> {
    set(&sources, &viewer, path.into(), (dry_run, &headers), body).await
}

/// Defines an access line, or changes it.
#[utoipa::path(
    put, path = "/api/v1/places/{organization}/{site}/{line}", operation_id = "set-place.line", tag = "places", params(LinePath, DryRun, IdempotencyKey),
    request_body = PlaceBody,
    responses(preview::Answers, (status = 201, description = "it is created", body = super::CommandState))
)]
pub(in crate::edge) async fn set_line(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<LinePath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<PlaceBody>,
) -> Result<Response, Problem> {
    set(&sources, &viewer, path.into(), (dry_run, &headers), body).await
}

/// Removes a site.
#[utoipa::path(
    delete,
    path = "/api/v1/places/{organization}/{site}",
    operation_id = "remove-place.site",
    tag = "places",
    params(SitePath, RemovalQuery, IdempotencyKey),
    responses(preview::Answers)
)]
pub(in crate::edge) async fn remove_site(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<SitePath>,
    Params(query): Params<RemovalQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    remove(&sources, &viewer, path.into(), &headers, query).await
}

/// Removes an access line.
#[utoipa::path(
    delete,
    path = "/api/v1/places/{organization}/{site}/{line}",
    operation_id = "remove-place.line",
    tag = "places",
    params(LinePath, RemovalQuery, IdempotencyKey),
    responses(preview::Answers)
)]
pub(in crate::edge) async fn remove_line(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<LinePath>,
    Params(query): Params<RemovalQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    remove(&sources, &viewer, path.into(), &headers, query).await
}

/// Ties a device to a place, or to none.
#[utoipa::path(
    put, path = "/api/v1/devices/{organization}/{device}/place", operation_id = "tie-device", tag = "devices",
    params(DevicePath, DryRun, IdempotencyKey), request_body = TieBody, responses(preview::Answers)
)]
pub(in crate::edge) async fn tie(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization, device: serial_number }): PathOf<DevicePath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    JsonBody(TieBody { place }): JsonBody<TieBody>,
) -> Result<Response, Problem> {
    if let Some(place) = place.as_ref().filter(|place| place.organization != organization) {
        let detail = format!("`{place}` does not lie in `{organization}`");
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/place".to_owned(), detail));
    }
    ask(&sources, &viewer, organization, (dry_run, &headers), PlaceVerb::Tie(Tie { serial_number, place })).await
}

fn place<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PlacePath>, D::Error> {
    Option::deserialize(deserializer)
}

fn site_or_line() -> Schema {
    let types = [Type::String, Type::Null].into_iter().collect::<utoipa::openapi::schema::SchemaType>();
    let pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}(/[A-Za-z0-9][A-Za-z0-9_-]{0,63}){1,2}$";
    ObjectBuilder::new().schema_type(types).pattern(Some(pattern)).into()
}

/// Bits per second from a number, or from a text such as `100M`; nothing and the empty text are 0, for none.
fn speed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let speed = match &value {
        Value::Null => Some(0),
        // JSON has but one kind of numbers, so `2.0` is `2` (RFC 8259, section 6).
        Value::Number(number) => number
            .as_f64()
            .filter(|number| number.fract() == 0.0)
            .and_then(|number| (0.0..=SPEED_MOST as f64).contains(&number).then_some(number as u64)),
        Value::String(text) => words::speed(text).filter(|speed| *speed <= SPEED_MOST),
        _ => None,
    };
    let wrong = "a speed is a number of bits per second, up to 10^15, or such as `100M`";
    speed.map(Some).ok_or_else(|| de::Error::custom(wrong))
}

fn speed_schema() -> Schema {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(SPEED_MOST as f64));
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^([0-9]{1,3}[kMGT]?)?$"));
    let none = ObjectBuilder::new().schema_type(Type::Null);
    OneOfBuilder::new().item(number).item(text).item(none).into()
}
