//! What paths name.

use linesman_rules::excerpt;
use linesman_schemas::{
    ApprovalId, GroupName, IncidentId, ManagerName, OrgName, PlaceName, PlacePath, PolicyName, ServiceName,
    SubscriptionName,
};
use serde::Deserialize;
use utoipa::IntoParams;

/// An incident's id in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct IncidentPath {
    /// `<organization>-<number>`
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}-[1-9][0-9]{0,17}$", example = "acme-17")]
    pub(super) id: IncidentId,
}

/// An approval's id in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct ApprovalPath {
    /// `<organization>-a<number>`; where it is the provider's `<organization>-p<number>`
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}-[ap][1-9][0-9]{0,17}$", example = "acme-a3")]
    pub(super) id: ApprovalId,
}

/// A file of an incident's case in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct FilePath {
    /// `<organization>-<number>`
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}-[1-9][0-9]{0,17}$", example = "acme-17")]
    pub(super) id: IncidentId,
    /// Its number, as the list has it.
    #[param(value_type = u32, example = 1)]
    pub(super) number: Count,
}

/// An organization in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OrganizationPath {
    /// Its name, a token of its subjects.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) name: OrgName,
}

/// A device in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct DevicePath {
    /// Whose it is.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) organization: OrgName,
    /// The name by which it is reached, its chassis serial number, or its host name.
    #[param(example = "SN1234")]
    pub(super) device: String,
}

/// An organization in a path that names what is its own.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfOrganizationPath {
    /// Whose.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) organization: OrgName,
}

/// A group of commands in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct DirectivesPath {
    /// Whose it is.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) organization: OrgName,
    /// Its name.
    #[param(example = "mx")]
    pub(super) group: String,
}

/// A file that was set aside in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct JmbErrorPath {
    /// Whose device it is of.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) organization: OrgName,
    /// The name by which that is reached.
    #[param(example = "edge-1")]
    pub(super) device: String,
    /// What it is called in the list.
    #[param(example = "1f3870be274f6c49")]
    pub(super) id: String,
}

/// A version of a bundle of scripts in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct BundlePath {
    /// Whose it is.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) name: OrgName,
    /// The bundle's name.
    #[param(example = "health")]
    pub(super) bundle: String,
    /// The version.
    #[param(example = "1.2")]
    pub(super) version: String,
}

/// An event profile in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct ProfilePath {
    /// Whose it is.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) name: OrgName,
    /// Its name.
    #[param(example = "chassis")]
    pub(super) profile: String,
}

/// A device group in a path, of which the scripts are.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct GroupScriptsPath {
    /// Whose it is.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) name: OrgName,
    /// Its name.
    #[param(example = "core")]
    pub(super) device_group: String,
}

/// An intelligence message in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct MessagePath {
    /// Whose it is.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) organization: OrgName,
    /// Its id at its source.
    #[param(example = "TSB-0-0")]
    pub(super) id: String,
}

/// An intelligence message of the provider's in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct ProvidedPath {
    /// Its id at its source.
    #[param(example = "TSB-0-0")]
    pub(super) message: String,
}

/// An organization that a message of the provider's is for, in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct AssociationPath {
    /// The message's id at its source.
    #[param(example = "TSB-0-0")]
    pub(super) message: String,
    /// The organization.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) organization: OrgName,
}

/// A policy in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct PolicyPath {
    /// Its name; the `/` of an organization's own is written `%2F`.
    #[param(value_type = String, pattern = "^([A-Za-z0-9][A-Za-z0-9_-]{0,63}/)?[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "open-case")]
    pub(super) name: PolicyName,
}

/// An organization as a place.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct TopPath {
    /// Its name, a token of its subjects.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) organization: OrgName,
}

/// A site in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct SitePath {
    /// Whose it is.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) organization: OrgName,
    /// Its name there.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "berlin")]
    pub(super) site: PlaceName,
}

/// An access line in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct LinePath {
    /// Whose it is.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) organization: OrgName,
    /// Its site.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "berlin")]
    pub(super) site: PlaceName,
    /// Its name there.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "line-7")]
    pub(super) line: PlaceName,
}

impl From<SitePath> for PlacePath {
    fn from(SitePath { organization, site }: SitePath) -> Self {
        Self { organization, site, line: None }
    }
}

impl From<LinePath> for PlacePath {
    fn from(LinePath { organization, site, line }: LinePath) -> Self {
        Self { organization, site, line: Some(line) }
    }
}

/// A service in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct ServicePath {
    /// Its name.
    #[param(value_type = String, pattern = "^[a-z][a-z0-9-]{0,63}$", example = "nat")]
    pub(super) name: ServiceName,
}

/// A subscription of an organization in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct SubscriptionPath {
    /// Whose it is.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) organization: OrgName,
    /// Its name there.
    #[param(value_type = String, pattern = "^[a-z][a-z0-9-]{0,63}$", example = "scrubbing")]
    pub(super) name: SubscriptionName,
}

/// A subscription of a site in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct SiteSubscriptionPath {
    /// Whose it is.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) organization: OrgName,
    /// The site.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "berlin")]
    pub(super) site: PlaceName,
    /// Its name there.
    #[param(value_type = String, pattern = "^[a-z][a-z0-9-]{0,63}$", example = "scrubbing")]
    pub(super) name: SubscriptionName,
}

/// A subscription of an access line in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct LineSubscriptionPath {
    /// Whose it is.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) organization: OrgName,
    /// Its site.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "berlin")]
    pub(super) site: PlaceName,
    /// The access line.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "line-7")]
    pub(super) line: PlaceName,
    /// Its name there.
    #[param(value_type = String, pattern = "^[a-z][a-z0-9-]{0,63}$", example = "scrubbing")]
    pub(super) name: SubscriptionName,
}

/// An activation at an access line in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct ActivationPath {
    /// Whose it is.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) organization: OrgName,
    /// The access line's site.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "berlin")]
    pub(super) site: PlaceName,
    /// The access line.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "line-7")]
    pub(super) line: PlaceName,
    /// The activation: its subscription's name and twelve hexadecimal digits.
    #[param(pattern = "^[a-z][a-z0-9-]{0,63}-[0-9a-f]{12}$", example = "scrubbing-0123456789ab")]
    pub(super) activation: String,
}

/// One of the provider's people in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct PersonPath {
    /// The name.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "bob")]
    pub(super) name: ManagerName,
}

/// A manager of an organization in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct ManagerPath {
    /// Whose.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    pub(super) organization: OrgName,
    /// The name there.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "ann")]
    pub(super) name: ManagerName,
}

/// A user group in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct GroupPath {
    /// Its name.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "night-shift")]
    pub(super) name: GroupName,
}

/// A number of a path or a query.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Count(pub(super) u64);

impl TryFrom<String> for Count {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // One spelling each: what stands between may know one address of a thing.
        let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
        number.map(Self).ok_or_else(|| format!("`{}` is no number", excerpt(&text)))
    }
}
