//! What a virtual chassis is made of, as it is shown.

use linesman_schemas::device;
use serde::Serialize;
use utoipa::ToSchema;

/// A member of a virtual chassis.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChassisMember)]
pub(super) struct Member {
    /// Its number.
    pub(super) number: u32,
    /// Its serial number.
    pub(super) serial_number: String,
    /// Its model.
    pub(super) product: String,
}

impl From<device::ChassisMember> for Member {
    fn from(member: device::ChassisMember) -> Self {
        Self { number: member.number, serial_number: member.serial_number, product: member.product }
    }
}
