//! A stand-in device that is reached as one is: an SSH server with files, NETCONF and commands, for demo and tests.
//!
//! Its files are those of a folder, its configuration is made of groups as Junos has them (`statements`), and lies in
//! memory. What goes wrong stands in its [`Script`]. It is judged by OpenSSH's client and by ncclient, and is no device:
//! it knows no schema, and what it answers to commands is what it was told to answer.

mod files;
mod host;
mod netconf;
mod operations;
mod script;
mod statements;
mod store;
mod tree;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::rand::{SecureRandom as _, SystemRandom};
use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use script::{Fault, FileFault, FileOperation, Script};

use super::super::ssh::HostKey;
use super::super::ssh::wire::Cut;
use store::Store;

/// What a stand-in device is.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The folder that is its file system: `/var/tmp` is `var/tmp` in it.
    pub root: PathBuf,
    /// Who is let in.
    pub accounts: Vec<Account>,
    /// How many channels of a connection are open at a time; the next one is refused.
    pub sessions_most: usize,
    /// Whether it has old algorithms alone: SHA-1, CBC, group 14.
    pub is_legacy: bool,
    /// Whether it speaks base 1.1 of NETCONF too.
    pub has_chunks: bool,
    /// Where it listens; port 0 for any.
    pub listen: SocketAddr,
    /// What it calls itself.
    pub facts: Facts,
    /// What it answers to commands, by the whole command; to those that end in `| display xml` the XML within the reply.
    pub commands: BTreeMap<String, String>,
    /// What it answers to rpcs it does not know itself, by name: the XML within the reply.
    pub rpcs: BTreeMap<String, String>,
}

impl Setup {
    /// A device with nothing out of the ordinary, on loopback.
    pub fn new(root: impl Into<PathBuf>, accounts: Vec<Account>) -> Self {
        Self {
            root: root.into(),
            accounts,
            sessions_most: 10,
            is_legacy: false,
            has_chunks: true,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            facts: Facts::default(),
            commands: BTreeMap::new(),
            rpcs: BTreeMap::new(),
        }
    }
}

/// What a device says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its host name.
    pub host_name: String,
    /// Its model.
    pub model: String,
    /// Its serial number.
    pub serial_number: String,
    /// The version of its system.
    pub version: String,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            host_name: "standin".to_owned(),
            model: "mx240".to_owned(),
            serial_number: "JN0001".to_owned(),
            version: "23.4R1.10".to_owned(),
        }
    }
}

/// Somebody who is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The name.
    pub user: String,
    /// What is asked for.
    pub proof: Proof,
}

/// What lets somebody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A password.
    Password(String),
    /// A password that is asked for by `keyboard-interactive`.
    Asked(String),
    /// A public key, as OpenSSH writes it.
    Key(String),
}

/// A stand-in device that runs. Dropped, it is gone, and its connections are cut.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    listener: JoinHandle<()>,
}

/// What its connections have in common.
#[derive(Debug)]
struct Shared {
    setup: Setup,
    script: Arc<Script>,
    host_key: Mutex<PrivateKey>,
    store: Mutex<Store>,
    connections: Mutex<BTreeMap<u64, Cut>>,
    last_connection: AtomicU64,
    last_session: AtomicU32,
    /// What was carried out, by name.
    done: Mutex<Vec<String>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// Starts one in the present runtime.
    ///
    /// # Errors
    /// It cannot listen there, or the machine has no randomness.
    pub async fn start(setup: Setup) -> io::Result<Self> {
        let listener = TcpListener::bind(setup.listen).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            setup,
            script: Arc::default(),
            host_key: Mutex::new(fresh_key()?),
            store: Mutex::default(),
            connections: Mutex::default(),
            last_connection: AtomicU64::new(0),
            last_session: AtomicU32::new(0),
            done: Mutex::default(),
        });
        let listening = tokio::spawn(host::listen(listener, Arc::clone(&shared)));
        Ok(Self { shared, address, listener: listening })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key it shows.
    ///
    /// # Errors
    /// Never: a key of its own can be written.
    pub fn host_key(&self) -> io::Result<HostKey> {
        HostKey::of(locked(&self.shared.host_key).public_key()).map_err(io::Error::other)
    }

    /// What goes wrong.
    pub fn script(&self) -> &Script {
        &self.shared.script
    }

    /// From now on it shows another key.
    ///
    /// # Errors
    /// The machine has no randomness.
    pub fn change_host_key(&self) -> io::Result<()> {
        *locked(&self.shared.host_key) = fresh_key()?;
        Ok(())
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        locked(&self.shared.connections).clear();
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        locked(&self.shared.connections).len()
    }

    /// It loses power and comes back: all connections are cut, and what was not confirmed is rolled back.
    pub fn restart(&self) {
        self.cut();
        locked(&self.shared.store).roll_back();
    }

    /// What counts, as text.
    pub fn running(&self) -> String {
        statements::text(locked(&self.shared.store).statements(store::Which::Running))
    }

    /// Whether a commit waits to be confirmed.
    pub fn is_pending(&self) -> bool {
        locked(&self.shared.store).is_pending()
    }

    /// Somebody changes what counts by hand, as `load merge` would; or replaces all of it.
    ///
    /// # Errors
    /// The text is no configuration; it says where.
    pub fn change_by_hand(&self, text: &str, is_whole: bool) -> Result<(), String> {
        let statements = statements::parse(text)?;
        locked(&self.shared.store).change(statements, is_whole);
        Ok(())
    }

    /// The names of the operations and of what was done with files so far, in their order.
    pub fn done(&self) -> Vec<String> {
        locked(&self.shared.done).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.listener.abort();
        self.cut();
    }
}

impl Shared {
    fn did(&self, what: impl Into<String>) {
        locked(&self.done).push(what.into());
    }

    fn next_session(&self) -> u32 {
        self.last_session.fetch_add(1, Ordering::Relaxed) + 1
    }
}

fn fresh_key() -> io::Result<PrivateKey> {
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed).map_err(|_| io::Error::other("no randomness"))?;
    Ok(PrivateKey::from(Ed25519Keypair::from_seed(&seed)))
}
