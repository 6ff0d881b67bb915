//! The network that the bundles come from.

/// One device.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) host_name: &'static str,
    pub(super) serial_number: &'static str,
    pub(super) product: &'static str,
    pub(super) platform: &'static str,
    pub(super) os_version: &'static str,
    pub(super) address: &'static str,
    pub(super) part_number: &'static str,
    /// The routing engines' model, empty if it has none of its own, and their serial numbers.
    pub(super) engine: &'static str,
    pub(super) engine_serials: &'static [&'static str],
    /// Its bundles' namespace (none if empty) and prefix.
    pub(super) namespace: &'static str,
    pub(super) prefix: &'static str,
    /// Scripts on the device make its bundles; otherwise the controller does.
    pub(super) has_scripts: bool,
}

/// What all devices start from.
pub(super) const LAB: Device = Device {
    host_name: "lab-01",
    serial_number: "LAB0001",
    product: "MX204",
    platform: "junos",
    os_version: "21.4R3-S5",
    address: "192.0.2.250",
    part_number: "750-069579",
    engine: "",
    engine_serials: &[],
    namespace: "urn:linesman:jmb:1.0",
    prefix: "",
    has_scripts: true,
};

pub(super) const DEVICES: [Device; 14] = [
    Device {
        host_name: "edge-01",
        serial_number: "JN11AF3C2AFC",
        product: "MX240",
        address: "192.0.2.17",
        part_number: "750-047849",
        engine: "RE-S-1800x4",
        engine_serials: &["9009153221", "9009153347"],
        ..LAB
    },
    Device {
        host_name: "core-02",
        serial_number: "JN124D6E1AFA",
        product: "MX960",
        os_version: "20.2R3-S8",
        address: "2001:db8:10::2",
        part_number: "710-013698",
        engine: "RE-S-X6-64G",
        engine_serials: &["BUILTIN-41", "BUILTIN-42"],
        namespace: "http://xml.juniper.net/junos/20.2R3/jmb",
        ..LAB
    },
    Device {
        host_name: "core-spine-1",
        serial_number: "DX411",
        product: "PTX10008",
        platform: "junos-evo",
        os_version: "22.4R2-EVO",
        address: "192.0.2.33",
        part_number: "750-111915",
        engine: "JNP10K-RE1",
        engine_serials: &["ACPH5512", "ACPH5560"],
        namespace: "http://xml.juniper.net/junos/22.4R2/jmb",
        prefix: "j",
        ..LAB
    },
    Device {
        host_name: "branch-77",
        serial_number: "CW0213AX0042",
        product: "SRX345",
        os_version: "22.2R3",
        address: "198.51.100.77",
        part_number: "650-065043",
        has_scripts: false,
        ..LAB
    },
    Device {
        host_name: "campus-a-12",
        serial_number: "PE3716220451",
        product: "EX4300-48P",
        os_version: "18.4R3-S9",
        address: "198.51.100.12",
        part_number: "650-044930",
        namespace: "",
        ..LAB
    },
    Device {
        host_name: "leaf-204",
        serial_number: "XH3120380024",
        product: "QFX5120-48Y",
        os_version: "21.2R3-S6",
        address: "203.0.113.204",
        part_number: "650-093546",
        namespace: "http://xml.juniper.net/junos/21.2R3/jmb",
        ..LAB
    },
    Device {
        host_name: "agg-metro-9",
        serial_number: "FJ0122AN0007",
        product: "ACX7100-32C",
        platform: "junos-evo",
        os_version: "23.2R1-S2-EVO",
        address: "2001:db8:31::9",
        part_number: "650-132460",
        namespace: "http://xml.juniper.net/junos/23.2R1/jmb",
        prefix: "jmb",
        ..LAB
    },
    Device {
        host_name: "edge-03",
        serial_number: "JN1267F0DAFB",
        product: "MX480",
        address: "192.0.2.19",
        part_number: "750-047862",
        engine: "RE-S-2X00x6",
        engine_serials: &["CALW8812"],
        ..LAB
    },
    Device { host_name: "pop-muc-2", serial_number: "EA114", address: "192.0.2.64", ..LAB },
    Device {
        host_name: "fw-dc-1",
        serial_number: "DA1619AK0033",
        product: "SRX4600",
        os_version: "21.4R3-S4",
        address: "203.0.113.5",
        part_number: "750-073155",
        namespace: "http://xml.juniper.net/junos/21.4R3/jmb",
        ..LAB
    },
    Device {
        host_name: "spine-1",
        serial_number: "DB210",
        product: "QFX10002-72Q",
        os_version: "20.4R3-S7",
        address: "203.0.113.1",
        part_number: "750-059497",
        namespace: "",
        ..LAB
    },
    Device {
        host_name: "campus-b-core",
        serial_number: "XR3619070188",
        product: "EX4650-48Y",
        os_version: "20.2R3-S4",
        address: "198.51.100.1",
        part_number: "650-087125",
        namespace: "http://xml.juniper.net/junos/20.2R3/jmb",
        ..LAB
    },
    Device {
        host_name: "cell-site-4711",
        serial_number: "YK0419200611",
        product: "ACX5448",
        os_version: "19.4R3",
        address: "198.51.100.211",
        part_number: "650-088200",
        has_scripts: false,
        ..LAB
    },
    Device {
        host_name: "peering-fra-1",
        serial_number: "DY052",
        product: "PTX10001-36MR",
        platform: "junos-evo",
        os_version: "22.3R2-EVO",
        address: "192.0.2.129",
        part_number: "650-114820",
        namespace: "http://xml.juniper.net/junos/22.3R2/jmb",
        ..LAB
    },
];
