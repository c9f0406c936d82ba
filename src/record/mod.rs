//! TFRecord framing: a stream of checked byte strings, as TensorFlow writes event files.
//!
//! Knows nothing of what the bytes mean, nor of paths. A record is
//! `u64 length · masked CRC of the length · payload · masked CRC of the payload`, little-endian
//! (TensorFlow, `tsl/lib/io/record_writer.h`).

mod crc;
mod reader;
mod search;
mod writer;

pub use crc::{crc32c, masked_crc32c};
pub use reader::{Damage, DamageKind, Item, Record, RecordReader, Tail};
pub use writer::append_record;
pub(crate) use writer::{append_unsealed, seal};

/// Bytes before the payload: the length and its checksum.
pub const HEADER_LEN: usize = 12;
/// Bytes behind the payload: its checksum.
pub const FOOTER_LEN: usize = 4;
