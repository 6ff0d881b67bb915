//! What happens in the network.

use crate::Priority;

/// One kind of event.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) group: &'static str,
    pub(super) synopsis: &'static str,
    pub(super) description: &'static str,
    pub(super) priority: Priority,
    pub(super) severity: u8,
    /// The process that says so, and the command that shows more.
    pub(super) process: &'static str,
    pub(super) command: &'static str,
    /// A core file's name, empty if there is none.
    pub(super) core: &'static str,
}

const fn event(
    name: &'static str,
    group: &'static str,
    [synopsis, description]: [&'static str; 2],
    priority: Priority,
    severity: u8,
    [process, command]: [&'static str; 2],
) -> Event {
    Event { name, group, synopsis, description, priority, severity, process, command, core: "" }
}

/// Stands for snapshots, which report nothing.
pub(super) const SNAPSHOT: Event = event("", "", ["", ""], Priority::Low, 6, ["mgd", "show version"]);

/// What a routine check may find.
pub(super) const HEALTH: [Event; 2] = [
    event(
        "HEALTH_STORAGE_NEARLY_FULL",
        "Health",
        ["/var is 93% full", "Rotated logs and two old images fill /var; a core file would not fit."],
        Priority::Medium,
        4,
        ["healthd", "show system storage"],
    ),
    event(
        "HEALTH_FAN_SPEED_HIGH",
        "Health",
        ["Fans at full speed for 6 h", "Intake is at 41 degrees C; the filter was last changed 14 months ago."],
        Priority::Low,
        5,
        ["healthd", "show chassis fan"],
    ),
];

/// An attack, and its end. The last word of the synopsis is the victim.
pub(super) const ATTACK: [Event; 2] = [
    event(
        "DDOS_ATTACK_DETECTED",
        "Security",
        ["UDP flood of 4.1 Gbit/s on 192.0.2.7", "880,000 packets/s from 2,300 sources since 40 s; the line is full."],
        Priority::High,
        2,
        ["flowd", "show services flow-monitoring"],
    ),
    event(
        "DDOS_ATTACK_ENDED",
        "Security",
        ["No more flood on 192.0.2.7", "Below the threshold for 10 min."],
        Priority::Low,
        5,
        ["flowd", "show services flow-monitoring"],
    ),
];

pub(super) const EVENTS: [Event; 16] = [
    event(
        "CHASSISD_FRU_OFFLINE_NOTICE",
        "Hardware",
        ["FPC 3 taken offline: voltage failure", "chassisd took FPC 3 offline; neighbor 192.0.2.9 lost."],
        Priority::High,
        3,
        ["chassisd", "show chassis fpc"],
    ),
    event(
        "RPD_BGP_NEIGHBOR_STATE_CHANGED",
        "Routing",
        ["BGP peer 203.0.113.9 (AS 65010) down", "Established -> Idle: hold timer expired; 812 routes withdrawn."],
        Priority::Medium,
        4,
        ["rpd", "show bgp summary"],
    ),
    Event {
        core: "vmcore.0.gz",
        ..event(
            "KERNEL_CORE",
            "Software",
            ["Kernel core dumped on re0", "panic: page fault <kernel mode> & watchdog; mastership moved to re1."],
            Priority::Critical,
            1,
            ["kernel", "show system core-dumps"],
        )
    },
    event(
        "RPD_OSPF_NBRDOWN",
        "Routing",
        ["OSPF neighbor 198.51.100.2 down", "Full -> Down on ae0.0: no hello for 40 s."],
        Priority::Medium,
        4,
        ["rpd", "show ospf neighbor"],
    ),
    event(
        "CHASSISD_PSU_VOLTAGE_LOW",
        "Hardware",
        ["PEM 1 output voltage low", "PEM 1 gives 10.9 V < 11.4 V; the other carries the load."],
        Priority::High,
        3,
        ["chassisd", "show chassis environment pem"],
    ),
    event(
        "SNMP_TRAP_LINK_DOWN",
        "Interfaces",
        ["xe-0/0/1 down", "ifOperStatus down(2), ifName xe-0/0/1: loss of light."],
        Priority::Low,
        5,
        ["mib2d", "show interfaces terse"],
    ),
    Event {
        core: "core.rpd.0.gz",
        ..event(
            "RPD_CORE",
            "Software",
            ["rpd dumped core", "rpd exited on signal 11 and was restarted; 4 peers flapped."],
            Priority::Critical,
            2,
            ["init", "show system core-dumps"],
        )
    },
    event(
        "CHASSISD_FAN_FAILURE",
        "Hardware",
        ["Top fan tray failed", "Fan 4 of the top tray at 0 rpm; the others went to full speed."],
        Priority::High,
        3,
        ["chassisd", "show chassis fan"],
    ),
    event(
        "LACPD_TIMEOUT",
        "Interfaces",
        ["ae3: partner silent on et-0/0/5", "LACP current-while timer expired; 1 of 4 links left the bundle."],
        Priority::Medium,
        4,
        ["lacpd", "show lacp interfaces"],
    ),
    event(
        "JSRPD_RG_STATE_CHANGE",
        "High availability",
        ["Redundancy group 1 failed over", "primary -> secondary-hold: monitored interface reth0 down."],
        Priority::High,
        3,
        ["jsrpd", "show chassis cluster status"],
    ),
    event(
        "PFE_ASIC_PARITY_ERROR",
        "Hardware",
        ["Parity error in lookup memory of FPC 0", "Corrected 3 times in 10 min; the threshold is 5."],
        Priority::High,
        2,
        ["fpc0", "show pfe statistics error"],
    ),
    event(
        "UI_COMMIT_NOT_CONFIRMED",
        "Configuration",
        ["Commit rolled back", "commit confirmed ran out after 10 min; rollback 1 is active again."],
        Priority::Low,
        5,
        ["mgd", "show system commit"],
    ),
    event(
        "LICENSE_EXPIRED",
        "Licence",
        ["Licence of feature idp-sig expired", "Signature updates stop; enforcement goes on."],
        Priority::Low,
        4,
        ["alarmd", "show system license"],
    ),
    event(
        "RTPERF_CPU_THRESHOLD_EXCEEDED",
        "Performance",
        ["Session setup at 97% CPU", "SPU 1: 97% for 5 min, 1.2 M sessions."],
        Priority::Medium,
        4,
        ["rtlogd", "show security monitoring"],
    ),
    event(
        "MAC error",
        "Interfaces",
        ["MAC errors on ge-0/0/11", "CRC errors grow by 300/s; cable or optic."],
        Priority::Medium,
        4,
        ["pfex", "show interfaces extensive"],
    ),
    event(
        "Process error",
        "Software",
        ["dcd restarted twice", "dcd exited with status 1; configuration applied at the third try."],
        Priority::Medium,
        3,
        ["init", "show system processes"],
    ),
];
