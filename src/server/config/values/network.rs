//! A network of addresses, for the proxies that are believed.

use std::fmt;
use std::net::IpAddr;

use super::Reason;

/// Most networks in a list; each one is compared on every request.
const MAX_RANGES: usize = 64;

/// An address, or all that share its first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpRange {
    base: IpAddr,
    /// How many leading bits count: at most 32 (IPv4) or 128 (IPv6).
    bits: u8,
}

impl IpRange {
    /// Whether the address belongs to the network. An IPv4 address inside IPv6 (`::ffff:10.0.0.1`) counts as the
    /// IPv4 address it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.base.is_ipv4() && masked(address, self.bits) == self.base
    }

    fn parse(text: &str) -> Result<Self, Reason> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let base: IpAddr = address.parse().map_err(|_| None)?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => width,
            Some(bits) if !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse().ok().filter(|bits| *bits <= width).ok_or(Some("the part after '/' is too large"))?
            }
            Some(_) => return Err(Some("the part after '/' is not a number")),
        };
        Ok(Self { base: masked(base, bits), bits })
    }

    /// A list separated by commas; an empty text is an empty list.
    pub(in super::super) fn parse_list(text: &str) -> Result<Vec<Self>, Reason> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let ranges = text.split(',').map(|part| Self::parse(part.trim())).collect::<Result<Vec<_>, _>>()?;
        if ranges.len() > MAX_RANGES { Err(Some("there are too many")) } else { Ok(ranges) }
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

/// The address with all but its first bits cleared. A shift by the whole width is no shift to the processor, hence
/// the checked one.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits.into())).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits.into())).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}
