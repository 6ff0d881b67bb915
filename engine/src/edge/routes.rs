//! Which path leads where.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, MatchedPath, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::{Extension, Router, middleware};
use linesman_schemas::Place;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::refusals::Operations;
use super::sources::Sources;
use super::transport::problem::Problem;
use super::viewer::{self, Viewer};
use super::{
    access, clock, config, connection, credentials, dead_letters, events, lanes, level, lists, log_level, logins, mode,
    openapi, pin, readiness, status, unredact, using, verification, writes,
};

/// Every route with its description. A route is added below and nowhere else.
pub(super) fn documented() -> Routes {
    let rooms: [fn(Routes) -> Routes; 7] = [engine, told, incidents, places, services, managers, logins];
    rooms.into_iter().fold(OpenApiRouter::with_openapi(openapi::outline()), |router, room| room(router))
}

type Routes = OpenApiRouter<Arc<Sources>>;

/// Of the engine itself, and what it decides by.
fn engine(router: Routes) -> Routes {
    router
        .routes(routes!(readiness::healthz))
        .routes(routes!(readiness::readyz))
        .routes(routes!(metrics))
        .routes(routes!(openapi::openapi))
        .routes(routes!(log_level::show, log_level::change))
        .routes(routes!(level::show_level, level::raise_level))
        .routes(routes!(lanes::lanes))
        .routes(routes!(lanes::skip))
        .routes(routes!(lanes::rejudge))
        .routes(routes!(clock::show))
        .routes(routes!(clock::confirm))
        .routes(routes!(verification::show, verification::ask))
        .routes(routes!(mode::show, mode::change))
        .routes(routes!(pin::pin))
        .routes(routes!(status::status))
        .routes(routes!(writes::rule_book::load))
}

/// What is told of organizations, and the audit.
fn told(router: Routes) -> Routes {
    router
        .routes(routes!(lists::incidents::incidents))
        .routes(routes!(lists::incidents::incident))
        .routes(routes!(lists::devices::devices))
        .routes(routes!(lists::devices::device, writes::devices::set, writes::devices::remove))
        .routes(routes!(writes::devices::host_key))
        .routes(routes!(writes::gathering::gather))
        .routes(routes!(lists::directives::all))
        .routes(routes!(
            lists::directives::one,
            writes::gathering::set_directives,
            writes::gathering::remove_directives
        ))
        .routes(routes!(lists::jmb_errors::jmb_errors))
        .routes(routes!(lists::jmb_errors::jmb_error, writes::devices::delete_jmb_error))
        .routes(routes!(writes::devices::recheck_jmb_error))
        .routes(routes!(using::test))
        .routes(routes!(using::collect))
        .routes(routes!(using::facts))
        .routes(routes!(using::configuration))
        .routes(routes!(config::diff))
        .routes(routes!(config::apply))
        .routes(routes!(config::check_sync))
        .routes(routes!(lists::drifts::drifts))
        .routes(routes!(using::rpc))
        .routes(routes!(using::download))
        .routes(routes!(lists::scripts::bundles))
        .routes(routes!(lists::scripts::bundle, writes::scripts::set_bundle, writes::scripts::remove_bundle))
        .routes(routes!(lists::scripts::profiles))
        .routes(routes!(writes::scripts::set_profile, writes::scripts::remove_profile))
        .routes(routes!(lists::scripts::status))
        .routes(routes!(writes::scripts::install, writes::scripts::remove))
        .routes(routes!(writes::scripts::plan))
        .routes(routes!(lists::cases::cases))
        .routes(routes!(lists::cases::case))
        .routes(routes!(lists::files::files))
        .routes(routes!(lists::files::file))
        .routes(routes!(lists::exports::export))
        .routes(routes!(lists::intelligence::messages, writes::intelligence::add))
        .routes(routes!(lists::approvals::approvals))
        .routes(routes!(lists::approvals::approval))
        .routes(routes!(lists::intelligence::message))
        .routes(routes!(lists::intelligence::affected))
        .routes(routes!(writes::intelligence::set_state))
        .routes(routes!(lists::intelligence::provided))
        .routes(routes!(lists::intelligence::impact))
        .routes(routes!(lists::report::report))
        .routes(routes!(lists::associations::associations))
        .routes(routes!(lists::associations::preview))
        .routes(routes!(writes::sendings::associate, writes::sendings::dissociate))
        .routes(routes!(writes::sendings::send))
        .routes(routes!(writes::sendings::recall))
        .routes(routes!(lists::policies::policies))
        .routes(routes!(lists::policies::policy))
        .routes(routes!(lists::audit::records))
        .routes(routes!(lists::audit::record))
        .routes(routes!(lists::audit::export::export))
        .routes(routes!(lists::audit::proofs::checkpoint))
        .routes(routes!(lists::audit::proofs::proof))
        .routes(routes!(lists::audit::proofs::key))
}

/// What people do with incidents; what was set aside, and what happens.
fn incidents(router: Routes) -> Routes {
    router
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::one))
        .routes(routes!(dead_letters::replay::replay))
        .routes(routes!(events::events))
        .routes(routes!(writes::approvals::approve))
        .routes(routes!(writes::approvals::reject))
        .routes(routes!(writes::incidents::assign))
        .routes(routes!(writes::incidents::prioritise))
        .routes(routes!(writes::incidents::close))
        .routes(routes!(writes::incidents::reopen))
        .routes(routes!(writes::incidents::annotate))
        .routes(routes!(writes::incidents::submit_case))
        .routes(routes!(writes::incidents::save_case))
        .routes(routes!(writes::incidents::forward_case))
        .routes(routes!(writes::incidents::handle_case))
        .routes(routes!(writes::incidents::override_case))
        .routes(routes!(writes::incidents::note_case))
        .routes(routes!(writes::incidents::close_case))
        .routes(routes!(writes::incidents::reopen_case))
}

/// Organizations and places, and what became of commands.
fn places(router: Routes) -> Routes {
    router
        .routes(routes!(lists::organizations::organizations))
        .routes(routes!(lists::organizations::organization))
        .routes(routes!(lists::places::places))
        .routes(routes!(lists::places::top))
        .routes(routes!(lists::places::site, writes::places::set_site, writes::places::remove_site))
        .routes(routes!(lists::places::line, writes::places::set_line, writes::places::remove_line))
        .routes(routes!(writes::places::tie))
        .routes(routes!(writes::organizations::set_organization))
        .routes(routes!(writes::organizations::suspend))
        .routes(routes!(writes::organizations::activate))
        .routes(routes!(connection::test))
        .routes(routes!(credentials::give, credentials::take_back))
        .routes(routes!(unredact::undo))
        .routes(routes!(lists::addresses::addresses, writes::addresses::addresses))
        .routes(routes!(lists::addresses::contracts, writes::addresses::contracts))
        .routes(routes!(writes::outcome::command))
}

/// Services, values, subscriptions and where they are active.
fn services(router: Routes) -> Routes {
    router
        .routes(routes!(lists::services::services))
        .routes(routes!(lists::services::service))
        .routes(routes!(writes::services::roll_out))
        .routes(routes!(lists::values::top, writes::values::set_top))
        .routes(routes!(lists::values::site, writes::values::set_site))
        .routes(routes!(lists::values::line, writes::values::set_line))
        .routes(routes!(lists::explain::top))
        .routes(routes!(lists::explain::site))
        .routes(routes!(lists::explain::line))
        .routes(routes!(lists::subscriptions::subscriptions))
        .routes(routes!(lists::subscriptions::top, writes::subscriptions::set_top, writes::subscriptions::remove_top))
        .routes(routes!(
            lists::subscriptions::site,
            writes::subscriptions::set_site,
            writes::subscriptions::remove_site
        ))
        .routes(routes!(
            lists::subscriptions::line,
            writes::subscriptions::set_line,
            writes::subscriptions::remove_line
        ))
        .routes(routes!(writes::subscriptions::suspend_top))
        .routes(routes!(writes::subscriptions::suspend_site))
        .routes(routes!(writes::subscriptions::suspend_line))
        .routes(routes!(writes::subscriptions::resume_top))
        .routes(routes!(writes::subscriptions::resume_site))
        .routes(routes!(writes::subscriptions::resume_line))
        .routes(routes!(writes::activations::activate_top))
        .routes(routes!(writes::activations::activate_site))
        .routes(routes!(writes::activations::activate_line))
        .routes(routes!(writes::activations::deactivate_top))
        .routes(routes!(writes::activations::deactivate_site))
        .routes(routes!(writes::activations::deactivate_line))
        .routes(routes!(writes::activations::redeploy_top))
        .routes(routes!(writes::activations::redeploy_site))
        .routes(routes!(writes::activations::redeploy_line))
        .routes(routes!(lists::activations::activations))
        .routes(routes!(lists::activations::activation))
}

/// Who may what.
fn managers(router: Routes) -> Routes {
    router
        .routes(routes!(lists::managers::managers))
        .routes(routes!(lists::managers::person, writes::managers::set_person, writes::managers::remove_person))
        .routes(routes!(lists::managers::manager, writes::managers::set_manager, writes::managers::remove_manager))
        .routes(routes!(lists::why::why))
        .routes(routes!(lists::simulate::simulate))
        .routes(routes!(lists::groups::groups))
        .routes(routes!(lists::groups::group, writes::groups::set_group, writes::groups::remove_group))
}

/// How people and programs come in.
fn logins(router: Routes) -> Routes {
    router
        .routes(routes!(logins::session::log_in, logins::session::log_out))
        .routes(routes!(logins::me::me))
        .routes(routes!(logins::me::change_password))
        .routes(routes!(logins::resets::reset_password))
        .routes(routes!(logins::sessions::sessions))
        .routes(routes!(logins::sessions::session, logins::sessions::end_session))
        .routes(routes!(logins::tokens::tokens, logins::tokens::make_token))
        .routes(routes!(logins::tokens::token, logins::tokens::revoke_token))
}

/// The whole of the edge. Which routes need no token stands in [`access`].
pub(super) fn routes(sources: Arc<Sources>) -> Router {
    let (router, document) = documented().split_for_parts();
    let operations = Arc::new(Operations::of(&document));
    router
        .fallback(async || viewer::nothing())
        .method_not_allowed_fallback(async |path: Option<MatchedPath>| {
            // An organization is a place that is made and changed elsewhere.
            let is_top = path.is_some_and(|path| path.as_str() == "/api/v1/places/{organization}");
            let help = if is_top { "; organizations are changed under `/api/v1/organizations`" } else { "" };
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("this path does not take this method{help}"))
        })
        .layer(Extension(openapi::Text::new(document)))
        // Each request has its own bound, where it is let in.
        .layer(DefaultBodyLimit::max(access::DOCUMENT_MOST))
        .layer(middleware::from_fn_with_state((Arc::clone(&sources), operations), access::admit))
        .with_state(sources)
}

/// What is measured, in the Prometheus text format, version 0.0.4.
#[utoipa::path(
    get, path = "/metrics", tag = "engine",
    responses((status = 200, description = "All metrics.", body = String, content_type = "text/plain"))
)]
async fn metrics(State(sources): State<Arc<Sources>>, viewer: Viewer) -> Result<impl IntoResponse, Problem> {
    viewer.may("metrics", &Place::Provider)?;
    metrics::gauge!("linesman_api_listeners").set(sources.listeners.taken() as f64);
    sources.gauges.refresh().await;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], sources.metrics.render()))
}
