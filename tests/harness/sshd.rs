//! OpenSSH's sshd and yuma123's netconfd, of `.tools/peers`, each for one test. Tests of connectors and of the whole have them alike.

#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect, in its helpers too")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::future::ready;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use linesman_connectors::Secret;
use linesman_connectors::device::ssh::{Connection, Credential, Expected, HostKey, Login, Patience};
use tempfile::TempDir;

use crate::wait::until;

const KEY: &str = include_str!("../fixtures/devices/id_rsa");
const KEY_PUBLIC: &str = include_str!("../fixtures/devices/id_rsa.pub");
const HOST: &str = include_str!("../fixtures/devices/id_ed25519");
/// The host key that it shows.
pub const HOST_PUBLIC: &str = include_str!("../fixtures/devices/id_ed25519.pub");

/// What the user may show in place of the key, and how `/etc/shadow` would have it (`openssl passwd -6 -salt linesman`).
pub const PASSWORD: &str = "correct horse battery";
const SHADOW: &str =
    "$6$linesman$xryEWR3POhOrLLoeQT.9GfNyKXgcuDjZiWeRhIZ99YVEEnKYrFBrB4newu5Xqf3cjYMv9AjdoZHEYsa051EFZ.";

/// At how many ports it is tried to listen.
const ATTEMPTS: usize = 10;

/// A server that runs, in a folder of its own; `netconfd` behind it where a test asks for it.
pub struct Sshd {
    root: TempDir,
    peers: PathBuf,
    user: String,
    /// Where it listens on loopback.
    pub port: u16,
    children: Vec<Child>,
}

/// Says why a test is not carried out, past the test runner, which keeps what a passing test prints. Where
/// `LINESMAN_PEERS` is `required`, as in CI, that is a failure.
pub fn skipped(why: &str) {
    assert_ne!(std::env::var("LINESMAN_PEERS").as_deref(), Ok("required"), "{why}");
    let line = format!("SKIPPED: {why}: devices are tried against the stand-in alone\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// What `make tools` has put there.
pub fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools")
}

impl Sshd {
    /// Starts one; none, with a word, where it cannot be had.
    pub async fn start() -> Option<Self> {
        let peers = tools().join("peers");
        if !peers.join("usr/sbin/sshd").exists() {
            skipped("no sshd in .tools/peers");
            return None;
        }
        let peers = peers.canonicalize().unwrap();
        let user = said("id", &["-un"]);
        // As root it shuts itself into a folder that has to be there, and that its package would have made.
        if user == "root" && fs::create_dir_all("/run/sshd").is_err() {
            skipped("/run/sshd cannot be made");
            return None;
        }
        let mut sshd = Self { root: tempfile::tempdir().unwrap(), peers, user, port: 0, children: Vec::new() };
        sshd.prepare();
        sshd.listen(HOST).await;
        Some(sshd)
    }

    /// The files it wants: keys, and who there is.
    fn prepare(&self) {
        fs::create_dir(self.at("files")).unwrap();
        fs::write(self.at("authorized"), KEY_PUBLIC).unwrap();
        let own = said("getent", &["passwd", &self.user]);
        let mut fields: Vec<&str> = own.split(':').collect();
        let home = self.root.path().to_str().unwrap().to_owned();
        *fields.get_mut(5).unwrap() = &home;
        // Whatever theirs is: it starts the subsystem.
        *fields.get_mut(6).unwrap() = "/bin/sh";
        let nobody = "sshd:x:65534:65534::/run/sshd:/usr/sbin/nologin";
        fs::write(self.at("passwd"), format!("{}\n{nobody}\n", fields.join(":"))).unwrap();
        fs::write(self.at("shadow"), format!("{}:{SHADOW}:20000:0:99999:7:::\n", self.user)).unwrap();
        fs::write(self.at("group"), said("getent", &["group"]) + "\n").unwrap();
    }

    /// Listens at a port that is free, with this host key.
    pub async fn listen(&mut self, host_key: &str) {
        fs::write(self.at("host"), host_key).unwrap();
        fs::set_permissions(self.at("host"), fs::Permissions::from_mode(0o600)).unwrap();
        for attempt in 1..=ATTEMPTS {
            // Somebody else may take it in between: then it ends at once, and another is tried.
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            fs::write(self.at("config"), self.config(free)).unwrap();
            let mut command = self.command("sshd");
            let mut child = command.arg("-D").arg("-e").arg("-f").arg(self.at("config")).spawn().unwrap();
            let mut is_over = false;
            until("sshd listens, or is over", || {
                is_over = child.try_wait().unwrap().is_some();
                ready((is_over || TcpStream::connect(("127.0.0.1", free)).is_ok()).then_some(()))
            })
            .await;
            if !is_over {
                self.children.push(child);
                self.port = free;
                return;
            }
            let said = fs::read_to_string(self.at("log")).unwrap();
            assert!(attempt < ATTEMPTS, "sshd does not start: {said}");
        }
    }

    fn config(&self, port: u16) -> String {
        let mut config = String::new();
        let (root, peers) = (self.root.path().display(), self.peers.display());
        write!(
            config,
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {root}/host\nPidFile none\nUsePAM no\nStrictModes no\n\
             AuthorizedKeysFile {root}/authorized\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n\
             PermitRootLogin yes\nMaxSessions 2\nMaxStartups 100\nSubsystem sftp internal-sftp\n\
             Subsystem netconf /usr/bin/env {} {peers}/usr/sbin/netconf-subsystem --ncxserver-sockname={port}@{root}/ncx\n",
            self.libraries(),
        )
        .unwrap();
        config
    }

    fn libraries(&self) -> String {
        let peers = self.peers.display();
        let kind = format!("{}-linux-gnu", std::env::consts::ARCH);
        format!("LD_LIBRARY_PATH={peers}/usr/lib/{kind}:{peers}/lib/{kind}")
    }

    /// A program of the packages, which takes us for one of two users there are.
    fn command(&self, program: &str) -> Command {
        let log = File::options().create(true).append(true).open(self.at("log")).unwrap();
        let kind = format!("{}-linux-gnu", std::env::consts::ARCH);
        let mut command = Command::new(self.peers.join("usr/sbin").join(program));
        let libraries = self.libraries();
        let (name, value) = libraries.split_once('=').unwrap();
        command
            .env_clear()
            .env(name, value)
            .env("PATH", "/usr/bin:/bin")
            .env("LD_PRELOAD", self.peers.join(format!("usr/lib/{kind}/libnss_wrapper.so")))
            .env("NSS_WRAPPER_PASSWD", self.at("passwd"))
            .env("NSS_WRAPPER_GROUP", self.at("group"))
            .env("NSS_WRAPPER_SHADOW", self.at("shadow"))
            .env("HOME", self.root.path())
            .env("USER", &self.user)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        command
    }

    /// Starts netconfd behind it; false, with a word, where it cannot be had.
    pub async fn start_netconfd(&mut self, protocols: &str) -> bool {
        if !self.peers.join("usr/sbin/netconfd").exists() {
            skipped("no netconfd in .tools/peers");
            return false;
        }
        fs::create_dir(self.at(".yuma")).unwrap();
        let mut command = self.command("netconfd");
        command
            .env("YUMA_MODPATH", self.peers.join("usr/share/yuma/modules"))
            .arg(format!("--ncxserver-sockname={}", self.at("ncx").display()))
            .args(["--no-startup", "--target=candidate", "--with-startup=false", "--log-level=debug"])
            .args(["--module=ietf-interfaces", "--module=iana-if-type"])
            .arg(format!("--protocols={protocols}"))
            .arg(format!("--superuser={}", self.user))
            .arg(format!("--port={}", self.port));
        let mut child = command.current_dir(self.root.path()).spawn().unwrap();
        let socket = self.at("ncx");
        let mut is_over = false;
        until("netconfd listens, or is over", || {
            is_over = child.try_wait().unwrap().is_some();
            ready((is_over || std::os::unix::net::UnixStream::connect(&socket).is_ok()).then_some(()))
        })
        .await;
        assert!(!is_over, "netconfd does not start: {}", fs::read_to_string(self.at("log")).unwrap());
        self.children.push(child);
        true
    }

    /// Something in its folder.
    pub fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Who is let in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// How that user is let in, by a key.
    pub fn login(&self) -> Login {
        let known: HostKey = HOST_PUBLIC.trim().parse().unwrap();
        Login {
            address: "127.0.0.1".to_owned(),
            port: self.port,
            user: self.user().to_owned(),
            credential: Credential::Key { text: Secret::new(KEY), passphrase: None },
            host_key: Expected::Pinned(known),
            is_legacy: false,
        }
    }

    /// A connection to it.
    pub async fn connection(&self) -> Connection {
        let opened = Connection::open(&self.login(), &Patience::default()).await;
        assert!(opened.is_ok(), "{opened:?}: {}", fs::read_to_string(self.at("log")).unwrap());
        opened.unwrap()
    }

    /// Kills all that it started, then itself, without a word to anybody.
    pub fn kill(&mut self) {
        for child in &mut self.children {
            let mut ids = vec![child.id()];
            let mut next = 0;
            while let Some(id) = ids.get(next).copied() {
                let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
                ids.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
                next += 1;
            }
            // The first is waited for: its number is no other's until then.
            let _ = child.kill();
            let others: Vec<String> = ids.iter().skip(1).map(ToString::to_string).collect();
            if !others.is_empty() {
                let _ = Command::new("kill").arg("-9").args(others).stderr(Stdio::null()).status();
            }
            let _ = child.wait();
        }
        self.children.clear();
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill();
    }
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
