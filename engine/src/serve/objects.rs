//! Looks after the object store: what no row names, and what was begun and not gone on with, goes after a day; bytes of
//! which nothing is known, since whoever removed them ended in the middle, go at once.
//!
//! INVARIANT (nothing that a row names goes, or comes to be named): an upload becomes whole before its command enters the
//! log, and counts as changed then; one that is brought to its lane again later counts as changed once more. By the time the clock of its lane, which is the log's, is a day further, the lane has
//! decided that command, or nobody sends it any more; whoever goes on with it in between changes it, and it stays.

use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use linesman_domain::table::Table;
use linesman_domain::uploads;
use linesman_schemas::OrgName;
use tokio::sync::watch;

use crate::lane::status::LaneStatus;
use crate::log::objects::{Found, Objects};
use crate::log::streams::lane_of;
use crate::store::Store;

/// How long to wait between two walks.
const EVERY: Duration = Duration::from_secs(3_600);
/// How long an upload stays that nothing names, in hours.
const UNNAMED_HOURS: i64 = 24;
/// How many uploads a walk looks at; the next one meets others, since the server names them in no order.
const WALK_MOST: usize = 10_000;

/// See the module.
pub(super) struct Housekeeping {
    pub(super) objects: Objects,
    pub(super) store: Arc<Store>,
    pub(super) lanes: Vec<watch::Receiver<LaneStatus>>,
}

impl Housekeeping {
    /// Walks for as long as the engine runs.
    pub(super) async fn run(self) {
        loop {
            match self.walk().await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "uploads that nothing names are gone"),
                Err(error) => tracing::warn!(error, "the object store is looked after later"),
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// One walk; how many uploads went.
    async fn walk(&self) -> Result<u64, String> {
        let mut removed = 0;
        if !self.objects.are_there().await {
            return Ok(removed);
        }
        let all = self.objects.all(WALK_MOST).await.map_err(|error| error.to_string())?;
        for (org, upload) in all {
            let found = self.objects.find(&org, &upload).await.map_err(|error| error.to_string())?;
            let Some(found) = found else { continue };
            if self.is_over(&org, &upload, &found)? {
                let gone = self.objects.remove_unchanged(&org, &upload, &found).await;
                removed += u64::from(gone.map_err(|error| error.to_string())?);
            }
        }
        for (org, upload) in self.objects.with_bytes(WALK_MOST).await.map_err(|error| error.to_string())? {
            let found = self.objects.find(&org, &upload).await.map_err(|error| error.to_string())?;
            if found.is_none() {
                let gone = self.objects.remove_unknown(&org, &upload).await;
                removed += u64::from(gone.map_err(|error| error.to_string())?);
            }
        }
        Ok(removed)
    }

    /// Whether an upload goes, as its lane has applied what names it.
    fn is_over(&self, org: &OrgName, upload: &str, found: &Found) -> Result<bool, String> {
        let lanes = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        let lane = lane_of(org.as_str(), lanes);
        let now = self.lanes.get(lane as usize).map_or(Timestamp::MIN, |status| status.borrow().now);
        // Such rows may name less than they will.
        if self.lanes.get(lane as usize).is_some_and(|status| !status.borrow().is_up_to_date()) {
            return Ok(false);
        }
        let until = found.changed.checked_add(UNNAMED_HOURS.hours()).unwrap_or(Timestamp::MAX);
        if now <= until {
            return Ok(false);
        }
        if !found.is_done {
            return Ok(true);
        }
        let Some(sha256) = uploads::sha256(&found.manifest.request.sha256) else { return Ok(true) };
        let rows = self.store.lane(lane).map_err(|error| error.to_string())?;
        let named = Table::read(&rows, &uploads::object(org, &sha256)).map_err(|error| error.to_string())?;
        Ok(named.is_none_or(|object| object.stored != upload))
    }
}

#[cfg(test)]
mod tests {
    use async_nats::ConnectOptions;
    use bytes::Bytes;
    use linesman_domain::state::Writes;
    use linesman_domain::table;
    use linesman_domain::uploads::ObjectRow;
    use linesman_schemas::upload::{UploadKind, UploadRequest};
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::embedded;
    use crate::log::objects::Manifest;

    fn manifest(bytes: &[u8]) -> Manifest {
        let request = UploadRequest {
            kind: UploadKind::Attachment,
            receipt: Some("T-acme-1".to_owned()),
            device: None,
            name: "a.txt".to_owned(),
            media_type: None,
            size: bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(bytes)),
        };
        Manifest { request, incident: None, offset: 0 }
    }

    #[tokio::test]
    async fn what_a_row_names_stays_and_the_rest_goes_after_a_day_of_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let server = embedded::start(embedded::Settings::new(dir.path())).await.unwrap();
        let login = server.engine_login();
        let login = ConnectOptions::with_user_and_password(login.user.clone(), login.password.clone());
        let objects = Objects::new(login.connect(server.address()).await.unwrap(), 1);
        let store = Arc::new(Store::open(&dir.path().join("state")).unwrap());
        let org: OrgName = "acme".parse().unwrap();
        for (upload, bytes) in [("named", "one"), ("unnamed", "two"), ("open", "three")] {
            objects.begin(&org, upload, &manifest(bytes.as_bytes())).await.unwrap();
            if upload != "open" {
                let found = objects.find(&org, upload).await.unwrap().unwrap();
                let found = objects.append(&org, upload, &found, Bytes::from_static(bytes.as_bytes())).await.unwrap();
                assert!(objects.finish(&org, upload, found).await.unwrap().is_some_and(|found| found.is_done));
            }
        }
        let row = ObjectRow { stored: "named".to_owned(), size: 3, names: 1, came: Timestamp::UNIX_EPOCH };
        let key = uploads::object(&org, &Sha256::digest("one").into()).into_bytes();
        let rows = vec![(key, Some(table::encode(&row).unwrap()))];
        store.lane(0).unwrap().apply(&Writes { batch: 1, rows }).unwrap();
        let (lane, status) = watch::channel(LaneStatus { now: Timestamp::now(), ..LaneStatus::default() });
        let keeping = Housekeeping { objects, store, lanes: vec![status] };
        assert_eq!(keeping.walk().await, Ok(0), "not a day old");
        let later = Timestamp::now().checked_add(25.hours()).unwrap();
        lane.send_replace(LaneStatus { now: later, ..LaneStatus::default() });
        let changed = keeping.objects.find(&org, "open").await.unwrap().unwrap();
        keeping.objects.append(&org, "open", &changed, Bytes::from_static(b"th")).await.unwrap();
        assert!(!keeping.objects.remove_unchanged(&org, "open", &changed).await.unwrap(), "it has gone on");
        assert!(keeping.objects.find(&org, "open").await.unwrap().is_some());
        assert_eq!(keeping.walk().await, Ok(2));
        let left = keeping.objects.all(10).await.unwrap();
        assert_eq!(left, [(org.clone(), "named".to_owned())]);
    }

    #[tokio::test]
    async fn bytes_that_are_left_of_a_removal_that_broke_off_go() {
        let dir = tempfile::tempdir().unwrap();
        let server = embedded::start(embedded::Settings::new(dir.path())).await.unwrap();
        let login = server.engine_login();
        let login = ConnectOptions::with_user_and_password(login.user.clone(), login.password.clone());
        let client = login.connect(server.address()).await.unwrap();
        let objects = Objects::new(client.clone(), 1);
        let store = Arc::new(Store::open(&dir.path().join("state")).unwrap());
        let org: OrgName = "acme".parse().unwrap();
        for upload in ["left", "stays"] {
            objects.begin(&org, upload, &manifest(b"three")).await.unwrap();
            let found = objects.find(&org, upload).await.unwrap().unwrap();
            objects.append(&org, upload, &found, Bytes::from_static(b"th")).await.unwrap();
        }
        // It was known by this alone.
        let bucket = async_nats::jetstream::new(client).get_key_value("linesman-objects").await.unwrap();
        bucket.purge("acme.left.open").await.unwrap();
        assert_eq!(objects.held(&org).await.unwrap(), 2 * crate::log::objects::PIECE);
        let (_lane, status) = watch::channel(LaneStatus { now: Timestamp::now(), ..LaneStatus::default() });
        let keeping = Housekeeping { objects, store, lanes: vec![status] };
        assert_eq!(keeping.walk().await, Ok(1));
        assert_eq!(keeping.objects.held(&org).await.unwrap(), crate::log::objects::PIECE);
        assert!(!keeping.objects.remove_unknown(&org, "stays").await.unwrap(), "it is known");
        assert_eq!(keeping.objects.all(10).await.unwrap(), [(org, "stays".to_owned())]);
    }
}
