//! `docs/configuration.md` is what the table of keys says. `LINESMAN_BLESS=1` writes it.

use std::path::Path;

use linesman_connectors::settings::{Key, Section, Shape};

use super::super::sections::{Sections, Setting};
use super::super::wording::{about_list, expected, spelled};
use super::super::{Sources, load};
use super::Folder;

const HEAD: &str = r#"# Configuration

Written by a test from the tables of sections (`engine/src/config/sections.rs` lists them); after a change of one
`LINESMAN_BLESS=1 cargo test -p linesman --lib document` writes it anew.

Every setting can be made in three ways, the later over the earlier:

| where | how | for example |
|---|---|---|
| the file, `--config F` or `LINESMAN_CONFIG` | TOML | `level = "debug"` under `[log]` |
| the environment | `LINESMAN_`, section and key in capitals, `_` between them | `LINESMAN_LOG_LEVEL=debug` |
| flags | `--set KEY=VALUE`, any number of them | `--set log.level=debug` |

Some settings have a flag of their own, which counts over `--set`: `--data-dir`, `--rules`, `--listen`,
`--nats` (`nats.url`), `--nats-port` (`nats.port`). A relative path in the file starts at the file's
folder, in a variable or a flag at the working directory. Texts are written without quotes there.

- `linesman config` prints what applies as TOML, each value with the place where it was said; with
  `--json` as JSON. Passwords in addresses are masked.
- `linesman config --explain KEY` tells all about one setting: meaning, type, unit, default, value,
  where that came from, and what it overrode; `--json` too.
- All mistakes are told at once, with exit code 2, those of the file with line and column, those of the
  environment and the flags with the name of the variable or the flag.

The list of organizations is one setting: in a variable or a flag it counts instead of the file's
tables, and is written as a TOML list. Mistakes in it have line and column as well.

    LINESMAN_ORGANIZATIONS='[{ name = "acme", proxy = true }, { name = "bolt" }]'
    linesman serve --set 'organizations=[{ name = "acme" }]' --data-dir D --rules R
"#;

/// A key of the complete file: its default, or an example of what has none.
fn line(section: &Section, key: &Key) -> String {
    // What need not be said: the example has the embedded server, and believes the system's certificates.
    let is_left_out = !section.is_list() && key.default.is_none() && !key.is_required;
    let text = match (section.is_list(), key.default, key.example) {
        (false, Some(default), _) => default,
        (_, _, Some(example)) => example,
        (_, default, None) => default.unwrap_or_else(|| panic!("what is an example of `{}`?", key.name)),
    };
    format!("{}{} = {}\n", if is_left_out { "# " } else { "" }, key.name, spelled(key.kind, text))
}

pub(super) fn complete(sections: &Sections) -> String {
    let mut text = String::new();
    for section in sections.all() {
        match section.shape {
            _ if section.name.is_empty() => {}
            Shape::List(_) => text.push_str(&format!("\n[[{}]]\n", section.name)),
            Shape::Always | Shape::Optional(_) => text.push_str(&format!("\n[{}]\n", section.name)),
        }
        text.extend(section.keys.iter().map(|key| line(section, key)));
    }
    text
}

fn table(section: &'static Section) -> String {
    let mut text = "\n| key | value | default | meaning |\n|---|---|---|---|\n".to_owned();
    for setting in Setting::all(section) {
        let key = setting.key;
        let default = key.default.map_or_else(|| "-".to_owned(), |default| format!("`{default}`"));
        let name = if section.is_list() { key.name.to_owned() } else { setting.name() };
        text.push_str(&format!("| `{name}` | {} | {default} | {} |\n", expected(key.kind), key.doc));
    }
    text
}

pub(super) fn chapter(section: &'static Section) -> String {
    let head = match section.shape {
        _ if section.name.is_empty() => "\n## The top\n".to_owned(),
        Shape::List(_) => format!("\n## `[[{}]]`\n\n{}\n", section.name, about_list(section)),
        Shape::Always | Shape::Optional(_) => format!("\n## `[{}]`\n\n{}\n", section.name, section.doc),
    };
    format!("{head}{}", table(section))
}

fn document() -> String {
    let sections = Sections::of_program();
    let mut text = HEAD.to_owned();
    text.extend(sections.all().map(chapter));
    let levels: Vec<String> =
        linesman_schemas::FilterLevel::ALL.iter().map(|(_, name)| format!("- `{name}`\n")).collect();
    text.push_str(&format!("\nThe filter levels:\n\n{}", levels.concat()));
    // A list may have more than one table, and none of them needs more than a name.
    let second = "\n[[organizations]]\nname = \"bolt\"\n";
    text.push_str(&format!("\n## A complete file\n\n```toml\n{}{second}```\n", complete(&sections)));
    text
}

#[test]
fn the_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let text = document();
    if std::env::var_os("LINESMAN_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "docs/configuration.md is out of date: LINESMAN_BLESS=1 writes it anew");
}

#[test]
fn every_block_of_the_document_is_a_configuration() {
    let text = document();
    let blocks: Vec<&str> = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let folder = Folder::new();
        // Also what stands in comments is right, were it said.
        for block in [block.to_owned(), block.replace("\n# ", "\n")] {
            let sources = Sources { flags: Vec::new(), ..folder.sources(block) };
            let config = load(&sources).unwrap_or_else(|mistakes| panic!("{mistakes}"));
            assert_eq!(config.organizations.len(), 2);
        }
    }
}
