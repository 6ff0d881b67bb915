//! The effective configuration as text.

use super::super::{Sources, effective, load};
use super::{Folder, LEAST, flag, variable};

/// Every kind of value, from every layer.
fn sources(folder: &Folder) -> Sources {
    let text = format!(
        "threads = 3\n{LEAST}device_groups = [{{ name = 'c \"o\" re', devices = ['core-*', 'c\\'] }}]\n\
         [[organizations]]\nname = 'b'\n[log]\nformat = 'json'\n"
    );
    let mut sources = folder.sources(text);
    sources.environment = vec![variable("LINESMAN_NATS_URL", "nats://me:hunter2@h"), variable("LINESMAN_CONFIG", "x")];
    sources.flags.push(flag("listen", "--listen", "[::1]:8443"));
    sources
}

#[test]
fn every_value_says_where_it_came_from() {
    let folder = Folder::new();
    let text = folder.plain(&effective(&sources(&folder)).unwrap());
    let expected = r#"mode = "partner" # linesman.toml:2:8
data_dir = "/d" # --data-dir
rules = "/r" # --rules
allow_empty = false # default
listen = "[::1]:8443" # --listen
lanes = 16 # default
threads = 3 # linesman.toml:1:11
policy_time_ms = 1000 # default
remembered_mb = 64 # default

[tls]
# names # not set
# certificate # not set
# key # not set

[nats]
url = "nats://me:***@h" # LINESMAN_NATS_URL
# credentials # not set
# nkey # not set
# ca # not set
# certificate # not set
# key # not set
tls_first = false # default
# domain # not set
# port # not set
# binary # not set
sync = "every-second" # default
max_payload_bytes = 8388608 # default
memory_bytes = 1073741824 # default
out_age_s = 2592000 # default
out_consumers_most = 256 # default
out_consumer_idle_s = 604800 # default
scrub_bytes_per_s = 4194304 # default
replicas = 1 # default

[upstream]
kind = "jss" # default
url = "https://127.0.0.1:9443" # linesman.toml:4:7
ca = "support-system-ca.pem" # linesman.toml:5:6
# fingerprint # not set
site_id = "P-1000" # linesman.toml:6:11
user = "noc@partner.example" # linesman.toml:7:8
password_file = "support-system.password" # linesman.toml:8:17
# certificate # not set
# key # not set
application_id = "linesman" # default
requests_per_hour = 300 # default
intelligence_poll_s = 3600 # default
concurrency = 4 # default
timeout_s = 30 # default
# source_address # not set
# proxy # not set
# proxy_user # not set
# proxy_password_file # not set

# [device] is not set: configurations go to the devices that are reached

[settings]
host_event_retention_s = 7776000 # default
case_poll_s = 120 # default
reaction_deadline_s = 604800 # default
retry_base_s = 2 # default
retry_most_s = 300 # default
circuit_failures = 5 # default
circuit_rest_s = 30 # default
circuit_rest_most_s = 600 # default
audit_retention_s = 0 # default
upload_retention_s = 604800 # default
quota_messages = 0 # default
quota_bytes = 0 # default
quota_devices = 0 # default
quota_remembered_ids = 0 # default
clock_jump_s = 300 # default

[approvals]
send-intelligence = "none" # default
forward-case = "none" # default
activate-service = "none" # default
configure-device = "none" # default
timeout_h = 72 # default
on_timeout = "reject" # default

[activations]
canary = 1 # default
canary_from = 5 # default
failure_percent = 20 # default

# [licence] is not set: mode `partner` is an evaluation of at most 5 organizations

[audit]
checkpoint_s = 3600 # default

[seal]
# key_file # not set

[collector]
incomplete_after_s = 3600 # default
missed_after_s = 7200 # default
drift_every_s = 86400 # default
visits = 64 # default
visits_of_one = 32 # default
gatherings = 16 # default
gatherings_of_one = 8 # default
gathering_within_s = 7200 # default
snapshot_every_s = 604800 # default

[api]
session_idle_s = 43200 # default
session_absolute_s = 2592000 # default

[log]
format = "json" # linesman.toml:18:10
level = "info" # default

[metrics]
names = true # default

# [partner] is not set: end customers' controllers cannot come

[[organizations]] # linesman.toml:9:1
name = "acme"
display_name = "Acme Corp"
proxy = true
filter_level = "Send all information"
overwriting = "fixed"
# alias # not set
# user # not set
# password_file # not set
# client_certificate # not set
# certificate_subject # not set
handling = "forward"
submit_case_as = "Real Cases"
# address # not set
upload = true
snapshot_interval_s = 0
approve_send_intelligence = "none"
approve_forward_case = "none"
approve_activate_service = "none"
# quota_messages # not set
# quota_bytes # not set
# quota_devices # not set
# quota_remembered_ids # not set
device_groups = [{ name = 'c "o" re', devices = ["core-*", 'c\'] }]

[[organizations]] # linesman.toml:15:1
name = "b"
display_name = "b"
proxy = false
filter_level = "Do not send"
overwriting = "fixed"
# alias # not set
# user # not set
# password_file # not set
# client_certificate # not set
# certificate_subject # not set
handling = "forward"
submit_case_as = "Real Cases"
# address # not set
upload = true
snapshot_interval_s = 0
approve_send_intelligence = "none"
approve_forward_case = "none"
approve_activate_service = "none"
# quota_messages # not set
# quota_bytes # not set
# quota_devices # not set
# quota_remembered_ids # not set
device_groups = []
"#;
    assert_eq!(text, expected);
}

#[test]
fn the_text_is_the_same_configuration() {
    let folder = Folder::new();
    let mut first = sources(&folder);
    first.environment.clear();
    let text = effective(&first).unwrap();
    let before = format!("{:?}", load(&first).unwrap());
    folder.write("again.toml", text, 0o600);
    let again = Sources { file: Some(folder.path("again.toml")), ..Sources::default() };
    assert_eq!(format!("{:?}", load(&again).unwrap()), before);
}

#[test]
fn a_configuration_can_be_looked_at_without_a_data_directory() {
    let text = effective(&Sources::default()).unwrap();
    assert!(text.contains("# data_dir # not set\n# rules # not set\n"), "{text}");
    assert!(text.contains("\n# [upstream] is not set: cases wait\n"), "{text}");
    let folder = Folder::new();
    let wrong = effective(&folder.sources("lanes = 0\n")).unwrap_err();
    assert_eq!(wrong.list().len(), 1);
}
