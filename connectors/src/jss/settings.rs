//! What the client of the support system needs to know, and its check.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use crate::{Secret, tls};

/// How to reach the support system and as whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its base address, `https://host[:port][/path]`.
    pub url: String,
    /// The file of certificates to believe instead of the system's roots.
    pub ca: Option<PathBuf>,
    /// The site cases are opened for.
    pub site_id: String,
    /// The user requests are made as, also the client of the token request.
    pub user: String,
    /// That user's password.
    pub password: Secret,
    /// The program's id at the support system, sent with every request.
    pub application_id: String,
    /// Requests an hour it bears.
    pub requests_per_hour: u32,
    /// Tasks under way at a time.
    pub concurrency: usize,
    /// How long one request may take, connecting and reading the answer included.
    pub timeout: Duration,
}

impl Settings {
    /// The support system's documented bound. Source: DOMAIN, "The older REST API", last paragraph.
    pub const REQUESTS_PER_HOUR: u32 = 300;
    /// Tasks under way at a time where nothing else is said.
    pub const CONCURRENCY: usize = 4;
    /// The time of a request where nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(30);
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The address is none, or not one to send credentials to.
    #[error("`{url}` is not an address of the form `https://host[:port][/path]`")]
    Url {
        /// The address.
        url: String,
    },
    /// A text that requests carry is empty, or cannot be carried.
    #[error("`{name}` must be 1 to {most} printable characters")]
    Text {
        /// The setting.
        name: &'static str,
        /// Its greatest length in characters.
        most: usize,
    },
    /// A number that allows nothing.
    #[error("`{name}` must be greater than zero")]
    Zero {
        /// The setting.
        name: &'static str,
    },
    /// TLS cannot be set up.
    #[error("TLS towards the support system cannot be set up")]
    Tls(#[from] tls::Error),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[from] reqwest::Error),
}

impl Settings {
    /// The base address, ending in `/`, when every setting can be used.
    pub(super) fn check(&self) -> Result<Url, SettingsError> {
        check_text("site_id", &self.site_id, 64)?;
        check_text("user", &self.user, 128)?;
        check_text("password", self.password.expose(), 256)?;
        check_text("application_id", &self.application_id, 128)?;
        // It travels in a header.
        if !self.application_id.is_ascii() {
            return Err(SettingsError::Text { name: "application_id", most: 128 });
        }
        let counts = [("requests_per_hour", self.requests_per_hour == 0), ("concurrency", self.concurrency == 0)];
        let zeros = counts.into_iter().chain([("timeout", self.timeout.is_zero())]);
        if let Some((name, _)) = zeros.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(SettingsError::Zero { name });
        }
        base(&self.url).ok_or_else(|| SettingsError::Url { url: shown(&self.url) })
    }
}

fn check_text(name: &'static str, text: &str, most: usize) -> Result<(), SettingsError> {
    let is_good = !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control);
    if is_good { Ok(()) } else { Err(SettingsError::Text { name, most }) }
}

fn base(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    let has_extras =
        !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some();
    if url.scheme() != "https" || !url.has_host() || has_extras {
        return None;
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Some(url)
}

/// The address for an error's text: what may be a password before the `@` does not get there.
fn shown(url: &str) -> String {
    let url = match url.rsplit_once('@') {
        Some((_, rest)) => format!("***@{rest}"),
        None => url.to_owned(),
    };
    crate::text::excerpt(&url, 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> Settings {
        Settings {
            url: url.to_owned(),
            ca: None,
            site_id: "S-1".to_owned(),
            user: "user@example.com".to_owned(),
            password: Secret::new("hunter2"),
            application_id: "linesman".to_owned(),
            requests_per_hour: Settings::REQUESTS_PER_HOUR,
            concurrency: Settings::CONCURRENCY,
            timeout: Settings::TIMEOUT,
        }
    }

    #[test]
    fn a_path_is_kept_as_a_folder() {
        let base = settings("https://jss.example/api").check().unwrap();
        assert_eq!(base.join("case/v1/createSR").unwrap().as_str(), "https://jss.example/api/case/v1/createSR");
    }

    #[test]
    fn credentials_go_to_https_addresses_only() {
        for url in ["http://jss.example", "jss.example", "", "https://jss.example?a=b", "https://", "file:///x"] {
            let error = settings(url).check().unwrap_err();
            let expected = format!("`{url}` is not an address of the form `https://host[:port][/path]`");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        let error = settings("https://me:hunter2@jss.example").check().unwrap_err();
        assert_eq!(error.to_string(), "`***@jss.example` is not an address of the form `https://host[:port][/path]`");
    }

    #[test]
    fn what_allows_nothing_is_refused_by_name() {
        let url = "https://jss.example";
        let zero = Settings { concurrency: 0, ..settings(url) }.check().unwrap_err();
        assert_eq!(zero.to_string(), "`concurrency` must be greater than zero");
        let empty = Settings { site_id: String::new(), ..settings(url) }.check().unwrap_err();
        assert_eq!(empty.to_string(), "`site_id` must be 1 to 64 printable characters");
        let header = Settings { application_id: "lïnesman".to_owned(), ..settings(url) }.check().unwrap_err();
        assert_eq!(header.to_string(), "`application_id` must be 1 to 128 printable characters");
    }

    #[test]
    fn no_secret_shows_in_debug() {
        assert!(!format!("{:?}", settings("https://jss.example")).contains("hunter2"));
    }
}
