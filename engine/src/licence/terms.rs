//! What an installation may at a moment, by its mode and its licence.
//!
//! | licence | organizations | upstream |
//! |---|---|---|
//! | none needed (`end-customer`, `demo`) | 1 | sent |
//! | good, or expired within its grace | as many as it says | sent |
//! | expired before that | none is added | nothing is sent |
//! | none, or one that does not count | 5 in `partner`, 1 in `direct`, none is added in `offline` | sent, unless more take part |
//! | one for another upstream | as many as it says | nothing is sent |
//! | the same, after one that has expired, by the log | as one expired before that | nothing is sent |

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};
use linesman_schemas::Mode;

use super::{Against, Licence, Refusal, request, section, vendor};
use crate::config::Config;

/// How long before its end a licence is told to expire, in hours: 30 days.
const NOTICE_HOURS: i64 = 30 * 24;
/// How long an expired licence goes on where the configuration says nothing of it: 14 days.
const GRACE: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How many organizations an evaluation has.
const EVALUATION: u64 = 5;

/// Why it cannot be found out what an installation may.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key to believe.
    #[error(transparent)]
    Vendor(#[from] vendor::Error),
    /// This build has none.
    #[error("this build has no key of a vendor: `licence/vendor.pub` in its sources holds none")]
    NoVendor,
    /// Which installation this is.
    #[error("the id of the installation cannot be had from `{}`", path.display())]
    Installation {
        /// The data directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Under what an installation runs: its mode, and the licence it was started with.
#[derive(Debug, Clone)]
pub struct Standing {
    /// How it is connected.
    pub mode: Mode,
    /// Its licence, or why it does not count; none where the configuration names none, or none is needed.
    found: Option<Result<Licence, Refusal>>,
    grace: SignedDuration,
    /// When the last licence ended that this installation had, where its log has that.
    had: OnceLock<Timestamp>,
    /// How many organizations take part, as was counted last.
    active: Arc<AtomicU64>,
    /// Why nothing may be sent, where the licence names another upstream than the configuration.
    elsewhere: Option<String>,
}

/// What it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// How many organizations may take part.
    pub organizations: u64,
    /// How many devices there may be; none: any number.
    pub devices: Option<u64>,
    /// Whether anything is sent upstream.
    pub sends: bool,
    /// Why no more than that: what bounds organizations, for people.
    pub bound: String,
    /// What people should know.
    pub notice: Option<String>,
}

/// Why an organization is not added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// The mode has but one.
    #[error(
        "the organization `{organization}` cannot be added: mode `{mode}` has exactly one organization; several take \
         mode `direct` or `partner`"
    )]
    OfMode {
        /// Which.
        organization: String,
        /// The mode.
        mode: Mode,
    },
    /// The licence, or what goes without one, permits no more.
    #[error(
        "the organization `{organization}` cannot be added: {bound}, and {count} take part; those go on, and one that is \
         suspended makes room"
    )]
    Organizations {
        /// Which.
        organization: String,
        /// What bounds them.
        bound: String,
        /// How many there are.
        count: u64,
    },
    /// There are more devices than it permits.
    #[error(
        "the organization `{organization}` cannot be added: the licence permits {most} devices, and there are {count}; \
         bundles of all of them are processed"
    )]
    Devices {
        /// Which.
        organization: String,
        /// How many may be.
        most: u64,
        /// How many there are.
        count: u64,
    },
}

impl Standing {
    /// What the configuration comes to. A licence that does not count is no error: the engine goes on without.
    ///
    /// # Errors
    /// The key to believe or the id of the installation cannot be had.
    pub fn of(config: &Config) -> Result<Self, Error> {
        let mode = config.mode;
        let settings = config.licence.as_ref().filter(|_| !mode.has_one_organization());
        let Some(section::Settings { file, vendor_key, grace }) = settings else { return Ok(Self::without(mode)) };
        let vendor = match vendor_key {
            Some(path) => vendor::read(path)?,
            None => vendor::built_in().ok_or(Error::NoVendor)?,
        };
        let root = &config.data_dir;
        let installation =
            request::installation(root).map_err(|source| Error::Installation { path: root.clone(), source })?;
        let found = super::open(file, Against { vendor: &vendor, installation: &installation, mode });
        let grace = SignedDuration::try_from(*grace).unwrap_or_default();
        let configured = config.connectors.upstream.as_ref().map(|upstream| upstream.way().url.as_str());
        let elsewhere = found.as_ref().ok().zip(configured).and_then(|(licence, url)| licence.elsewhere(url));
        Ok(Self { found: Some(found), grace, elsewhere, ..Self::without(mode) })
    }

    /// That of an installation without a licence.
    pub fn without(mode: Mode) -> Self {
        Self { mode, found: None, grace: GRACE, had: OnceLock::new(), active: Arc::default(), elsewhere: None }
    }

    /// That of a licence that fits, which goes on for so long.
    #[cfg(test)]
    pub(crate) fn with(mode: Mode, licence: Licence, grace: SignedDuration) -> Self {
        Self { found: Some(Ok(licence)), grace, ..Self::without(mode) }
    }

    /// The log has that a licence of this installation ended then: without another there is no evaluation any more.
    pub fn had(&self, ended: Timestamp) {
        // It is said once, at the start.
        let _ = self.had.set(ended);
    }

    /// So many organizations take part. Without a licence nothing is sent as long as those are more than go without one:
    /// one that was taken away leaves nothing behind.
    pub fn counted(&self, active: u64) {
        self.active.store(active, Ordering::Relaxed);
    }

    /// The licence, if it is one of this installation's.
    pub fn licence(&self) -> Option<&Licence> {
        self.found.as_ref().and_then(|found| found.as_ref().ok())
    }

    /// Since when a moment is one at which the licence is about to expire, and since when one at which it has.
    pub fn ends(&self) -> Option<(Timestamp, Timestamp)> {
        let end = self.licence()?.not_after;
        Some((end.saturating_sub(SignedDuration::from_hours(NOTICE_HOURS)).unwrap_or(end), end))
    }

    /// Until when an expired licence goes on.
    pub fn grace_end(&self) -> Option<Timestamp> {
        let end = self.licence()?.not_after;
        Some(end.saturating_add(self.grace).unwrap_or(end))
    }

    /// What it may at a moment.
    pub fn terms(&self, now: Timestamp) -> Terms {
        if self.mode.has_one_organization() {
            let bound = format!("mode `{}` has exactly one organization", self.mode);
            return Terms { organizations: 1, devices: None, sends: true, bound, notice: None };
        }
        match &self.found {
            None => self.unlicensed(now, None),
            Some(Err(refusal)) => self.unlicensed(now, Some(refusal)),
            Some(Ok(licence)) => match (licence.is_good(now), &self.elsewhere) {
                (Err(refusal @ Refusal::NotYet(_)), _) => self.unlicensed(now, Some(&refusal)),
                (Err(_), _) if self.grace_end().is_some_and(|end| now >= end) => lapsed(licence),
                (standing, None) => self.licensed(licence, now, standing.is_err()),
                (standing, Some(elsewhere)) => {
                    let notice = format!("{elsewhere}: bundles are processed, and nothing is sent upstream");
                    let terms = self.licensed(licence, now, standing.is_err());
                    Terms { sends: false, notice: Some(notice), ..terms }
                }
            },
        }
    }

    fn licensed(&self, licence: &Licence, now: Timestamp, has_expired: bool) -> Terms {
        let Licence { organizations, devices, not_after, .. } = licence;
        let notice = match self.ends() {
            _ if has_expired => self.grace_end().map(|end| {
                format!(
                    "the licence expired on {not_after}: until {end} all goes on, then nothing is added or sent upstream"
                )
            }),
            Some((from, _)) if now >= from => Some(format!("the licence expires on {not_after}")),
            _ => None,
        };
        let bound = format!("the licence permits {organizations} organizations");
        Terms { organizations: *organizations, devices: Some(*devices), sends: true, bound, notice }
    }

    fn unlicensed(&self, now: Timestamp, refusal: Option<&Refusal>) -> Terms {
        if let Some(ended) = self.had.get().filter(|ended| now >= ended.saturating_add(self.grace).unwrap_or(**ended)) {
            let why = refusal.map(|refusal| format!("; the present one does not count, {refusal}")).unwrap_or_default();
            let bound =
                format!("the licence that this installation had expired on {ended}, and its grace is over{why}");
            let notice = format!("{bound}: bundles are processed, nothing is added, and nothing is sent upstream");
            return Terms { organizations: 0, devices: None, sends: false, bound, notice: Some(notice) };
        }
        let (organizations, bound) = match self.mode {
            Mode::Partner => (EVALUATION, "an evaluation, without a licence, has at most 5 organizations"),
            Mode::Direct => (1, "mode `direct` without a licence has one organization"),
            Mode::Offline | Mode::EndCustomer | Mode::Demo => {
                (0, "mode `offline` needs a licence of mode `direct` or `partner`")
            }
        };
        let active = self.active.load(Ordering::Relaxed);
        if active > organizations && self.mode != Mode::Offline {
            let why = refusal.map(|refusal| format!("the licence does not count, {refusal}; ")).unwrap_or_default();
            let notice = format!(
                "{why}{bound}, and {active} take part: bundles are processed, and nothing is sent upstream until those that \
                 are too many are suspended, or there is a licence for them"
            );
            return Terms { organizations, devices: None, sends: false, bound: bound.to_owned(), notice: Some(notice) };
        }
        let notice = match (refusal, self.mode) {
            (Some(refusal), _) => {
                Some(format!("the licence does not count, {refusal}; what works without one: {bound}"))
            }
            (None, Mode::Direct) => None,
            (None, _) => Some(bound.to_owned()),
        };
        Terms { organizations, devices: None, sends: true, bound: bound.to_owned(), notice }
    }

    /// Whether an organization may be added beside so many that take part.
    ///
    /// # Errors
    /// The mode, the licence or what goes without one permits no more.
    pub fn admit(&self, now: Timestamp, organization: &str, count: u64, devices: u64) -> Result<(), Excess> {
        let Terms { organizations, devices: devices_most, bound, .. } = self.terms(now);
        let organization = organization.to_owned();
        if count >= organizations {
            return Err(match self.mode.has_one_organization() {
                true => Excess::OfMode { organization, mode: self.mode },
                false => Excess::Organizations { organization, bound, count },
            });
        }
        match devices_most {
            Some(most) if devices > most => Err(Excess::Devices { organization, most, count: devices }),
            _ => Ok(()),
        }
    }
}

/// What is left of a licence whose grace is over.
fn lapsed(licence: &Licence) -> Terms {
    let bound = format!("the licence expired on {}, and its grace is over", licence.not_after);
    let notice = format!("{bound}: bundles are processed, nothing is added, and nothing is sent upstream");
    Terms { organizations: 0, devices: Some(licence.devices), sends: false, bound, notice: Some(notice) }
}
