//! What the client of the support system needs to know beside how to reach it, and its check.

use crate::settings::Entry;
use crate::upstream::{SettingsError, Way, way};

/// How to reach the support system, as whom and for which site.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How to reach it; the user is also the client of the token request.
    pub way: Way,
    /// The site cases are opened for.
    pub site_id: String,
    /// The program's id at the support system, sent with every request.
    pub application_id: String,
    /// Requests an hour it bears.
    pub requests_per_hour: u32,
}

impl Settings {
    /// The support system's documented bound. Source: DOMAIN, "The older REST API", last paragraph.
    pub const REQUESTS_PER_HOUR: u32 = 300;

    /// What the section says; none where a key that is needed has no value.
    pub(crate) fn read(entry: &Entry) -> Option<Self> {
        Some(Self {
            way: Way::read(entry)?,
            site_id: entry.text("site_id")?,
            application_id: entry.text("application_id")?,
            requests_per_hour: entry.number("requests_per_hour")?,
        })
    }

    /// Checks what the way does not.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        way::check_text("site_id", &self.site_id, 64)?;
        way::check_text("application_id", &self.application_id, 128)?;
        // It travels in a header.
        if !self.application_id.is_ascii() {
            return Err(SettingsError::Text { name: "application_id", most: 128 });
        }
        way::check_number("requests_per_hour", self.requests_per_hour == 0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Secret;
    use crate::tls::Trust;

    #[test]
    fn what_the_support_system_would_not_take_is_refused_by_name() {
        let settings = Settings {
            way: Way {
                url: "https://jss.example".to_owned(),
                trust: Trust::System,
                user: "user@example.com".to_owned(),
                password: Secret::new("hunter2"),
                concurrency: Way::CONCURRENCY,
                timeout: Way::TIMEOUT,
                identity: None,
                source_address: None,
                proxy: None,
                intelligence_poll: Duration::ZERO,
            },
            site_id: "S-1".to_owned(),
            application_id: "linesman".to_owned(),
            requests_per_hour: Settings::REQUESTS_PER_HOUR,
        };
        settings.check().unwrap();
        let empty = Settings { site_id: String::new(), ..settings.clone() }.check().unwrap_err();
        assert_eq!(empty.to_string(), "`site_id` must be 1 to 64 printable characters");
        let header = Settings { application_id: "lïnesman".to_owned(), ..settings.clone() }.check().unwrap_err();
        assert_eq!(header.to_string(), "`application_id` must be 1 to 128 printable characters");
        let zero = Settings { requests_per_hour: 0, ..settings }.check().unwrap_err();
        assert_eq!(zero.to_string(), "`requests_per_hour` must be greater than zero");
    }
}
