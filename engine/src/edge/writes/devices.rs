//! What people do with devices that are reached: how, by which credentials, with which host key; and with files of theirs that
//! are no bundles.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use linesman_connectors::Secret;
use linesman_connectors::device::ssh::{Credential, HostKey};
use linesman_domain::reached::{LEVEL, NOWHERE_FROM, row_of};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{
    AfterCollection, CredentialsKind, DeviceName, DeviceSettings, DeviceVerb, HostKeyPin, JmbErrorWish, Verb,
};
use linesman_schemas::{CommandId, OrgName, Place, PlacePath};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Answers, IdempotencyKey, allow, command_id, or_null, reached, refused, respond, send_at, stands_at};
use crate::edge::paths::{DevicePath, JmbErrorPath};
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::undone::undone;
use crate::edge::viewer::Viewer;
use crate::edge::words::Flag;
use crate::logging::full;
use crate::reach::Undone;
use crate::seal::devices::Shown;

/// The longest password or passphrase, in bytes.
const PASSWORD_MOST: usize = 1_024;
/// The longest private key, in bytes: one of RSA with 16,384 bits has some 13,000.
const KEY_MOST: usize = 32 * 1_024;

/// How a device is reached. What is left out stays as it was; of a new one it is as its field says.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::edge) struct DeviceBody {
    /// Its host name or IP address; a new device needs one.
    #[schema(max_length = 255, nullable = false)]
    address: Option<String>,
    /// The port of SSH; 22.
    #[schema(nullable = false)]
    port: Option<u16>,
    /// The port of NETCONF; 830. Where it is that of SSH one connection serves both.
    #[schema(nullable = false)]
    netconf_port: Option<u16>,
    /// Who logs in; a new device needs one.
    #[schema(max_length = 255, nullable = false)]
    user: Option<String>,
    /// The user's password; nobody is shown it again. A new device needs it, or a key.
    #[schema(max_length = 1024, nullable = false)]
    password: Option<String>,
    /// The user's private key, in the form of OpenSSH or PEM; nobody is shown it again.
    #[schema(max_length = 32768, nullable = false)]
    key: Option<String>,
    /// What the key is encrypted with.
    #[schema(max_length = 1024, nullable = false)]
    passphrase: Option<String>,
    /// The directory in which it leaves bundles; `/var/tmp`.
    #[schema(max_length = 255, nullable = false)]
    directory: Option<String>,
    /// Which of its files are bundles, `*` standing for any characters and `?` for one; `*.xml`.
    #[schema(max_length = 255, nullable = false)]
    pattern: Option<String>,
    /// How often it is looked there, in seconds, 5 to 86,400; 30.
    #[schema(nullable = false)]
    poll_s: Option<u32>,
    /// What becomes of a file that was collected; `remove`.
    #[schema(nullable = false)]
    after: Option<AfterWord>,
    /// Where it is moved, with `after` being `move`: a directory of the device's.
    #[schema(max_length = 255, nullable = false)]
    move_to: Option<String>,
    /// The site or access line where it is; null: nowhere.
    #[serde(deserialize_with = "or_null")]
    #[schema(value_type = Option<String>, required = false, example = "acme/berlin")]
    place: Option<Option<PlacePath>>,
    /// Its chassis serial number, where it does not say so itself; null: as it says.
    #[serde(deserialize_with = "or_null")]
    #[schema(value_type = Option<String>, required = false, max_length = 255)]
    serial_number: Option<Option<String>>,
    /// The groups of commands by which data is gathered from it; null: none.
    #[serde(deserialize_with = "or_null")]
    #[schema(value_type = Option<Vec<String>>, required = false, max_items = 1000)]
    directives: Option<Option<Vec<String>>>,
    /// Whether algorithms are allowed that are no longer safe; they are not.
    #[schema(nullable = false)]
    legacy: Option<bool>,
    /// Whether the host key that it shows first is taken for its own; it is not.
    #[schema(nullable = false)]
    accept_host_key: Option<bool>,
    /// Its host key, as `authorized_keys` has such.
    #[schema(max_length = 4096, nullable = false)]
    host_key: Option<String>,
}

/// What becomes of a file that was collected.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = AfterCollection)]
pub(in crate::edge) enum AfterWord {
    /// It is removed.
    Remove,
    /// It is moved.
    Move,
    /// It stays.
    Leave,
}

/// Which host key a device has.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct HostKeyBody {
    /// The key, as `authorized_keys` has such; null: the next one that it shows is taken for its own.
    host_key: Option<String>,
}

/// Whether a device is only added.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(in crate::edge) struct OnlyNew {
    /// Whether there must be no device of this name yet.
    #[param(value_type = Option<bool>, required = false)]
    new: Option<Flag>,
}

/// Reaches a device, or reaches it otherwise.
#[utoipa::path(
    put, path = "/api/v1/devices/{organization}/{device}", operation_id = "set-device", tag = "devices",
    params(DevicePath, OnlyNew, IdempotencyKey), request_body = DeviceBody,
    responses(Answers, (status = 201, description = "it is created", body = super::CommandState))
)]
pub(in crate::edge) async fn set(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization: org, device: name }): PathOf<DevicePath>,
    Params(OnlyNew { new: is_new }): Params<OnlyNew>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<DeviceBody>,
) -> Result<Response, Problem> {
    let (settings, shown) = body.said(name, is_new == Some(Flag::True))?;
    let id = command_id(&headers)?;
    to_its_end(set_so(sources, viewer, org, settings, shown, id)).await
}

/// The name by which a device is reached that somebody who may do `operation` names so, or by its serial number; what they
/// said where there is none. Where several have that serial number none of them is meant.
fn named(
    sources: &Sources,
    viewer: &Viewer,
    operation: &'static str,
    org: &OrgName,
    device: String,
) -> Result<String, Problem> {
    let place = Place::Organization(org.clone());
    viewer.may(operation, &place)?;
    if let Some(name) = sources.hands.named(org, &device).map_err(|error| Problem::internal(&error))? {
        return Ok(name);
    }
    match sources.hands.unnamed(org, &device).map_err(|error| Problem::internal(&error))? {
        several @ Undone::Unfit(_) => Err(undone(several).of(operation, place)),
        _ => Ok(device),
    }
}

/// Lets something be done to its end, whether anybody waits for it or not: what the log has and what is kept here are of one
/// command.
async fn to_its_end(
    doing: impl Future<Output = Result<Response, Problem>> + Send + 'static,
) -> Result<Response, Problem> {
    tokio::spawn(doing).await.map_err(|error| Problem::internal(&error))?
}

async fn set_so(
    sources: Arc<Sources>,
    viewer: Viewer,
    org: OrgName,
    mut settings: DeviceSettings,
    shown: Option<Shown>,
    id: CommandId,
) -> Result<Response, Problem> {
    // One at a time: what is kept here is what the log has last.
    let _alone = sources.sealing.lock().await;
    if !settings.is_new {
        settings.name = named(&sources, &viewer, "set-device", &org, settings.name)?;
    }
    if settings.is_nowhere {
        stands_at(&sources, NOWHERE_FROM)?;
    }
    let name = settings.name.clone();
    let row = sources.hands.reached(&org, &name).map_err(|error| Problem::internal(&error))?;
    let row = row_of(row, &settings);
    let verb = Verb::Device(DeviceVerb::Set(Box::new(settings)));
    allow(&sources, &viewer, Some(&org), &verb)?;
    stands_at(&sources, LEVEL)?;
    // Said again, it is not done again: nor are other credentials kept.
    let known = sources.commands.known(&viewer.principal(), Some(&org), &id, &verb).map_err(refused)?;
    if row.is_none() && known.is_none() {
        let detail =
            format!("`{org}` reaches no device `{name}`; a new one needs an address, a user and a password or a key");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    let asked = sources.commands.ask(&viewer, Some(org.clone()), id, verb).await.map_err(refused)?;
    if let (Some(shown), Some(row)) = (shown, row) {
        match &asked.outcome {
            // Whether what is given now is what was given then, only what was kept can tell.
            Some(outcome) if known.is_some() && outcome.verdict == Verdict::Done => {
                let now = sources.hands.reached(&org, &name).map_err(|error| Problem::internal(&error))?;
                let kept = now.and_then(|row| sources.sealed.devices.of(&org, &name, &row).ok());
                if kept.is_none_or(|kept| kept != shown) {
                    let detail = "what the user shows was not kept with this command: give it again, by one with an id of its own";
                    return Err(Problem::new(StatusCode::CONFLICT, detail));
                }
            }
            None => return Err(Problem::busy("the log is behind, and no credentials are kept before; ask again", 2)),
            Some(outcome) if outcome.verdict == Verdict::Done => {
                // For the way that was asked for: where somebody asked for another meanwhile, they are shown to nobody.
                sources.sealed.devices.keep(&org, &name, &row, &shown).map_err(|error| Problem::internal(&error))?;
            }
            Some(_) => {}
        }
    }
    sources.hands.look(&org, &name);
    respond(asked)
}

/// Reaches a device no more. What was collected of it stays.
#[utoipa::path(
    delete,
    path = "/api/v1/devices/{organization}/{device}",
    operation_id = "remove-device",
    tag = "devices",
    params(DevicePath, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn remove(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization, device }): PathOf<DevicePath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = command_id(&headers)?;
    to_its_end(remove_so(sources, viewer, organization, device, id)).await
}

async fn remove_so(
    sources: Arc<Sources>,
    viewer: Viewer,
    organization: OrgName,
    device: String,
    id: CommandId,
) -> Result<Response, Problem> {
    let _alone = sources.sealing.lock().await;
    let device = named(&sources, &viewer, "remove-device", &organization, device)?;
    let verb = Verb::Device(DeviceVerb::Remove(DeviceName { name: device.clone() }));
    let answer = send_at(&sources, &viewer, LEVEL, Some(organization.clone()), id, verb).await?;
    if answer.status() == StatusCode::OK {
        sources.sealed.devices.forget(&organization, &device).map_err(|error| Problem::internal(&error))?;
    }
    Ok(answer)
}

/// Says which host key a device has.
#[utoipa::path(
    put, path = "/api/v1/devices/{organization}/{device}/host-key", operation_id = "pin-host-key", tag = "devices",
    params(DevicePath, IdempotencyKey), request_body = HostKeyBody, responses(Answers)
)]
pub(in crate::edge) async fn host_key(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization, device }): PathOf<DevicePath>,
    headers: HeaderMap,
    JsonBody(HostKeyBody { host_key }): JsonBody<HostKeyBody>,
) -> Result<Response, Problem> {
    if let Some(error) = host_key.as_deref().and_then(|key| key.parse::<HostKey>().err()) {
        let detail = format!("`host_key` is of no use: {error}");
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/host_key".to_owned(), detail));
    }
    let device = named(&sources, &viewer, "pin-host-key", &organization, device)?;
    let name = device.clone();
    let pin = HostKeyPin { name: device, host_key, is_first: false };
    let verb = Verb::Device(DeviceVerb::PinHostKey(pin));
    let answer = send_at(&sources, &viewer, LEVEL, Some(organization.clone()), command_id(&headers)?, verb).await;
    sources.hands.look(&organization, &name);
    answer
}

/// Removes a file from its device that was set aside.
#[utoipa::path(
    delete,
    path = "/api/v1/jmb-errors/{organization}/{device}/{id}",
    operation_id = "settle-jmb-error.delete",
    tag = "devices",
    params(JmbErrorPath, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn delete_jmb_error(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<JmbErrorPath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    settle(&sources, &viewer, &headers, path, true).await
}

/// Checks a file once more that was set aside.
#[utoipa::path(
    post,
    path = "/api/v1/jmb-errors/{organization}/{device}/{id}/recheck",
    operation_id = "settle-jmb-error",
    tag = "devices",
    params(JmbErrorPath, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn recheck_jmb_error(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<JmbErrorPath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    settle(&sources, &viewer, &headers, path, false).await
}

async fn settle(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    headers: &HeaderMap,
    JmbErrorPath { organization, device, id }: JmbErrorPath,
    is_deleted: bool,
) -> Result<Response, Problem> {
    let name = reached(sources, viewer, "settle-jmb-error", &organization, &device)?;
    let verb = Verb::Device(DeviceVerb::JmbError(JmbErrorWish { name, id, is_deleted }));
    send_at(sources, viewer, LEVEL, Some(organization), command_id(headers)?, verb).await
}

impl DeviceBody {
    /// As a command says it, and what the device is shown.
    fn said(self, name: String, is_new: bool) -> Result<(DeviceSettings, Option<Shown>), Problem> {
        let wrong = |field: &str, detail: &str| {
            Problem::field(StatusCode::UNPROCESSABLE_ENTITY, format!("#/{field}"), format!("`{field}` {detail}"))
        };
        let shown = match (self.password, self.key, self.passphrase) {
            (Some(_), Some(_), _) => return Err(wrong("password", "is given beside `key`: it is one or the other")),
            (Some(_), None, Some(_)) => return Err(wrong("passphrase", "is of a `key`")),
            (None, None, Some(_)) => return Err(wrong("passphrase", "is of a `key`, which is not given")),
            (Some(text), None, None) if text.is_empty() || text.len() > PASSWORD_MOST => {
                return Err(wrong("password", "must have 1 to 1,024 bytes"));
            }
            (None, Some(text), _) if text.is_empty() || text.len() > KEY_MOST => {
                return Err(wrong("key", "must have 1 to 32,768 bytes"));
            }
            (None, Some(_), Some(text)) if text.len() > PASSWORD_MOST => {
                return Err(wrong("passphrase", "must have at most 1,024 bytes"));
            }
            (Some(password), None, None) => Some(Shown::Password(Secret::new(password))),
            (None, Some(key), passphrase) => {
                let passphrase = passphrase.filter(|text| !text.is_empty()).map(Secret::new);
                Some(Shown::Key { key: Secret::new(key), passphrase })
            }
            (None, None, None) => None,
        };
        if let Some(Shown::Key { key, passphrase }) = &shown {
            let key = Credential::Key { text: key.clone(), passphrase: passphrase.clone() };
            key.check().map_err(|error| wrong("key", &format!("is of no use: {}", full(&error))))?;
        }
        if let Some(error) = self.host_key.as_deref().and_then(|key| key.parse::<HostKey>().err()) {
            return Err(wrong("host_key", &format!("is of no use: {error}")));
        }
        let after = match (self.after, self.move_to) {
            (None | Some(AfterWord::Move), Some(directory)) => Some(AfterCollection::MoveTo(directory)),
            (Some(AfterWord::Move), None) => return Err(wrong("move_to", "is missing: where files are moved")),
            (Some(_), Some(_)) => return Err(wrong("move_to", "is of `after` being `move`")),
            (Some(AfterWord::Remove), None) => Some(AfterCollection::Remove),
            (Some(AfterWord::Leave), None) => Some(AfterCollection::Leave),
            (None, None) => None,
        };
        let credentials = shown.as_ref().map(|shown| match shown {
            Shown::Password(_) => CredentialsKind::Password,
            Shown::Key { .. } => CredentialsKind::Key,
        });
        let settings = DeviceSettings {
            name,
            is_new,
            address: self.address,
            port: self.port,
            netconf_port: self.netconf_port,
            user: self.user,
            credentials,
            directory: self.directory,
            pattern: self.pattern,
            poll_s: self.poll_s,
            after,
            is_nowhere: self.place == Some(None),
            place: self.place.flatten(),
            serial_number: self.serial_number.map(Option::unwrap_or_default),
            directives: self.directives.map(Option::unwrap_or_default),
            is_legacy: self.legacy,
            accepts_first_host_key: self.accept_host_key,
            host_key: self.host_key,
        };
        Ok((settings, shown))
    }
}
