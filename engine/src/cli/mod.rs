//! The command line: one file a command.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 all works and something waits for somebody (`status`), 70 the
//! store could not be flushed.

#[macro_use]
mod output;

mod api;
mod check;
mod choices;
mod config;
mod consumers;
#[cfg(feature = "standin")]
mod demo;
mod flags;
mod licence;
mod line;
mod listening;
mod manual;
mod nats;
#[cfg(test)]
mod operations;
mod publish;
mod record;
mod redact;
mod scenario;
mod seal;
mod serve;
mod signals;
#[cfg(feature = "standin")]
mod standin;
mod tail;
mod trials;
mod upstream;
mod version_match;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Mistakes;
use crate::logging;

/// Rules for network service automation: bundles in, reactions out.
#[derive(Debug, Parser)]
#[command(
    name = "linesman",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  linesman demo                                    see it work
  linesman serve --data-dir D --rules R            run it, complete with its own NATS server
  linesman publish event.xml --org acme --data-dir D
  linesman tail 'out.acme.>' --data-dir D
  linesman check R                                 look policies over
  linesman incident list --data-dir D              what the engine knows
  linesman status --data-dir D                     and how it is"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the engine
    Serve(serve::Args),
    /// Print the effective configuration, secrets masked
    Config(config::Args),
    /// Show or change what a running engine's log tells
    LogLevel(api::log_level::Args),
    /// Read log and state of a running engine through, and say what of them is damaged on disk
    Verify(api::verify::Args),
    /// Check policies: syntax, header, filters, and what their scripts call
    Check(check::Args),
    /// Publish bundles or intelligence messages
    Publish(publish::Args),
    /// Print what flows, one line each
    Tail(tail::Args),
    /// The NATS server of a running engine: who reads the stream OUT
    #[command(subcommand, after_help = consumers::EXAMPLES)]
    Nats(consumers::Action),
    /// Record the log of a running engine into files
    Record(record::Args),
    /// The upstream: look at the certificate it presents
    #[command(subcommand, after_help = upstream::EXAMPLES)]
    Upstream(upstream::Action),
    /// Licences: ask for one, install and show it; for vendors, sign them
    #[command(subcommand, after_help = licence::EXAMPLES)]
    Licence(licence::Action),
    /// The seal: give the installation another key
    #[command(subcommand, after_help = seal::EXAMPLES)]
    Seal(seal::Action),
    Redact(redact::Redact),
    Unredact(Box<redact::Unredact>),
    /// Incidents: list, show, and work on them
    #[command(after_help = api::incident::EXAMPLES)]
    Incident(api::Args<api::incident::Action>),
    /// Cases: list, show, submit, and work on them
    #[command(after_help = api::case::EXAMPLES)]
    Case(api::Args<api::case::Action>),
    /// Devices: list, show, and how they are reached
    #[command(after_help = api::device::EXAMPLES)]
    Device(api::Args<api::device::Action>),
    /// Ask a device by NETCONF
    #[command(after_help = api::netconf::EXAMPLES)]
    Netconf(api::netconf::Args),
    /// The commands by which data is gathered from devices without scripts: list, show, set, remove
    #[command(after_help = api::directives_group::EXAMPLES)]
    DirectivesGroup(api::Args<api::directives_group::Action>),
    /// Files of devices that are no bundles: list, show, print, check once more, remove
    #[command(after_help = api::jmb_error::EXAMPLES)]
    JmbError(api::Args<api::jmb_error::Action>),
    /// Scripts on devices: plan, install, upgrade, remove, and how far devices are
    #[command(after_help = api::scripts::EXAMPLES)]
    Scripts(api::Args<api::scripts::Action>),
    /// Bundles of scripts for devices: list, show, keep, forget
    #[command(after_help = api::scripts::BUNDLE_EXAMPLES)]
    ScriptBundle(api::Args<api::scripts::BundleAction>),
    /// For which events the scripts of devices run: list, show, keep, forget
    #[command(after_help = api::scripts::PROFILE_EXAMPLES)]
    EventProfile(api::Args<api::scripts::ProfileAction>),
    /// Intelligence messages: list, show, take in, and whom they concern
    #[command(after_help = api::intel::EXAMPLES)]
    Intel(api::Args<api::intel::Action>),
    VersionMatch(version_match::Args),
    /// Address groups of an organization, and which of them its devices name: list, set, import, export
    #[command(after_help = api::address::EXAMPLES)]
    Address(api::Args<api::address::Action>),
    /// Service contracts of an organization: list, import, export, remove
    #[command(after_help = api::contract::EXAMPLES)]
    Contract(api::Args<api::contract::Action>),
    /// What is done only once somebody approves it: list, show, approve, reject
    #[command(after_help = api::approval::EXAMPLES)]
    Approval(api::Args<api::approval::Action>),
    /// Organizations: list, show, create, change, suspend
    #[command(after_help = api::org::EXAMPLES)]
    Org(api::Args<api::org::Action>),
    /// Sites and access lines of organizations: list, show, define, remove
    #[command(after_help = api::place::EXAMPLES)]
    Place(api::Args<api::place::Action>),
    /// The services that the engine offers
    #[command(after_help = api::service::EXAMPLES)]
    Service(api::Args<api::service::Action>),
    /// The values of services' parameters, at organizations, sites and access lines
    #[command(after_help = api::value::EXAMPLES)]
    Value(api::Args<api::value::Action>),
    /// Who has which services
    #[command(after_help = api::subscription::EXAMPLES)]
    Subscription(api::Args<api::subscription::Action>),
    /// What of subscriptions the devices of access lines have
    #[command(after_help = api::activation::EXAMPLES)]
    Activation(api::Args<api::activation::Action>),
    /// Managers of organizations, and the provider's people: list, show, make, change, remove, reset the password
    #[command(after_help = api::manager::EXAMPLES)]
    Manager(api::Args<api::manager::Action>),
    /// User groups of the provider's people: list, show, make, change, remove
    #[command(after_help = api::group::EXAMPLES)]
    Group(api::Args<api::group::Action>),
    /// Policies in effect: list, show, and load
    #[command(after_help = api::policy::EXAMPLES)]
    Policy(api::Args<api::policy::Action>),
    /// Dead letters: list, show, and put to work again
    #[command(after_help = api::dead::EXAMPLES)]
    Dead(api::Args<api::dead::Action>),
    /// The audit: list, show, export, verify, and how far it has grown
    #[command(after_help = api::audit::EXAMPLES)]
    Audit(api::Args<api::audit::Action>),
    /// The engine level that the log is decided at: show and raise
    #[command(after_help = api::level::EXAMPLES)]
    Level(api::Args<api::level::Action>),
    /// Lanes: show how they are, and the ways out of where one stands still
    #[command(after_help = api::lane::EXAMPLES)]
    Lane(api::Args<api::lane::Action>),
    /// Clocks: show what time it is in the log, and confirm that the NATS server's is right
    #[command(after_help = api::clock::EXAMPLES)]
    Clock(api::Args<api::clock::Action>),
    /// How the installation is connected: show and change
    #[command(after_help = api::mode::EXAMPLES)]
    Mode(api::Args<api::mode::Action>),
    Login(api::login::LogIn),
    Logout(api::login::LogOut),
    Whoami(api::login::WhoAmI),
    Password(api::login::Password),
    /// API tokens: list, show, make, take back
    #[command(after_help = api::token::EXAMPLES)]
    Token(api::Args<api::token::Action>),
    /// Sessions: list, show, end
    #[command(after_help = api::session::EXAMPLES)]
    Session(api::Args<api::session::Action>),
    /// How the engine is: lanes, lag, pending reactions, circuits
    Status(api::status::Args),
    /// Names that the engine knows, for the completion of shells
    #[command(hide = true)]
    Known(api::known::Args),
    /// Print a shell's completions
    Completions(manual::Completions),
    /// Print the manual page, or write all of them
    Man(manual::Man),
    /// Run a stand-in of a system that the engine talks to
    #[cfg(feature = "standin")]
    Standin(standin::Args),
    /// Run everything, play a corpus, and show what happens
    #[cfg(feature = "standin")]
    Demo(demo::Args),
}

/// Why a command ended without being done.
pub(crate) enum Failure {
    /// The configuration is wrong.
    Mistakes(Mistakes),
    /// There is no such doing, in words that say what there is instead.
    Unused(&'static str),
    /// Anything else.
    Other(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

/// Runs a command.
pub fn run(cli: Cli) -> ExitCode {
    let result = match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Config(args) => config::run(&args),
        Command::LogLevel(args) => api::log_level::run(&args),
        Command::Verify(args) => api::verify::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Publish(args) => publish::run(&args),
        Command::Tail(args) => tail::run(&args),
        Command::Nats(action) => consumers::run(&action),
        Command::Record(args) => record::run(&args),
        Command::Upstream(action) => upstream::run(&action),
        Command::Licence(action) => licence::run(&action),
        Command::Seal(action) => seal::run(&action),
        Command::Redact(args) => redact::redact(&args),
        Command::Unredact(args) => redact::undo(&args),
        Command::Incident(args) => api::incident::run(&args),
        Command::Case(args) => api::case::run(&args),
        Command::Device(args) => api::device::run(&args),
        Command::Netconf(args) => api::netconf::run(&args),
        Command::DirectivesGroup(args) => api::directives_group::run(&args),
        Command::JmbError(args) => api::jmb_error::run(&args),
        Command::Scripts(args) => api::scripts::run(&args),
        Command::ScriptBundle(args) => api::scripts::run_bundle(&args),
        Command::EventProfile(args) => api::scripts::run_profile(&args),
        Command::Intel(args) => api::intel::run(&args),
        Command::Address(args) => api::address::run(&args),
        Command::Contract(args) => api::contract::run(&args),
        Command::Approval(args) => api::approval::run(&args),
        Command::VersionMatch(args) => version_match::run(&args),
        Command::Org(args) => api::org::run(&args),
        Command::Place(args) => api::place::run(&args),
        Command::Service(args) => api::service::run(&args),
        Command::Value(args) => api::value::run(&args),
        Command::Subscription(args) => api::subscription::run(&args),
        Command::Activation(args) => api::activation::run(&args),
        Command::Manager(args) => api::manager::run(&args),
        Command::Group(args) => api::group::run(&args),
        Command::Policy(args) => api::policy::run(&args),
        Command::Dead(args) => api::dead::run(&args),
        Command::Audit(args) => api::audit::run(&args),
        Command::Level(args) => api::level::run(&args),
        Command::Lane(args) => api::lane::run(&args),
        Command::Clock(args) => api::clock::run(&args),
        Command::Mode(args) => api::mode::run(&args),
        Command::Login(args) => api::login::log_in(&args),
        Command::Logout(args) => api::login::log_out(&args),
        Command::Whoami(args) => api::login::who_am_i(&args),
        Command::Password(args) => api::login::password(&args),
        Command::Token(args) => api::token::run(&args),
        Command::Session(args) => api::session::run(&args),
        Command::Status(args) => api::status::run(&args),
        Command::Known(args) => api::known::run(&args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
        #[cfg(feature = "standin")]
        Command::Standin(args) => standin::run(&args),
        #[cfg(feature = "standin")]
        Command::Demo(args) => demo::run(&args),
    };
    logging::drain(logging::LAST_LINES);
    output::end(match result {
        Ok(code) => code,
        Err(Failure::Mistakes(mistakes)) => {
            errln!("{mistakes}");
            ExitCode::from(2)
        }
        Err(Failure::Unused(why)) => {
            errln!("error: {why}");
            ExitCode::from(2)
        }
        Err(Failure::Other(error)) if error.is::<output::ReadEnough>() => ExitCode::SUCCESS,
        Err(Failure::Other(error)) => {
            errln!("error: {error}");
            for cause in error.chain().skip(1) {
                errln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    })
}

/// The runtime of everything but the lanes.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}
