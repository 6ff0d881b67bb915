//! What holds of replies of NETCONF, of whatever coverage leads to.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| linesman_connectors::device::property::reply(bytes));
