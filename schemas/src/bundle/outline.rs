//! What is left of a bundle that is too large for where it goes.

use std::ops::Range;

use super::content::Content;
use super::decode::decode;
use super::encode::encode;
use super::error::Error;
use super::model::{Bundle, Part};

/// How much a content takes beyond its bytes: its tags, and what its text is wrapped in.
const AROUND: usize = 256;
/// What the names of attachments with a chassis inventory end with: it goes before all others. Source: DOMAIN, "Bundles (JMB)".
const INVENTORY: &str = "_shd_xml.xml";

/// A bundle without what has no room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The bundle as it is understood, written anew. Attachments and logs whose contents have no room only name a file.
    pub text: String,
    /// Where in the original the contents of its attachments lie, then those of its logs.
    pub parts: Vec<Range<usize>>,
}

/// What is left of a bundle where it is to have no more than `most` bytes: the manifest always, measurements if they have room, then
/// as many contents of attachments and logs as have, the small ones first. The manifest alone may be longer than that.
///
/// # Errors
/// As [`decode`].
pub fn outline(original: &[u8], most: usize) -> Result<Outline, Error> {
    let bundle = decode(original)?;
    let contents = |parts: &[Part<'_>]| parts.iter().map(|part| part.content.clone()).collect::<Vec<_>>();
    let parts = [contents(&bundle.attachments), contents(&bundle.logs)].concat();
    let mut bundle = bundle.with_contents_alone(original)?;
    let contents = take(&mut bundle);
    let mut bare = encode(&bundle, &[])?;
    if bare.len() > most {
        bundle.trend.clear();
        bare = encode(&bundle, &[])?;
    }
    let mut room = most.saturating_sub(bare.len());
    let names = bundle.attachments.iter().chain(&bundle.logs).map(|part| part.name.ends_with(INVENTORY));
    let mut order: Vec<(bool, usize, usize)> =
        names.zip(&parts).enumerate().map(|(at, (is_first, part))| (!is_first, part.len(), at)).collect();
    order.sort_unstable();
    let mut has_room = vec![false; parts.len()];
    for (_, length, at) in order {
        let needed = length.saturating_add(AROUND);
        if let Some(has_room) = has_room.get_mut(at).filter(|_| needed <= room) {
            *has_room = true;
            room -= needed;
        }
    }
    let filled = bundle.attachments.iter_mut().chain(&mut bundle.logs).zip(contents).zip(has_room);
    for ((part, content), _) in filled.filter(|(_, has_room)| *has_room) {
        part.content = content;
    }
    // A text may be longer in what it is wrapped in, and an element in what it declares.
    let text = encode(&bundle, &[]).ok().filter(|text| text.len() <= most).unwrap_or(bare);
    Ok(Outline { text, parts })
}

/// The contents of attachments, then of logs; the bundle is without them then.
fn take<'a>(bundle: &mut Bundle<'a, Content<'a>>) -> Vec<Content<'a>> {
    let parts = bundle.attachments.iter_mut().chain(&mut bundle.logs);
    parts.map(|part| std::mem::replace(&mut part.content, Content::None)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::corpus::specimens;

    fn large(sizes: &[(&str, usize)]) -> String {
        let attachment = |(name, size): &(&str, usize)| {
            format!("<attachment name=\"{name}\"><![CDATA[{}]]></attachment>", "x".repeat(*size))
        };
        format!(
            r#"<jmb type="event" version="1.0"><manifest><host-event-ID>edge-01-JN12-20261121-101500-1</host-event-ID>
            <time-occurred>2026-11-21T10:15:00Z</time-occurred><event-type>FRU offline</event-type>
            <problem-synopsis>FPC 2 offline</problem-synopsis><priority>2 - High</priority><device>
            <host-name>edge-01</host-name><serial-number>JN12</serial-number><product>MX480</product>
            <os-version>23.4R1</os-version></device></manifest><attachments>{}</attachments>
            <logs><log name="messages">said</log></logs></jmb>"#,
            sizes.iter().map(attachment).collect::<String>()
        )
    }

    #[test]
    fn what_has_no_room_is_left_out_the_large_ones_first_and_the_inventory_last() {
        let original = large(&[("a_rsi.txt", 50_000), ("b_shd_xml.xml", 6_000), ("c.txt", 2_000), ("d.txt", 3_000)]);
        let outline = outline(original.as_bytes(), 10_500).unwrap();
        assert!(outline.text.len() <= 10_500, "{}", outline.text.len());
        let left = decode(outline.text.as_bytes()).unwrap();
        let whole = decode(original.as_bytes()).unwrap();
        assert_eq!(left.manifest, whole.manifest);
        let lengths: Vec<_> = left.attachments.iter().map(|part| (&*part.name, part.content.len() > 1_000)).collect();
        let expected = [("a_rsi.txt", false), ("b_shd_xml.xml", true), ("c.txt", true), ("d.txt", false)];
        assert_eq!(lengths, expected);
        assert_eq!(
            left.logs[0].read(outline.text.as_bytes(), left.source.encoding).unwrap(),
            Content::Text("said".into())
        );
        // They are found in the original.
        let parts: Vec<_> = outline.parts.iter().map(|range| original[range.clone()].len()).collect();
        assert_eq!(parts, [50_012, 6_012, 2_012, 3_012, 4]);
    }

    #[test]
    fn every_bundle_has_an_outline_that_says_the_same_of_its_device() {
        for specimen in specimens() {
            let (name, bytes) = (specimen.name, specimen.bytes);
            let Ok(whole) = decode(&bytes) else { continue };
            for most in [0, 3_000, 1_000_000] {
                let outline = outline(&bytes, most).unwrap();
                let left = decode(outline.text.as_bytes()).unwrap();
                assert_eq!(left.manifest.device, whole.manifest.device, "{name}");
                assert_eq!(left.manifest.problem, whole.manifest.problem, "{name}");
                assert_eq!(outline.parts.len(), whole.attachments.len() + whole.logs.len(), "{name}");
            }
        }
    }
}
