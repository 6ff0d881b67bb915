//! What holds of a million damaged bundles, of whatever coverage leads to.

#![no_main]

#[path = "../../tests/bundle_fuzz/property.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| property::hold(bytes));
