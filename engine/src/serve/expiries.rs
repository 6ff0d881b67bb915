//! What of the installation runs out is looked at as time goes on, and reported to lane 0, which says it once of each stage.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use jiff::{SignedDuration, Timestamp};
use linesman_connectors::Connector;
use linesman_connectors::tls::Shown;
use linesman_domain::expiries;
use linesman_schemas::control::Control;
use linesman_schemas::trigger::{Expiring, Expiry};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::lane::status::LaneStatus;
use crate::licence::Standing;
use crate::log::inputs;
use crate::logging::full;
use crate::partner;
use crate::store::Lane;

/// How often it is looked; a certificate is known once the upstream has shown it.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long before its end it is said of a certificate: as long as of a licence.
const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// See the module.
pub(super) struct Expiries {
    pub(super) client: Client,
    /// Lane 0's rows.
    pub(super) rows: Lane,
    /// How far lane 0 is.
    pub(super) lane: Option<watch::Receiver<LaneStatus>>,
    pub(super) standing: Arc<Standing>,
    /// The client of the partner above.
    pub(super) upstream: Option<Arc<dyn Connector>>,
    /// The partner listener, which may show another certificate by and by.
    pub(super) listener: Option<partner::Overview>,
}

impl Expiries {
    /// Looks, for ever.
    pub(super) async fn run(mut self) {
        let mut told = None;
        loop {
            match self.look(Timestamp::now()).await {
                Ok(()) => told = None,
                Err(error) => {
                    if told.as_ref() != Some(&error) {
                        tracing::warn!(error, "what runs out cannot be reported; it is tried again");
                    }
                    told = Some(error);
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Reports what is not said yet, and waits until lane 0 has applied that.
    async fn look(&mut self, now: Timestamp) -> Result<(), String> {
        let due = self.due(now);
        let Some(lane) = self.lane.as_mut().filter(|lane| lane.borrow().level >= expiries::LEVEL) else {
            return Ok(());
        };
        for expiry in due {
            if expiries::is_said(&self.rows, &expiry).map_err(|error| full(&error))? {
                continue;
            }
            let payload = serde_json::to_vec(&Control::Expiry(expiry)).map_err(|error| full(&error))?;
            let put = inputs::put(&self.client, "p.0.ctl".to_owned(), payload).await;
            let sequence = put.map_err(|error| full(&error))?;
            let applied = lane.wait_for(|status| status.position >= sequence).await;
            applied.map(drop).map_err(|_| "lane 0 is gone".to_owned())?;
        }
        Ok(())
    }

    /// What has ended or ends soon.
    fn due(&self, now: Timestamp) -> Vec<Expiry> {
        let licence = self.standing.licence().zip(self.standing.ends());
        let licence = licence.map(|(licence, (from, ends))| (Expiring::Licence, licence.id.clone(), from, ends));
        let upstream = self.upstream.as_ref().and_then(|upstream| upstream.certificate());
        let listener = self.listener.as_ref().and_then(partner::Overview::certificate);
        let certificates = [(Expiring::Upstream, upstream), (Expiring::Listener, listener)];
        let certificates = certificates.into_iter().filter_map(|(kind, shown)| {
            let Shown { fingerprint, ends, .. } = shown?;
            let ends = ends?;
            Some((kind, fingerprint.to_string(), ends.saturating_sub(AHEAD).unwrap_or(ends), ends))
        });
        let due = licence.into_iter().chain(certificates).filter(|(_, _, from, _)| now >= *from);
        due.map(|(kind, id, _, ends)| Expiry { kind, id, ends, has_ended: now >= ends }).collect()
    }
}
