//! What is said of a wrong configuration, word for word.

use super::super::{Sources, load};
use super::{Folder, LEAST, bare, flag, variable};

/// The mistakes of a file with these bytes.
fn mistakes(text: impl AsRef<[u8]>) -> String {
    let folder = Folder::new();
    folder.plain(&load(&folder.sources(text)).unwrap_err())
}

#[test]
fn ten_mistakes_are_ten_reports() {
    let text = r#"lanes = 99
mode = "directly"
lanez = 1
url = "x"
[upsteam]
a = 1
[nats]
sync = "alway"
port = "4222"
replicas = 3
[log]
level = "inof"
[settings]
retry_base_s = 500
"#;
    let expected = r#"linesman.toml:1:9: `lanes` must be a whole number from 1 to 48, not `99`
  lanes = 99
          ^^
linesman.toml:2:8: `mode` must be `direct`, `partner`, `end-customer`, `demo` or `offline`, not `directly`
  mode = "directly"
         ^^^^^^^^^^
  help: did you mean `direct`?
linesman.toml:3:1: there is no key `lanez`
  lanez = 1
  ^^^^^
  help: did you mean `lanes`?
linesman.toml:4:1: there is no key `url`
  url = "x"
  ^^^
  help: did you mean `nats.url` or `upstream.url`?
linesman.toml:5:2: there is no section `upsteam`
  [upsteam]
   ^^^^^^^
  help: did you mean `upstream`?
linesman.toml:8:8: `nats.sync` must be `every-second` or `always`, not `alway`
  sync = "alway"
         ^^^^^^^
  help: did you mean `always`?
linesman.toml:9:8: `nats.port` must be a whole number from 1 to 65535, not the text `4222`
  port = "4222"
         ^^^^^^
  help: write the number without quotes
linesman.toml:10:12: `nats.replicas` must be 1 with the embedded server
  replicas = 3
             ^
  help: name a cluster of your own with `nats.url`
linesman.toml:12:9: `log.level` must be `off`, `error`, `warn`, `info`, `debug` or `trace`, or such levels behind `target=`, separated by commas, not `inof`
  level = "inof"
          ^^^^^^
  help: did you mean `info`?
linesman.toml:14:16: `settings.retry_most_s` is 300, less than `settings.retry_base_s`, which is 500
  retry_base_s = 500
                 ^^^"#;
    assert_eq!(mistakes(text), expected);
}

#[test]
fn what_does_not_fit_the_mode_is_told() {
    let text = r#"mode = "end-customer"
[upstream]
url = "https://h"
site_id = "s"
user = "u"
password_file = "support-system.password"
[[organizations]]
name = "acme"
proxy = true
[[organizations]]
name = "bolt"
"#;
    let expected = r#"linesman.toml:7:1: the organization `acme` is a proxy, and mode `end-customer` has none
  [[organizations]]
  ^^^^^^^^^^^^^^^^^
  help: leave out `proxy`, or write `mode = "partner"`
linesman.toml:10:1: mode `end-customer` has exactly one organization, and this is another
  [[organizations]]
  ^^^^^^^^^^^^^^^^^
  help: several take mode `direct` or `partner`"#;
    assert_eq!(mistakes(text), expected);
    let of_kind = |mode: &str, kind: &str| {
        let text = format!(
            "mode = \"{mode}\"\n[upstream]\nkind = \"{kind}\"\nurl = \"https://h\"\nsite_id = \"s\"\nuser = \"u\"\n\
             password_file = \"support-system.password\"\n"
        );
        mistakes(&text)
    };
    let expected = "linesman.toml:3:8: the upstream of an end customer is a partner\n  kind = \"jss\"\n         ^^^^^\n  \
                    help: leave out `kind`, or write `mode = \"direct\"`";
    assert_eq!(of_kind("end-customer", "jss"), expected);
    let expected = "linesman.toml:3:8: the upstream of mode `direct` is the support system\n  kind = \"partner\"\n         \
                    ^^^^^^^^^\n  help: leave out `kind`, or write `mode = \"end-customer\"`";
    assert_eq!(of_kind("direct", "partner"), expected);
    let text = "mode = \"demo\"\n[upstream]\nurl = \"https://h\"\nsite_id = \"s\"\nuser = \"u\"\n\
                password_file = \"support-system.password\"\n";
    let expected = "linesman.toml:3:7: mode `demo` has an upstream of its own\n  url = \"https://h\"\n        ^^^^^^^^^^^\n  \
                    help: leave out `[upstream]`";
    assert_eq!(mistakes(text), expected);
}

#[test]
fn an_upstream_says_what_it_lacks() {
    let expected = r"linesman.toml:2:2: `upstream.site_id` is missing
  [upstream]
   ^^^^^^^^
linesman.toml:2:2: `upstream.user` is missing
  [upstream]
   ^^^^^^^^
linesman.toml:2:2: `upstream.password_file` is missing
  [upstream]
   ^^^^^^^^
linesman.toml:3:7: `upstream.url` must be an address of the form `https://host[:port][/path]`, not `http://x`
  url = 'http://x'
        ^^^^^^^^^^";
    assert_eq!(mistakes("\n[upstream]\nurl = 'http://x'\n"), expected);
    let empty = mistakes("[upstream]\n");
    assert_eq!(empty.matches("` is missing").count(), 4, "{empty}");
}

#[test]
fn organizations_are_checked_each() {
    let text = r#"[[organizations]]
[[organizations]]
name = "a b"
filter_level = "send all information"
proxi = true
[[organizations]]
name = "acme"
proxy = "yes"
[[organizations]]
name = "acme"
device_groups = [{ name = "core", devices = [] }, { devices = ["a", 5] }, { name = "edge", device = "x" }]
"#;
    let expected = r#"linesman.toml:1:1: the organization has no `name`
  [[organizations]]
  ^^^^^^^^^^^^^^^^^
  help: for example `name = "acme"`
linesman.toml:3:8: `name` must be a name of 1 to 64 letters, digits, `_` and `-` that begins with a letter or digit, not `a b`
  name = "a b"
         ^^^^^
linesman.toml:4:16: there is no filter level `send all information`
  filter_level = "send all information"
                 ^^^^^^^^^^^^^^^^^^^^^^
  help: the filter levels are `Do not send`, `Send all information except configuration`, `Send all information with IP addresses overwritten`, `Send all information` and `Only send list of features used`
linesman.toml:5:1: there is no key `proxi` of an organization
  proxi = true
  ^^^^^
  help: did you mean `proxy`?
linesman.toml:8:9: `proxy` must be `true` or `false`, not the text `yes`
  proxy = "yes"
          ^^^^^
linesman.toml:10:8: organization `acme` is there twice
  name = "acme"
         ^^^^^^
  help: the first is at linesman.toml:7:8
linesman.toml:11:45: `devices` of a device group must be a list of host names, at least one
  device_groups = [{ name = "core", devices = [] }, { devices = ["a", 5] }, { name = "edge", device = "x" }]
                                              ^^
  help: `*` stands for any text
linesman.toml:11:51: the device group has no `name`
  device_groups = [{ name = "core", devices = [] }, { devices = ["a", 5] }, { name = "edge", device = "x" }]
                                                    ^^^^^^^^^^^^^^^^^^^^^^
linesman.toml:11:69: a host name must be a text of 1 to 200 printable characters
  device_groups = [{ name = "core", devices = [] }, { devices = ["a", 5] }, { name = "edge", device = "x" }]
                                                                      ^
linesman.toml:11:92: there is no key `device` of a device group
  device_groups = [{ name = "core", devices = [] }, { devices = ["a", 5] }, { name = "edge", device = "x" }]
                                                                                             ^^^^^^
  help: did you mean `devices`?"#;
    assert_eq!(mistakes(text), expected);
}

#[test]
fn a_partner_listener_is_one_of_mode_partner_however_little_is_said_of_it() {
    let help = "help: leave the section out, or set `mode = \"partner\"`";
    let expected =
        format!("linesman.toml:2:2: `[partner]` is for mode `partner` only\n  [partner]\n   ^^^^^^^\n  {help}");
    assert_eq!(mistakes("mode = \"direct\"\n[partner]\n"), expected);
    let expected =
        format!("linesman.toml:3:9: `[partner]` is for mode `partner` only\n  burst = 3\n          ^\n  {help}");
    assert_eq!(mistakes("mode = \"direct\"\n[partner]\nburst = 3\n"), expected);
}

#[test]
fn end_customers_come_each_by_a_login_of_its_own() {
    let text = r#"[partner]
listen = "127.0.0.1:0"
certificate = "partner.pem"
[[organizations]]
name = "acme"
user = "acme"
password_file = "acme.password"
[[organizations]]
name = "bolt"
user = "acme"
[[organizations]]
name = "corp"
password_file = "acme.password"
[[organizations]]
name = "dory"
client_certificate = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
[[organizations]]
name = "erle"
user = "erle"
client_certificate = "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"
"#;
    let expected = r#"linesman.toml:3:15: `partner.certificate` is of no use without `partner.key`
  certificate = "partner.pem"
                ^^^^^^^^^^^^^
linesman.toml:8:1: the organization `bolt` has a `user` without a `password_file`
  [[organizations]]
  ^^^^^^^^^^^^^^^^^
linesman.toml:8:1: the user `acme` is that of two organizations
  [[organizations]]
  ^^^^^^^^^^^^^^^^^
  help: the first is `acme`
linesman.toml:11:1: the organization `corp` has a `password_file` without a `user`
  [[organizations]]
  ^^^^^^^^^^^^^^^^^
linesman.toml:17:1: the organization `erle` has the client certificate of another
  [[organizations]]
  ^^^^^^^^^^^^^^^^^
  help: that is `dory`"#;
    assert_eq!(mistakes(text), expected);
}

#[test]
fn a_certificate_of_an_authority_names_one_organization() {
    let text = r#"[partner]
client_crl = "revoked.pem"
[[organizations]]
name = "acme"
certificate_subject = "CN=acme,O=Acme Corp"
[[organizations]]
name = "bolt"
certificate_subject = "DNS:Acme.example"
[[organizations]]
name = "corp"
user = "corp"
certificate_subject = "DNS:acme.example"
"#;
    let expected = [
        "linesman.toml:2:14: `partner.client_crl` is of no use without `partner.client_ca`\n  \
         client_crl = \"revoked.pem\"\n               ^^^^^^^^^^^^^\n",
        "linesman.toml:9:1: the organization `corp` has the `certificate_subject` of another\n  [[organizations]]\n  \
         ^^^^^^^^^^^^^^^^^\n  help: that is `bolt`\n",
    ];
    assert_eq!(mistakes(text), expected.concat().trim_end());
    let text = "[[organizations]]\nname = \"acme\"\ncertificate_subject = \"/CN=acme\"\n";
    let expected = "must be a subject as `CN=acme,O=Acme Corp`, or a DNS name as `DNS:acme.example`";
    assert!(mistakes(text).contains(expected), "{}", mistakes(text));
}

#[test]
fn broken_lines_do_not_hide_the_others() {
    let expected = r"linesman.toml:1:9: string values must be quoted, expected literal string
  lanes = 
          ^
linesman.toml:2:13: unexpected key or value, expected newline, `#`
  rules = 'a' 'b'
              ^
linesman.toml:3:1: there is no key `lanez`
  lanez = 5
  ^^^^^
  help: did you mean `lanes`?
linesman.toml:5:1: duplicate key
  listen = '127.0.0.1:2'
  ^^^^^^";
    let text = "lanes = \nrules = 'a' 'b'\nlanez = 5\nlisten = '127.0.0.1:1'\nlisten = '127.0.0.1:2'\n";
    assert_eq!(mistakes(text), expected);
    let twice = mistakes("lanes = = 1 = 2\n");
    assert_eq!(twice.lines().count(), 3, "{twice}");
}

#[test]
fn sections_and_lists_have_their_shape() {
    let expected = r"linesman.toml:1:12: `upstream` must be a table
  upstream = 5
             ^
  help: write `[upstream]` and its keys below
linesman.toml:2:17: `organizations` must be a list of tables
  organizations = 5
                  ^
  help: write `[[organizations]]` before the keys of each
linesman.toml:3:9: `lanes` must be a whole number from 1 to 48, not a list
  lanes = [16]
          ^^^^
linesman.toml:4:8: `mode` must be `direct`, `partner`, `end-customer`, `demo` or `offline`, not the number `1`
  mode = 1
         ^
linesman.toml:5:9: `rules` must be a path, not empty
  rules = ''
          ^^";
    assert_eq!(mistakes("upstream = 5\norganizations = 5\nlanes = [16]\nmode = 1\nrules = ''\n"), expected);
}

#[test]
fn files_that_are_named_are_looked_at() {
    let folder = Folder::new();
    let sources = folder.sources(LEAST);
    let said = || folder.plain(&load(&sources).unwrap_err());
    std::fs::remove_file(folder.path("support-system-ca.pem")).unwrap();
    folder.write("support-system.password", "\n", 0o600);
    let expected = r#"linesman.toml:4:6: the certificates in `support-system-ca.pem` cannot be used: there is no such file
  ca = "support-system-ca.pem"
       ^^^^^^^^^^^^^^^^^^^^^^^
linesman.toml:7:17: the password in `support-system.password` cannot be used: the file is empty
  password_file = "support-system.password"
                  ^^^^^^^^^^^^^^^^^^^^^^^^^"#;
    assert_eq!(said(), expected);
    folder.write("support-system-ca.pem", "no certificate", 0o600);
    folder.write("support-system.password", "two\nlines\n", 0o600);
    let both = said();
    for reason in ["used: no certificate in it", "used: it must be one line of at most 256 printable characters"] {
        assert!(both.contains(reason), "{both}");
    }
    std::fs::remove_file(folder.path("support-system.password")).unwrap();
    std::fs::create_dir(folder.path("support-system.password")).unwrap();
    assert!(said().contains("used: it is not a file"), "{}", said());
}

#[test]
fn the_file_itself_is_text_of_a_bounded_size() {
    let folder = Folder::new();
    let absent = Sources { file: Some(folder.path("absent.toml")), ..bare() };
    let said = folder.plain(&load(&absent).unwrap_err());
    assert_eq!(said, "absent.toml: the file cannot be read: there is no such file");
    let is_folder = Sources { file: Some(folder.path("authority")), ..bare() };
    let said = folder.plain(&load(&is_folder).unwrap_err());
    assert_eq!(said, "authority: the file cannot be read: it is a folder");
    let large = "#\n".repeat(600_000);
    assert_eq!(mistakes(large), "linesman.toml: the file cannot be read: it is larger than 1048576 bytes");
    let bytes = mistakes(b"lanes = 1\nmode = '\xff'\n");
    assert!(bytes.starts_with("linesman.toml:2:9: the file is not UTF-8 text\n"), "{bytes}");
    let long = mistakes(format!("\nrules = '{}'", "a".repeat(20_000)));
    assert!(long.starts_with("linesman.toml:2:1: the line is longer than 16384 bytes\n"), "{long}");
}

#[test]
fn variables_and_flags_are_named() {
    let sources = Sources {
        environment: vec![
            variable("HOME", "/"),
            variable("LINESMAN_CONFIG", "f"),
            variable("LINESMAN_LANE", "5"),
            variable("LINESMAN_UPSTREAM_TIMEOUT_S", "0"),
            variable("LINESMAN_NATS_URL", "me:hunter2@h"),
        ],
        flags: vec![flag("listen", "--listen", "localhost"), flag("nats.port", "--nats-port", "-1")],
        ..Sources::default()
    };
    let expected = r#"LINESMAN_LANE: there is no such setting
  help: did you mean `LINESMAN_LANES`?
LINESMAN_NATS_URL: `nats.url` must be an address of the form `nats://host[:port]`, `tls://host[:port]`, `ws://host[:port]` or `wss://host[:port]`, or several behind commas, not `me:***@h`
LINESMAN_UPSTREAM_TIMEOUT_S: `upstream.timeout_s` must be a whole number of seconds from 1 to 3600, not `0`
--listen: `listen` must be an address and a port, not `localhost`
  help: for example `127.0.0.1:8443`
--nats-port: `nats.port` must be a whole number from 1 to 65535, not `-1`
`upstream.url` is missing
`upstream.site_id` is missing
`upstream.user` is missing
`upstream.password_file` is missing
`data_dir` is missing
  help: say `--data-dir`, `LINESMAN_DATA_DIR` or, in the configuration file, `data_dir = "..."`
`rules` is missing
  help: say `--rules`, `LINESMAN_RULES` or, in the configuration file, `rules = "..."`"#;
    assert_eq!(load(&sources).unwrap_err().to_string(), expected);
}

#[test]
fn no_secret_is_repeated() {
    let text = r#"nats = { url = "nats//me:hunter2@h", lanes = 5 }
upstream = { url = "https://me:hunter2@h", password = "hunter2" }
"#;
    let said = mistakes(text);
    assert!(said.contains("there is no key `upstream.password`"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn nonsense_is_told_within_bounds() {
    for text in [
        "=\n".repeat(400_000),
        "[".repeat(16_000),
        format!("{}x = 1", "a.".repeat(8_000)),
        format!("x = {}", "{a=".repeat(5_000)),
        format!("x = {}", "[\n".repeat(400_000)),
        "[[organizations]]\n".repeat(50_000),
        (0..80_000).map(|number| format!("k{number} = 1\n")).collect(),
    ] {
        let said = mistakes(text);
        assert!(said.len() < 300_000, "{}", said.len());
    }
}
