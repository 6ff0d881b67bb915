//! Which of many messages concern which of many devices.
//!
//! What a product, a platform or a version comes to for all messages is found once, as a set of them; a device is then the
//! intersection of three such sets and of what its serial number and those of its parts add. Devices are many, their models and versions few.

use foldhash::{HashMap, HashMapExt as _};
use linesman_schemas::intelligence::Relevance;

use super::relevance::{Concern, Reason, Traits};

/// How many products, platforms or versions are kept; devices tell them, who may tell anything.
const KEPT_MOST: usize = 16_384;
/// How many words the sets of all of them may have together, 8 bytes each; so few of many messages are kept.
const WORDS_MOST: usize = 1 << 19;
/// How many bits a word has.
const WORD: usize = u64::BITS as usize;

/// A set of messages by place, a bit each.
type Set = Box<[u64]>;

/// Messages, ready to be held against devices.
#[derive(Debug)]
pub struct Impact {
    concerns: Vec<Concern>,
    /// Those that give no serial numbers.
    open: Set,
    /// Those that name a serial number.
    named: HashMap<Box<str>, Vec<usize>>,
    products: HashMap<Box<str>, Set>,
    platforms: HashMap<Box<str>, Set>,
    os_versions: HashMap<Box<str>, Set>,
}

impl Impact {
    /// Of messages that concern `relevances`; each is known by its place among them.
    pub fn of<'a>(relevances: impl IntoIterator<Item = &'a Relevance>) -> Self {
        let concerns: Vec<_> = relevances.into_iter().map(Concern::of).collect();
        let open = set(&concerns, Concern::takes_any_serial_number);
        let mut named = HashMap::<Box<str>, Vec<usize>>::new();
        for (place, concern) in concerns.iter().enumerate() {
            for serial_number in concern.serial_numbers() {
                named.entry(serial_number.into()).or_default().push(place);
            }
        }
        let (products, platforms, os_versions) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { concerns, open, named, products, platforms, os_versions }
    }

    /// The places of the messages that concern a device, ascending.
    pub fn on(&mut self, device: &Traits<'_>) -> Vec<usize> {
        let Self { concerns, open, named, products, platforms, os_versions } = self;
        let product = kept(products, device.product, || set(concerns, |it| it.takes_product(device.product)));
        let platform = kept(platforms, device.platform, || set(concerns, |it| it.takes_platform(device.platform)));
        let os_version = kept(os_versions, device.os_version, || {
            let version = device.os_version.parse().ok();
            set(concerns, |it| it.takes_os_version(device.os_version, version.as_ref()))
        });
        let mut found = Vec::new();
        let rest =
            product.iter().zip(platform).zip(os_version).map(|((product, platform), os)| product & platform & os);
        let serial_numbers = device.parts.iter().map(|part| part.serial_number.as_str());
        let places = std::iter::once(device.serial_number).chain(serial_numbers).filter_map(|it| named.get(it));
        let mut places: Vec<usize> = places.flatten().copied().collect();
        // Several of them may be named by one message, and each by messages in their order.
        places.sort_unstable();
        let mut named = places.into_iter().peekable();
        for (at, (rest, open)) in rest.zip(open.iter()).enumerate() {
            // They are in order, as the words are.
            let mut taken = *open;
            while let Some(place) = named.next_if(|place| *place / WORD == at) {
                taken |= 1 << (place % WORD);
            }
            let mut bits = rest & taken;
            while bits != 0 {
                found.push(at * WORD + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
        found
    }

    /// Whether any of them names serial numbers, so that parts of devices matter.
    pub fn names_serial_numbers(&self) -> bool {
        !self.named.is_empty()
    }

    /// Why the message at a place concerns a device; none where it does not.
    pub fn reasons(&self, place: usize, device: &Traits<'_>) -> Option<Vec<Reason>> {
        self.concerns.get(place)?.reasons(device)
    }
}

/// What a text comes to, found once.
fn kept<'a>(known: &'a mut HashMap<Box<str>, Set>, text: &str, find: impl FnOnce() -> Set) -> &'a [u64] {
    if !known.contains_key(text) {
        let set = find();
        if known.len() >= KEPT_MOST.min(WORDS_MOST / set.len().max(1)) {
            known.clear();
        }
        known.insert(text.into(), set);
    }
    known.get(text).map(|set| &**set).unwrap_or_default()
}

/// The messages that are taken.
fn set(concerns: &[Concern], is_taken: impl Fn(&Concern) -> bool) -> Set {
    let word = |concerns: &[Concern]| {
        let bits = concerns.iter().enumerate().filter(|(_, concern)| is_taken(concern));
        bits.fold(0, |word, (bit, _)| word | 1 << bit)
    };
    concerns.chunks(WORD).map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshots::parts::PartRow;

    /// Numbers that look like chance, the same in each run.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, most: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % most
        }

        fn some(&mut self, of: &[&str]) -> Vec<String> {
            let count = self.below(3);
            (0..count).map(|_| of[self.below(of.len())].to_owned()).collect()
        }
    }

    const SERIAL_NUMBERS: [&str; 6] = ["JN1", "JN2", "JN3", "JN4", "jn1", ""];
    const PRODUCTS: [&str; 5] = ["MX960", "MX480", "EX4300-48T", "mx960", ""];
    const PATTERNS: [&str; 6] = ["MX*", "MX960", "*0", "EX*-*T", "*", "mx*"];
    const PLATFORMS: [&str; 3] = ["junos", "evo", ""];
    const VERSIONS: [&str; 7] = ["21.4R3-S4.9", "21.4R3", "12.3X48-D75", "22.3R1-EVO", "lab", "9", ""];
    const EXPRESSIONS: [&str; 7] =
        ["21.4", ">= 21.2R1, < 21.4R3-S5", "> 12.3R12", "< 23.1-EVO", "lab", "9", "<= 12.3X48"];

    /// Each message against each device, as the words of the issue say it, by none of the code above.
    fn naively(relevance: &Relevance, device: &Traits<'_>) -> bool {
        fn glob(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern, text) {
                ([], []) => true,
                ([b'*', rest @ ..], _) => glob(rest, text) || (!text.is_empty() && glob(pattern, &text[1..])),
                ([a, pattern @ ..], [b, text @ ..]) if a == b => glob(pattern, text),
                _ => false,
            }
        }
        let version: Option<linesman_rules::versions::Version> = device.os_version.parse().ok();
        let is_version = |entry: &String| {
            let expression = entry.parse::<linesman_rules::versions::Expression>().ok();
            entry == device.os_version
                || matches!((expression, &version), (Some(expression), Some(version)) if expression.is_met_by(version))
        };
        let Relevance { serial_numbers, products, platforms, os_versions } = relevance;
        (serial_numbers.is_empty()
            || serial_numbers.iter().any(|entry| {
                entry == device.serial_number || device.parts.iter().any(|part| part.serial_number == *entry)
            }))
            && (products.is_empty() || products.iter().any(|entry| glob(entry.as_bytes(), device.product.as_bytes())))
            && (platforms.is_empty() || platforms.iter().any(|entry| entry == device.platform))
            && (os_versions.is_empty() || os_versions.iter().any(is_version))
    }

    #[test]
    fn it_finds_what_a_naive_model_finds_and_says_why() {
        let mut chance = Chance(7);
        for messages in [0, 1, 63, 64, 65, 200] {
            let relevances: Vec<_> = (0..messages)
                .map(|_| Relevance {
                    serial_numbers: chance.some(&SERIAL_NUMBERS),
                    products: chance.some(&PATTERNS),
                    platforms: chance.some(&PLATFORMS),
                    os_versions: chance.some(&EXPRESSIONS),
                })
                .collect();
            let mut impact = Impact::of(&relevances);
            for _ in 0..300 {
                let part = |serial_number: String| PartRow { serial_number, ..PartRow::default() };
                let parts: Vec<PartRow> = chance.some(&SERIAL_NUMBERS).into_iter().map(part).collect();
                let device = Traits {
                    parts: &parts,
                    serial_number: SERIAL_NUMBERS[chance.below(SERIAL_NUMBERS.len())],
                    product: PRODUCTS[chance.below(PRODUCTS.len())],
                    platform: PLATFORMS[chance.below(PLATFORMS.len())],
                    os_version: VERSIONS[chance.below(VERSIONS.len())],
                };
                let found = impact.on(&device);
                let expected: Vec<_> = (0..messages).filter(|at| naively(&relevances[*at], &device)).collect();
                assert_eq!(found, expected, "{device:?}");
                for (at, relevance) in relevances.iter().enumerate() {
                    assert_eq!(impact.reasons(at, &device).is_some(), naively(relevance, &device), "{relevance:?}");
                }
            }
        }
    }

    #[test]
    fn what_devices_tell_does_not_grow_what_is_kept_beyond_its_bound() {
        let relevance = Relevance { products: vec!["MX*".to_owned()], ..Relevance::default() };
        let mut impact = Impact::of([&relevance]);
        for number in 0..KEPT_MOST + 10 {
            let product = format!("MX{number}");
            let device = Traits { serial_number: "", product: &product, platform: "", os_version: "", parts: &[] };
            assert_eq!(impact.on(&device), [0]);
        }
        assert!(impact.products.len() <= KEPT_MOST);
    }
}
