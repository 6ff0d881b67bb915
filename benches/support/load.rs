//! Bundles of 2 KB and policies of which five in a hundred bundles match one.

use std::fmt::Write as _;
use std::path::Path;

use linesman_schemas::Mode;

/// How large a bundle is, in bytes.
const BUNDLE_BYTES: usize = 2_048;
/// How many devices there are, shared out among the organizations.
const DEVICES: usize = 1_024;

/// How a policy finds its bundles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    Equality,
    Wildcard,
    Words,
}

/// What is published and what judges it.
#[derive(Debug, Clone)]
pub struct Load {
    /// How many organizations.
    pub organizations: usize,
    /// How many policies in all.
    pub policies: usize,
    /// Whether each organization has its own share of the policies, or all serve everyone.
    pub is_own: bool,
    /// Whether one in ten policies is a wildcard and one in ten a word; otherwise all are equality.
    pub is_mixed: bool,
    /// How many bundles.
    pub bundles: usize,
    /// How many messages the first organization may send a day; none for as many as it wants.
    pub quota: Option<usize>,
}

impl Load {
    /// An organization's name.
    pub fn organization(&self, number: usize) -> String {
        format!("org-{:04}", number % self.organizations)
    }

    fn filter(&self, policy: usize) -> Filter {
        match policy % 10 {
            8 if self.is_mixed => Filter::Wildcard,
            9 if self.is_mixed => Filter::Words,
            _ => Filter::Equality,
        }
    }

    /// Whose bundle a number is, and its bytes.
    pub fn bundle(&self, number: usize) -> (String, String) {
        let org = number % self.organizations;
        let nth = number / self.organizations;
        // One in twenty matches one policy, each policy in its turn.
        let policy = nth.is_multiple_of(20).then(|| {
            let turn = nth / 20;
            if self.is_own {
                let share = self.policies / self.organizations;
                org * share + turn % share
            } else {
                (turn * self.organizations + org) % self.policies
            }
        });
        (
            self.organization(org),
            bundle(
                (number, BUNDLE_BYTES),
                nth % (DEVICES / self.organizations).max(1),
                policy.map(|policy| (policy, self.filter(policy))),
            ),
        )
    }

    /// A policy's text.
    pub fn policy(&self, policy: usize) -> String {
        let condition = match self.filter(policy) {
            Filter::Equality => format!("event_type: \"EVENT_{policy}\""),
            Filter::Wildcard => format!("event_type: \"WILD_{policy}_*\""),
            Filter::Words => format!("has_words: \"word{policy}\""),
        };
        format!(
            "policy(#{{ on: \"incident.detected\", where: #{{ {condition} }} }});\n\
             fn react(incident, org) {{\n    \
             submit_case(#{{ synopsis: `${{incident.device.host_name}}: ${{incident.synopsis}}` }});\n}}\n"
        )
    }

    /// Writes the policies and the configuration.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write(&self, dir: &Path) -> std::io::Result<()> {
        let rules = dir.join("rules");
        for policy in 0..self.policies {
            let folder = if self.is_own {
                rules.join(self.organization(policy / (self.policies / self.organizations)))
            } else {
                rules.clone()
            };
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(format!("policy-{policy}.rhai")), self.policy(policy))?;
        }
        let mut config = String::from("mode = \"partner\"\n[log]\nlevel = \"warn\"\n");
        config.push_str(&linesman::licence::standin::write(dir, Mode::Partner, 10_000)?);
        for number in 0..self.organizations {
            // Writing to a string does not fail.
            let _ = write!(
                config,
                "[[organizations]]\nname = \"{}\"\nproxy = true\nfilter_level = \"Send all information\"\n",
                self.organization(number)
            );
            if let Some(quota) = self.quota.filter(|_| number == 0) {
                let _ = writeln!(config, "quota_messages = {quota}");
            }
        }
        std::fs::write(dir.join("linesman.toml"), config)
    }
}

/// A bundle of so many bytes that matches nothing.
pub fn bundle_of(number: usize, bytes: usize) -> String {
    bundle((number, bytes), number % DEVICES, None)
}

fn bundle((number, bytes): (usize, usize), device: usize, matched: Option<(usize, Filter)>) -> String {
    let (event_type, word) = match matched {
        Some((policy, Filter::Equality)) => (format!("EVENT_{policy}"), String::new()),
        Some((policy, Filter::Wildcard)) => (format!("WILD_{policy}_OFFLINE"), String::new()),
        Some((policy, Filter::Words)) => ("CHASSISD_FRU_OFFLINE_NOTICE".to_owned(), format!(" word{policy}")),
        None => ("CHASSISD_FRU_OFFLINE_NOTICE".to_owned(), String::new()),
    };
    let mut text = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<jmb xmlns="urn:linesman:jmb:1.0" version="1.0" type="event">
  <manifest>
    <host-event-ID>edge-{device:02}-JN11AF3C{device:04}-20261121-101502-{number}</host-event-ID>
    <problem-class>Support</problem-class>
    <service-type>reactive</service-type>
    <time-occurred>2026-11-21T10:15:02Z</time-occurred>
    <event-type-group>Hardware</event-type-group>
    <event-type>{event_type}</event-type>
    <problem-synopsis>FPC 3 taken offline: voltage failure{word}</problem-synopsis>
    <problem-description>chassisd took FPC 3 offline after a voltage failure; neighbor 10.31.4.9 lost.</problem-description>
    <priority>2 - High</priority>
    <severity>3</severity>
    <device>
      <host-name>edge-{device:02}</host-name>
      <management-address>192.0.2.17</management-address>
      <serial-number>JN11AF3C{device:04}</serial-number>
      <product>MX240</product>
      <platform>junos</platform>
      <os-version>21.4R3-S5</os-version>
      <part-number>750-047849</part-number>
      <routing-engine slot="0" mastership="master"><model>RE-S-1800x4</model><serial-number>9009153221</serial-number></routing-engine>
      <routing-engine slot="1" mastership="backup"><model>RE-S-1800x4</model><serial-number>9009153347</serial-number></routing-engine>
    </device>
    <script-version>7.0R1</script-version>
    <core-file path="/var/crash/core.chassisd.0.gz" size="182334"/>
  </manifest>
  <logs><log name="messages" path="/var/log/messages"><![CDATA["#
    );
    const END: &str = "]]></log></logs>\n</jmb>\n";
    while text.len() + END.len() < bytes {
        text.push(if text.len() % 80 == 0 { '\n' } else { 'x' });
    }
    text.push_str(END);
    text
}
