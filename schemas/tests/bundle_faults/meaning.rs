//! What is good XML and no good bundle.

use super::Case;

pub(super) const CASES: &[Case] = &[
    // Head
    Case("jmb", "bundle", "wrong-root", "the root element is `bundle`, expected `jmb` at line 2, column 1"),
    Case(
        "<jmb version=\"1.0\"",
        "<jmb version=\"2.0\"",
        "unknown-version",
        "version `2.0` is not known, expected `1.0` at line 2, column 6",
    ),
    Case(
        "<jmb version=\"1.0\"",
        "<jmb version=\"10\"",
        "unknown-version",
        "version `10` is not known, expected `1.0` at line 2, column 6",
    ),
    Case(
        "<jmb version=\"1.0\"",
        "<jmb version=\"1.\"",
        "unknown-version",
        "version `1.` is not known, expected `1.0` at line 2, column 6",
    ),
    Case(
        "<jmb version=\"1.0\"",
        "<jmb version=\"1.0 \"",
        "unknown-version",
        "version `1.0 ` is not known, expected `1.0` at line 2, column 6",
    ),
    Case("<jmb version=\"1.0\"", "<jmb ", "missing-attribute", "`jmb` has no attribute `version` at line 2, column 1"),
    Case(" type=\"event\"", "", "missing-attribute", "`jmb` has no attribute `type` at line 2, column 1"),
    Case(
        "type=\"event\"",
        "type=\"alarm\"",
        "wrong-type",
        "type `alarm` is not known, expected `event`, `information` or `on-demand` at line 2, column 20",
    ),
    Case(
        "type=\"event\"",
        "x:type=\"event\"",
        "missing-attribute",
        "`jmb` has no attribute `type` at line 2, column 1",
    ),
    Case(
        "type=\"event\"",
        "type=\"event\" variant=\"information\"",
        "wrong-variant",
        "type `event` has no variant `information` at line 2, column 33",
    ),
    Case(
        "type=\"event\"",
        "type=\"information\" variant=\"rma\"",
        "wrong-variant",
        "type `information` has no variant `rma` at line 2, column 39",
    ),
    Case(
        "type=\"event\"",
        "type=\"on-demand\"",
        "wrong-variant",
        "type `on-demand` needs a variant at line 2, column 1",
    ),
    Case(
        "type=\"event\"",
        "type=\"on-demand\" variant=\"health-check\"",
        "wrong-variant",
        "type `on-demand` has no variant `health-check` at line 2, column 37",
    ),
    Case(
        "type=\"event\"",
        "type=\"event\" origin=\"moon\"",
        "wrong-origin",
        "origin `moon` is not known, expected `off-box` or none at line 2, column 33",
    ),
    // Sections
    Case("manifest", "header", "no-manifest", "the bundle has no `manifest` at line 2, column 1"),
    Case(
        "<attachments>",
        "<manifest/><attachments>",
        "duplicate-section",
        "the section `manifest` stands there twice at line 18, column 3",
    ),
    Case(
        "<attachments>",
        "<attachments/><attachments>",
        "duplicate-section",
        "the section `attachments` stands there twice at line 18, column 17",
    ),
    Case(
        "<attachments>",
        "<logs/><logs/><attachments>",
        "duplicate-section",
        "the section `logs` stands there twice at line 18, column 10",
    ),
    Case(
        "<attachments>",
        "<trend-data/><attachments>",
        "wrong-section",
        "bundles of type `event` have no section `trend-data` at line 18, column 3",
    ),
    Case(
        "type=\"event\">",
        "type=\"event\" variant=\"rma\"><logs/>",
        "wrong-section",
        "bundles of type `event` and variant `rma` have no section `logs` at line 2, column 47",
    ),
    Case(
        "type=\"event\">",
        "type=\"event\" variant=\"health-check\"><trend-data/>",
        "wrong-section",
        "bundles of type `event` and variant `health-check` have no section `trend-data` at line 2, column 56",
    ),
    Case(
        "type=\"event\">",
        "type=\"information\"><logs/>",
        "wrong-section",
        "bundles of type `information` have no section `logs` at line 2, column 39",
    ),
    Case(
        "type=\"event\">",
        "type=\"on-demand\" variant=\"event\"><trend-data/>",
        "wrong-section",
        "bundles of type `on-demand` and variant `event` have no section `trend-data` at line 2, column 53",
    ),
    Case(
        "type=\"event\">",
        "type=\"on-demand\" variant=\"information\"><logs/>",
        "wrong-section",
        "bundles of type `on-demand` and variant `information` have no section `logs` at line 2, column 59",
    ),
    Case(
        "type=\"event\">",
        "type=\"on-demand\" variant=\"rma\"><logs/>",
        "wrong-section",
        "bundles of type `on-demand` and variant `rma` have no section `logs` at line 2, column 51",
    ),
    // Fields
    Case("host-event-ID", "host-event-id", "missing-field", "`manifest/host-event-ID` is missing at line 3, column 3"),
    Case("time-occurred", "time", "missing-field", "`manifest/time-occurred` is missing at line 3, column 3"),
    Case("event-type", "event", "missing-field", "`manifest/event-type` is missing at line 3, column 3"),
    Case("problem-synopsis", "synopsis", "missing-field", "`manifest/problem-synopsis` is missing at line 3, column 3"),
    Case("priority", "urgency", "missing-field", "`manifest/priority` is missing at line 3, column 3"),
    Case("device", "router", "missing-field", "`manifest/device` is missing at line 3, column 3"),
    Case("host-name", "name", "missing-field", "`manifest/device/host-name` is missing at line 10, column 5"),
    Case("serial-number", "serial", "missing-field", "`manifest/device/serial-number` is missing at line 10, column 5"),
    Case("product", "platform", "missing-field", "`manifest/device/product` is missing at line 10, column 5"),
    Case("os-version", "version", "missing-field", "`manifest/device/os-version` is missing at line 10, column 5"),
    Case("JN11<", "<", "malformed-field", "`manifest/device/serial-number` is empty at line 12, column 7"),
    Case(">2 - High<", "> \n <", "malformed-field", "`manifest/priority` is empty at line 8, column 5"),
    Case(
        "edge-01-JN11-20261121-101502-17",
        "17",
        "malformed-field",
        "`manifest/host-event-ID` is `17`, expected `<router>-<serial>-<YYYYMMDD>-<HHMMSS>-<sequence>` at line 4, column 5",
    ),
    Case(
        "edge-01-JN11-20261121-101502-17",
        "edge-01-JN11-20261321-101502-17",
        "malformed-field",
        "`manifest/host-event-ID` is `edge-01-JN11-20261321-101502-17`, expected `<router>-<serial>-<YYYYMMDD>-<HHMMSS>-<sequence>` at line 4, column 5",
    ),
    Case(
        "2 - High",
        "2 - Low",
        "malformed-field",
        "`manifest/priority` is `2 - Low`, expected `1 - Critical`, `2 - High`, `3 - Medium`, `4 - Low` or the bare word at line 8, column 5",
    ),
    Case(
        "<severity>3",
        "<severity>8",
        "malformed-field",
        "`manifest/severity` is `8`, expected a number from 0 to 7 at line 9, column 5",
    ),
    Case(
        "<severity>3",
        "<severity>07",
        "malformed-field",
        "`manifest/severity` is `07`, expected a number from 0 to 7 at line 9, column 5",
    ),
    Case(
        "MX240",
        "<b>MX240</b>",
        "malformed-field",
        "`manifest/device/product` holds an element, expected text at line 13, column 16",
    ),
    Case(
        "<severity>",
        "<severity>4</severity><severity>",
        "duplicate-field",
        "`manifest/severity` stands there twice at line 9, column 27",
    ),
    Case(
        "<product>",
        "<product>X</product><product>",
        "duplicate-field",
        "`manifest/device/product` stands there twice at line 13, column 27",
    ),
    Case(
        "<device>",
        "<device/><device>",
        "duplicate-field",
        "`manifest/device` stands there twice at line 10, column 14",
    ),
    Case(
        "<model>",
        "<model/><model>",
        "duplicate-field",
        "`manifest/device/routing-engine/model` stands there twice at line 15, column 31",
    ),
    Case(
        "<severity>",
        "<rma/><rma/><severity>",
        "duplicate-field",
        "`manifest/rma` stands there twice at line 9, column 11",
    ),
    // Parts and lists
    Case(
        " name=\"a\"",
        "",
        "missing-attribute",
        "`attachments/attachment` has no attribute `name` at line 19, column 5",
    ),
    Case(
        " name=\"a\"",
        " name=\"\"",
        "missing-attribute",
        "`attachments/attachment` has no attribute `name` at line 19, column 5",
    ),
    Case(
        "<severity>",
        "<core-file/><severity>",
        "missing-attribute",
        "`manifest/core-file` has no attribute `path` at line 9, column 5",
    ),
    Case(
        "<severity>",
        "<script-parameter>v</script-parameter><severity>",
        "missing-attribute",
        "`manifest/script-parameter` has no attribute `name` at line 9, column 5",
    ),
    Case(
        "size=\"1\"",
        "size=\"-1\"",
        "malformed-attribute",
        "the attribute `size` of `attachments/attachment` is `-1`, expected a number of bytes at line 19, column 26",
    ),
    Case(
        "size=\"1\"",
        "size=\"18446744073709551616\"",
        "malformed-attribute",
        "the attribute `size` of `attachments/attachment` is `18446744073709551616`, expected a number of bytes at line 19, column 26",
    ),
    Case(
        ">text<",
        "><a/><b/><",
        "malformed-part",
        "`attachments/attachment` holds more than text or one element at line 19, column 5",
    ),
    Case(
        ">text<",
        ">text<a/><",
        "malformed-part",
        "`attachments/attachment` holds more than text or one element at line 19, column 5",
    ),
    Case(
        ">text<",
        "><a/>&amp;<",
        "malformed-part",
        "`attachments/attachment` holds more than text or one element at line 19, column 5",
    ),
    Case(
        ">text<",
        "><a/><![CDATA[]]><",
        "malformed-part",
        "`attachments/attachment` holds more than text or one element at line 19, column 5",
    ),
];

/// What the first edition alone refuses, or in other words.
pub(super) const FIRST: &[Case] = &[
    Case(
        "2026-11-21T10:15:02Z",
        "yesterday",
        "malformed-field",
        "`manifest/time-occurred` is `yesterday`, expected an RFC 3339 time from 1970 on at line 5, column 5",
    ),
    Case(
        "2026-11-21T10:15:02Z",
        "2026-11-21T10:15:02",
        "malformed-field",
        "`manifest/time-occurred` is `2026-11-21T10:15:02`, expected an RFC 3339 time from 1970 on at line 5, column 5",
    ),
    Case(
        "2026-11-21T10:15:02Z",
        "1970-01-01T00:00:30+01:00",
        "malformed-field",
        "`manifest/time-occurred` is `1970-01-01T00:00:30+01:00`, expected an RFC 3339 time from 1970 on at line 5, column 5",
    ),
    Case(
        "2026-11-21T10:15:02Z",
        "1601-01-01T00:00:00Z",
        "malformed-field",
        "`manifest/time-occurred` is `1601-01-01T00:00:00Z`, expected an RFC 3339 time from 1970 on at line 5, column 5",
    ),
    Case(
        "2026-11-21T10:15:02Z",
        "9999-12-31T23:59:59Z",
        "malformed-field",
        "`manifest/time-occurred` is `9999-12-31T23:59:59Z`, expected an RFC 3339 time from 1970 on at line 5, column 5",
    ),
];

/// What the second refuses in words of its own.
pub(super) const SECOND: &[Case] = &[
    Case(
        "2026-11-21T10:15:02Z",
        "yesterday",
        "malformed-field",
        "`manifest/time-occurred` is `yesterday`, expected an RFC 3339 time at line 5, column 5",
    ),
    Case(
        "2026-11-21T10:15:02Z",
        "2026-11-21T10:15:02",
        "malformed-field",
        "`manifest/time-occurred` is `2026-11-21T10:15:02`, expected an RFC 3339 time at line 5, column 5",
    ),
];
