//! Whose values a request is about.

use linesman_schemas::{ServiceName, SubscriptionName};
use serde::Deserialize;
use utoipa::IntoParams;

/// Whose values, of those at a place.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhoseQuery {
    /// Of a subscription that is seen there, instead of the place's own.
    #[param(value_type = Option<String>, required = false, pattern = "^[a-z][a-z0-9-]{0,63}$")]
    pub(super) subscription: Option<SubscriptionName>,
    /// Of a service, as the provider has localized it for the organization.
    #[param(value_type = Option<String>, required = false, pattern = "^[a-z][a-z0-9-]{0,63}$")]
    pub(super) service: Option<ServiceName>,
}
