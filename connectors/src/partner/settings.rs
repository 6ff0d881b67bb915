//! What the client of a partner needs to know, and its check.

use linesman_schemas::cascade::CONTROLLER_MOST;

use crate::settings::Entry;
use crate::upstream::{SettingsError, Way, way};

/// How to reach a partner, and who comes to it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How to reach it and as whom.
    pub way: Way,
    /// This controller's name, with which it registers: its name in trace routes.
    pub controller: String,
}

impl Settings {
    /// What the section says; none where a key that is needed has no value. The controller goes by its user, as far as a
    /// name is long, until it is named otherwise.
    pub(crate) fn read(entry: &Entry) -> Option<Self> {
        let way = Way::read(entry)?;
        let controller = way.user.chars().take(CONTROLLER_MOST).collect();
        Some(Self { way, controller })
    }

    /// Checks what the way does not.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        way::check_text("controller", &self.controller, CONTROLLER_MOST)?;
        match self.way.user.contains(':') {
            true => Err(SettingsError::Colon { user: crate::text::excerpt(&self.way.user, 128) }),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Value;
    use crate::{Secret, tls};

    fn entry(user: &str) -> Entry {
        Entry::from_iter([
            ("url", Value::Text("https://partner.example".to_owned())),
            ("user", Value::Text(user.to_owned())),
            ("password_file", Value::Secret(Secret::new("hunter2"))),
            ("concurrency", Value::Number(4)),
            ("timeout_s", Value::Number(30)),
            ("intelligence_poll_s", Value::Number(60)),
            ("source_address", Value::Text("192.0.2.10".to_owned())),
            ("fingerprint", Value::Text(tls::Fingerprint::of(b"abc").to_string())),
        ])
    }

    #[test]
    fn the_section_says_all_that_is_needed() {
        let settings = Settings::read(&entry(&"a".repeat(65))).unwrap();
        settings.check().unwrap();
        assert_eq!(settings.controller.len(), 64);
        assert_eq!(settings.way.trust, tls::Trust::Pinned(tls::Fingerprint::of(b"abc")));
        assert_eq!(settings.way.source_address.unwrap().to_string(), "192.0.2.10");
    }

    #[test]
    fn a_user_that_basic_cannot_carry_is_refused() {
        let error = Settings::read(&entry("acme:x")).unwrap().check().unwrap_err();
        assert_eq!(error.to_string(), "`user` must not have a colon towards a partner: `acme:x`");
    }
}
