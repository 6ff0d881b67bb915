//! What holds of packets of SFTP and of the names in them, of whatever coverage leads to.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| linesman_connectors::device::property::packets(bytes));
