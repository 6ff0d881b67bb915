//! The types of parameters: their words, what each takes, and which stand for each other.

use std::fmt;

use super::mistake::Mistake;
use crate::diagnostic::{excerpt, suggest};

/// A type. Its word is part of the interface: it does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// A network, its host bits zero.
    Network,
    /// An address.
    Address,
    /// The mask of a prefix as an address.
    AddressMask,
    /// The name of an interface, or a pattern of names.
    Interface,
    /// The number of an IP protocol, or its name.
    Protocol,
    /// A port.
    Port,
    /// Bits per second in 32 bits.
    Rate,
    /// Bits per second in 64 bits.
    Bandwidth,
    /// Bytes in 32 bits.
    Burst,
    /// The type of service.
    TosByte,
    /// Which bits of the type of service count.
    TosByteMask,
    /// The six flags of TCP.
    TcpFlags,
    /// Which flags of TCP count.
    TcpFlagsMask,
    /// The three flags of IPv4.
    IpFlags,
    /// Which flags of IPv4 count.
    IpFlagsMask,
    /// The type of an ICMP message.
    IcmpType,
    /// The code of an ICMP message.
    IcmpCode,
    /// An integer of 64 bits with a sign, or a float.
    Number,
    /// A text.
    String,
    /// True or false.
    Boolean,
    /// Any value.
    Any,
}

impl Type {
    /// All types.
    pub const ALL: [Self; 21] = [
        Self::Network,
        Self::Address,
        Self::AddressMask,
        Self::Interface,
        Self::Protocol,
        Self::Port,
        Self::Rate,
        Self::Bandwidth,
        Self::Burst,
        Self::TosByte,
        Self::TosByteMask,
        Self::TcpFlags,
        Self::TcpFlagsMask,
        Self::IpFlags,
        Self::IpFlagsMask,
        Self::IcmpType,
        Self::IcmpCode,
        Self::Number,
        Self::String,
        Self::Boolean,
        Self::Any,
    ];

    /// The type's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Address => "address",
            Self::AddressMask => "addressMask",
            Self::Interface => "interface",
            Self::Protocol => "protocol",
            Self::Port => "port",
            Self::Rate => "rate",
            Self::Bandwidth => "bandwidth",
            Self::Burst => "burst",
            Self::TosByte => "tosByte",
            Self::TosByteMask => "tosByteMask",
            Self::TcpFlags => "tcpFlags",
            Self::TcpFlagsMask => "tcpFlagsMask",
            Self::IpFlags => "ipFlags",
            Self::IpFlagsMask => "ipFlagsMask",
            Self::IcmpType => "icmpType",
            Self::IcmpCode => "icmpCode",
            Self::Number => "number",
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Any => "any",
        }
    }

    /// The type of a word.
    ///
    /// # Errors
    /// There is none of this word.
    pub fn named(word: &str) -> Result<Self, Mistake> {
        Self::ALL.into_iter().find(|known| known.as_str() == word).ok_or_else(|| {
            let known = Self::ALL.iter().map(|known| known.as_str());
            Mistake::new(format!("there is no type `{}`", excerpt(word))).with_help(suggest(word, known))
        })
    }

    /// Whether it takes a list.
    pub const fn takes_list(self) -> bool {
        matches!(self, Self::Number | Self::String) || self.takes_not()
    }

    /// Whether it takes a range.
    pub const fn takes_range(self) -> bool {
        matches!(
            self,
            Self::Address
                | Self::Protocol
                | Self::Port
                | Self::TosByte
                | Self::IcmpType
                | Self::IcmpCode
                | Self::Number
                | Self::Any
        )
    }

    /// Whether it takes `not` before a value.
    pub const fn takes_not(self) -> bool {
        matches!(
            self,
            Self::Network
                | Self::Address
                | Self::Interface
                | Self::Protocol
                | Self::Port
                | Self::TosByte
                | Self::TcpFlags
                | Self::IpFlags
                | Self::IcmpType
                | Self::IcmpCode
                | Self::Any
        )
    }

    /// The smallest and the largest integer of a type of integers. A protocol may be a name too.
    pub const fn bounds(self) -> Option<(i128, i128)> {
        let most = match self {
            Self::Port => 65_535,
            Self::Rate | Self::Burst => 4_294_967_295,
            Self::Bandwidth => 18_446_744_073_709_551_615,
            Self::Protocol | Self::TosByte | Self::TosByteMask | Self::IcmpType | Self::IcmpCode => 255,
            Self::TcpFlags | Self::TcpFlagsMask => 63,
            Self::IpFlags | Self::IpFlagsMask => 7,
            _ => return None,
        };
        Some((0, most))
    }

    /// Whether a parameter of this type may be substituted by the name of one of another type.
    pub fn accepts(self, other: Self) -> bool {
        let is_quantity = |kind| matches!(kind, Self::Number | Self::Rate | Self::Bandwidth | Self::Burst);
        let is_number_for = |number, kind: Self| number == Self::Number && kind.bounds().is_some();
        self == other
            || self == Self::Any
            || other == Self::Any
            || (is_quantity(self) && is_quantity(other))
            || is_number_for(self, other)
            || is_number_for(other, self)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
