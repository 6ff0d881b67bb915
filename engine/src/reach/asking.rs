//! Whether a request to a device can change nothing of its configuration.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Whether what stands within `<rpc>` asks alone: what begins with `get`, `validate`, and Junos' `command`. What is no whole XML
/// does not.
pub(crate) fn asks_only(rpc: &str) -> bool {
    let mut reader = Reader::from_str(rpc);
    let (mut depth, mut requests) = (0_usize, 0_usize);
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(_) => return false,
        };
        match &event {
            Event::Start(start) | Event::Empty(start) if depth == 0 && !asks(start.local_name().as_ref()) => {
                return false;
            }
            Event::Eof => return depth == 0 && requests == 1,
            Event::Text(text) if depth == 0 && !text.trim().is_empty() => return false,
            Event::CData(_) | Event::GeneralRef(_) if depth == 0 => return false,
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) => return false,
            Event::Text(_) | Event::Comment(_) | Event::CData(_) | Event::GeneralRef(_) => continue,
            Event::Start(_) | Event::Empty(_) | Event::End(_) => {}
        }
        match event {
            Event::End(_) => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            event => {
                requests += usize::from(depth == 0);
                depth += usize::from(matches!(event, Event::Start(_)));
            }
        }
    }
}

fn asks(name: &str) -> bool {
    name.starts_with("get") || matches!(name, "validate" | "command")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_change_something_does_not_only_ask() {
        for (rpc, expected) in [
            ("<get/>", true),
            ("<get-config><source><running/></source></get-config>", true),
            ("\n<!-- of edge-1 --><nc:get-config xmlns:nc=\"urn:x\"/>\n", true),
            ("<get-software-information/>", true),
            ("<command format=\"text\">show version &amp; more</command>", true),
            ("<validate><source><candidate/></source></validate>", true),
            ("<edit-config/>", false),
            ("<load-configuration action=\"set\"/>", false),
            ("<commit/>", false),
            ("<get/><commit/>", false),
            ("<get/></rpc><rpc message-id=\"9\"><commit/>", false),
            ("<get>", false),
            ("</get>", false),
            ("<!DOCTYPE a><get/>", false),
            ("<?xml version=\"1.0\"?><get/>", false),
            ("", false),
            ("text", false),
            ("<get/>text", false),
        ] {
            assert_eq!(asks_only(rpc), expected, "{rpc}");
        }
    }
}
