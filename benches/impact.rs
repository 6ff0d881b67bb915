//! Many messages held against many devices, on one core: what a new inventory, or all messages anew, would cost.

use std::time::Instant;

use linesman_domain::intelligence::impact::Impact;
use linesman_domain::intelligence::relevance::Traits;
use linesman_domain::snapshots::parts::PartRow;
use linesman_schemas::intelligence::Relevance;

/// How many messages there are.
const MESSAGES: usize = 1_000;
/// What all of it takes at the most, in seconds.
const MOST_S: f64 = 2.0;
/// How many times it is measured; the best counts.
const TURNS: usize = 3;
/// How many devices every message is held against one by one, to be compared.
const COMPARED: usize = 200;

const FAMILIES: [&str; 8] = ["MX", "EX", "QFX", "PTX", "SRX", "ACX", "T", "M"];

/// The family of products that a device or message is of, by its number.
fn family(number: usize) -> &'static str {
    FAMILIES.get(number % FAMILIES.len()).copied().unwrap_or_default()
}

/// A device as inventories have them.
struct Device {
    serial_number: String,
    product: String,
    platform: String,
    os_version: String,
    parts: Vec<PartRow>,
}

impl Device {
    /// Some 200 products, 5 platforms and 3,000 versions; with eight parts.
    fn numbered(number: usize) -> Self {
        let (family, model) = (family(number), number / 7 % 25);
        let (major, minor, release, service) =
            (15 + number % 9, 1 + number / 9 % 4, 1 + number / 3 % 4, number / 5 % 21);
        let evo = if number.is_multiple_of(40) { "-EVO" } else { "" };
        Self {
            serial_number: format!("JN{number:08X}"),
            product: format!("{family}{}", 100 + 20 * model),
            platform: format!("platform-{}", number % 5),
            os_version: format!("{major}.{minor}R{release}-S{service}.{}{evo}", 1 + number % 3),
            parts: (0..8).map(|slot| part(number, slot)).collect(),
        }
    }

    fn traits(&self) -> Traits<'_> {
        let Self { serial_number, product, platform, os_version, parts } = self;
        Traits { serial_number, product, platform, os_version, parts }
    }
}

/// The part in a slot of a device.
fn part(number: usize, slot: usize) -> PartRow {
    PartRow { name: format!("FPC {slot}"), part_number: "750-056519".to_owned(), serial_number: named(number, slot) }
}

fn named(number: usize, slot: usize) -> String {
    format!("CA{slot}{number:08X}")
}

/// A message: one in ten names devices and as many parts, the others products and most of them ranges of versions.
fn message(number: usize, devices: usize) -> Relevance {
    let serial_numbers = match number % 10 {
        0 => (0..50)
            .map(|step| (step, (number * 7 + step * 31) % devices))
            .flat_map(|(step, device)| [format!("JN{device:08X}"), named((device + 1) % devices, step % 8)])
            .collect(),
        _ => Vec::new(),
    };
    let family = family(number);
    let products = match number % 3 {
        0 => vec![format!("{family}*")],
        1 => (0..4).map(|step| format!("{family}{}", 100 + 20 * ((number + step) % 25))).collect(),
        _ => vec![format!("{family}*0"), format!("*{}", 100 + number % 25)],
    };
    let platforms = if number.is_multiple_of(4) { vec![format!("platform-{}", number % 5)] } else { Vec::new() };
    let major = 15 + number % 9;
    let os_versions = match number % 5 {
        0 => Vec::new(),
        _ => vec![format!(">= {major}.1R1, < {major}.{}R3-S5", 1 + number % 4), format!("{}.2R2-S7", major - 1)],
    };
    Relevance { serial_numbers, products, platforms, os_versions }
}

/// Measures; prints as the last line `impact <s> devices <n> messages <n>`.
///
/// # Errors
/// It takes longer than it may, or finds what one message held against one device does not.
pub(crate) fn run(count: usize) -> anyhow::Result<()> {
    let devices: Vec<_> = (0..count).map(Device::numbered).collect();
    let messages: Vec<_> = (0..MESSAGES).map(|number| message(number, count.max(1))).collect();
    let mut best = f64::MAX;
    for turn in 1..=TURNS {
        let since = Instant::now();
        let mut impact = Impact::of(&messages);
        let found: usize = devices.iter().map(|device| impact.on(&device.traits()).len()).sum();
        let took = since.elapsed().as_secs_f64();
        eprintln!("turn {turn}: {took:.3} s, {found} matches");
        best = best.min(took);
    }
    compare(&devices, &messages)?;
    println!("impact {best:.3} devices {count} messages {MESSAGES}");
    anyhow::ensure!(best < MOST_S, "it takes {MOST_S} s or more");
    Ok(())
}

/// Holds every message against some devices one by one.
fn compare(devices: &[Device], messages: &[Relevance]) -> anyhow::Result<()> {
    let mut impact = Impact::of(messages);
    for device in devices.iter().step_by((devices.len() / COMPARED).max(1)) {
        let found = impact.on(&device.traits());
        let one_by_one = (0..messages.len()).filter(|at| impact.reasons(*at, &device.traits()).is_some());
        anyhow::ensure!(one_by_one.eq(found.iter().copied()), "`{}` is found otherwise", device.serial_number);
    }
    Ok(())
}
