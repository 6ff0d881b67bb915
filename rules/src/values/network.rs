//! Networks: an address whose host bits are zero, and the length of its prefix.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::mistake::Mistake;

/// A network of IPv4 or IPv6. INVARIANT (no host bits): the bits behind the prefix are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    length: u8,
}

impl Network {
    /// The network of an address and a prefix length.
    ///
    /// # Errors
    /// The length is beyond the family's, or the address has host bits.
    pub fn new(address: IpAddr, length: u32) -> Result<Self, Mistake> {
        let most = bits(address);
        let Some(length) = u8::try_from(length).ok().filter(|length| *length <= most) else {
            let message = format!("`{address}/{length}` has a prefix longer than {most}");
            return Err(Mistake::new(message).with_help(format!("the prefix of such an address has 0 to {most} bits")));
        };
        let masked = from_number(number(address) & mask_number(address, length), address);
        if masked != address {
            let message = format!("`{address}/{length}` has host bits that are not zero");
            return Err(Mistake::new(message).with_help(format!("the network is `{masked}/{length}`")));
        }
        Ok(Self { address, length })
    }

    /// The network that an address lies in, of a prefix length: the address alone where none is said. None where the length
    /// is beyond the family's.
    pub fn around(address: IpAddr, length: Option<u8>) -> Option<Self> {
        let length = length.unwrap_or(bits(address));
        let is_fit = length <= bits(address);
        is_fit.then(|| Self { address: from_number(number(address) & mask_number(address, length), address), length })
    }

    /// Its first address.
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// The length of its prefix in bits.
    pub fn length(self) -> u8 {
        self.length
    }

    /// Its last address.
    pub fn last(self) -> IpAddr {
        from_number(number(self.address) | !mask_number(self.address, self.length), self.address)
    }

    /// Its prefix mask as an address.
    pub fn mask(self) -> IpAddr {
        from_number(mask_number(self.address, self.length), self.address)
    }

    /// Its address at a distance from the first, if it lies within.
    pub(crate) fn host(self, distance: u128) -> Option<IpAddr> {
        let host_bits = bits(self.address) - self.length;
        let is_within = distance.checked_shr(u32::from(host_bits)).unwrap_or(0) == 0;
        is_within.then(|| from_number(number(self.address) | distance, self.address))
    }
}

/// How many bits an address of this family has.
fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// An address as a number, which orders addresses of one family.
pub(crate) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The low bits of a number as an address of the same family as `like`.
fn from_number(number: u128, like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => {
            let low = u32::try_from(number & u128::from(u32::MAX)).unwrap_or_default();
            IpAddr::V4(Ipv4Addr::from_bits(low))
        }
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(number)),
    }
}

/// The mask of a prefix, for IPv4 in the low 32 bits.
fn mask_number(address: IpAddr, length: u8) -> u128 {
    let hosts = u128::MAX.checked_shl(u32::from(bits(address).saturating_sub(length))).unwrap_or(0);
    if address.is_ipv4() { hosts & u128::from(u32::MAX) } else { hosts }
}

/// Whether an address is the mask of a prefix: ones, then zeros.
pub(crate) fn is_mask(address: IpAddr) -> bool {
    let zeros = !number(address) & if address.is_ipv4() { u128::from(u32::MAX) } else { u128::MAX };
    zeros & zeros.wrapping_add(1) == 0
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}
