//! What the demo's engines would be given by people: configuration, rules, passwords.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use linesman_connectors::standin::Standin;
use linesman_rules::LIBRARY;
use linesman_rules::services::SERVICES;

/// The proxy organizations whose devices the partner hears itself, and what may leave of each.
pub(super) const ORGANIZATIONS: [(&str, &str, &str); 3] = [
    ("acme", "Acme Corp", "Send all information"),
    ("bolt", "Bolt Logistics", "Send all information with IP addresses overwritten"),
    ("cobalt", "Cobalt Clinics", "Do not send"),
];
/// The proxy organization that has a controller of its own.
pub(super) const CUSTOMER: &str = "delta";
const CUSTOMER_NAME: &str = "Delta Dairies";
/// The demo's own policy: the stock ones open cases of some kinds of problems alone.
const URGENT: (&str, &str) = ("urgent.rhai", include_str!("urgent.rhai"));
/// The policies of the end customer: what opens cases.
const POLICIES: [&str; 2] = ["core-dump-priority.rhai", "hardware-failure.rhai"];
/// The folder of the file systems of the stand-in devices.
pub(super) const DEVICES: &str = "devices";

/// All proxy organizations, and what people call them.
pub(super) fn customers() -> impl Iterator<Item = (&'static str, &'static str)> {
    ORGANIZATIONS.into_iter().map(|(org, name, _)| (org, name)).chain([(CUSTOMER, CUSTOMER_NAME)])
}

/// Writes what the partner's `linesman serve` would be given.
pub(super) fn write_partner(dir: &Path, standin: &Standin) -> anyhow::Result<PathBuf> {
    let rules = dir.join("rules");
    std::fs::create_dir_all(&rules)?;
    for (name, source) in LIBRARY.iter().chain([&URGENT]) {
        std::fs::write(rules.join(name), source)?;
    }
    for (name, files) in SERVICES {
        let folder = rules.join("services").join(name);
        std::fs::create_dir_all(&folder)?;
        for (file, text) in *files {
            std::fs::write(folder.join(file), text)?;
        }
    }
    write_password(&dir.join("support-system.password"))?;
    write_password(&dir.join("customer.password"))?;
    let mut text = format!(
        "mode = \"partner\"\nlanes = 4\n\n[log]\nlevel = \"error\"\n\n[upstream]\nurl = \"{}\"\nca = \"{}\"\nsite_id = \"P-1000\"\n\
         user = \"noc@partner.example\"\npassword_file = \"support-system.password\"\nrequests_per_hour = 3600\n\n\
         [partner]\nlisten = \"127.0.0.1:0\"\n\n[settings]\ncase_poll_s = 2\n",
        standin.url(),
        standin.ca_path().display(),
    );
    for (name, display_name, filter_level) in ORGANIZATIONS {
        text.push_str(&format!(
            "\n[[organizations]]\nname = \"{name}\"\ndisplay_name = \"{display_name}\"\nproxy = true\nfilter_level = \"{filter_level}\"\n"
        ));
    }
    text.push_str(&format!(
        "\n[[organizations]]\nname = \"{CUSTOMER}\"\ndisplay_name = \"{CUSTOMER_NAME}\"\nproxy = true\nalias = \"DELTA\"\n\
         user = \"{CUSTOMER}\"\npassword_file = \"customer.password\"\nhandling = \"forward\"\n\
         filter_level = \"Send all information\"\n"
    ));
    let path = dir.join("linesman.toml");
    std::fs::write(&path, text)?;
    Ok(path)
}

/// Writes what the end customer's `linesman serve` is given, to whom the partner listens at a URL.
pub(super) fn write_customer(dir: &Path, partner: &str, ca: &Path) -> anyhow::Result<PathBuf> {
    let rules = dir.join("rules");
    std::fs::create_dir_all(&rules)?;
    for (name, source) in LIBRARY.iter().filter(|(name, _)| POLICIES.contains(name)) {
        std::fs::write(rules.join(name), source)?;
    }
    write_password(&dir.join("partner.password"))?;
    let text = format!(
        "mode = \"end-customer\"\nlanes = 1\n\n[log]\nlevel = \"error\"\n\n[upstream]\nkind = \"partner\"\nurl = \"{partner}\"\n\
         ca = \"{}\"\nuser = \"{CUSTOMER}\"\npassword_file = \"partner.password\"\n\n[settings]\ncase_poll_s = 1\n\n\
         [[organizations]]\nname = \"own\"\ndisplay_name = \"{CUSTOMER_NAME}\"\nfilter_level = \"Send all information\"\n",
        ca.display(),
    );
    let path = dir.join("linesman.toml");
    std::fs::write(&path, text)?;
    Ok(path)
}

/// A file for its owner alone.
fn write_password(path: &Path) -> anyhow::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let cannot = || format!("`{}` cannot be written", path.display());
    file.with_context(cannot)?.write_all(b"correct horse battery staple\n").with_context(cannot)
}
