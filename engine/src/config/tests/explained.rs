//! `--set`, lists in variables and flags, and the explanation of one key, word for word.

use linesman_connectors::settings::Kind;
use linesman_schemas::FilterLevel;
use serde_json::json;

use super::super::{Sections, Sources, effective_json, explain, load};
use super::{Folder, LEAST, bare, flag, variable};

/// A value of each kind that is none's default.
fn value(name: &str, kind: Kind) -> &'static str {
    match kind {
        Kind::Words(words) => match name {
            "mode" => "partner",
            "upstream.kind" => "jss",
            _ => words[words.len() - 1],
        },
        Kind::Text { .. } | Kind::Header { .. } => "text",
        Kind::Path | Kind::PasswordFile | Kind::Certificates => "/some/where",
        Kind::HttpsUrl => "https://host:9",
        Kind::NatsUrl => "nats://host:9",
        Kind::ProxyUrl => "http://host:9",
        Kind::Flag => "true",
        Kind::Texts(_) => "[\"text\"]",
        Kind::Count { .. } => {
            if matches!(name, "nats.max_payload_bytes" | "partner.reported_most_bytes") {
                "2000000"
            } else if name == "nats.memory_bytes" {
                "67108864"
            } else {
                "1"
            }
        }
        Kind::Seconds { .. } => "250",
        Kind::Address | Kind::HttpsAddress => "127.0.0.1:9",
        Kind::Ip => "127.0.0.9",
        Kind::Fingerprint => "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        Kind::CertificateName => "CN=acme",
        Kind::LogLevel => "linesman=debug,warn",
        Kind::OrgName => "hub",
        Kind::FilterLevel | Kind::Tables(_) => {
            panic!("`{name}` is no key of its own")
        }
    }
}

#[test]
fn every_key_can_be_set_by_each_of_the_three() {
    let folder = Folder::new();
    for setting in Sections::of_program().settings() {
        let (name, section, key) = (setting.name(), setting.section.name, setting.key);
        let mut value = value(&name, key.kind).to_owned();
        if let Kind::PasswordFile | Kind::Certificates = key.kind {
            value = folder.path(key.example.unwrap()).display().to_string();
        }
        let (proxy, proxy_user) = ("proxy = \"http://h\"", "proxy_user = \"u\"");
        let proxy_password = format!("proxy_password_file = {:?}", folder.path("proxy.password"));
        let (by_user, by_password) = (format!("{proxy}\n{proxy_password}"), format!("{proxy}\n{proxy_user}"));
        let own_certificate = format!("certificate = {:?}", folder.path("acme.pem"));
        let upstream = LEAST.lines().skip(1).take(6).filter(|line| {
            let said = line.split_once(" = ").map(|(name, _)| name);
            section != "upstream" || said != Some(key.name)
        });
        let is_bare = matches!(key.kind, Kind::Count { .. } | Kind::Seconds { .. } | Kind::Flag | Kind::Texts(_));
        let spelled = if is_bare { value.clone() } else { format!("{value:?}") };
        let said = format!("{} = {spelled}\n", key.name);
        let (head, tail) = match section {
            "" => (said, String::new()),
            "upstream" | "licence" | "partner" => (String::new(), said),
            "tls" | "nats" if matches!(key.name, "certificate" | "key") => (String::new(), said),
            section => (String::new(), format!("[{section}]\n{said}")),
        };
        // What the section needs besides, and its keys need of each other.
        let certificate = format!("certificate = {:?}", folder.path("partner.pem"));
        let authorities = format!("client_ca = {:?}", folder.path("customers-ca.pem"));
        let partner = ["[partner]", "listen = \"127.0.0.1:8\"", &certificate, "key = \"partner.key\"", &authorities];
        let partner = partner.into_iter().filter(|line| {
            let said = line.split_once(" = ").map(|(name, _)| name);
            section == "partner" && said != Some(key.name)
        });
        let own = match (section, key.name) {
            ("upstream", "certificate") => Some("key = \"acme.key\""),
            ("upstream", "key") => Some(&*own_certificate),
            ("upstream", "proxy_user") => Some(&*by_user),
            ("upstream", "proxy_password_file") => Some(&*by_password),
            _ => None,
        };
        let mut rest: String = upstream.chain(partner).chain(own).map(|line| format!("{line}\n")).collect();
        match (section, key.name) {
            ("licence", "file") => rest.push_str("[licence]\n"),
            ("tls" | "nats", "certificate") => rest.push_str(&format!("[{section}]\nkey = \"k\"\n")),
            ("tls" | "nats", "key") => rest.push_str(&format!("[{section}]\n{certificate}\n")),
            ("licence", _) => rest.push_str("[licence]\nfile = \"l\"\n"),
            _ => {}
        }
        let bare = |text: &str| Sources { flags: Vec::new(), ..folder.sources(text) };
        let by_file = bare(&format!("{head}{rest}{tail}"));
        let from = |sources: &Sources| {
            let json = explain(sources, &name).unwrap_or_else(|mistakes| panic!("{mistakes}")).json();
            (json["value"].clone(), json["from"]["layer"].clone())
        };
        let (set, layer) = from(&by_file);
        assert_eq!(layer, "file", "{name}");
        let mut by_variable = bare(&rest);
        by_variable.environment = vec![variable(&setting.variable().unwrap(), &value)];
        assert_eq!(from(&by_variable), (set.clone(), json!("environment")), "{name}");
        let mut by_flag = bare(&rest);
        by_flag.flags = vec![flag(&name, &format!("--set {name}"), &value)];
        assert_eq!(from(&by_flag), (set, json!("flag")), "{name}");
    }
}

#[test]
fn organizations_can_be_listed_in_a_variable_or_a_flag() {
    let folder = Folder::new();
    let mut sources = folder.sources(LEAST);
    let list = "[{ name = 'bolt', filter_level = 'Send all information' },\n {name='cobalt'}]";
    sources.environment = vec![variable("LINESMAN_ORGANIZATIONS", list)];
    let names = |sources: &Sources| -> Vec<String> {
        load(sources).unwrap().organizations.iter().map(|organization| organization.name.to_string()).collect()
    };
    let settings = load(&sources).unwrap().organizations[0].settings.clone();
    assert_eq!(settings.filter_level, FilterLevel::All);
    assert_eq!(names(&sources), ["bolt", "cobalt"]);
    sources.flags.push(flag("organizations", "--set organizations", "[{name = 'dory'}]"));
    assert_eq!(names(&sources), ["dory"]);
    let said = folder.plain(&explain(&sources, "organizations").unwrap());
    let expected = "\
organizations
  The organizations. In the file `[[organizations]]` and the keys of each; in a variable or a flag a list of tables, \
which counts instead of the file's.

  type      a list of tables
  default   none
  set by    the file, LINESMAN_ORGANIZATIONS, --set organizations=VALUE
  value     dory
  from      --set organizations:1:2
  overrode  bolt, cobalt, from LINESMAN_ORGANIZATIONS:1:1
  overrode  acme, from linesman.toml:8:3
";
    assert_eq!(said, expected);
}

#[test]
fn mistakes_of_all_three_are_told_together_each_with_its_place() {
    let folder = Folder::new();
    let mut sources = folder.sources("lanes = 99\n");
    sources.environment = vec![
        variable("LINESMAN_THREADS", "many"),
        variable("LINESMAN_ORGANIZATIONS", "[{ name = 'acme' },\n { nam = 'b' }]"),
    ];
    sources.flags.extend([
        flag("log.levl", "--set log.levl", "debug"),
        flag("nats.port", "--set nats.port", ""),
        flag("organizations", "--set organizations", "[{ name = 'a b' }"),
    ]);
    let expected = r#"linesman.toml:1:9: `lanes` must be a whole number from 1 to 48, not `99`
  lanes = 99
          ^^
LINESMAN_ORGANIZATIONS:2:4: there is no key `nam` of an organization
   { nam = 'b' }]
     ^^^
  help: did you mean `name`?
LINESMAN_THREADS: `threads` must be a whole number from 0 to 1024, not the text `many`
--set organizations:1:18: unclosed array, expected `]`
  [{ name = 'a b' }
                   ^
--set log.levl: there is no key `log.levl`
  help: did you mean `log.level`?
--set nats.port: `nats.port` must be a whole number from 1 to 65535, not empty"#;
    assert_eq!(folder.plain(&load(&sources).unwrap_err()), expected);
}

#[test]
fn a_key_is_explained() {
    let folder = Folder::new();
    let mut sources =
        folder.sources(format!("[settings]\nretry_most_s = 100\n{}", LEAST.trim_start_matches("mode = \"partner\"\n")));
    sources.environment = vec![variable("LINESMAN_SETTINGS_RETRY_MOST_S", "200")];
    let said = folder.plain(&explain(&sources, "settings.retry_most_s").unwrap());
    let expected = "\
settings.retry_most_s
  The longest wait between attempts, in seconds.

  type      a whole number of seconds from 1 to 86400
  unit      seconds
  default   300
  set by    the file, LINESMAN_SETTINGS_RETRY_MOST_S, --set settings.retry_most_s=VALUE
  value     200
  from      LINESMAN_SETTINGS_RETRY_MOST_S
  overrode  100, from linesman.toml:2:16
  overrode  300, from default
";
    assert_eq!(said, expected);
    let json = explain(&sources, "settings.retry_most_s").unwrap().json();
    let file = folder.path("linesman.toml").display().to_string();
    let expected = json!({
        "key": "settings.retry_most_s",
        "meaning": "The longest wait between attempts, in seconds.",
        "type": "a whole number of seconds from 1 to 86400",
        "unit": "seconds",
        "default": "300",
        "least": 1,
        "most": 86_400,
        "variable": "LINESMAN_SETTINGS_RETRY_MOST_S",
        "value": 200,
        "from": {"layer": "environment", "name": "LINESMAN_SETTINGS_RETRY_MOST_S"},
        "overrode": [
            {"value": 100, "from": {"layer": "file", "file": file, "line": 2, "column": 16}},
            {"value": 300, "from": {"layer": "default"}},
        ],
    });
    assert_eq!(json, expected);

    let said = folder.plain(&explain(&sources, "organizations.filter_level").unwrap());
    let value = "  value     acme: \"Send all information\"\n  from      linesman.toml:9:1\n";
    assert!(said.ends_with(value), "{said}");
}

#[test]
fn a_key_that_is_not_there_is_a_mistake() {
    for (name, expected) in [
        ("lanez", "--explain: there is no key `lanez`\n  help: did you mean `lanes`?"),
        ("url", "--explain: there is no key `url`\n  help: did you mean `nats.url` or `upstream.url`?"),
        ("colour", "--explain: there is no key `colour`"),
    ] {
        assert_eq!(explain(&bare(), name).unwrap_err().to_string(), expected);
    }
}

#[test]
fn no_secret_is_explained() {
    let folder = Folder::new();
    let mut sources = folder.sources(format!("{LEAST}[nats]\nurl = 'nats://me:hunter2@h'\n"));
    sources.environment = vec![variable("LINESMAN_NATS_URL", "nats://hunter2@h")];
    sources.flags.push(flag("nats.url", "--nats", "tls://me:hunter2@i"));
    let explained = explain(&sources, "nats.url").unwrap();
    let said = [explained.to_string(), explained.json().to_string(), effective_json(&sources).unwrap().to_string()];
    assert!(said[0].contains("tls://me:***@i") && said[0].contains("overrode  \"nats://***@h\""), "{}", said[0]);
    for text in said {
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert_eq!(super::super::shown_key("nats.url:nats://me:hunter2@h"), "nats.url:nats://me:***@h");
}

#[test]
fn the_effective_configuration_is_json_too() {
    let folder = Folder::new();
    let json = effective_json(&folder.sources(LEAST)).unwrap();
    let file = folder.path("linesman.toml").display().to_string();
    let site = json!({"value": "P-1000", "from": {"layer": "file", "file": file, "line": 5, "column": 11}});
    assert_eq!(json["settings"]["upstream.site_id"], site);
    assert_eq!(json["settings"]["listen"], json!({"value": "127.0.0.1:0", "from": {"layer": "default"}}));
    assert_eq!(json["settings"]["nats.port"], json!({"value": null}));
    assert_eq!(json["organizations"][0]["proxy"], true);
    let alone = effective_json(&bare()).unwrap();
    assert!(alone["settings"].as_object().unwrap().keys().all(|name| !name.starts_with("upstream.")));
}
