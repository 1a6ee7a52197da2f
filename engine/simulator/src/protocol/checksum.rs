//! The checksums that S3 takes in `x-amz-checksum-…` headers and trailers.

use sha2::{Digest as _, Sha256};

use super::encoding::base64;

/// An algorithm that S3 knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// CRC-32 as in zip files.
    Crc32,
    /// CRC-32 with Castagnoli's polynomial.
    Crc32c,
    /// CRC-64 as in the NVM Express specification.
    Crc64Nvme,
    /// SHA-1: kept as it came and not compared.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The word in headers: `x-amz-checksum-<word>`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Crc64Nvme => "crc64nvme",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// The element in XML: `ChecksumCRC32`.
    pub fn element(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32c => "ChecksumCRC32C",
            Self::Crc64Nvme => "ChecksumCRC64NVME",
            Self::Sha1 => "ChecksumSHA1",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    /// The header with the value.
    pub fn header(self) -> String {
        format!("x-amz-checksum-{}", self.word())
    }

    /// The algorithm by its word in any case: `SHA256`.
    pub fn by_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word().eq_ignore_ascii_case(word))
    }

    /// The checksum of some bytes in Base64; none for SHA-1.
    pub fn of(self, bytes: &[u8]) -> Option<String> {
        self.raw(bytes).map(|digest| base64(&digest))
    }

    /// The checksum of some bytes; none for SHA-1.
    pub fn raw(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Crc32 => Some(crc32(0xedb8_8320, bytes).to_be_bytes().to_vec()),
            Self::Crc32c => Some(crc32(0x82f6_3b78, bytes).to_be_bytes().to_vec()),
            Self::Crc64Nvme => Some(crc64(bytes).to_be_bytes().to_vec()),
            Self::Sha1 => None,
            Self::Sha256 => Some(Sha256::digest(bytes).to_vec()),
        }
    }
}

/// A reflected CRC of 32 bits by a table made for its polynomial.
fn crc32(polynomial: u32, bytes: &[u8]) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|index| {
        (0..8).fold(index as u32, |crc, _| if crc & 1 == 1 { crc >> 1 ^ polynomial } else { crc >> 1 })
    });
    !bytes.iter().fold(!0_u32, |crc, byte| table[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ crc >> 8)
}

fn crc64(bytes: &[u8]) -> u64 {
    // The polynomial of NVM Express, reflected.
    const POLYNOMIAL: u64 = 0x9a6c_9329_ac4b_c9b5;
    let table: [u64; 256] = std::array::from_fn(|index| {
        (0..8).fold(index as u64, |crc, _| if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 })
    });
    !bytes.iter().fold(!0_u64, |crc, byte| table[((crc ^ u64::from(*byte)) & 0xff) as usize] ^ crc >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values_are_those_of_the_published_catalogue() {
        // The check values of "123456789" in the catalogue of parametrised CRC algorithms.
        assert_eq!(crc32(0xedb8_8320, b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(0x82f6_3b78, b"123456789"), 0xe306_9283);
        assert_eq!(crc64(b"123456789"), 0xae8b_1486_0a79_9888);
    }

    #[test]
    fn every_algorithm_is_found_by_its_word_in_capitals() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::by_word(&algorithm.word().to_uppercase()), Some(algorithm));
        }
    }
}
