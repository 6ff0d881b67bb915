//! The text of one bundle, in the many spellings that devices use.

use super::Plan;
use crate::bundle::model::is_problem;
use crate::bundle::node::Node;

/// The bundle's text.
pub(super) fn render(plan: &Plan) -> String {
    let Plan { kind, variant, is_off_box, device, .. } = plan;
    let mut body = String::new();
    manifest(&mut body, plan);
    if Node::TrendData.is_allowed(*kind, *variant) {
        trend(&mut body, plan);
    }
    attachments(&mut body, plan);
    if Node::Logs.is_allowed(*kind, *variant) {
        logs(&mut body, plan);
    }
    let xmlns = match (device.namespace, device.prefix) {
        ("", _) => String::new(),
        (namespace, "") => format!(" xmlns=\"{namespace}\""),
        (namespace, prefix) => format!(" xmlns:{prefix}=\"{namespace}\""),
    };
    let variant = match variant.as_str() {
        "" => String::new(),
        variant => format!(" variant=\"{variant}\""),
    };
    let origin = if *is_off_box { " origin=\"off-box\"" } else { "" };
    let kind = kind.as_str();
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<jmb{xmlns} version=\"1.0\" type=\"{kind}\"{variant}{origin}>\n{body}</jmb>\n"
    );
    prefixed(&text, device.prefix)
}

/// The elements of the envelope with a prefix.
fn prefixed(text: &str, prefix: &str) -> String {
    const ENVELOPE: [&str; 7] = ["jmb", "manifest", "attachments", "attachment", "logs", "log", "trend-data"];
    if prefix.is_empty() {
        return text.to_owned();
    }
    ENVELOPE.iter().fold(text.to_owned(), |text, name| {
        [">", "/>", " "]
            .iter()
            .fold(text.replace(&format!("</{name}>"), &format!("</{prefix}:{name}>")), |text, end| {
                text.replace(&format!("<{name}{end}"), &format!("<{prefix}:{name}{end}"))
            })
    })
}

/// When it happened, as `YYYYMMDD`, `HHMMSS` and for people.
fn moment(sequence: usize) -> [String; 3] {
    let (day, hour, minute) = (1 + sequence * 5 / 9 % 30, sequence * 7 % 24, sequence * 13 % 60);
    [format!("202611{day:02}"), format!("{hour:02}{minute:02}07"), format!("2026-11-{day:02}T{hour:02}:{minute:02}:07")]
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn manifest(out: &mut String, plan: &Plan) {
    let Plan { device, event, sequence, .. } = *plan;
    let [date, time, instant] = moment(sequence);
    let is_problem = is_problem(plan.kind, plan.variant);
    line(out, "  <manifest>");
    let serial = device.serial_number;
    line(
        out,
        &format!("    <host-event-ID>{}-{serial}-{date}-{time}-{}</host-event-ID>", device.host_name, sequence + 400),
    );
    if is_problem {
        line(out, "    <problem-class>Support</problem-class>");
    }
    line(out, &format!("    <service-type>{}</service-type>", if is_problem { "reactive" } else { "proactive" }));
    let offset = if sequence % 3 == 1 { "+01:00" } else { "Z" };
    line(out, &format!("    <time-occurred>{instant}{offset}</time-occurred>"));
    if is_problem {
        line(out, &format!("    <event-type-group>{}</event-type-group>", event.group));
        line(out, &format!("    <event-type>{}</event-type>", event.name));
        line(out, &format!("    <problem-synopsis>{}</problem-synopsis>", escaped(event.synopsis)));
        line(out, &format!("    <problem-description>{}</problem-description>", escaped(event.description)));
        // Older scripts write the bare word.
        let priority = if sequence % 4 == 3 { event.priority.as_str() } else { event.priority.numbered() };
        line(out, &format!("    <priority>{priority}</priority>"));
    }
    line(out, &format!("    <severity>{}</severity>", event.severity));
    device_element(out, plan);
    if !plan.is_off_box {
        line(out, &format!("    <script-version>7.0R{}</script-version>", 1 + sequence % 3));
        line(out, &format!("    <script-parameter name=\"collect-logs\">{}</script-parameter>", sequence % 2 == 0));
    }
    if is_problem && !event.core.is_empty() {
        line(
            out,
            &format!("    <core-file path=\"/var/crash/{}\" size=\"{}\"/>", event.core, 182_334 + 1_009 * sequence),
        );
    }
    if plan.variant.as_str() == "rma" {
        let part = device.part_number;
        line(
            out,
            &format!(
                "    <rma><part-number>{part}</part-number><serial-number>RP{sequence:04}</serial-number><slot>FPC {}</slot></rma>",
                sequence % 8
            ),
        );
    }
    line(out, "  </manifest>");
}

fn device_element(out: &mut String, plan: &Plan) {
    let device = plan.device;
    line(out, "    <device>");
    for (name, value) in [
        ("host-name", device.host_name),
        ("management-address", device.address),
        ("serial-number", device.serial_number),
        ("product", device.product),
        ("platform", device.platform),
        ("os-version", device.os_version),
        ("part-number", device.part_number),
    ] {
        line(out, &format!("      <{name}>{value}</{name}>"));
    }
    for (slot, serial) in device.engine_serials.iter().enumerate() {
        let mastership = if slot == 0 { "master" } else { "backup" };
        line(out, &format!("      <routing-engine slot=\"{slot}\" mastership=\"{mastership}\">"));
        line(out, &format!("        <model>{}</model><serial-number>{serial}</serial-number>", device.engine));
        line(out, "      </routing-engine>");
    }
    line(out, "    </device>");
}

fn trend(out: &mut String, plan: &Plan) {
    let [_, _, instant] = moment(plan.sequence);
    line(out, "  <trend-data>");
    for (index, (name, unit, base)) in
        [("re-cpu-idle", "percent", 81), ("re-memory-used", "percent", 43), ("fan-speed-top", "rpm", 4320)]
            .into_iter()
            .enumerate()
    {
        let value = base + (plan.sequence * 7 + index * 3) % 15;
        line(out, &format!("    <sample name=\"{name}\" unit=\"{unit}\" time=\"{instant}Z\">{value}</sample>"));
    }
    line(out, "  </trend-data>");
}

fn attachments(out: &mut String, plan: &Plan) {
    let Plan { device, event, sequence, .. } = *plan;
    let (host, release) = (device.host_name, device.os_version);
    line(out, "  <attachments>");
    line(out, &format!("    <attachment name=\"{host}_AISESI.txt\" media-type=\"text/plain\" status=\"ok\"><![CDATA["));
    line(out, &format!("root@{host}> {}", event.command));
    line(out, &format!("{:<26}{:>10}{:>10}{:>8}", "Name", "In", "Out", "Errors"));
    for row in 0..4 + sequence % 9 {
        let (input, output) = (11_223 + sequence * 97 + row, 11_220 + sequence * 89);
        line(out, &format!("{:<26}{input:>10}{output:>10}{:>8}", format!("203.0.113.{}", row + 9), row % 2));
    }
    line(out, &format!("root@{host}> show version\nModel: {}\nJunos: {release}", device.product.to_lowercase()));
    line(out, "]]></attachment>");
    line(out, &format!("    <attachment name=\"{host}_shd_xml.xml\" media-type=\"application/xml\" status=\"ok\">"));
    line(out, &format!("      <chassis-inventory xmlns=\"http://xml.juniper.net/junos/{release}/junos-chassis\">"));
    line(
        out,
        &format!(
            "        <chassis><name>Chassis</name><serial-number>{}</serial-number></chassis>",
            device.serial_number
        ),
    );
    line(out, "      </chassis-inventory>\n    </attachment>");
    if sequence % 2 == 0 {
        let secret = "$9$Hk.fTz6A0B\\&amp;x";
        line(
            out,
            &format!("    <attachment name=\"{host}_cfg_xml.xml\" media-type=\"application/xml\" status=\"ok\">"),
        );
        line(out, &format!("      <configuration><system><host-name>{host}</host-name>"));
        line(out, &format!("        <radius-server><name>192.0.2.200</name><secret>{secret}</secret></radius-server>"));
        line(out, "      </system></configuration>\n    </attachment>");
    } else {
        line(
            out,
            &format!(
                "    <attachment name=\"{host}_cfg_xml.xml\" media-type=\"application/xml\" status=\"failed\" error=\"commit in progress\"/>"
            ),
        );
    }
    line(out, "  </attachments>");
}

fn logs(out: &mut String, plan: &Plan) {
    let Plan { device, event, sequence, .. } = *plan;
    let [date, time, instant] = moment(sequence);
    let host = device.host_name;
    line(out, "  <logs>");
    line(out, "    <log name=\"messages\" path=\"/var/log/messages\"><![CDATA[");
    for login in 0..2 + sequence % 5 {
        line(out, &format!("{instant} {host} sshd[{}]: Accepted publickey for ops from 192.0.2.250", 4_000 + login));
    }
    line(out, &format!("{instant} {host} {}[1544]: {}: {}\n]]></log>", event.process, event.name, event.synopsis));
    line(
        out,
        &format!(
            "    <log name=\"logs.tgz\" path=\"/var/tmp/{host}_{date}_{time}_logs.tgz\" size=\"{}\"/>",
            48_211 + 131 * sequence
        ),
    );
    line(out, "  </logs>");
}
