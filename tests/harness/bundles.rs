//! Bundles with chosen contents.

/// An event bundle of a device, whose host-event-ID ends with `number`.
pub fn event(host: &str, number: u64, event_type: &str, priority: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<jmb xmlns="urn:linesman:jmb:1.0" version="1.0" type="event">
  <manifest>
    <host-event-ID>{host}-SN{host}-20261121-101502-{number}</host-event-ID>
    <time-occurred>2026-11-21T10:15:02Z</time-occurred>
    <event-type>{event_type}</event-type>
    <problem-synopsis>synopsis {number} of {host}</problem-synopsis>
    <problem-description>secret-of-{host} 192.0.2.77</problem-description>
    <priority>{priority}</priority>
    <device>
      <host-name>{host}</host-name>
      <serial-number>SN{host}</serial-number>
      <product>MX240</product>
      <platform>junos</platform>
      <os-version>21.4R3-S5</os-version>
    </device>
  </manifest>
</jmb>
"#
    )
}

/// A snapshot of a device: an information bundle, whose host-event-ID ends with `number`, with an attachment.
pub fn information(host: &str, number: u64, attachment: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<jmb xmlns="urn:linesman:jmb:1.0" version="1.0" type="information">
  <manifest>
    <host-event-ID>{host}-SN{host}-20261121-101502-{number}</host-event-ID>
    <time-occurred>2026-11-21T10:15:{number:02}Z</time-occurred>
    <device>
      <host-name>{host}</host-name>
      <serial-number>SN{host}</serial-number>
      <product>MX240</product>
      <os-version>21.4R3-S5</os-version>
    </device>
  </manifest>
  <attachments><attachment name="{host}_rsi.txt"><![CDATA[
{attachment}
]]></attachment></attachments>
</jmb>
"#
    )
}
