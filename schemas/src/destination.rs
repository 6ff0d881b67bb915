//! Where reactions go: a connector, and whom it is to reach where it knows several.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::Peer;
use crate::name::{NameError, is_token};

/// A connector and a peer of it; each has a queue, a circuit and an hourly bound of its own.
///
/// As text `<connector>` where there is no peer, else `<connector>/<peer>`; rows are found by that text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// The connector's name: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`.
    pub connector: Cow<'static, str>,
    /// Whom it is to reach; none where it knows only one.
    pub peer: Option<Peer>,
}

impl Destination {
    /// A connector that knows one peer only.
    pub const fn of(connector: &'static str) -> Self {
        Self { connector: Cow::Borrowed(connector), peer: None }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.connector)?;
        self.peer.as_ref().map_or(Ok(()), |peer| write!(f, "/{peer}"))
    }
}

impl FromStr for Destination {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (connector, peer) = match text.split_once('/') {
            Some((connector, peer)) => (connector, Some(peer.parse()?)),
            None => (text, None),
        };
        if !is_token(connector) {
            return Err(NameError::new(text, "a destination (`<connector>` or `<connector>/<peer>`)"));
        }
        Ok(Self { connector: Cow::Owned(connector.to_owned()), peer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_read_as_they_are_printed() {
        for text in ["jss", "log", "syslog/10.0.0.1:514", "device/edge-01.berlin", "email/noc"] {
            assert_eq!(text.parse::<Destination>().unwrap().to_string(), text);
        }
        assert_eq!("jss".parse::<Destination>().unwrap(), Destination::of("jss"));
        for bad in
            ["", "/", "jss/", "/peer", "a.b", "jss/-x", "jss/a/b", "jss/a b", &format!("jss/{}", "x".repeat(254))]
        {
            assert!(bad.parse::<Destination>().is_err(), "{bad}");
        }
    }
}
