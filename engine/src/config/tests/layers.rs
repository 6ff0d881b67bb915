//! What right configurations come to.

use std::path::PathBuf;
use std::time::Duration;

use linesman_connectors::tls::Trust;
use linesman_connectors::{jss, partner, upstream};
use linesman_schemas::FilterLevel;
use linesman_schemas::command::{DeviceGroup, LIST_MOST, OWNER_MOST, Organization, OrganizationSettings, Verb};
use linesman_schemas::control::Settings;

use super::super::{Sources, effective, load};
use super::{Folder, LEAST, bare, flag, variable};
use crate::embedded::Sync;
use crate::log::section::Nats;
use crate::logging::{Log, LogFormat};

#[test]
fn two_flags_are_enough() {
    let config = load(&bare()).unwrap();
    assert_eq!((config.data_dir, config.rules), (PathBuf::from("/d"), PathBuf::from("/r")));
    assert_eq!((config.listen.to_string().as_str(), config.lanes), ("127.0.0.1:0", 16));
    assert!(config.threads >= 1 && config.connectors.upstream.is_none() && config.organizations.is_empty());
    let nats = Nats {
        url: None,
        access: Default::default(),
        port: None,
        binary: None,
        sync: Sync::EverySecond,
        max_payload_bytes: 8 * 1024 * 1024,
        memory_bytes: 1 << 30,
        out_age_s: 30 * 86_400,
        consumers: Default::default(),
        scrub_bytes_per_s: 4 * 1024 * 1024,
        replicas: 1,
    };
    assert_eq!(config.nats, nats);
    assert_eq!(config.settings, Settings::default());
    assert_eq!(config.log, Log { format: LogFormat::Auto, level: "info".to_owned() });
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn the_least_configuration_works() {
    let folder = Folder::new();
    let config = load(&folder.sources(LEAST)).unwrap();
    let Some(upstream::Settings::Jss(upstream)) = config.connectors.upstream else { panic!("{config:?}") };
    assert_eq!(upstream.way.url, "https://127.0.0.1:9443");
    assert_eq!(upstream.way.trust, Trust::Authority(folder.path("support-system-ca.pem")), "beside the file");
    assert_eq!((upstream.site_id.as_str(), upstream.way.user.as_str()), ("P-1000", "noc@partner.example"));
    assert_eq!(upstream.way.password.expose(), "hunter2", "without the line's end");
    assert_eq!((upstream.application_id.as_str(), upstream.way.timeout), ("linesman", Duration::from_secs(30)));
    assert!(jss::Jss::new(upstream).is_ok());
    let [acme] = &config.organizations[..] else { panic!("{:?}", config.organizations) };
    assert_eq!(acme.name.as_str(), "acme");
    let expected = OrganizationSettings {
        display_name: "Acme Corp".to_owned(),
        is_proxy: true,
        filter_level: FilterLevel::All,
        alias: String::new(),
        handling: linesman_schemas::command::Handling::Forward,
        submit_case_as: linesman_schemas::command::SubmitCaseAs::Real,
        upload: true,
        snapshot_interval_s: 0,
        approvals: linesman_schemas::ApprovalRules::default(),
        quotas: Default::default(),
        address: String::new(),
        device_groups: Vec::new(),
        loaded: acme.settings.loaded.clone(),
    };
    assert_eq!(acme.settings, expected);
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn nothing_leaves_unless_asked_for() {
    let folder = Folder::new();
    let text = "[[organizations]]\nname = 'a'\ndevice_groups = [{ name = 'core', devices = ['core-*'] }]\n";
    let config = load(&folder.sources(text)).unwrap();
    let settings = &config.organizations[0].settings;
    assert_eq!((settings.display_name.as_str(), settings.is_proxy), ("a", false));
    assert_eq!(settings.filter_level, FilterLevel::DoNotSend);
    let core = DeviceGroup { name: "core".to_owned(), devices: vec!["core-*".to_owned()] };
    assert_eq!(settings.device_groups, [core]);
}

#[test]
fn the_hash_of_an_organization_is_that_of_its_settings() {
    let folder = Folder::new();
    let hash = |text: &str| load(&folder.sources(text)).unwrap().organizations[0].settings.loaded.clone().unwrap();
    let first = hash("[[organizations]]\nname = 'a'\n");
    // What stands in logs already written: it may only change with a reason.
    let json = r#"{"device_groups":[],"display_name":"a","filter_level":"Do not send","is_proxy":false}"#;
    assert_eq!(first, hex::encode(<sha2::Sha256 as sha2::Digest>::digest(json)));
    assert_eq!(hash("# other words\n[[organizations]]\nproxy = false\nname = 'a'\n"), first);
    assert_ne!(hash("[[organizations]]\nname = 'a'\nproxy = true\n"), first);
}

#[test]
fn flags_beat_the_environment_and_that_the_file() {
    let folder = Folder::new();
    let mut sources = folder.sources("lanes = 2\nthreads = 2\nlisten = '127.0.0.1:2'\n");
    sources.environment = vec![variable("LINESMAN_LANES", "3"), variable("LINESMAN_LISTEN", "127.0.0.1:3")];
    sources.flags.push(flag("listen", "--listen", "127.0.0.1:4"));
    let config = load(&sources).unwrap();
    assert_eq!((config.threads, config.lanes, config.listen.port()), (2, 3, 4));
}

#[test]
fn an_overridden_mistake_is_still_one() {
    let folder = Folder::new();
    let mut sources = folder.sources("lanes = 99\n");
    sources.environment = vec![variable("LINESMAN_LANES", "3")];
    assert_eq!(load(&sources).unwrap_err().list().len(), 1);
}

#[test]
fn relative_paths_start_where_they_are_written() {
    let folder = Folder::new();
    let mut sources = folder.sources("rules = 'rules'\n[nats]\nbinary = '../nats-server'\n");
    sources.flags = vec![flag("data_dir", "--data-dir", "d")];
    let config = load(&sources).unwrap();
    assert_eq!(config.rules, folder.path("rules"));
    assert_eq!(config.nats.binary, Some(folder.path("../nats-server")));
    assert_eq!(config.data_dir, std::env::current_dir().unwrap().join("d"));
}

#[test]
fn what_is_unwise_is_a_warning() {
    let folder = Folder::new();
    folder.write("support-system.password", "hunter2", 0o640);
    let mut sources = folder.sources(LEAST);
    sources.environment = vec![variable("LINESMAN_NATS_URL", "nats://h:4222")];
    sources.flags.push(flag("nats.port", "--nats-port", "4222"));
    let warnings: Vec<String> = load(&sources).unwrap().warnings.iter().map(|text| folder.plain(text)).collect();
    let expected = [
        "--nats-port: `nats.port` has no effect: `nats.url` names a server of your own",
        "others than its owner may read `support-system.password`: allow it to the owner only (mode 0600)",
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn a_proxy_of_the_environment_has_no_effect_which_is_told() {
    let folder = Folder::new();
    let warned = |variables: &[(&str, &str)], more: &str| -> Vec<String> {
        folder.write("support-system.password", "hunter2", 0o600);
        let mut sources = folder.sources(LEAST.replace("[upstream]\n", &format!("[upstream]\n{more}")));
        sources.environment = variables.iter().map(|(name, value)| variable(name, value)).collect();
        load(&sources).unwrap().warnings
    };
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let told = warned(&[(name, "http://proxy:3128")], "");
        assert!(matches!(&told[..], [one] if one.contains(&format!("`{name}` has no effect"))), "{told:?}");
        assert_eq!(warned(&[(name, "http://proxy:3128")], "proxy = \"http://other:3128\"\n"), [""; 0]);
    }
    assert_eq!(warned(&[("HTTPS_PROXY", ""), ("NO_PROXY", "*")], ""), [""; 0]);
}

#[test]
fn an_address_that_no_certificate_is_for_is_told() {
    let folder = Folder::new();
    for (listen, more, is_told) in [
        ("0.0.0.0:8443", "", true),
        ("[::]:8443", "", true),
        ("0.0.0.0:8443", "[tls]\nnames = [\"linesman.example\"]\n", false),
        ("127.0.0.1:8443", "", false),
    ] {
        let sources = folder.sources(format!("listen = \"{listen}\"\n{more}"));
        let told = load(&sources).unwrap().warnings;
        let is_of_it = |text: &String| text.contains("`tls.names` says what else it is reached by");
        assert_eq!(
            told.iter().filter(|text| is_of_it(text)).count(),
            usize::from(is_told),
            "{listen} {more}: {told:?}"
        );
    }
}

#[test]
fn no_secret_shows_in_debug() {
    let folder = Folder::new();
    let mut sources: Sources = folder.sources(LEAST);
    sources.environment = vec![variable("LINESMAN_NATS_URL", "nats://me:hunter2@h")];
    let shown = format!("{:?}", load(&sources).unwrap());
    assert!(shown.contains("nats://me:***@h") && !shown.contains("hunter2"), "{shown}");
}

/// What the configuration takes, the command that carries it takes too, to the last character and entry.
#[test]
fn the_bounds_of_an_organization_are_those_of_its_command() {
    let text = |name: usize, groups: usize, devices: usize| {
        let device = format!("'{}'", "d".repeat(name));
        let devices = vec![device.as_str(); devices].join(",\n");
        let more: String = (1..groups).map(|group| format!("{{ name = 'g{group}', devices = ['a'] }},\n")).collect();
        format!(
            "[[organizations]]\nname = 'a'\ndisplay_name = '{0}'\ndevice_groups = [{{ name = '{0}', devices = [\n\
             {devices}] }},\n{more}]\n",
            "n".repeat(name)
        )
    };
    let folder = Folder::new();
    let config = load(&folder.sources(text(OWNER_MOST, LIST_MOST, LIST_MOST))).unwrap();
    let settings = config.organizations[0].settings.clone();
    assert_eq!((settings.device_groups.len(), settings.device_groups[0].devices.len()), (LIST_MOST, LIST_MOST));
    assert_eq!(Verb::Organization(Organization::Set(settings)).check(), Ok(()));
    for (beyond, mistakes) in
        [(text(OWNER_MOST + 1, 1, 1), 3), (text(1, LIST_MOST + 1, 1), 1), (text(1, 1, LIST_MOST + 1), 1)]
    {
        assert_eq!(load(&folder.sources(beyond)).unwrap_err().list().len(), mistakes);
    }
}

#[test]
fn end_customers_come_by_https_where_nobody_says_otherwise() {
    let folder = Folder::new();
    let config = load(&folder.sources(format!("{LEAST}[partner]\nrequests_per_second = 5\n"))).unwrap();
    assert_eq!(config.partner.unwrap().listen, "0.0.0.0:443".parse().unwrap());
}

/// The keys of one kind of upstream mean nothing to the other, and are not asked for.
#[test]
fn a_partner_as_the_upstream_needs_no_site() {
    let folder = Folder::new();
    let fingerprint = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let text = format!(
        "[upstream]\nkind = 'partner'\nurl = 'https://h'\nfingerprint = '{fingerprint}'\nuser = 'acme'\n\
         password_file = 'support-system.password'\nsource_address = '192.0.2.10'\n"
    );
    let config = load(&folder.sources(&text)).unwrap();
    assert_eq!(config.warnings, Vec::<String>::new());
    let Some(upstream::Settings::Partner(settings)) = config.connectors.upstream else { panic!("no partner") };
    assert_eq!(
        (settings.way.trust.clone(), settings.controller.as_str()),
        (Trust::Pinned(fingerprint.parse().unwrap()), "acme")
    );
    assert_eq!(settings.way.source_address, "192.0.2.10".parse().ok());
    assert!(partner::Partner::new(&settings).is_ok());

    let often = text
        .replace("kind = 'partner'", "kind = 'jss'")
        .replace("source_address", "site_id = 'P-1000'\nsource_address");
    let often = load(&folder.sources(format!("{often}[settings]\ncase_poll_s = 5\n"))).unwrap();
    let expected = "`settings.case_poll_s` asks 720 times an hour, of 300 requests that `upstream.requests_per_hour` lets: cases wait";
    assert!(matches!(&often.warnings[..], [only] if only.ends_with(expected)), "{:?}", often.warnings);

    let useless = format!("{text}ca = 'support-system-ca.pem'\nsite_id = 'P-1000'\nrequests_per_hour = 5\n");
    let warnings: Vec<String> =
        load(&folder.sources(&useless)).unwrap().warnings.iter().map(|warning| folder.plain(warning)).collect();
    let expected = [
        "linesman.toml:8:6: `upstream.ca` has no effect: no certificate is believed but that of `upstream.fingerprint`",
        "linesman.toml:9:11: `upstream.site_id` has no effect: `upstream.kind` is `partner`",
        "linesman.toml:10:21: `upstream.requests_per_hour` has no effect: `upstream.kind` is `partner`",
    ];
    assert_eq!(warnings, expected);
    let printed = effective(&folder.sources(&text)).unwrap();
    assert!(printed.contains("\n# site_id # not set\n"), "{printed}");
    assert!(printed.contains("\n# application_id # of no use\n# requests_per_hour # of no use\n"), "{printed}");
}
