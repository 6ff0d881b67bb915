//! How an upstream is tried out, step by step: each is done only once the one before is. What is believed and as whom it
//! is asked are those of the connector itself.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jiff::SignedDuration;
use linesman_schemas::outcome::{Failure, FailureClass};
use reqwest::Url;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;

use super::proxy::Proxy;
use super::{SettingsError, Way, fault};
use crate::text::excerpt;
use crate::tls::{self, NotPresented};

/// How far clocks may be apart.
const APART: SignedDuration = SignedDuration::from_secs(60);
/// How long one step may take, unless the settings allow less.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is tried. Its words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trial {
    /// Its name has addresses.
    Name,
    /// One of them takes connections.
    Connection,
    /// It speaks TLS.
    Tls,
    /// Its certificate is believed.
    Certificate,
    /// User and password are taken.
    Login,
    /// The organization is known there.
    Organization,
    /// How much it bears is said.
    Pace,
    /// The clocks agree.
    Clock,
}

impl Trial {
    /// All of them, in their order.
    pub const ALL: [Self; 8] = [
        Self::Name,
        Self::Connection,
        Self::Tls,
        Self::Certificate,
        Self::Login,
        Self::Organization,
        Self::Pace,
        Self::Clock,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Certificate => "certificate",
            Self::Login => "login",
            Self::Organization => "organization",
            Self::Pace => "pace",
            Self::Clock => "clock",
        }
    }

    /// What to do where it fails.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Name => "look at `upstream.url` and at the name servers of this host",
            Self::Connection => {
                "let this host out to that port, and look at `upstream.source_address` and `upstream.proxy`"
            }
            Self::Tls => "the other side must speak TLS 1.2 or 1.3 on that port",
            Self::Certificate => {
                "compare it with what the other side says by another way, then set `upstream.ca` or \
                 `upstream.fingerprint`; `linesman upstream fingerprint` shows it"
            }
            Self::Login => {
                "look at `upstream.certificate`, or else `upstream.user` and `upstream.password_file`, or ask the other side"
            }
            Self::Organization => "ask the other side whether it knows this organization, and lets it take part",
            Self::Pace => "ask the other side",
            Self::Clock => "set the clock of this host",
        }
    }
}

/// What a step has found, or why it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub trial: Trial,
    /// In words.
    pub found: Result<String, String>,
}

/// The steps so far.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<Step>);

impl Steps {
    /// A step is done; whether to go on.
    pub(crate) fn note(&mut self, trial: Trial, found: Result<String, String>) -> bool {
        let goes_on = found.is_ok();
        self.0.push(Step { trial, found });
        goes_on
    }

    /// All of them.
    pub(crate) fn end(self) -> Vec<Step> {
        self.0
    }

    /// What a request has failed with: the login where it was refused, else the organization.
    pub(crate) fn refused(&mut self, failure: Failure) {
        let trial = match failure.class {
            FailureClass::Unauthorized => Trial::Login,
            _ if self.0.iter().any(|step| step.trial == Trial::Login) => Trial::Organization,
            _ => Trial::Login,
        };
        self.note(trial, Err(failure.message));
    }

    /// How far the other side's clock is ahead of ours.
    pub(crate) fn clock(&mut self, ahead: Option<SignedDuration>) {
        let found = match ahead {
            None => Ok("the other side does not say what time it is".to_owned()),
            Some(ahead) if ahead.abs() <= APART => Ok(format!("{} s apart", ahead.abs().as_secs())),
            Some(ahead) => {
                let seconds = ahead.abs().as_secs();
                let side = if ahead.is_negative() { "behind" } else { "ahead of" };
                Err(format!("the clock of the other side is {seconds} s {side} ours"))
            }
        };
        self.note(Trial::Clock, found);
    }
}

/// Tries the way to an upstream, as far as that its certificate is believed; whether to go on. Nothing is said to it.
pub(crate) async fn way(way: &Way, steps: &mut Steps) -> bool {
    let url = match way.check() {
        Ok(url) => url,
        Err(error) => return steps.note(Trial::Name, Err(error.to_string())),
    };
    let patience = way.timeout.min(PATIENCE);
    let (host, port) = host_and_port(&url);
    let (first, first_port) = nearest(way.proxy.as_ref(), &host, port);
    let addresses = match timeout(patience, addresses(&first, first_port)).await {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(reason)) => return steps.note(Trial::Name, Err(reason)),
        Err(_) => return steps.note(Trial::Name, Err(format!("no answer on `{first}` from a name server in time"))),
    };
    let listed: Vec<String> = addresses.iter().take(8).map(|address| address.ip().to_string()).collect();
    steps.note(Trial::Name, Ok(format!("`{first}` is {}", listed.join(", "))));
    let stream = match connect(way.source_address, &addresses, patience).await {
        Ok(stream) => stream,
        Err(reason) => return steps.note(Trial::Connection, Err(reason)),
    };
    let peer = stream.peer_addr().map(|peer| peer.to_string()).unwrap_or_else(|_| format!("{first}:{first_port}"));
    let stream = match &way.proxy {
        None => stream,
        Some(proxy) => match proxy.tunnel(stream, (&host, port), patience).await {
            Ok(stream) => stream,
            Err(reason) => return steps.note(Trial::Connection, Err(reason)),
        },
    };
    let by = way.proxy.as_ref().map(|_| format!(", and lets through to `{host}`")).unwrap_or_default();
    steps.note(Trial::Connection, Ok(format!("{peer} takes connections{by}")));
    let presented = match timeout(patience, tls::present(&way.trust, &host, stream)).await {
        Ok(Ok(presented)) => presented,
        Ok(Err(error)) => return steps.note(Trial::Tls, Err(in_words(&error))),
        Err(_) => return steps.note(Trial::Tls, Err("no handshake in time".to_owned())),
    };
    steps.note(Trial::Tls, Ok(presented.version.to_owned()));
    let fingerprint = presented.fingerprint;
    let found = match (&presented.fault, presented.validity) {
        (Some(fault), _) => Err(fault::not_believed(&peer_of(&url), &way.trust, fault, fingerprint)),
        (None, Some((_, ends))) => Ok(format!("`{fingerprint}` is believed, until {ends}")),
        (None, None) => Ok(format!("`{fingerprint}` is believed")),
    };
    steps.note(Trial::Certificate, found)
}

fn in_words(error: &NotPresented) -> String {
    match error {
        NotPresented::Handshake(source) => format!("{error}: {}", excerpt(&source.to_string(), 200)),
        NotPresented::Trust(_) => error.to_string(),
    }
}

async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let unknown = |reason: String| format!("`{host}` has no address: {reason}");
    let bare = host.trim_matches(['[', ']']);
    let found = lookup_host((bare, port)).await.map_err(|error| unknown(excerpt(&error.to_string(), 200)))?;
    let found: Vec<SocketAddr> = found.collect();
    if found.is_empty() { Err(unknown("none is known".to_owned())) } else { Ok(found) }
}

/// A connection to the first that takes one.
async fn connect(source: Option<IpAddr>, addresses: &[SocketAddr], patience: Duration) -> Result<TcpStream, String> {
    let mut told = "there is no address".to_owned();
    for address in addresses {
        told = match timeout(patience, connect_one(source, *address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => format!("{address} cannot be reached: {}", excerpt(&error.to_string(), 200)),
            Err(_) => format!("{address} does not answer in time"),
        };
    }
    Err(told)
}

async fn connect_one(source: Option<IpAddr>, address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    socket.connect(address).await
}

/// Whom an address names; without a port it is that of HTTPS, 443.
fn host_and_port(url: &Url) -> (String, u16) {
    (url.host_str().unwrap_or_default().to_owned(), url.port_or_known_default().unwrap_or(443))
}

/// Who is connected to: the proxy where there is one, which looks for the upstream itself.
fn nearest(proxy: Option<&Proxy>, host: &str, port: u16) -> (String, u16) {
    proxy.and_then(Proxy::host_and_port).unwrap_or_else(|| (host.to_owned(), port))
}

fn peer_of(url: &Url) -> String {
    match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    }
}

/// What the server of an address shows, looked at by nobody's belief but `trust`'s, through a proxy where there is one. TLS is
/// spoken, and nothing is said.
///
/// # Errors
/// The address is none, or nothing is shown; in words.
pub async fn look(url: &str, trust: &tls::Trust, proxy: Option<&Proxy>) -> Result<tls::Presented, String> {
    let url = super::way::base(url).ok_or_else(|| SettingsError::of_url(url).to_string())?;
    let (host, port) = host_and_port(&url);
    let (first, first_port) = nearest(proxy, &host, port);
    let late = |who: &str| format!("`{who}` does not answer in time");
    let found = timeout(PATIENCE, addresses(&first, first_port)).await.map_err(|_| late(&first))??;
    let stream = connect(None, &found, PATIENCE).await?;
    let stream = match proxy {
        None => stream,
        Some(proxy) => proxy.tunnel(stream, (&host, port), PATIENCE).await?,
    };
    let presented = timeout(PATIENCE, tls::present(trust, &host, stream)).await.map_err(|_| late(&host))?;
    presented.map_err(|error| in_words(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_port_it_is_that_of_https() {
        let at = |url: &str| host_and_port(&url.parse().unwrap());
        assert_eq!(at("https://partner.example/x"), ("partner.example".to_owned(), 443));
        assert_eq!(at("https://partner.example:8444"), ("partner.example".to_owned(), 8444));
        assert_eq!(at("https://[::1]"), ("[::1]".to_owned(), 443));
    }

    #[test]
    fn clocks_may_be_a_minute_apart() {
        let found = |seconds: Option<i64>| {
            let mut steps = Steps::default();
            steps.clock(seconds.map(SignedDuration::from_secs));
            steps.end().pop().unwrap().found
        };
        assert_eq!(found(Some(-60)), Ok("60 s apart".to_owned()));
        assert_eq!(found(Some(61)), Err("the clock of the other side is 61 s ahead of ours".to_owned()));
        assert_eq!(found(Some(-300)), Err("the clock of the other side is 300 s behind ours".to_owned()));
        assert_eq!(found(None), Ok("the other side does not say what time it is".to_owned()));
    }
}
