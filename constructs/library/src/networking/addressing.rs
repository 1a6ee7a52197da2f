//! IPv4 address blocks, and how those of a VPC are shared out among its subnets.
//!
//! The arithmetic is done here and not by `Fn::Cidr`, so that a block that is too small is a mistake at synth, and so
//! that a subnet's addresses can be read in the template.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use formwork::Diagnostic;

/// The zones that a VPC can have subnets in.
pub const MAX_ZONES: u8 = 4;

/// The longest prefix of a subnet. AWS takes a /28, but a load balancer wants a /27 at least (Elastic Load Balancing
/// user guide, "Subnets for your load balancer").
const LONGEST_SUBNET_PREFIX: u8 = 27;

/// What is wrong with an address block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The text is no IPv4 block.
    #[error("`{0}` is not a block of IPv4 addresses")]
    Malformed(String),
    /// The address has bits behind the prefix.
    #[error("`{text}` starts inside a /{prefix} block, not at its first address")]
    NotAligned {
        /// The block as it was written.
        text: String,
        /// Its prefix.
        prefix: u8,
        /// The block that it lies in.
        aligned: AddressBlock,
    },
    /// AWS takes no VPC of this size.
    #[error("a VPC cannot be a /{0} block")]
    Size(u8),
    /// The addresses mean something else.
    #[error("`{0}` lies in a range that no VPC can use")]
    Reserved(AddressBlock),
    /// The subnets do not fit.
    #[error("`{block}` is too small for public, private and isolated subnets in {zones} zones")]
    TooSmall {
        /// The block.
        block: AddressBlock,
        /// The wanted zones.
        zones: u8,
        /// The longest prefix with which they would fit.
        wanted: u8,
    },
}

impl AddressError {
    /// What to change.
    pub fn hint(&self) -> String {
        match self {
            Self::Malformed(_) => "write an address and a prefix, such as 10.20.0.0/16".to_owned(),
            Self::NotAligned { aligned, .. } => format!("write {aligned}"),
            Self::Size(_) => "choose a prefix from /16 to /28".to_owned(),
            Self::Reserved(_) => {
                "choose a private block inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16".to_owned()
            }
            Self::TooSmall { wanted, .. } => {
                format!("choose a /{wanted} block or a larger one, or fewer zones")
            }
        }
    }

    /// The error as a finding about a property.
    pub fn diagnostic(&self, property: &str) -> Diagnostic {
        Diagnostic::error("address-block", format!("{property}: {self}")).with_hint(self.hint())
    }
}

/// A block of IPv4 addresses, such as `10.20.0.0/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressBlock {
    first: u32,
    prefix: u8,
}

impl AddressBlock {
    const fn new(address: [u8; 4], prefix: u8) -> Self {
        Self { first: u32::from_be_bytes(address), prefix }
    }

    /// The block of a VPC: one that AWS takes.
    ///
    /// # Errors
    ///
    /// When the text is no block, or not one that a VPC can have (Amazon VPC user guide, "VPC CIDR blocks").
    pub fn of_vpc(text: &str) -> Result<Self, AddressError> {
        let block: Self = text.parse()?;
        if !(16..=28).contains(&block.prefix) {
            return Err(AddressError::Size(block.prefix));
        }
        if RESERVED.iter().any(|reserved| reserved.overlaps(block)) {
            return Err(AddressError::Reserved(block));
        }
        Ok(block)
    }

    /// The number of addresses. In a subnet AWS keeps 5 of them for itself.
    pub fn size(self) -> u64 {
        1 << (32 - u32::from(self.prefix))
    }

    /// The length of the prefix.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether some address is in both blocks.
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// Whether every address of the other block is in this one.
    pub fn contains(self, other: Self) -> bool {
        let first = u64::from(self.first);
        let other_first = u64::from(other.first);
        first <= other_first && other_first + other.size() <= first + self.size()
    }

    /// The blocks of a prefix, one behind the other from an offset on; the caller knows that they fit.
    fn divided(self, offset: u64, prefix: u8, count: u8) -> impl Iterator<Item = Self> {
        let size = 1_u64 << (32 - u32::from(prefix));
        (0..u64::from(count)).map(move |index| {
            let first = u64::from(self.first) + offset + index * size;
            Self { first: u32::try_from(first).expect("a block inside an IPv4 block"), prefix }
        })
    }
}

/// Ranges that AWS refuses for a VPC.
const RESERVED: [AddressBlock; 4] = [
    AddressBlock::new([0, 0, 0, 0], 8),
    AddressBlock::new([127, 0, 0, 0], 8),
    AddressBlock::new([169, 254, 0, 0], 16),
    AddressBlock::new([224, 0, 0, 0], 3),
];

/// The range of Docker's bridge network, which SageMaker's notebook and Studio hosts use themselves (Amazon VPC user
/// guide, "VPC CIDR blocks").
pub(super) const DOCKER_BRIDGE: AddressBlock = AddressBlock::new([172, 17, 0, 0], 16);

impl fmt::Display for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.first), self.prefix)
    }
}

impl FromStr for AddressBlock {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let malformed = || AddressError::Malformed(text.to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(malformed)?;
        let address: Ipv4Addr = address.parse().map_err(|_| malformed())?;
        // `parse` would take a sign and leading zeros, which AWS does not.
        let plain = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix: u8 = if plain && !(prefix.len() > 1 && prefix.starts_with('0')) {
            prefix.parse().map_err(|_| malformed())?
        } else {
            return Err(malformed());
        };
        if prefix > 32 {
            return Err(malformed());
        }
        let address = u32::from(address);
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        let block = Self { first: address & mask, prefix };
        if block.first != address {
            return Err(AddressError::NotAligned { text: text.to_owned(), prefix, aligned: block });
        }
        Ok(block)
    }
}

/// The blocks of a VPC's subnets: in each tier one for each zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressPlan {
    /// Of the subnets with a route to the internet.
    pub public: Vec<AddressBlock>,
    /// Of the subnets with a route out through NAT. They are the large ones: what runs, runs here.
    pub private: Vec<AddressBlock>,
    /// Of the subnets without a route out.
    pub isolated: Vec<AddressBlock>,
}

impl AddressPlan {
    /// Shares out a block.
    ///
    /// A /16 gives /24, /22 and /24 blocks, a smaller block smaller ones. Private subnets have four times the addresses
    /// of the others, or as many times as fit. Where there is room for [`MAX_ZONES`] zones it is kept free, so that
    /// adding a zone later moves no subnet.
    ///
    /// # Errors
    ///
    /// When the subnets do not fit.
    pub fn new(block: AddressBlock, zones: u8) -> Result<Self, AddressError> {
        let Some(shape) = Shape::within(block.prefix, zones) else {
            let wanted = (16..block.prefix).rev().find(|prefix| Shape::within(*prefix, zones).is_some());
            return Err(AddressError::TooSmall { block, zones, wanted: wanted.unwrap_or(16) });
        };
        // Largest first: every block then lies on its own boundary, without gaps.
        let private_prefix = shape.prefix - shape.private_bits;
        let public_at = u64::from(shape.slots) << (32 - u32::from(private_prefix));
        let isolated_at = public_at + (u64::from(shape.slots) << (32 - u32::from(shape.prefix)));
        Ok(Self {
            public: block.divided(public_at, shape.prefix, zones).collect(),
            private: block.divided(0, private_prefix, zones).collect(),
            isolated: block.divided(isolated_at, shape.prefix, zones).collect(),
        })
    }
}

/// The sizes of a VPC's subnets.
struct Shape {
    /// The zones for which there is room.
    slots: u8,
    /// The prefix of public and isolated subnets.
    prefix: u8,
    /// How many bits shorter the prefix of private subnets is.
    private_bits: u8,
}

impl Shape {
    /// The best shape that fits into a block of a prefix.
    fn within(block_prefix: u8, zones: u8) -> Option<Self> {
        let prefix = (block_prefix + 8).min(LONGEST_SUBNET_PREFIX);
        let room = 1_u64 << (32 - u32::from(block_prefix));
        [(MAX_ZONES, 2), (zones, 2), (zones, 1), (zones, 0)]
            .into_iter()
            .map(|(slots, private_bits)| Self { slots, prefix, private_bits })
            .find(|shape| shape.slots >= zones && shape.size() <= room)
    }

    fn size(&self) -> u64 {
        let in_a_zone = (1_u64 << self.private_bits) + 2;
        (u64::from(self.slots) * in_a_zone) << (32 - u32::from(self.prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(blocks: &[AddressBlock]) -> Vec<String> {
        blocks.iter().map(AddressBlock::to_string).collect()
    }

    fn plan(block: &str, zones: u8) -> Result<AddressPlan, AddressError> {
        AddressPlan::new(AddressBlock::of_vpc(block)?, zones)
    }

    #[test]
    fn a_16_block_gives_the_documented_sizes() {
        let plan = plan("10.20.0.0/16", 2).expect("room");
        assert_eq!(texts(&plan.private), ["10.20.0.0/22", "10.20.4.0/22"]);
        assert_eq!(texts(&plan.public), ["10.20.16.0/24", "10.20.17.0/24"]);
        assert_eq!(texts(&plan.isolated), ["10.20.20.0/24", "10.20.21.0/24"]);
    }

    #[test]
    fn every_size_and_number_of_zones_is_inside_without_overlap_or_a_clear_error() {
        for prefix in 16..=28 {
            for zones in 1..=MAX_ZONES {
                let block = AddressBlock::of_vpc(&format!("10.128.0.0/{prefix}")).expect("a block");
                match AddressPlan::new(block, zones) {
                    Ok(plan) => {
                        let all: Vec<_> =
                            plan.public.iter().chain(&plan.private).chain(&plan.isolated).copied().collect();
                        assert_eq!(all.len(), usize::from(zones) * 3);
                        for (index, one) in all.iter().enumerate() {
                            assert!(block.contains(*one), "{one} in {block}");
                            assert_eq!(u64::from(one.first) % one.size(), 0, "{one} is aligned");
                            assert!(one.prefix() <= LONGEST_SUBNET_PREFIX, "{one} takes a load balancer");
                            assert!(all[index + 1..].iter().all(|other| !one.overlaps(*other)), "{one}");
                        }
                    }
                    Err(AddressError::TooSmall { wanted, .. }) => {
                        assert!(wanted < prefix, "/{wanted} for /{prefix} with {zones} zones");
                        let larger = AddressBlock { first: block.first, prefix: wanted };
                        assert!(AddressPlan::new(larger, zones).is_ok(), "the hint holds: {larger}, {zones}");
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }

    #[test]
    fn adding_a_zone_moves_no_subnet_down_to_22() {
        for prefix in 16..=22 {
            let [two, three] = [2, 3].map(|zones| plan(&format!("10.0.0.0/{prefix}"), zones).expect("room"));
            assert_eq!(two.private[..], three.private[..2]);
            assert_eq!(two.public[..], three.public[..2]);
            assert_eq!(two.isolated[..], three.isolated[..2]);
        }
    }

    #[test]
    fn a_24_block_still_has_room_for_two_zones() {
        let plan = plan("192.168.7.0/24", 2).expect("room");
        assert_eq!(texts(&plan.private), ["192.168.7.0/26", "192.168.7.64/26"]);
        assert_eq!(texts(&plan.public), ["192.168.7.128/27", "192.168.7.160/27"]);
        assert_eq!(texts(&plan.isolated), ["192.168.7.192/27", "192.168.7.224/27"]);
    }

    #[test]
    fn mistakes_name_the_block_and_the_way_out() {
        let cases = [
            ("10.20.0.0", "`10.20.0.0` is not a block of IPv4 addresses", "10.20.0.0/16"),
            ("10.20.0/16", "`10.20.0/16` is not a block of IPv4 addresses", "10.20.0.0/16"),
            ("10.20.0.0/+16", "`10.20.0.0/+16` is not a block of IPv4 addresses", "10.20.0.0/16"),
            ("10.20.0.0/016", "`10.20.0.0/016` is not a block of IPv4 addresses", "10.20.0.0/16"),
            ("10.20.0.0/33", "`10.20.0.0/33` is not a block of IPv4 addresses", "10.20.0.0/16"),
            ("fd00::/16", "`fd00::/16` is not a block of IPv4 addresses", "10.20.0.0/16"),
            (
                "10.20.3.0/16",
                "`10.20.3.0/16` starts inside a /16 block, not at its first address",
                "write 10.20.0.0/16",
            ),
            ("10.0.0.0/8", "a VPC cannot be a /8 block", "/16 to /28"),
            ("169.254.0.0/20", "`169.254.0.0/20` lies in a range that no VPC can use", "10.0.0.0/8"),
            (
                "10.0.0.0/26",
                "`10.0.0.0/26` is too small for public, private and isolated subnets in 2 zones",
                "/24",
            ),
        ];
        for (text, message, hint) in cases {
            let error = plan(text, 2).expect_err(text);
            assert_eq!(error.to_string(), message);
            assert!(error.hint().contains(hint), "{}", error.hint());
        }
    }

    #[test]
    fn the_whole_range_is_a_block() {
        let all: AddressBlock = "0.0.0.0/0".parse().expect("a block");
        assert_eq!(all.size(), 1 << 32);
        assert!(all.contains("255.255.255.255/32".parse().expect("a block")));
    }
}
