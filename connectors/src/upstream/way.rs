//! How an upstream is reached and as whom, and the check of it.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;

use super::proxy::Proxy;
use crate::Secret;
use crate::settings::Entry;
use crate::tls::{self, Identity, Trust};

/// How to reach an upstream and as whom.
#[derive(Debug, Clone)]
pub struct Way {
    /// Its base address, `https://host[:port][/path]`.
    pub url: String,
    /// Which certificate of it is believed.
    pub trust: Trust,
    /// The user requests are made as.
    pub user: String,
    /// That user's password; empty where a certificate of our own stands for it.
    pub password: Secret,
    /// The certificate by which we show who we are, instead of user and password.
    pub identity: Option<Identity>,
    /// Tasks under way at a time.
    pub concurrency: usize,
    /// How long one request may take, connecting and reading the answer included.
    pub timeout: Duration,
    /// The address of this host that connections begin at; none: the system chooses.
    pub source_address: Option<IpAddr>,
    /// The proxy that it is reached through; none: it is reached directly.
    pub proxy: Option<Proxy>,
    /// How often it is asked for new intelligence messages, give or take a tenth; zero: never.
    pub intelligence_poll: Duration,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The address is none, or not one to send credentials to.
    #[error("`{url}` is not an address of the form `https://host[:port][/path]`{hint}")]
    Url {
        /// The address.
        url: String,
        /// What was meant, in words; empty where that cannot be guessed.
        hint: String,
    },
    /// A text that requests carry is empty, or cannot be carried.
    #[error("`{name}` must be 1 to {most} printable characters")]
    Text {
        /// The setting.
        name: &'static str,
        /// Its greatest length in characters.
        most: usize,
    },
    /// HTTP Basic has no way to carry it. Source: RFC 7617, 2.
    #[error("`user` must not have a colon towards a partner: `{user}`")]
    Colon {
        /// The user.
        user: String,
    },
    /// A number that allows nothing.
    #[error("`{name}` must be greater than zero")]
    Zero {
        /// The setting.
        name: &'static str,
    },
    /// TLS cannot be set up.
    #[error("TLS towards the upstream cannot be set up")]
    Tls(#[from] tls::Error),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[from] reqwest::Error),
}

impl Way {
    /// Tasks under way at a time where nothing else is said.
    pub const CONCURRENCY: usize = 4;
    /// The time of a request where nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(30);
    /// How often it is asked for new intelligence messages where nothing else is said.
    pub const INTELLIGENCE_POLL: Duration = Duration::from_secs(3600);

    /// What the keys that all kinds have say; none where a key that is needed has no value.
    pub(crate) fn read(entry: &Entry) -> Option<Self> {
        let fingerprint = entry.text("fingerprint").and_then(|text| text.parse().ok()).map(Trust::Pinned);
        let identity = entry.path("certificate").zip(entry.path("key"));
        let ca = entry.path("ca").map(Trust::Authority);
        Some(Self {
            url: entry.text("url")?,
            trust: fingerprint.or(ca).unwrap_or(Trust::System),
            user: entry.text("user")?,
            password: entry.secret("password_file").unwrap_or_else(|| Secret::new("")),
            identity: identity.map(|(certificate, key)| Identity { certificate, key }),
            concurrency: entry.number("concurrency")?,
            timeout: Duration::from_secs(entry.number("timeout_s")?),
            source_address: entry.text("source_address").and_then(|text| text.parse().ok()),
            proxy: Proxy::read(entry),
            intelligence_poll: Duration::from_secs(entry.number("intelligence_poll_s")?),
        })
    }

    /// The base address, ending in `/`, when every setting can be used.
    ///
    /// # Errors
    /// One cannot; the first is named.
    pub(super) fn check(&self) -> Result<Url, SettingsError> {
        check_text("user", &self.user, 128)?;
        if self.identity.is_none() {
            check_text("password", self.password.expose(), 256)?;
        }
        check_number("concurrency", self.concurrency == 0)?;
        check_number("timeout", self.timeout.is_zero())?;
        base(&self.url).ok_or_else(|| SettingsError::of_url(&self.url))
    }
}

impl SettingsError {
    /// That a text is no address.
    pub(super) fn of_url(text: &str) -> Self {
        let whole = format!("https://{text}");
        let is_host = !text.is_empty() && !text.contains("://") && !text.contains('@') && base(&whole).is_some();
        let hint = if is_host { format!("; did you mean `{}`?", shown(&whole)) } else { String::new() };
        Self::Url { url: shown(text), hint }
    }
}

/// # Errors
/// A text of a request is not 1 to `most` printable characters.
pub(crate) fn check_text(name: &'static str, text: &str, most: usize) -> Result<(), SettingsError> {
    let is_good = !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control);
    if is_good { Ok(()) } else { Err(SettingsError::Text { name, most }) }
}

/// # Errors
/// A number is zero.
pub(crate) const fn check_number(name: &'static str, is_zero: bool) -> Result<(), SettingsError> {
    if is_zero { Err(SettingsError::Zero { name }) } else { Ok(()) }
}

pub(super) fn base(text: &str) -> Option<Url> {
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
pub(super) fn shown(url: &str) -> String {
    let url = match url.rsplit_once('@') {
        Some((_, rest)) => format!("***@{rest}"),
        None => url.to_owned(),
    };
    crate::text::excerpt(&url, 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(url: &str) -> Way {
        Way {
            url: url.to_owned(),
            trust: Trust::System,
            user: "user@example.com".to_owned(),
            password: Secret::new("hunter2"),
            concurrency: Way::CONCURRENCY,
            timeout: Way::TIMEOUT,
            identity: None,
            source_address: None,
            proxy: None,
            intelligence_poll: Duration::ZERO,
        }
    }

    #[test]
    fn a_path_is_kept_as_a_folder() {
        let base = way("https://jss.example/api").check().unwrap();
        assert_eq!(base.join("case/v1/createSR").unwrap().as_str(), "https://jss.example/api/case/v1/createSR");
    }

    #[test]
    fn credentials_go_to_https_addresses_only() {
        for (url, meant) in
            [("jss.example", "https://jss.example"), ("jss.example:8444/api", "https://jss.example:8444/api")]
        {
            let told = way(url).check().unwrap_err().to_string();
            let hint = format!("[/path]`; did you mean `{meant}`?");
            assert!(told.starts_with(&format!("`{url}` is not an address")) && told.ends_with(&hint), "{told}");
        }
        for url in ["http://jss.example", "", "https://jss.example?a=b", "https://", "file:///x", "me:x@jss.example"] {
            let url_shown = if url.contains('@') { "***@jss.example" } else { url };
            let error = way(url).check().unwrap_err();
            let expected = format!("`{url_shown}` is not an address of the form `https://host[:port][/path]`");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        let error = way("https://me:hunter2@jss.example").check().unwrap_err();
        assert_eq!(error.to_string(), "`***@jss.example` is not an address of the form `https://host[:port][/path]`");
    }

    #[test]
    fn what_allows_nothing_is_refused_by_name() {
        let url = "https://jss.example";
        let zero = Way { concurrency: 0, ..way(url) }.check().unwrap_err();
        assert_eq!(zero.to_string(), "`concurrency` must be greater than zero");
        let empty = Way { user: String::new(), ..way(url) }.check().unwrap_err();
        assert_eq!(empty.to_string(), "`user` must be 1 to 128 printable characters");
    }

    #[test]
    fn no_secret_shows_in_debug() {
        assert!(!format!("{:?}", way("https://jss.example")).contains("hunter2"));
    }
}
