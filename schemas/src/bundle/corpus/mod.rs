//! Bundles to try things on: what a network of fourteen devices might send in a month.
//!
//! Made here, the same each time, for demonstrations and tests. Devices, people and addresses are
//! invented (RFC 5737, RFC 3849). Nothing in here is read by decoder or encoder.

mod broken;
mod devices;
mod events;
mod render;

use super::model::{Kind, Variant};
use devices::{DEVICES, Device};
use events::{ATTACK, EVENTS, Event, HEALTH, SNAPSHOT};
use render::render;

/// One bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specimen {
    /// A file name, distinct.
    pub name: String,
    /// What a device would send.
    pub bytes: Vec<u8>,
    /// The name of the fault that it is refused for ([`Fault::name`](super::Fault::name)).
    pub fault: Option<&'static str>,
}

/// What one bundle is made of.
#[derive(Debug, Clone, Copy)]
struct Plan {
    kind: Kind,
    variant: Variant,
    is_off_box: bool,
    device: &'static Device,
    event: &'static Event,
    /// Counts the bundles: gives day, time and host-event-ID.
    sequence: usize,
}

/// Kind, variant, off-box, how many of them.
const MIX: [(Kind, Variant, bool, usize); 11] = [
    (Kind::Event, Variant::None, false, 16),
    (Kind::Information, Variant::None, false, 5),
    (Kind::Event, Variant::Rma, false, 3),
    (Kind::Event, Variant::HealthCheck, false, 3),
    (Kind::OnDemand, Variant::Event, false, 3),
    (Kind::OnDemand, Variant::Information, false, 2),
    (Kind::OnDemand, Variant::Rma, false, 2),
    (Kind::Event, Variant::None, true, 2),
    (Kind::Information, Variant::None, true, 2),
    (Kind::OnDemand, Variant::Rma, true, 1),
    (Kind::OnDemand, Variant::Event, true, 1),
];

/// What lies between the bundles of two rounds: more than anybody watches of what comes later.
const ROUND: usize = 1_000_000;

/// All bundles: 41 good ones, of which the last repeats the host-event-ID of the first, and 8 broken
/// ones. All other host-event-IDs are distinct.
pub fn specimens() -> Vec<Specimen> {
    of_round(0)
}

/// The same once more, so many rounds later: the mix, the repetition and the faults of [`specimens`], with host-event-IDs of
/// its own.
pub fn of_round(round: usize) -> Vec<Specimen> {
    let plans = plans(round * ROUND);
    let mut specimens: Vec<Specimen> =
        plans.iter().map(|plan| Specimen { name: name(plan), bytes: render(plan).into_bytes(), fault: None }).collect();
    if let Some(first) = plans.first() {
        // The device was not sure that it arrived.
        let text = render(first).replace("<severity>", "<delivery-attempt>2</delivery-attempt>\n    <severity>");
        specimens.push(Specimen { name: format!("again-{}", name(first)), bytes: text.into_bytes(), fault: None });
    }
    specimens.extend(broken::specimens(round * ROUND + plans.len()));
    specimens
}

/// The event bundles of an attack on 192.0.2.7, which lies behind the device of the first bundle: that it is seen, and that
/// it is over.
pub fn attack() -> [Specimen; 2] {
    let device = DEVICES.first().unwrap_or(&devices::LAB);
    let bundle = |event, sequence| {
        let plan = Plan { kind: Kind::Event, variant: Variant::None, is_off_box: false, device, event, sequence };
        Specimen { name: name(&plan), bytes: render(&plan).into_bytes(), fault: None }
    };
    let [seen, over] = &ATTACK;
    // Behind all others.
    let count = specimens().len();
    [bundle(seen, count), bundle(over, count + 1)]
}

/// The event bundle of so many bundles after the attack: one device after the other, one event after the other, for as long
/// as somebody watches. The first is a hardware failure.
pub fn later(number: usize) -> Specimen {
    let sequence = specimens().len().next_multiple_of(EVENTS.len()) + number;
    let plan = plan(Kind::Event, Variant::None, false, sequence);
    Specimen { name: name(&plan), bytes: render(&plan).into_bytes(), fault: None }
}

fn plans(first: usize) -> Vec<Plan> {
    let kinds = MIX
        .into_iter()
        .flat_map(|(kind, variant, is_off_box, count)| std::iter::repeat_n((kind, variant, is_off_box), count));
    let sequences = first..;
    kinds
        .zip(sequences)
        .map(|((kind, variant, is_off_box), sequence)| plan(kind, variant, is_off_box, sequence))
        .collect()
}

fn plan(kind: Kind, variant: Variant, is_off_box: bool, sequence: usize) -> Plan {
    let event = match (kind, variant) {
        (Kind::Information, _) | (_, Variant::Information) => &SNAPSHOT,
        (_, Variant::HealthCheck) => HEALTH.get(sequence % HEALTH.len()).unwrap_or(&SNAPSHOT),
        _ => EVENTS.get(sequence % EVENTS.len()).unwrap_or(&SNAPSHOT),
    };
    // Devices without scripts are the only ones that the controller collects from.
    let mut devices = DEVICES.iter().filter(|device| device.has_scripts != is_off_box);
    let count = devices.clone().count().max(1);
    let device = devices.nth(sequence % count);
    Plan { kind, variant, is_off_box, device: device.unwrap_or(&devices::LAB), event, sequence }
}

fn name(plan: &Plan) -> String {
    let variant = plan.variant.as_str();
    let hyphen = if variant.is_empty() { "" } else { "-" };
    format!("{:02}-{}{hyphen}{variant}-{}.xml", plan.sequence + 1, plan.kind.as_str(), plan.device.host_name)
}
