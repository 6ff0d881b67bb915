//! Whether an intelligence message concerns a device, and why.
//!
//! Lists that a message gives must all be met, each by any of its entries; one that names nothing concerns everybody.
//! Products may have `*`, versions are expressions ([`Expression`]); all else is equality, in the letters that are
//! written. Source: DOMAIN, "Intelligence".

use std::fmt;

use foldhash::HashSet;
use linesman_rules::Pattern;
use linesman_rules::versions::{Expression, Version};
use linesman_schemas::intelligence::Relevance;
use serde::{Deserialize, Serialize};

use crate::devices::DeviceRow;

/// What of a device messages speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits<'a> {
    /// Its serial number.
    pub serial_number: &'a str,
    /// Its model.
    pub product: &'a str,
    /// Its system family; empty where it is not known.
    pub platform: &'a str,
    /// The version of its operating system, as it says it.
    pub os_version: &'a str,
}

impl<'a> Traits<'a> {
    /// Of a device as its row has it.
    pub fn of(serial_number: &'a str, device: &'a DeviceRow) -> Self {
        Self { serial_number, product: &device.product, platform: &device.platform, os_version: &device.os_version }
    }
}

/// By which of its lists a message concerns a device. Its words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// It gives none.
    Everybody,
    /// Its serial numbers.
    SerialNumber,
    /// Its products.
    Product,
    /// Its platforms.
    Platform,
    /// Its versions of the operating system.
    OsVersion,
}

impl By {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everybody => "everybody",
            Self::SerialNumber => "serial_number",
            Self::Product => "product",
            Self::Platform => "platform",
            Self::OsVersion => "os_version",
        }
    }
}

/// Why a message concerns a device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// By which list.
    pub by: By,
    /// The entry of it that is met, the first of several; empty where there is no list.
    pub entry: String,
}

/// As people and programs read it, such as `product MX*` or `everybody`.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by {
            By::Everybody => f.write_str(self.by.as_str()),
            by => write!(f, "{} {}", by.as_str(), self.entry),
        }
    }
}

/// Whom a message concerns, read once for many devices.
#[derive(Debug)]
pub struct Concern {
    serial_numbers: HashSet<Box<str>>,
    products: Vec<(Box<str>, Pattern)>,
    platforms: Vec<Box<str>>,
    os_versions: Vec<(Box<str>, Option<Expression>)>,
}

impl Concern {
    /// Reads it.
    pub fn of(relevance: &Relevance) -> Self {
        let Relevance { serial_numbers, products, platforms, os_versions } = relevance;
        Self {
            serial_numbers: serial_numbers.iter().map(|text| text.as_str().into()).collect(),
            products: products.iter().map(|text| (text.as_str().into(), Pattern::new(text))).collect(),
            platforms: platforms.iter().map(|text| text.as_str().into()).collect(),
            os_versions: os_versions.iter().map(|text| (text.as_str().into(), text.parse().ok())).collect(),
        }
    }

    /// Whether it names nothing, and so concerns everybody.
    pub fn is_everybody(&self) -> bool {
        self.serial_numbers.is_empty()
            && self.products.is_empty()
            && self.platforms.is_empty()
            && self.os_versions.is_empty()
    }

    /// Why it concerns a device, a reason for each list that it gives; none where it does not.
    pub fn reasons(&self, device: &Traits<'_>) -> Option<Vec<Reason>> {
        if self.is_everybody() {
            return Some(vec![Reason { by: By::Everybody, entry: String::new() }]);
        }
        let serial_number = self.serial_numbers.get(device.serial_number).map(|entry| &**entry);
        let lists = [
            (By::SerialNumber, self.serial_numbers.is_empty(), serial_number),
            (By::Product, self.products.is_empty(), self.product(device.product)),
            (By::Platform, self.platforms.is_empty(), self.platform(device.platform)),
            (By::OsVersion, self.os_versions.is_empty(), self.os_version(device.os_version)),
        ];
        let given = lists.into_iter().filter(|(_, is_open, _)| !is_open);
        given.map(|(by, _, entry)| Some(Reason { by, entry: entry?.to_owned() })).collect()
    }

    /// Its serial numbers, in no order.
    pub(super) fn serial_numbers(&self) -> impl Iterator<Item = &str> {
        self.serial_numbers.iter().map(|text| &**text)
    }

    /// Whether it leaves open which device it is of those that meet the rest.
    pub(super) fn takes_any_serial_number(&self) -> bool {
        self.serial_numbers.is_empty()
    }

    /// Whether a product is met, or none is asked for; of platforms and versions likewise.
    pub(super) fn takes_product(&self, product: &str) -> bool {
        self.products.is_empty() || self.product(product).is_some()
    }

    pub(super) fn takes_platform(&self, platform: &str) -> bool {
        self.platforms.is_empty() || self.platform(platform).is_some()
    }

    pub(super) fn takes_os_version(&self, text: &str, version: Option<&Version>) -> bool {
        self.os_versions.is_empty() || self.os_version_read(text, version).is_some()
    }

    fn product(&self, product: &str) -> Option<&str> {
        self.products.iter().find(|(_, pattern)| pattern.matches(product)).map(|(entry, _)| &**entry)
    }

    fn platform(&self, platform: &str) -> Option<&str> {
        self.platforms.iter().find(|entry| ***entry == *platform).map(|entry| &**entry)
    }

    fn os_version(&self, text: &str) -> Option<&str> {
        self.os_version_read(text, text.parse().ok().as_ref())
    }

    /// The entry that a version meets. What is no expression, or is held against what is no version, means what is
    /// written so.
    fn os_version_read(&self, text: &str, version: Option<&Version>) -> Option<&str> {
        let is_met = |(entry, expression): &&(Box<str>, Option<Expression>)| {
            let by_order = expression.as_ref().zip(version).is_some_and(|(expression, it)| expression.is_met_by(it));
            by_order || **entry == *text
        };
        self.os_versions.iter().find(is_met).map(|(entry, _)| &**entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: Traits<'_> =
        Traits { serial_number: "JN1", product: "MX960", platform: "junos", os_version: "21.4R3-S4.9" };

    fn relevance(serial_numbers: &[&str], products: &[&str], platforms: &[&str], os_versions: &[&str]) -> Relevance {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Relevance {
            serial_numbers: texts(serial_numbers),
            products: texts(products),
            platforms: texts(platforms),
            os_versions: texts(os_versions),
        }
    }

    fn reasons(relevance: &Relevance, device: &Traits<'_>) -> Option<String> {
        let reasons = Concern::of(relevance).reasons(device)?;
        Some(reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn what_names_nothing_concerns_everybody_and_says_so() {
        assert_eq!(reasons(&Relevance::default(), &DEVICE).unwrap(), "everybody");
    }

    #[test]
    fn every_list_that_is_given_has_to_be_met_and_is_told() {
        let all = relevance(&["JN0", "JN1"], &["EX*", "MX*"], &["junos"], &["< 20.1", ">= 21.2R1, < 21.4R3-S5"]);
        let told = "serial_number JN1; product MX*; platform junos; os_version >= 21.2R1, < 21.4R3-S5";
        assert_eq!(reasons(&all, &DEVICE).unwrap(), told);
        for (serial_number, product, platform, os_version) in [
            ("JN2", "MX960", "junos", "21.4R3-S4.9"),
            ("JN1", "QFX5100", "junos", "21.4R3-S4.9"),
            ("JN1", "MX960", "", "21.4R3-S4.9"),
            ("JN1", "MX960", "junos", "21.4R3-S5"),
        ] {
            assert_eq!(reasons(&all, &Traits { serial_number, product, platform, os_version }), None);
        }
    }

    #[test]
    fn a_named_serial_number_is_not_enough_where_more_is_asked_for() {
        assert_eq!(reasons(&relevance(&["JN1"], &["EX*"], &[], &[]), &DEVICE), None);
        assert_eq!(reasons(&relevance(&["JN1"], &[], &[], &[]), &DEVICE).unwrap(), "serial_number JN1");
    }

    #[test]
    fn a_version_that_is_none_is_met_by_what_is_written_so() {
        let strange = Traits { os_version: "lab build 7", ..DEVICE };
        assert_eq!(reasons(&relevance(&[], &[], &[], &["lab build 7"]), &strange).unwrap(), "os_version lab build 7");
        for entry in ["lab build", "< 99.1", "> 1.1", ""] {
            assert_eq!(reasons(&relevance(&[], &[], &[], &[entry]), &strange), None, "{entry}");
        }
        // A device of which no version is known is not met by any.
        let unknown = Traits { os_version: "", ..DEVICE };
        assert_eq!(reasons(&relevance(&[], &[], &[], &["< 99.1"]), &unknown), None);
    }
}
