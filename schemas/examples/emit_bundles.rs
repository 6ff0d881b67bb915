//! Writes encoded bundles into a directory, for validation by other tools.
//!
//! Usage: `emit_bundles NUMBER DIRECTORY`. The same number gives the same files. Each fourth is made as what is gathered from devices
//! without scripts is: piece by piece.

use std::error::Error;
use std::path::Path;

use linesman_schemas::bundle::{Bundle, Cdata, Content, Element, around, corpus, decode, encode};

/// What texts may contain at worst.
const HARD: [&str; 6] =
    ["plain", "<&>\"' and ]]>", "line\nbreak\r\nand\ttab", "Größe 𝛑 — 100 Ω", "\u{1}\u{7f}\u{fffe}", "  padded  "];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [number, directory] = arguments.as_slice() else {
        return Err("usage: emit_bundles NUMBER DIRECTORY".into());
    };
    let number: usize = number.parse()?;
    let directory = Path::new(directory);
    std::fs::create_dir_all(directory)?;
    let specimens: Vec<_> = corpus::specimens().into_iter().filter(|specimen| specimen.fault.is_none()).collect();
    for (index, specimen) in specimens.iter().cycle().take(number).enumerate() {
        let bundle = decode(&specimen.bytes)?.with_contents(&specimen.bytes)?;
        let extension = [Element::parse(format!("<trace xmlns=\"urn:example:trace\" hop=\"{index}\"/>"))?];
        let extension = if index % 3 == 0 { extension.as_slice() } else { &[] };
        let bundle = varied(bundle, index);
        let text = if index % 4 == 3 { gathered(bundle)? } else { encode(&bundle, extension)? };
        std::fs::write(directory.join(format!("{index:05}.xml")), text)?;
    }
    Ok(())
}

/// The bundle as if it were gathered, written piece by piece.
fn gathered<'a>(mut bundle: Bundle<'a, Content<'a>>) -> Result<String, Box<dyn Error>> {
    bundle.is_off_box = true;
    bundle.logs.clear();
    let pieces = around(&bundle, &[])?;
    let texts = bundle.attachments.iter().filter_map(|part| match &part.content {
        Content::Text(text) => Some(text.as_ref()),
        Content::None | Content::Element(_) => None,
    });
    let mut written = String::new();
    let mut texts = texts.chain(std::iter::repeat(""));
    for piece in &pieces {
        written.push_str(piece);
        let mut cdata = Cdata::default();
        for c in texts.next().unwrap_or_default().chars() {
            cdata.push(c.encode_utf8(&mut [0; 4]), &mut written);
        }
    }
    decode(written.as_bytes())?;
    Ok(written)
}

/// The bundle with texts that are hard to write.
fn varied<'a>(mut bundle: Bundle<'a, Content<'a>>, index: usize) -> Bundle<'a, Content<'a>> {
    let hard = HARD.iter().cycle().nth(index).copied().unwrap_or_default();
    if let Some(problem) = &mut bundle.manifest.problem {
        problem.synopsis = format!("{} {hard}", problem.synopsis).into();
        problem.description = index.is_multiple_of(2).then(|| hard.into());
    }
    bundle.manifest.severity = (index % 9 < 8).then(|| u8::try_from(index % 8).unwrap_or_default());
    bundle.manifest.script_parameters.push((format!("{hard}-{index}").into(), hard.into()));
    for part in bundle.attachments.iter_mut().chain(&mut bundle.logs) {
        part.error = index.is_multiple_of(4).then(|| hard.into());
        if let Content::Text(text) = &mut part.content {
            text.to_mut().push_str(hard);
        }
    }
    bundle
}
