//! What the partner listener is made from, and what its routes read from.

use std::sync::Arc;

use async_nats::Client;
use linesman_connectors::tls::ClientAuthorities;
use linesman_schemas::OrgName;
use tokio::sync::{Semaphore, watch};

use super::Error;
use super::customers::Customers;
use super::section::{Settings, Uploads};
use crate::config::Login;
use crate::edge::commands::Commands;
use crate::edge::refusals::Refusals;
use crate::lane::status::LaneStatus;
use crate::log::objects::Objects;
use crate::log::streams::lane_of;
use crate::store::{self, Lane, Store};

/// How many requests read more than a few rows at a time: lanes need the cores more.
const READS: usize = 4;

/// What the partner listener is made from.
pub struct Partner {
    /// The applied state. It is not kept.
    pub store: Arc<Store>,
    /// The log.
    pub client: Client,
    /// How far each lane is, by number.
    pub lanes: Vec<watch::Receiver<LaneStatus>>,
    /// This engine, as commands name it.
    pub node: Arc<str>,
    /// This controller, as trace routes name it.
    pub controller: Arc<str>,
    /// On how many of the server's nodes objects are kept.
    pub replicas: u32,
    /// What it is told.
    pub settings: Settings,
    /// Who may come, and how.
    pub logins: Vec<(OrgName, Login)>,
}

/// What the routes read from.
pub(super) struct Sources {
    pub(super) customers: Arc<Customers>,
    pub(super) commands: Arc<Commands>,
    /// What was refused before it became a command.
    pub(super) refusals: Arc<Refusals>,
    /// This controller, as trace routes name it.
    pub(super) controller: Arc<str>,
    pub(super) requests_per_second: u32,
    /// How many bytes a day an end customer may report.
    pub(super) reported_most_bytes: u32,
    /// Bytes that are uploaded, and how many.
    pub(super) objects: Objects,
    pub(super) uploads: Uploads,
    /// Room for those who read lists.
    pub(super) reads: Arc<Semaphore>,
    rows: Arc<[Lane]>,
}

impl Sources {
    /// What `partner` offers; its store is let go of.
    ///
    /// # Errors
    /// The store cannot be read, or the authorities of clients cannot be used.
    pub(super) fn new(partner: Partner) -> Result<Self, Error> {
        let Partner { store, client, lanes, node, controller, replicas, settings, logins } = partner;
        let rows: Arc<[_]> =
            (0..).zip(&lanes).map(|(lane, _)| store.lane(lane)).collect::<Result<_, store::Error>>()?;
        let authorities = settings.clients.as_ref();
        let authorities = authorities
            .map(|clients| ClientAuthorities::open(&clients.authorities, clients.revocations.as_deref()))
            .transpose()?;
        Ok(Self {
            customers: Arc::new(Customers::new(logins, authorities, &settings)),
            objects: Objects::new(client.clone(), replicas),
            uploads: settings.uploads,
            commands: Arc::new(Commands::new(client, node, lanes, Arc::clone(&rows))),
            refusals: Arc::default(),
            controller,
            requests_per_second: settings.requests_per_second.get(),
            reported_most_bytes: settings.reported_most_bytes.get(),
            reads: Arc::new(Semaphore::new(READS)),
            rows,
        })
    }

    /// The rows of an organization's lane.
    pub(super) fn lane(&self, org: &OrgName) -> Option<&Lane> {
        let lanes = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.rows.get(lane_of(org.as_str(), lanes) as usize)
    }
}
