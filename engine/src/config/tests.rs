//! Whole configurations: their mistakes word for word, their layers, and their text read back.

mod document;
mod explained;
mod layers;
mod lists;
mod mistakes;
mod printed;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use linesman_connectors::tls::Authority;

use super::Sources;

/// The least configuration with everything in it.
const LEAST: &str = r#"mode = "partner"
[upstream]
url = "https://127.0.0.1:9443"
ca = "support-system-ca.pem"
site_id = "P-1000"
user = "noc@partner.example"
password_file = "support-system.password"
[[organizations]]
name = "acme"
display_name = "Acme Corp"
proxy = true
filter_level = "Send all information"
"#;

/// A folder with the files that [`LEAST`] and the document name.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca = Authority::open(&folder.path().join("authority")).unwrap();
        for name in [
            "support-system-ca.pem",
            "partner.pem",
            "api.pem",
            "nats-ca.pem",
            "engine.pem",
            "acme.pem",
            "customers-ca.pem",
        ] {
            fs::copy(ca.ca_path(), folder.path().join(name)).unwrap();
        }
        let folder = Self(folder);
        for name in ["support-system.password", "acme.password", "proxy.password"] {
            folder.write(name, "hunter2\n", 0o600);
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A configuration file with `text`, and the two flags that are needed.
    fn sources(&self, text: impl AsRef<[u8]>) -> Sources {
        self.write("linesman.toml", text, 0o600);
        Sources {
            file: Some(self.path("linesman.toml")),
            environment: Vec::new(),
            flags: vec![flag("data_dir", "--data-dir", "/d"), flag("rules", "--rules", "/r")],
        }
    }

    /// A text without the folder's name, which is another each time.
    fn plain(&self, text: &impl ToString) -> String {
        text.to_string().replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn flag(key: &str, name: &str, value: &str) -> (String, String, String) {
    (key.to_owned(), name.to_owned(), value.to_owned())
}

fn variable(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The flags alone.
fn bare() -> Sources {
    Sources { flags: vec![flag("data_dir", "--data-dir", "/d"), flag("rules", "--rules", "/r")], ..Sources::default() }
}
