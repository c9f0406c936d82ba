//! Reader of the IDX files of MNIST and Fashion-MNIST: arrays of unsigned bytes, plain or gzipped.
//!
//! At most one byte more than the header promises is ever decoded, and memory grows only with bytes that came, so
//! neither a hostile header nor a compressed bomb can exhaust it.
//!
//! Format: Y. LeCun, C. Cortes, C. Burges, [The MNIST database][1], "File formats": two zero bytes, the element type
//! (8 = unsigned byte), the number of dimensions, each dimension as a big-endian `u32`, then the data, last dimension
//! fastest.
//!
//! [1]: http://yann.lecun.com/exdb/mnist/

use std::cmp::Ordering;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::DatasetError;
use super::input::Input;

/// Images of unsigned bytes, [count, height, width].
#[derive(Debug)]
pub(super) struct IdxImages {
    pub(super) pixels: Vec<u8>,
    pub(super) count: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

/// Reads an image file: three dimensions.
pub(super) fn read_images(path: &Path) -> Result<IdxImages, DatasetError> {
    parse_images(open(path)?, path)
}

/// Reads a label file: one dimension.
pub(super) fn read_labels(path: &Path) -> Result<Vec<u8>, DatasetError> {
    parse_labels(open(path)?, path)
}

/// Reads an image file from its stored bytes; `path` names it in errors.
pub(super) fn parse_images(stored: impl Read, path: &Path) -> Result<IdxImages, DatasetError> {
    let ([count, height, width], pixels) = read_array(
        stored,
        path,
        0x0803,
        "an IDX file of images, [n, height, width] unsigned bytes",
    )?;
    Ok(IdxImages {
        pixels,
        count,
        height,
        width,
    })
}

/// Reads a label file from its stored bytes; `path` names it in errors.
pub(super) fn parse_labels(stored: impl Read, path: &Path) -> Result<Vec<u8>, DatasetError> {
    let ([_], labels) = read_array(
        stored,
        path,
        0x0801,
        "an IDX file of labels, [n] unsigned bytes",
    )?;
    Ok(labels)
}

/// Data past this are not read even if they are there: 4 GiB, seven times the largest EMNIST set.
const LIMIT: u64 = 1 << 32;
fn open(path: &Path) -> Result<File, DatasetError> {
    File::open(path).map_err(|source| DatasetError::Io {
        path: path.to_path_buf(),
        source,
    })
}

fn read_array<const N: usize>(
    stored: impl Read,
    path: &Path,
    magic: u32,
    what: &'static str,
) -> Result<([usize; N], Vec<u8>), DatasetError> {
    let mut input = Input::new(stored, path)?;

    let header_len = 4 + 4 * N as u64;
    let mut header = Vec::new();
    input.read(header_len, &mut header, header_len, 0)?;
    let words: Vec<u32> = header
        .as_chunks()
        .0
        .iter()
        .map(|word| u32::from_be_bytes(*word))
        .collect();
    if let Some(&found) = words.first().filter(|&&found| found != magic) {
        return Err(DatasetError::WrongMagic {
            path: path.to_path_buf(),
            what,
            expected: magic,
            found,
        });
    }
    let Some(dimensions) = words
        .get(1..)
        .and_then(|rest| <[u32; N]>::try_from(rest).ok())
    else {
        return Err(DatasetError::Truncated {
            path: path.to_path_buf(),
            expected: header_len,
            got: header.len() as u64,
        });
    };

    let len = data_len(&dimensions, path)?;
    let mut data = Vec::new();
    // One byte more than promised: it shows trailing bytes, and lets the gzip decoder reach its checksum.
    input.read(len + 1, &mut data, header_len + len, header_len)?;
    let expected = header_len + len;
    let got = header_len + data.len() as u64;
    match got.cmp(&expected) {
        Ordering::Less => Err(DatasetError::Truncated {
            path: path.to_path_buf(),
            expected,
            got,
        }),
        Ordering::Greater => Err(DatasetError::TrailingBytes {
            path: path.to_path_buf(),
            expected,
        }),
        Ordering::Equal => Ok((dimensions.map(|dimension| dimension as usize), data)),
    }
}

/// The bytes of data that the dimensions promise.
fn data_len(dimensions: &[u32], path: &Path) -> Result<u64, DatasetError> {
    let len = dimensions
        .iter()
        .try_fold(1u64, |len, &dimension| len.checked_mul(dimension.into()));
    let text = || {
        let numbers: Vec<String> = dimensions.iter().map(u32::to_string).collect();
        numbers.join(" x ")
    };
    if dimensions.contains(&0) {
        return Err(DatasetError::Empty {
            path: path.to_path_buf(),
            dimensions: text(),
        });
    }
    len.filter(|&len| len <= LIMIT)
        .ok_or_else(|| DatasetError::TooLarge {
            path: path.to_path_buf(),
            dimensions: text(),
            limit: LIMIT,
        })
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn array(magic: u32, dimensions: &[u32], data: &[u8]) -> Vec<u8> {
        let mut bytes = magic.to_be_bytes().to_vec();
        bytes.extend(dimensions.iter().flat_map(|d| d.to_be_bytes()));
        bytes.extend_from_slice(data);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn images(stored: &[u8]) -> Result<IdxImages, DatasetError> {
        parse_images(stored, Path::new("some-images"))
    }

    fn labels(stored: &[u8]) -> Result<Vec<u8>, DatasetError> {
        parse_labels(stored, Path::new("some-labels"))
    }

    /// The message for a plain file and for the same file compressed, which must not differ.
    fn message(bytes: &[u8]) -> String {
        let plain = images(bytes).unwrap_err().to_string();
        assert_eq!(images(&gzip(bytes)).unwrap_err().to_string(), plain);
        plain
    }

    #[test]
    fn plain_and_compressed_arrays_are_read_alike() {
        let pixels: Vec<u8> = (0..12).collect();
        let bytes = array(0x803, &[2, 3, 2], &pixels);
        for stored in [bytes.clone(), gzip(&bytes)] {
            let read = images(&stored).unwrap();
            assert_eq!((read.count, read.height, read.width), (2, 3, 2));
            assert_eq!(read.pixels, pixels);
        }
        let bytes = array(0x801, &[3], &[7, 0, 255]);
        for stored in [bytes.clone(), gzip(&bytes)] {
            assert_eq!(labels(&stored).unwrap(), [7, 0, 255]);
        }
    }

    #[test]
    fn gzip_members_are_joined() {
        let bytes = array(0x801, &[4], &[1, 2, 3, 4]);
        let stored = [gzip(&bytes[..9]), gzip(&bytes[9..])].concat();
        assert_eq!(labels(&stored).unwrap(), [1, 2, 3, 4]);
    }

    #[test]
    fn truncated_data_say_how_many_bytes_were_expected_and_got() {
        assert_eq!(
            message(&array(0x803, &[2, 2, 2], &[0; 7])),
            "some-images: truncated: expected 24 bytes, got 23; fetch the file again"
        );
        for len in 0..16 {
            let bytes = &array(0x803, &[2, 2, 2], &[0; 8])[..len];
            let expected = format!(
                "some-images: truncated: expected 16 bytes, got {len}; fetch the file again"
            );
            assert_eq!(message(bytes), expected);
        }
    }

    #[test]
    fn compressed_file_cut_anywhere_is_an_error() {
        let whole = gzip(&array(0x803, &[2, 2, 2], &[1, 2, 3, 4, 5, 6, 7, 8]));
        for len in 0..whole.len() {
            let error = images(&whole[..len]).unwrap_err();
            assert!(
                matches!(
                    error,
                    DatasetError::Truncated { .. } | DatasetError::Gzip { .. }
                ),
                "{len}: {error}"
            );
        }
    }

    #[test]
    fn compressed_file_damaged_anywhere_in_its_data_is_an_error() {
        let whole = gzip(&array(0x803, &[2, 2, 2], &[1, 2, 3, 4, 5, 6, 7, 8]));
        // The ten bytes of the gzip header hold a time and flags that may change without harm.
        for at in 10..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            assert!(images(&damaged).is_err(), "byte {at}");
        }
    }

    #[test]
    fn trailing_bytes_are_an_error() {
        assert_eq!(
            message(&array(0x803, &[1, 2, 2], &[0; 5])),
            "some-images: goes on after the 20 bytes that its header gives; fetch the file again"
        );
        let mut stored = gzip(&array(0x803, &[1, 2, 2], &[0; 4]));
        stored.extend_from_slice(b"tail");
        let error = images(&stored).unwrap_err();
        assert!(
            matches!(
                error,
                DatasetError::Gzip { .. } | DatasetError::Truncated { .. }
            ),
            "{error}"
        );
    }

    #[test]
    fn wrong_magic_says_what_was_found_and_expected() {
        let text = message(&array(0x801, &[20], &[0; 20]));
        assert!(text.starts_with(
            "some-images: begins with 0x00000801, expected 0x00000803 (an IDX file of images"
        ));
        let text = message(b"<html>not found</html>");
        assert!(
            text.starts_with("some-images: begins with 0x3c68746d, expected"),
            "{text}"
        );
        let error = labels(&array(0x803, &[1, 1, 1], &[0])).unwrap_err();
        assert!(matches!(
            error,
            DatasetError::WrongMagic {
                found: 0x803,
                expected: 0x801,
                ..
            }
        ));
    }

    #[test]
    fn empty_arrays_are_an_error() {
        for dimensions in [[0, 28, 28], [3, 0, 28], [3, 28, 0]] {
            let text = message(&array(0x803, &dimensions, &[]));
            assert!(text.starts_with("some-images: is empty"), "{text}");
        }
    }

    #[test]
    fn hostile_dimensions_are_refused_before_reading() {
        for dimensions in [[u32::MAX; 3], [u32::MAX, 2, 1], [1 << 16, 1 << 16, 2]] {
            let text = message(&array(0x803, &dimensions, &[0; 64]));
            assert!(text.contains("more than the limit of 4294967296"), "{text}");
        }
    }

    #[test]
    fn large_promise_allocates_only_what_came() {
        let text = message(&array(0x803, &[1 << 16, 1 << 8, 1 << 8], &[0; 64]));
        assert_eq!(
            text,
            "some-images: truncated: expected 4294967312 bytes, got 80; fetch the file again"
        );
    }

    #[test]
    fn compressed_bomb_is_not_expanded_past_its_promise() {
        let mut bytes = array(0x803, &[1, 2, 2], &[]);
        bytes.resize(10_000_000, 0);
        let stored = gzip(&bytes);
        let mut counted = Counted {
            inner: &stored,
            read: 0,
        };
        let error = parse_images(&mut counted, Path::new("bomb")).unwrap_err();
        assert!(
            matches!(error, DatasetError::TrailingBytes { .. }),
            "{error}"
        );
        assert!(
            counted.read <= 32 * 1024,
            "{} of {} bytes",
            counted.read,
            stored.len()
        );
    }

    struct Counted<'a> {
        inner: &'a [u8],
        read: usize,
    }

    impl Read for Counted<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let count = self.inner.read(buf)?;
            self.read += count;
            Ok(count)
        }
    }
}
