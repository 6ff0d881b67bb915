//! The filters and tests of templates.
//!
//! | filter | of | gives |
//! |---|---|---|
//! | `address` | a network or an address | the address |
//! | `prefix_length` | a network or an address | the length, that of a host for an address |
//! | `mask` | an IPv4 network or address | `255.255.255.0` |
//! | `host(n)` | a network | its address number n; 0 is the network's own |
//! | `family` | a network, an address, a range of addresses | `inet` or `inet6` |
//! | `physical` | an interface | `ge-0/0/1` of `ge-0/0/1.100` |
//! | `unit` | an interface | `100` of `ge-0/0/1.100`, 0 without a unit |
//! | `rate` | a number | `10m`, `1500k`, `123`: the shortest exact spelling |
//! | `name(other)` | a text | one name of both for the configuration: another one for each two |
//! | `list` | a value or a list | the list; a value is a list of one |
//! | `positive`, `negative` | a value or a list | the elements without `not`, or those with it, bare |
//! | `bare` | a value | what is negated, or the value itself |
//! | `except` | a value | the value, and `except` behind it if it is negated |
//! | `length`, `first`, `last` | a list | |
//! | `items` | a map | its names and values |

use std::net::IpAddr;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, Value};

use sha2::{Digest, Sha256};

use super::value::{Held, negated, refused};

/// The longest name that `name` gives, in characters. With what a template writes in front it is within the 63 that
/// every statement of Junos takes.
const NAME_MOST: usize = 40;
/// How many hexadecimal digits make a name another one for each two texts that it cannot spell out.
const NAME_DIGITS: usize = 12;

/// The filters whose result is a list, whatever they are given.
pub(super) const LISTS: [&str; 4] = ["items", "list", "negative", "positive"];

/// All filters.
pub(super) const FILTERS: [&str; 18] = [
    "address",
    "bare",
    "except",
    "family",
    "first",
    "host",
    "items",
    "last",
    "length",
    "list",
    "mask",
    "name",
    "negative",
    "physical",
    "positive",
    "prefix_length",
    "rate",
    "unit",
];

/// All tests.
pub(super) const TESTS: [&str; 4] = ["defined", "negated", "ranged", "several"];

/// Makes filters and tests known.
pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_filter("address", |value: Value| Ok::<_, Error>(network(&value, "address")?.0.to_string()));
    environment.add_filter("prefix_length", |value: Value| Ok::<_, Error>(network(&value, "prefix_length")?.1));
    environment.add_filter("mask", mask);
    environment.add_filter("host", host);
    environment.add_filter("family", family);
    environment.add_filter("physical", |value: Value| Ok::<_, Error>(interface(&value, "physical")?.0));
    environment.add_filter("unit", |value: Value| Ok::<_, Error>(interface(&value, "unit")?.1));
    environment.add_filter("rate", rate);
    environment.add_filter("name", name);
    environment.add_filter("list", |value: Value| Ok::<Value, Error>(elements(&value)?.into_iter().collect()));
    environment.add_filter("positive", |value: Value| {
        Ok::<Value, Error>(elements(&value)?.into_iter().filter(|element| negated(element).is_none()).collect())
    });
    environment.add_filter("negative", |value: Value| {
        Ok::<Value, Error>(elements(&value)?.iter().filter_map(negated).collect())
    });
    environment.add_filter("bare", |value: Value| negated(&value).unwrap_or(value));
    environment.add_filter("except", |value: Value| match negated(&value) {
        Some(bare) => Value::from_object(Held::Words(vec![bare, Value::from("except")])),
        None => value,
    });
    environment.add_filter("length", |value: Value| match value.kind() {
        ValueKind::Seq | ValueKind::Map => Ok(value.len()),
        _ => Err(refused("`length` wants a list or a map")),
    });
    environment.add_filter("first", |value: Value| nth(&value, "first", 0));
    environment
        .add_filter("last", |value: Value| nth(&value, "last", value.len().unwrap_or_default().saturating_sub(1)));
    environment.add_filter("items", items);
    environment.add_test("defined", |value: Value| !value.is_undefined());
    environment.add_test("negated", |value: Value| negated(&value).is_some());
    environment.add_test("ranged", |value: Value| matches!(value.downcast_object_ref(), Some(Held::Range(..))));
    environment.add_test("several", |value: Value| value.kind() == ValueKind::Seq);
}

/// The value as a text, for messages.
fn shown(value: &Value) -> String {
    crate::diagnostic::excerpt(&value.to_string())
}

/// A network, or an address as the network of that host. Host bits may be set: an interface's address is
/// written that way.
fn network(value: &Value, filter: &str) -> Result<(IpAddr, u8), Error> {
    let read = || {
        let text = value.as_str()?;
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(most);
        (length <= most).then_some((address, length))
    };
    read().ok_or_else(|| refused(format!("`{filter}` wants a network or an address, not `{}`", shown(value))))
}

fn mask(value: Value) -> Result<String, Error> {
    match network(&value, "mask")? {
        (IpAddr::V4(_), length) => {
            let bits = u32::MAX.checked_shl(u32::from(32 - length)).unwrap_or_default();
            Ok(std::net::Ipv4Addr::from(bits).to_string())
        }
        (IpAddr::V6(_), _) => Err(refused("`mask` wants an IPv4 network: of IPv6 print `|prefix_length`")),
    }
}

fn host(value: Value, number: u64) -> Result<String, Error> {
    let (address, length) = network(&value, "host")?;
    let outside = || refused(format!("`{}` has no host {number}", shown(&value)));
    match address {
        IpAddr::V4(address) => {
            let hosts = u32::MAX.checked_shr(u32::from(length)).unwrap_or_default();
            let number = u32::try_from(number).ok().filter(|number| *number <= hosts).ok_or_else(outside)?;
            Ok(std::net::Ipv4Addr::from((u32::from(address) & !hosts) | number).to_string())
        }
        IpAddr::V6(address) => {
            let hosts = u128::MAX.checked_shr(u32::from(length)).unwrap_or_default();
            let number = Some(u128::from(number)).filter(|number| *number <= hosts).ok_or_else(outside)?;
            Ok(std::net::Ipv6Addr::from((u128::from(address) & !hosts) | number).to_string())
        }
    }
}

fn family(value: Value) -> Result<&'static str, Error> {
    let of = match value.downcast_object_ref() {
        Some(Held::Range(first, _)) => network(first, "family"),
        Some(Held::Not(bare)) => network(bare, "family"),
        _ => network(&value, "family"),
    };
    Ok(if of?.0.is_ipv4() { "inet" } else { "inet6" })
}

/// The physical interface and the unit.
fn interface(value: &Value, filter: &str) -> Result<(String, u32), Error> {
    let read = || {
        let (physical, unit) = value.as_str()?.split_once('.').map_or((value.as_str()?, "0"), |parts| parts);
        (!physical.is_empty()).then_some((physical.to_owned(), unit.parse().ok()?))
    };
    read()
        .ok_or_else(|| refused(format!("`{filter}` wants an interface such as `ge-0/0/1.100`, not `{}`", shown(value))))
}

fn rate(value: Value) -> Result<String, Error> {
    let number = u64::try_from(value.clone())
        .map_err(|_| refused(format!("`rate` wants a whole number that is not negative, not `{}`", shown(&value))))?;
    let unit = [(1_000_000_000, "g"), (1_000_000, "m"), (1_000, "k")].into_iter();
    let mut exact = unit.filter(|(size, _)| number > 0 && number % size == 0);
    Ok(exact.next().map_or_else(|| number.to_string(), |(size, unit)| format!("{}{unit}", number / size)))
}

/// One name of two texts, as `berlin_line-7`: of letters, digits, `-` and `_`.
///
/// INVARIANT (each two have a name of their own): where both are written out there is one `_`, and never two in a row;
/// otherwise two stand before digits of a hash over both.
fn name(one: Value, other: Value) -> Result<String, Error> {
    let mut texts = Vec::new();
    for value in [&one, &other] {
        match value.as_str() {
            Some(text) if !text.is_empty() => texts.push(text),
            _ => return Err(refused(format!("`name` wants two texts, not `{}`", shown(value)))),
        }
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let whole = texts.join("_");
    if whole.len() <= NAME_MOST && texts.iter().all(|text| text.chars().all(is_plain)) {
        return Ok(whole);
    }
    let mut hasher = Sha256::new();
    for text in &texts {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    let digest = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let plain = texts.join("-").chars().map(|c| if is_plain(c) { c } else { '-' }).collect::<String>();
    let begins = plain.chars().take(NAME_MOST - NAME_DIGITS - 2).collect::<String>();
    Ok(format!("{begins}__{}", digest.get(..NAME_DIGITS).unwrap_or(&digest)))
}

/// The elements of a list; a value is a list of one.
fn elements(value: &Value) -> Result<Vec<Value>, Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => Ok(value.try_iter()?.collect()),
        ValueKind::Map => Err(refused("a map is no list: write `|items`")),
        ValueKind::Undefined => Err(refused("there is no value: ask `is defined` first")),
        _ => Ok(vec![value.clone()]),
    }
}

fn nth(value: &Value, filter: &str, place: usize) -> Result<Value, Error> {
    let element = elements(value)?.into_iter().nth(place);
    element.ok_or_else(|| refused(format!("`{filter}` wants a list that is not empty")))
}

fn items(value: Value) -> Result<Value, Error> {
    if value.kind() != ValueKind::Map {
        return Err(refused(format!("`items` wants a map, not `{}`", shown(&value))));
    }
    let mut pairs = Vec::new();
    for name in value.try_iter()? {
        let of_name = value.get_item(&name)?;
        pairs.push([name, of_name].into_iter().collect::<Value>());
    }
    Ok(pairs.into_iter().collect())
}
