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
use crate::snapshots::parts::PartRow;

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
    /// Its parts.
    pub parts: &'a [PartRow],
}

impl<'a> Traits<'a> {
    /// Of a device as its row has it.
    pub fn of(serial_number: &'a str, device: &'a DeviceRow, parts: &'a [PartRow]) -> Self {
        let DeviceRow { product, platform, os_version, .. } = device;
        Self { serial_number, product, platform, os_version, parts }
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
    /// Its serial numbers, of which one is that of a part of the device.
    Part,
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
            Self::Part => "part",
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
    /// The entry of it that is met, the first of several; of a part with what it is called and its part number; empty where
    /// there is no list.
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
        let named = self.named(device);
        let entry = |by: By, entry: Option<&str>| entry.map(|entry| Reason { by, entry: entry.to_owned() });
        let lists = [
            (self.serial_numbers.is_empty(), named),
            (self.products.is_empty(), entry(By::Product, self.product(device.product))),
            (self.platforms.is_empty(), entry(By::Platform, self.platform(device.platform))),
            (self.os_versions.is_empty(), entry(By::OsVersion, self.os_version(device.os_version))),
        ];
        lists.into_iter().filter(|(is_open, _)| !is_open).map(|(_, reason)| reason).collect()
    }

    /// Whether it names a device, or a part of it: the device first, then its parts in their order.
    fn named(&self, device: &Traits<'_>) -> Option<Reason> {
        if let Some(entry) = self.serial_numbers.get(device.serial_number) {
            return Some(Reason { by: By::SerialNumber, entry: entry.to_string() });
        }
        let part = device.parts.iter().find(|part| self.serial_numbers.contains(part.serial_number.as_str()))?;
        Some(Reason { by: By::Part, entry: part.to_string() })
    }

    /// Its serial numbers, in no order.
    pub(super) fn serial_numbers(&self) -> impl Iterator<Item = &str> {
        self.serial_numbers.iter().map(|text| &**text)
    }

    /// Whether it leaves open which device it is of those that meet the rest.
    pub fn takes_any_serial_number(&self) -> bool {
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
        Traits { serial_number: "JN1", product: "MX960", platform: "junos", os_version: "21.4R3-S4.9", parts: &[] };

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
            assert_eq!(reasons(&all, &Traits { serial_number, product, platform, os_version, parts: &[] }), None);
        }
    }

    #[test]
    fn a_named_serial_number_is_not_enough_where_more_is_asked_for() {
        assert_eq!(reasons(&relevance(&["JN1"], &["EX*"], &[], &[]), &DEVICE), None);
        assert_eq!(reasons(&relevance(&["JN1"], &[], &[], &[]), &DEVICE).unwrap(), "serial_number JN1");
    }

    #[test]
    fn a_part_is_named_by_its_serial_number_and_the_reason_says_which() {
        let part = |name: &str, serial_number: &str| PartRow {
            name: name.to_owned(),
            part_number: "750-1".to_owned(),
            serial_number: serial_number.to_owned(),
        };
        let parts = [part("FPC 0", "CA1"), part("", "CA2")];
        let device = Traits { parts: &parts, ..DEVICE };
        assert_eq!(reasons(&relevance(&["CA1"], &[], &[], &[]), &device).unwrap(), "part CA1 (FPC 0, 750-1)");
        assert_eq!(
            reasons(&relevance(&["CA2"], &["MX*"], &[], &[]), &device).unwrap(),
            "part CA2 (750-1); product MX*"
        );
        assert_eq!(reasons(&relevance(&["CA1", "JN1"], &[], &[], &[]), &device).unwrap(), "serial_number JN1");
        assert_eq!(reasons(&relevance(&["CA3"], &[], &[], &[]), &device), None);
        assert_eq!(reasons(&relevance(&["CA1"], &["EX*"], &[], &[]), &device), None);
        assert_eq!(reasons(&relevance(&["FPC 0", "750-1"], &[], &[], &[]), &device), None);
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
