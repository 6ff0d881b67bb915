//! Whether a device is still to be asked, while it is: by the way that it was begun by, as the one that it was taken for.

use crate::reach::visit::way;
use crate::reach::{Hands, ROSTER_EVERY};

use super::Job;

impl Hands {
    /// Waits until what a job asks a device for is no more to be asked for; why.
    pub(super) async fn turned(&self, job: &Job) -> &'static str {
        loop {
            if let Some(why) = self.has_turned(job) {
                return why;
            }
            tokio::time::sleep(ROSTER_EVERY).await;
        }
    }

    /// Why what a job asks a device for is no more to be asked for, nor believed; none where it is.
    pub(super) fn has_turned(&self, job: &Job) -> Option<&'static str> {
        let device = &job.wanted.device;
        // Rows that cannot be read say nothing.
        if self.is_suspended(&device.org).unwrap_or_default() {
            return Some("its organization is suspended");
        }
        match self.row(device) {
            Ok(None) => Some("it is reached no more"),
            Ok(Some(now)) if way(&now) != way(&job.row) || now.host_key != job.row.host_key => {
                Some("it is reached otherwise since that was begun")
            }
            Ok(Some(_)) | Err(_) => None,
        }
    }
}
