//! `docs/configuration.md` is what the table of keys says. `LINESMAN_BLESS=1` writes it.

use std::path::Path;

use super::super::keys::{ORGANIZATIONS_KEY, sections};
use super::super::value::expected;
use super::super::{KEYS, Key, Kind, ORGANIZATION_KEYS, Sources, load};
use super::Folder;

const HEAD: &str = r#"# Configuration

Written by a test from the table of keys (`engine/src/config/keys.rs`); after a change of that table
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

/// What each section is for.
fn about(section: &str) -> &'static str {
    match section {
        "nats" => {
            "The server of the log. Without `nats.url` the engine starts one of its own; what concerns that one has no effect on another."
        }
        "upstream" => "The support system. Without this section cases wait.",
        "settings" => {
            "The numbers that decisions depend on. They travel in the log with the rule book, so all engines on one log have the same."
        }
        "log" => {
            "The program's own log, on standard error. `linesman log-level` changes the level of a running engine."
        }
        section => panic!("what is `[{section}]` for?"),
    }
}

/// What the example says where there is no default.
fn example(key: &Key) -> &'static str {
    match key.name {
        "data_dir" => "/var/lib/linesman",
        "rules" => "/etc/linesman/rules",
        "nats.url" => "tls://engine:password@nats.example:4222",
        "nats.port" => "4222",
        "nats.binary" => "/usr/bin/nats-server",
        "upstream.url" => "https://support.example",
        "upstream.ca" => "support-system-ca.pem",
        "upstream.site_id" => "P-1000",
        "upstream.user" => "noc@partner.example",
        "upstream.password_file" => "support-system.password",
        name => panic!("what is an example of `{name}`?"),
    }
}

fn spelled(key: &Key, text: &str) -> String {
    match key.kind {
        Kind::Count { .. } | Kind::Seconds { .. } | Kind::Flag => text.to_owned(),
        _ => format!("\"{text}\""),
    }
}

fn line(key: &Key) -> String {
    let name = key.parts().1;
    match key.default {
        Some(default) => format!("{name} = {}\n", spelled(key, default)),
        // The example has the embedded server.
        None if key.parts().0 == Some("nats") => format!("# {name} = {}\n", spelled(key, example(key))),
        None => format!("{name} = {}\n", spelled(key, example(key))),
    }
}

fn complete() -> String {
    let mut text: String = KEYS.iter().filter(|key| key.parts().0.is_none()).map(line).collect();
    for section in sections() {
        text.push_str(&format!("\n[{section}]\n"));
        text.extend(KEYS.iter().filter(|key| key.parts().0 == Some(section)).map(line));
    }
    text.push_str(concat!(
        "\n[[organizations]]\nname = \"acme\"\ndisplay_name = \"Acme Corp\"\nproxy = true\n",
        "filter_level = \"Send all information\"\ndevice_groups = [\n    { name = \"core\", devices = [\"core-*\"] },\n",
        "    { name = \"edge\", devices = [\"edge-*\", \"access-*\"] },\n]\n\n[[organizations]]\nname = \"bolt\"\n",
    ));
    text
}

fn table(keys: impl Iterator<Item = &'static Key>) -> String {
    let mut text = "\n| key | value | default | meaning |\n|---|---|---|---|\n".to_owned();
    for key in keys {
        let default = key.default.map_or_else(|| "-".to_owned(), |default| format!("`{default}`"));
        let name = if key.variable().is_some() { key.name } else { key.parts().1 };
        text.push_str(&format!("| `{name}` | {} | {default} | {} |\n", expected(key.kind), key.doc));
    }
    text
}

fn document() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n## The top\n");
    text.push_str(&table(KEYS.iter().filter(|key| key.parts().0.is_none())));
    for section in sections() {
        text.push_str(&format!("\n## `[{section}]`\n\n{}\n", about(section)));
        text.push_str(&table(KEYS.iter().filter(|key| key.parts().0 == Some(section))));
    }
    text.push_str(&format!("\n## `[[organizations]]`\n\n{}\n", ORGANIZATIONS_KEY.doc));
    text.push_str(&table(ORGANIZATION_KEYS.iter()));
    let levels: Vec<String> =
        linesman_schemas::FilterLevel::ALL.iter().map(|(_, name)| format!("- `{name}`\n")).collect();
    text.push_str(&format!("\nThe filter levels:\n\n{}", levels.concat()));
    text.push_str(&format!("\n## A complete file\n\n```toml\n{}```\n", complete()));
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
