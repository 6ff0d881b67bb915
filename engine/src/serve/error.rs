//! Why the engine does not run, or stopped running.

use std::path::PathBuf;

use linesman_connectors::tls;
use linesman_domain as domain;
use linesman_schemas::name::NameError;
use linesman_schemas::{Mode, OrgName};

use crate::audit::key::KeyFileError;
use crate::log::outbox::EmitError;
use crate::pin::PinError;
use crate::seal;
use crate::{data_dir, dispatch, edge, embedded, lane, licence, log, partner, rules_dir, store};

/// Why the engine does not run, or stopped running.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory.
    #[error(transparent)]
    DataDir(#[from] data_dir::Error),
    /// The embedded server.
    #[error("the embedded NATS server does not run")]
    Embedded(#[from] embedded::Error),
    /// The log.
    #[error(transparent)]
    Log(#[from] log::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What the store holds.
    #[error(transparent)]
    Domain(#[from] domain::Error),
    /// A lane.
    #[error(transparent)]
    Lane(#[from] lane::Error),
    /// What no lane reads cannot be set aside.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// The rule directory.
    #[error(transparent)]
    Rules(#[from] rules_dir::Error),
    /// A load of files would take away all that the log has of them.
    #[error(
        "there is no policy and no service in the rule directory, and the log has some; an engine that is started with `--allow-empty` takes them away"
    )]
    NothingThere,
    /// Reactions are not carried out.
    #[error(transparent)]
    Dispatch(#[from] dispatch::Error),
    /// The connectors' settings.
    #[error(transparent)]
    Connectors(#[from] linesman_connectors::Error),
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The HTTPS listener.
    #[error(transparent)]
    Edge(#[from] edge::Error),
    /// The listener for end customers.
    #[error(transparent)]
    Partner(#[from] partner::Error),
    /// What is kept sealed.
    #[error(transparent)]
    Sealed(#[from] seal::Error),
    /// The certificate of the upstream that somebody has confirmed.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The folder of what is on its way to an upstream.
    #[error("`{}` cannot be used", folder.display())]
    Leaving {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What was collected from devices cannot be kept.
    #[error("`{}` cannot be used", path.display())]
    Collected {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The log takes no command.
    #[error("`{subject}` cannot be published")]
    Publish {
        /// Where to.
        subject: String,
        /// Why.
        source: async_nats::jetstream::context::PublishError,
    },
    /// A message has no form.
    #[error("a message cannot be written")]
    Json(#[from] serde_json::Error),
    /// A command of the configuration was not done.
    #[error(
        "the organization `{organization}` cannot be set up: `{verb}` was refused: {detail}; correct it under \
         `[[organizations]]` in the configuration and start again"
    )]
    Refused {
        /// Which organization.
        organization: OrgName,
        /// What was asked for.
        verb: &'static str,
        /// Why not.
        detail: String,
    },
    /// Under what licence it would run.
    #[error("it cannot be found out what the licence permits")]
    Licence(#[from] licence::terms::Error),
    /// The configuration has more organizations than may be added.
    #[error("{0}; take it out of `[[organizations]]` in the configuration and start again")]
    Excess(licence::Excess),
    /// The configuration is of another mode than the log.
    #[error(
        "the log is of mode `{logged}`, and `mode` is `{configured}`: start with `mode = \"{logged}\"`, and change it with \
         `linesman mode set {configured}`, which says what becomes of what is pending"
    )]
    Mode {
        /// The log's.
        logged: Mode,
        /// The configuration's.
        configured: Mode,
    },
    /// The upstream of mode `demo` does not run.
    #[cfg(feature = "standin")]
    #[error("the built-in upstream of mode `demo` does not run")]
    Demo(#[from] linesman_connectors::standin::Error),
    /// A command of ours would have an id that is none.
    #[error("a command of the configuration has no id")]
    CommandId(#[source] NameError),
    /// No random numbers.
    #[error("the system gives no random numbers")]
    Random(#[source] std::io::Error),
    /// Checkpoints of the audit cannot be signed.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The engine is stopped, and something does not end: the NATS server does not answer, most likely.
    #[error("what is under way does not end")]
    Undrained,
    /// A thread or task broke off.
    #[error("a part of the engine broke off")]
    Broken(#[source] std::io::Error),
}

impl From<licence::Excess> for Error {
    /// Its own words say it all: it is no source besides.
    fn from(excess: licence::Excess) -> Self {
        Self::Excess(excess)
    }
}
