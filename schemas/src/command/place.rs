//! Commands about places, and devices tied to them.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, LIST_MOST, OWNER_MOST, label};
use crate::PlacePath;

/// What is asked for of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceVerb {
    /// Define it, or change it.
    Set(PlaceSettings),
    /// Remove it.
    Remove(PlaceRemoval),
    /// Tie a device to it, or to none.
    Tie(Tie),
}

impl PlaceVerb {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Set(_) => "set-place",
            Self::Remove(_) => "remove-place",
            Self::Tie(_) => "tie-device",
        }
    }

    pub(super) const fn path(&self) -> Option<&PlacePath> {
        match self {
            Self::Set(settings) => Some(&settings.place),
            Self::Remove(removal) => Some(&removal.place),
            Self::Tie(_) => None,
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Set(settings) => settings.check(),
            Self::Remove(_) => Ok(()),
            Self::Tie(tie) => label("/serial_number", &tie.serial_number, OWNER_MOST),
        }
    }
}

/// What can be set on a place; what is absent stays as it is. Source: DOMAIN, "Organizations, groups, people".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceSettings {
    /// Which place.
    pub place: PlacePath,
    /// The name people see; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The device that serves it, by serial number or host name, which is tied to it; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The interface there; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Addresses, with or without a prefix length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<String>>,
    /// In bits per second; 0 for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<u64>,
}

impl PlaceSettings {
    fn check(&self) -> Result<(), Fault> {
        let texts = [("/display_name", &self.display_name), ("/device", &self.device), ("/interface", &self.interface)];
        texts.into_iter().try_for_each(|(at, text)| text.iter().try_for_each(|text| label(at, text, OWNER_MOST)))?;
        let Some(addresses) = &self.addresses else { return Ok(()) };
        if addresses.len() > LIST_MOST {
            return Err(Fault::new("/addresses", format!("has more than {LIST_MOST} entries")));
        }
        match addresses.iter().position(|text| !is_address(text)) {
            Some(at) => {
                Err(Fault::new(format!("/addresses/{at}"), "is no IP address, with or without a prefix length"))
            }
            None => Ok(()),
        }
    }
}

/// Whether a text is an address, with or without a prefix length.
fn is_address(text: &str) -> bool {
    let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let most = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.is_none_or(|length| {
        length.bytes().all(|byte| byte.is_ascii_digit()) && length.parse::<u8>().is_ok_and(|length| length <= most)
    })
}

/// Which place is to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceRemoval {
    /// Which place.
    pub place: PlacePath,
    /// Whether what hangs on it goes too: places below it, devices tied to it, managers of nothing else. Of other spheres
    /// it is taken out.
    #[serde(default)]
    pub cascade: bool,
}

/// Where a device is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tie {
    /// The device.
    pub serial_number: String,
    /// Where; none: nowhere in particular.
    pub place: Option<PlacePath>,
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn addresses_have_a_prefix_length_that_fits() {
        for text in ["192.0.2.1", "192.0.2.0/24", "2001:db8::1", "2001:db8::/128", "0.0.0.0/0"] {
            assert!(is_address(text), "{text}");
        }
        for text in ["", "192.0.2", "192.0.2.1/33", "192.0.2.1/", "192.0.2.1/+8", "2001:db8::/129", "host"] {
            assert!(!is_address(text), "{text}");
        }
    }
}
