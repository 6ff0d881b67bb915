//! `/api/v1/organizations/{name}/export`: what may leave of an organization's incidents, cases and devices, as an archive that
//! a person carries to the support system. In mode `offline` it is the way out; it is there in every mode.
//!
//! INVARIANT (data leaves only filtered): texts are made by the domain as those that are sent are, files by the connectors'
//! own filter, at the organization's filter level. Nothing else of either is in the archive.
//!
//! Each part asks anew what whoever asks sees, and before each incident and file it is asked whether they still may, and
//! whether the filter level is the one it began with: else it breaks off. What breaks off has no `manifest.json` at its end.

mod archive;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use linesman_domain::devices;
use linesman_domain::exports::{Export, Exports};
use linesman_domain::organizations;
use linesman_domain::table::Table;
use linesman_schemas::command::{CasesExport, Organization, Verb};
use linesman_schemas::control::InstallationSection;
use linesman_schemas::outcome::FailureClass;
use linesman_schemas::reaction::CaseRequest;
use linesman_schemas::upload::Upload;
use linesman_schemas::{FilterLevel, IncidentId, OrgName, Place};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::walk::{Walk, found, unknown};
use super::{Error, seen};
use crate::edge::installed;
use crate::edge::logins::Entered;
use crate::edge::paths::OrganizationPath;
use crate::edge::shares::Seat;
use crate::edge::sources::Sources;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::{Problem, ProblemBody};
use crate::edge::viewer::Viewer;
use crate::edge::writes::{HANDED_OUT_FROM, is_there, on_record_from};
use crate::log::streams::lane_of;
use crate::store::Lane;
use archive::{Archive, Of};

/// How many incidents, or devices, are looked at in one walk.
const PART: usize = 16;
/// How many pieces of the archive wait for whoever reads it.
const AHEAD: usize = 4;
/// Why a file is not in the archive that the filter, or what it came from, did not give.
const NOT_GIVEN: &str = "it is not there any more, or cannot be filtered: the log of the engine says which";
/// Why one is not of which nothing is left.
const NOTHING_LEFT: &str = "nothing of it is left at the filter level";

/// What is exported, and by whom.
struct Work {
    sources: Arc<Sources>,
    /// By what they came in: it may be ended meanwhile.
    headers: HeaderMap,
    org: OrgName,
    section: InstallationSection,
    _seat: Seat,
}

/// What is said of an incident's case.
#[derive(Serialize)]
struct Said<'a> {
    /// How the case stands here; null: there is none.
    state: Option<&'static str>,
    /// What leaves of it.
    request: &'a CaseRequest,
}

/// The newest snapshots of devices as they may leave, or why these stay.
type Snapshots = Vec<Result<Box<Upload>, &'static str>>;

/// Incidents of an organization as they may leave.
struct Part {
    exports: Vec<(IncidentId, Export)>,
    /// The number of the first that is not looked at; none behind the last.
    next: Option<u64>,
}

/// What may leave of an organization's incidents, cases and devices, as a tar that is carried to the support system.
///
/// Filtered as what is sent to an upstream is, at the organization's filter level: `cases/<incident>/case.json` and the files
/// of the case beside it, of an incident without a case `incidents/<incident>/incident.json`, and last `manifest.json` with the
/// SHA-256 of each and what is withheld. An archive that does not end with it broke off. It is on record before anything of it
/// is handed out.
#[utoipa::path(
    get, path = "/api/v1/organizations/{name}/export", operation_id = "export-cases", tag = "cases",
    params(OrganizationPath),
    responses(
        (status = 200, description = "The archive.", body = Vec<u8>, content_type = "application/x-tar"),
        (status = 403, description = "Whoever asked has not the right.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 404, description = "There is no such organization.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 409, description = "The engine level is too low.", content_type = "application/problem+json",
            body = ProblemBody),
    )
)]
pub(in crate::edge) async fn export(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    method: Method,
    headers: HeaderMap,
    PathOf(path): PathOf<OrganizationPath>,
) -> Result<Response, Problem> {
    let org = path.name;
    viewer.may("export-cases", &Place::Organization(org.clone()))?;
    is_there(&sources, &org)?;
    let disposition = format!("attachment; filename=\"cases-{org}.tar\"");
    let answer_headers = [(CONTENT_TYPE, "application/x-tar".to_owned()), (CONTENT_DISPOSITION, disposition)];
    // Nothing is handed out.
    if method == Method::HEAD {
        return Ok((answer_headers, Body::empty()).into_response());
    }
    let seat = sources.exporters.take(&viewer)?;
    let (section, _) = installed::present(&sources).await?;
    let verb = Verb::Organization(Organization::ExportCases(CasesExport::default()));
    on_record_from(&sources, &viewer, HANDED_OUT_FROM, Some(org.clone()), verb).await?;
    tracing::info!(organization = %org, principal = %viewer.principal(), "cases are exported");
    let work = Work { sources, headers, org, section, _seat: seat };
    let (out, pieces) = mpsc::channel(AHEAD);
    // It ends with whoever reads it.
    let mut writing = JoinSet::new();
    let ending = Arc::new(Ending::default());
    let writer = Arc::clone(&ending);
    writing.spawn(async move {
        let written = work.write(Archive::new(out.clone())).await;
        writer.0.store(written.is_ok(), Relaxed);
        if let Err(error) = written {
            tracing::warn!(organization = %work.org, %error, "an export of cases broke off");
            let _ = out.send(Err(error)).await;
        }
    });
    let body = stream::unfold((pieces, writing, ending), async |(mut pieces, writing, ending)| {
        let piece = match pieces.recv().await {
            Some(piece) => piece,
            // It has not ended, whatever became of whoever wrote it: what came is not all.
            None if !ending.0.load(Relaxed) && !ending.1.swap(true, Relaxed) => Err(io::Error::other("it broke off")),
            None => return None,
        };
        Some((piece, (pieces, writing, ending)))
    });
    Ok((answer_headers, Body::from_stream(body)).into_response())
}

/// Whether an archive is whole, and whether it was said that it is not; counted when nobody has it any more.
#[derive(Default)]
struct Ending(AtomicBool, AtomicBool);

impl Drop for Ending {
    fn drop(&mut self) {
        let outcome = if self.0.load(Relaxed) { "whole" } else { "broken-off" };
        metrics::counter!("linesman_case_exports_total", "outcome" => outcome).increment(1);
    }
}

impl Work {
    async fn write(&self, mut archive: Archive) -> io::Result<()> {
        let (mut from, level) = (Some(1), self.filter_level()?);
        while let Some(first) = from {
            // The answer has begun: where it cannot go on, all that is left is to break it off.
            let broken = |_: Problem| io::Error::other("the export cannot go on");
            let viewer = self.again().map_err(broken)?;
            let (org, section) = (self.org.clone(), self.section);
            let part = found(&self.sources, viewer, move |walk| part(walk, &org, first, section)).await;
            let part = part.map_err(broken)?;
            for (id, export) in &part.exports {
                self.goes_on(level)?;
                self.add(&mut archive, (id, export), level).await?;
            }
            from = part.next;
        }
        self.add_devices(&mut archive, level).await?;
        self.goes_on(level)?;
        archive.finish(&self.org, level).await
    }

    /// Whether whoever asks still may, and it is filtered as it was at the beginning.
    fn goes_on(&self, level: FilterLevel) -> io::Result<()> {
        self.again().map_err(|_| io::Error::other("whoever asked for it may no longer"))?;
        if self.filter_level()? == level {
            return Ok(());
        }
        Err(io::Error::other("the filter level was changed meanwhile"))
    }

    /// At which level what the organization has is filtered now.
    fn filter_level(&self) -> io::Result<FilterLevel> {
        let row = Table::read(self.lane()?, &organizations::key(&self.org)).map_err(io::Error::other)?;
        row.map(|row| row.filter_level).ok_or_else(|| io::Error::other("there is no such organization any more"))
    }

    fn lane(&self) -> io::Result<&Lane> {
        let rows = &self.sources.rows;
        let lanes = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let lane = rows.get(lane_of(self.org.as_str(), lanes) as usize);
        lane.ok_or_else(|| io::Error::other("there is no lane"))
    }

    /// Whoever asks, as far as they are still let in, and may.
    fn again(&self) -> Result<Viewer, Problem> {
        let path = format!("/api/v1/organizations/{}/export", self.org);
        let Entered::In(entry) = self.sources.enter(&Method::GET, &path, &self.headers)? else {
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "the session or token was ended"));
        };
        let viewer = self.sources.grants.viewer(entry.principal)?;
        viewer.may("export-cases", &Place::Organization(self.org.clone()))?;
        Ok(viewer)
    }

    /// Adds the newest snapshots of devices.
    async fn add_devices(&self, archive: &mut Archive, level: FilterLevel) -> io::Result<()> {
        let broken = |_: Problem| io::Error::other("the export cannot go on");
        let (org, section) = (self.org.clone(), self.section);
        let with = found(&self.sources, self.again().map_err(broken)?, move |walk| {
            exports(walk, &org, section)?.with_snapshots().map_err(Into::into)
        });
        let with: Vec<String> = with.await.map_err(broken)?.into_iter().collect();
        let mut number = 0_u64;
        for some in with.chunks(PART) {
            let (org, section, some) = (self.org.clone(), self.section, some.to_vec());
            let viewer = self.again().map_err(broken)?;
            let found = found(&self.sources, viewer, move |walk| snapshots(walk, &org, section, some)).await;
            for snapshot in found.map_err(broken)? {
                number += 1;
                match snapshot {
                    Ok(upload) => {
                        self.goes_on(level)?;
                        let of = Of::Snapshot(number);
                        self.add_file(archive, &format!("devices/{number}/"), (&of, None), &upload).await?;
                    }
                    Err(why) => archive.withhold(&Of::Snapshot(number), None, why),
                }
            }
        }
        Ok(())
    }

    /// Adds what may leave of an incident.
    async fn add(
        &self,
        archive: &mut Archive,
        (id, export): (&IncidentId, &Export),
        level: FilterLevel,
    ) -> io::Result<()> {
        let (folder, text) = match export.state {
            Some(_) => (format!("cases/{id}"), "case.json"),
            None => (format!("incidents/{id}"), "incident.json"),
        };
        let of = Of::Incident(id.clone());
        match &export.request {
            Ok(request) => {
                let said = Said { state: export.state.map(|state| state.as_str()), request };
                archive.text(format!("{folder}/{text}"), &of, &said).await?;
            }
            Err(why) => archive.withhold(&of, None, why),
        }
        for (number, file) in &export.files {
            match file {
                Ok(upload) => {
                    self.goes_on(level)?;
                    let front = format!("{folder}/files/{number}-");
                    self.add_file(archive, &front, (&of, Some(*number)), upload).await?;
                }
                Err(why) => archive.withhold(&of, Some(*number), why),
            }
        }
        Ok(())
    }

    async fn add_file(
        &self,
        archive: &mut Archive,
        front: &str,
        (of, number): (&Of, Option<u32>),
        upload: &Upload,
    ) -> io::Result<()> {
        let Sources { fetching, leaving, .. } = &*self.sources;
        let filtered = match fetching.upload(self.lane()?, &self.org, upload).await {
            Ok(contents) => leaving.parcel(Some(&self.org), upload, contents).await,
            Err(failure) => Err(failure),
        };
        match filtered {
            Ok(parcel) if parcel.request().size == 0 => archive.withhold(of, number, NOTHING_LEFT),
            Ok(parcel) => {
                // A device is called what the upstream would be told.
                let device = parcel.request().device.as_ref().map(|device| Of::Device(device.serial_number.clone()));
                archive.file(front, device.as_ref().filter(|_| number.is_none()).unwrap_or(of), &parcel).await?;
            }
            Err(failure) if failure.class == FailureClass::Refused => {
                // What it says may name what is in the document.
                tracing::warn!(?of, number, message = failure.message, "a file is not exported");
                archive.withhold(of, number, NOT_GIVEN);
            }
            Err(failure) => return Err(io::Error::other(failure.message)),
        }
        Ok(())
    }
}

/// The incidents from one number on that are there for whoever walks, as they may leave; a few of them.
fn part(walk: &Walk, org: &OrgName, first: u64, section: InstallationSection) -> Result<Part, Error> {
    let all = walk.some(org, &organizations::key(org))?.ok_or_else(|| unknown(org))?.incidents;
    let rows = exports(walk, org, section)?;
    let end = all.min(first.saturating_add(PART as u64 - 1));
    let mut exports = Vec::new();
    for number in first..=end {
        walk.step()?;
        let id = IncidentId { org: org.clone(), number };
        if seen::incident(walk, &id)?.is_some()
            && let Some(export) = rows.of(&id)?
        {
            exports.push((id, export));
        }
    }
    Ok(Part { exports, next: (end < all).then_some(end + 1) })
}

/// An organization's incidents, cases and devices, as they may leave.
fn exports(walk: &Walk, org: &OrgName, section: InstallationSection) -> Result<Exports, Error> {
    let lane = walk.lane(org).ok_or_else(|| unknown(org))?;
    let lanes = u32::try_from(walk.lanes().len()).unwrap_or(u32::MAX);
    Ok(Exports::open(Box::new(lane.clone()), lane_of(org.as_str(), lanes), org, section)?)
}

/// Those of some devices that are seen by whoever walks, with their newest snapshots as they may leave.
fn snapshots(walk: &Walk, org: &OrgName, section: InstallationSection, some: Vec<String>) -> Result<Snapshots, Error> {
    let lane = walk.lane(org).ok_or_else(|| unknown(org))?;
    let rows = exports(walk, org, section)?;
    let mut found = Vec::new();
    for serial_number in some {
        walk.step()?;
        let device = Table::read(lane, &devices::key(org, &serial_number))?;
        if walk.sees_device(org, &serial_number, device.as_ref())?
            && let Some(snapshot) = rows.snapshot(&serial_number)?
        {
            found.push(snapshot);
        }
    }
    Ok(found)
}
