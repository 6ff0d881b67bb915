//! `org.devices(#{ ... })`: which devices of its organization a script asks for. The engine hands them to a run of a policy
//! that mentions them.
//!
//! What can be refused by the words alone is judged by functions of its own, which the check of a policy asks too.

use std::rc::Rc;

use rhai::{Array, Dynamic, Engine, ImmutableString, Map};

use super::actions::Refusal;
use super::budget::{Fault, Run};
use super::json;
use super::record::OrganizationRecord;
use crate::diagnostic::{excerpt, suggest};
use crate::filter::Pattern;
use crate::versions::{Expression, Version};

/// The method.
pub(super) const DEVICES: &str = "devices";
/// What may be asked for.
pub(super) const KEYS: [&str; 5] = ["serial_number", "host_name", "product", "platform", VERSION];
/// The key whose value is an expression of versions.
const VERSION: &str = "os_version";
/// How many devices a call gives.
const GIVEN_MOST: usize = 1_000;

/// A device, as scripts ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its serial number.
    pub serial_number: String,
    /// Its host name.
    pub host_name: String,
    /// Its model.
    pub product: String,
    /// Its system family; empty where it is not known.
    pub platform: String,
    /// The version of its operating system, as it says it.
    pub os_version: String,
}

/// What a device has to be.
pub(super) enum Test {
    /// A text of its.
    Text(fn(&Device) -> &str, Pattern),
    /// Its version.
    Version(Expression),
}

impl Test {
    fn is_met_by(&self, device: &Device) -> bool {
        match self {
            Self::Text(of, pattern) => pattern.matches(of(device)),
            Self::Version(expression) => {
                device.os_version.parse::<Version>().is_ok_and(|version| expression.is_met_by(&version))
            }
        }
    }
}

/// Teaches an engine the method.
pub(super) fn register(engine: &mut Engine, run: &Rc<Run>) {
    let r = Rc::clone(run);
    engine.register_fn(DEVICES, move |_: &mut OrganizationRecord, asked: Map| devices(&r, &asked));
}

fn devices(run: &Run, asked: &Map) -> Result<Array, Fault> {
    let Some(devices) = run.devices() else { return Err(no_devices().into()) };
    let mut tests = Vec::with_capacity(asked.len());
    for (key, value) in asked {
        let text = value.as_immutable_string_ref().map_err(|_| no_text(key, json::describe(value)))?;
        tests.push(read(key, &text)?);
    }
    let is_version = |test: &Test| matches!(test, Test::Version(_));
    run.charge(if tests.iter().any(is_version) { 2 * devices.len() } else { devices.len() })?;
    let mut left = run.limits().string_bytes;
    let found = devices.iter().filter(|device| tests.iter().all(|test| test.is_met_by(device)));
    let found = found.take(GIVEN_MOST.min(run.limits().array_items)).map_while(|device| {
        left = left.checked_sub(device.serial_number.len())?;
        Some(Dynamic::from(ImmutableString::from(device.serial_number.as_str())))
    });
    let found: Array = found.collect();
    run.charge(found.len())?;
    run.charge_bytes(run.limits().string_bytes - left)?;
    Ok(found)
}

/// Reads what a device has to be.
pub(super) fn read(key: &str, text: &str) -> Result<Test, Refusal> {
    let of: fn(&Device) -> &str = match key {
        "serial_number" => |device| &device.serial_number,
        "host_name" => |device| &device.host_name,
        "product" => |device| &device.product,
        "platform" => |device| &device.platform,
        VERSION => {
            let expression = text.parse().map_err(|_| {
                let message = format!("`{}` is no expression of versions", excerpt(text));
                Refusal::new(message, "such as `21.4`, `< 21.4R3` or `>= 21.2R1, < 21.4R3-S5`".to_owned())
            })?;
            return Ok(Test::Version(expression));
        }
        unknown => return Err(unknown_key(unknown)),
    };
    Ok(Test::Text(of, Pattern::new(text)))
}

/// Refuses a key that is none of a device's.
pub(super) fn unknown_key(key: &str) -> Refusal {
    Refusal::new(format!("`{DEVICES}` knows no key `{}`", excerpt(key)), suggest(key, KEYS.into_iter()))
}

/// Refuses a value that is no text.
pub(super) fn no_text(key: &str, what: &str) -> Refusal {
    Refusal::new(format!("`{}` of `{DEVICES}` is a text, not {what}", excerpt(key)), None)
}

/// Refuses to tell devices where there are none to ask for.
fn no_devices() -> Refusal {
    let help = "an organization's are told from engine level 11 on, the provider has none".to_owned();
    Refusal::new(format!("`{DEVICES}` has nobody's devices to tell"), help)
}
