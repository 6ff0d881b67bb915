//! What documents show is so: bundles against the schema, configurations against their check, messages against what is
//! published, and the commands of the first of them, one after the other.
//!
//! Policies, services and scenarios of documents are held by `rules/tests` (`documentation.rs`, `warnings.rs`, `values.rs`,
//! `scenarios.rs`), clients by `clients.rs`, configurations of NATS servers by `accounts.rs`.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use linesman_connectors::tls::Authority;
use linesman_schemas::{bundle, event};
use linesman_tests::{Piece, Running, World, documents, pieces, root, run, run_script, until};
use serde_json::Value;

const README: &str = "README.md";
/// Where commands of documents are run: `guide.rs`, `licences.rs` and `modes.rs`.
const RUN: [&str; 7] = [
    "docs/addresses.md",
    "docs/device-configuration.md",
    "docs/devices.md",
    "docs/licences.md",
    "docs/managers.md",
    "docs/modes.md",
    "docs/scripts.md",
];
/// Those that ask a partner of somebody else's.
const NOT_RUN: [&str; 1] = ["docs/upstream.md"];

/// Every block of a language, with the document it stands in.
fn blocks(language: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for document in documents().unwrap() {
        for piece in pieces(&document).unwrap() {
            if let Piece::Fenced(of, text) = piece
                && of == language
            {
                found.push((document.clone(), text));
            }
        }
    }
    found
}

#[test]
fn every_bundle_is_valid_and_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let bundles = blocks("xml");
    assert!(bundles.len() > 1);
    for (number, (document, text)) in bundles.iter().enumerate() {
        fs::write(folder.path().join(format!("{number}.xml")), text).unwrap();
        let read = bundle::decode(text.as_bytes()).unwrap_or_else(|error| panic!("{document}: {error}\n{text}"));
        assert!(read.manifest.problem.is_some(), "{document}");
    }
    let mut check = Command::new(root().join(".tools/venv/bin/python"));
    check.args([root().join("tests/tools/validate_jmb.py"), root().join("schemas/jmb.xsd"), folder.path().to_owned()]);
    let checked = check.output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn every_message_is_as_it_is_published() {
    let schema = |name: &str| {
        let text = fs::read_to_string(root().join("schemas/json").join(format!("{name}.schema.json"))).unwrap();
        jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
    };
    let message = schema("intelligence");
    let mut held = 0;
    for (document, text) in blocks("json") {
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{document}: {error}\n{text}"));
        if value.get("specversion").is_some() {
            let kind = value["type"].as_str().unwrap().strip_prefix("linesman.").unwrap().to_owned();
            let schema = schema(&kind);
            assert!(schema.is_valid(&value), "{document}: {:?}", schema.validate(&value));
            assert_eq!(event::read(text.as_bytes()).unwrap().len(), 1, "{document}");
        } else if value.get("relevance").is_some() {
            assert!(message.is_valid(&value), "{document}: {:?}", message.validate(&value));
        } else {
            // Answers of the API and settings of streams, which have no schema of their own.
            continue;
        }
        held += 1;
    }
    assert!(held > 2, "{held}");
}

/// Sections of a service's `service.toml`, and scenarios.
fn is_of_services(document: &str, text: &str) -> bool {
    document == "docs/values.md" || text.contains(".j2\"")
}

#[tokio::test]
async fn every_configuration_passes_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open(&folder.path().join("authority")).unwrap();
    let mut held = 0;
    for (document, text) in blocks("toml").into_iter().filter(|(document, text)| !is_of_services(document, text)) {
        for line in text.lines().filter(|line| line.contains("_file = ") && !line.starts_with('#')) {
            let name = line.split('"').nth(1).unwrap();
            run_script(folder.path(), &format!("(umask 077; echo any > {name})")).await.unwrap();
        }
        for line in text.lines().filter(|line| line.contains("ca = ") && !line.starts_with('#')) {
            let file = folder.path().join(line.split('"').nth(1).unwrap());
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::copy(authority.ca_path(), file).unwrap();
        }
        // A list of what an authority has revoked is its own: `engine/src/partner/tests/issued.rs` has one.
        let text: String =
            text.lines().filter(|line| !line.starts_with("client_crl")).map(|line| format!("{line}\n")).collect();
        let file = folder.path().join("linesman.toml");
        fs::write(&file, &text).unwrap();
        let ended = run(&["config", "--config", file.to_str().unwrap()]).await.unwrap();
        assert_eq!(ended.code, Some(0), "{document}\n{text}\n{}", ended.stderr);
        held += 1;
    }
    assert!(held > 8, "{held}");
}

#[test]
fn no_document_has_commands_that_nothing_runs() {
    let mut with_commands: Vec<String> = blocks("sh").into_iter().map(|(document, _)| document).collect();
    with_commands.dedup();
    let mut known = [&RUN[..], &NOT_RUN].concat();
    known.sort_unstable();
    assert_eq!(with_commands, known);
}

/// Whoever follows the first document, from its first command to its last.
struct Reader {
    world: World,
    port: u16,
    engine: Option<Running>,
    listener: Option<Running>,
    standin: Option<Running>,
    has_configuration: bool,
}

impl Reader {
    fn file(&self, name: &str) -> PathBuf {
        self.world.path(name)
    }

    async fn reads(&mut self, piece: Piece) {
        match piece {
            Piece::Fenced(language, text) => match &*language {
                "toml" if self.has_configuration => {
                    let file = self.file("first/linesman.toml");
                    let before = fs::read_to_string(&file).unwrap();
                    fs::write(file, self.here(&format!("{text}\n{before}"))).unwrap();
                    self.stops().await;
                    self.serves().await;
                }
                "toml" => {
                    fs::write(self.file("first/linesman.toml"), text).unwrap();
                    self.has_configuration = true;
                }
                "rhai" => fs::write(self.file("first/rules/core-down.rhai"), text).unwrap(),
                "xml" => fs::write(self.file("first/event.xml"), text).unwrap(),
                // The picture, and what it looks like.
                _ => {}
            },
            Piece::Indented(lines) => {
                let is_shown = lines.iter().all(|line| line.starts_with(|c: char| c.is_ascii_digit()));
                match is_shown {
                    true => self.is_shown(&lines).await,
                    false => {
                        for line in lines {
                            self.does(&line).await;
                        }
                    }
                }
            }
        }
    }

    /// Paths and ports as they are here.
    fn here(&self, text: &str) -> String {
        text.replace("127.0.0.1:9443", &format!("127.0.0.1:{}", self.port))
    }

    async fn does(&mut self, line: &str) {
        let line = self.here(line);
        let first = format!("{}/first", self.world.root().display());
        let args: Vec<String> = line
            .split_whitespace()
            .skip(1)
            .map(|word| word.replacen("first", &first, usize::from(word.starts_with("first"))))
            .collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        if line.starts_with("make ") {
            // The repository's own, which runs this.
        } else if line.starts_with("linesman serve ") {
            self.serves().await;
        } else if line.starts_with("linesman tail ") {
            let mut listener = Running::start(&args).unwrap();
            assert_eq!(listener.remark().await.unwrap(), "listening on out.>");
            self.listener = Some(listener);
        } else if line.starts_with("linesman standin ") {
            self.waits().await;
            let mut standin = Running::start(&args).unwrap();
            standin.line().await.unwrap();
            self.standin = Some(standin);
        } else {
            let ended = run_script(self.world.root(), &line).await.unwrap();
            assert_eq!(ended.code, Some(0), "{line}\n{}{}", ended.stdout, ended.stderr);
        }
    }

    /// As the document has it: a line for the one destination that something waits for.
    async fn waits(&self) {
        let data = self.file("first/data");
        until("the case alone waits", async || {
            let status = run(&["status", "--data-dir", data.to_str().unwrap()]).await.ok()?;
            let destinations = status.stdout.lines().skip_while(|line| !line.starts_with("DESTINATION")).skip(1);
            let waiting: Vec<_> = destinations.take_while(|line| !line.is_empty()).collect();
            matches!(waiting[..], [jss] if jss.starts_with("jss ")).then_some(())
        })
        .await;
    }

    async fn stops(&mut self) {
        let engine = self.engine.take().unwrap();
        engine.interrupt().await.unwrap();
        assert_eq!(engine.ended().await.unwrap(), Some(0));
    }

    async fn serves(&mut self) {
        let first = self.file("first");
        let path = |name: &str| first.join(name).to_str().unwrap().to_owned();
        let (data, rules, config) = (path("data"), path("rules"), path("linesman.toml"));
        self.engine =
            Some(Running::start(&["serve", "--data-dir", &data, "--rules", &rules, "--config", &config]).unwrap());
        until("the engine is ready", async || {
            let status = run(&["status", "--data-dir", &data]).await.ok()?;
            (status.code == Some(0)).then_some(())
        })
        .await;
    }

    /// The listener shows lines: their times are others, and what ends in dots goes on.
    async fn is_shown(&mut self, lines: &[String]) {
        let listener = self.listener.as_mut().unwrap();
        for expected in lines {
            let told = listener.line().await.unwrap();
            let (_, told) = told.split_once(' ').unwrap();
            let (_, expected) = expected.split_once(' ').unwrap();
            match expected.strip_suffix("...") {
                Some(front) => assert!(told.starts_with(front), "{told} is not {expected}"),
                None => assert_eq!(told, expected),
            }
        }
    }
}

#[tokio::test]
async fn whoever_follows_the_first_document_gets_to_its_end() {
    let world = World::new().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut reader = Reader { world, port, engine: None, listener: None, standin: None, has_configuration: false };
    for piece in pieces(README).unwrap() {
        reader.reads(piece).await;
    }
    assert!(reader.standin.is_some() && reader.listener.is_some());
    let data = reader.file("first/data");
    let data = data.to_str().unwrap();
    until("the case has its id", async || {
        let cases = run(&["case", "list", "--json", "--data-dir", data]).await.ok()?;
        let case: Value = serde_json::from_str(cases.stdout.lines().next()?).ok()?;
        case["case_id"].is_string().then_some(())
    })
    .await;
    reader.stops().await;
}
