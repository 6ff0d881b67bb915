//! Whether a device is still to be asked, while it is: by the way that it was begun by, as the one that it was taken for.

use linesman_connectors::device::ssh::HostKey;
use linesman_domain::reached::ReachedRow;

use super::{Device, Hands, ROSTER_EVERY};

/// How something was begun with a device.
#[derive(Clone, Copy)]
pub(super) struct Begun<'a> {
    /// How it was reached then.
    pub(super) row: &'a ReachedRow,
    /// The host key that it shows; none: it is the one pinned then, or there is no connection.
    pub(super) shown: Option<&'a HostKey>,
}

impl<'a> Begun<'a> {
    /// With the device that the row pins.
    pub(super) const fn by(row: &'a ReachedRow) -> Self {
        Self { row, shown: None }
    }

    /// Who is asked, in words that are another's where it is another, or is reached otherwise.
    pub(super) fn who(&self) -> String {
        let ReachedRow { address, port, user, directory, .. } = self.row;
        let shown = self.shown.map(ToString::to_string).or_else(|| self.row.host_key.clone()).unwrap_or_default();
        format!("{address}\n{port}\n{user}\n{directory}\n{shown}")
    }

    /// Whether it is reached so still, by how it is now.
    pub(super) fn is_as(&self, now: &ReachedRow) -> bool {
        let is_meant = match (&now.host_key, self.shown) {
            (Some(pinned), Some(shown)) => pinned.parse::<HostKey>().is_ok_and(|pinned| pinned == *shown),
            // What it showed was accepted, and is about to be pinned.
            (None, Some(_)) => now.accepts_first_host_key && self.row.host_key.is_none(),
            (pinned, None) => *pinned == self.row.host_key,
        };
        is_meant && way(self.row) == way(now)
    }
}

impl Hands {
    /// Waits until what was begun with a device is no more to go on; why.
    pub(super) async fn turned(&self, device: &Device, begun: Begun<'_>) -> &'static str {
        loop {
            if let Some(why) = self.has_turned(device, begun) {
                return why;
            }
            tokio::time::sleep(ROSTER_EVERY).await;
        }
    }

    /// Why what was begun with a device is no more to go on, nor what it says to be believed; none where it is.
    pub(super) fn has_turned(&self, device: &Device, begun: Begun<'_>) -> Option<&'static str> {
        // Rows that cannot be read say nothing.
        if self.is_suspended(&device.org).unwrap_or_default() {
            return Some("its organization is suspended");
        }
        match self.row(device) {
            Ok(None) => Some("it is reached no more"),
            Ok(Some(now)) if !begun.is_as(&now) => Some("it is reached otherwise since that was begun"),
            Ok(Some(_)) | Err(_) => None,
        }
    }
}

/// The way to a device, but for who it has to be.
fn way(row: &ReachedRow) -> impl PartialEq + use<> {
    (row.address.clone(), row.port, row.user.clone(), row.given, row.directory.clone(), row.is_legacy)
}
