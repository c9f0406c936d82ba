//! The formats of encoded images that TensorBoard shows, told by their first bytes.
//!
//! Only headers are read, by the layouts of the PNG specification (5.2, 11.2.2), GIF89a (17, 18) and
//! ITU-T T.81 (B.1, B.2.2); whether the pixels behind them are whole is for the viewer to see.

/// How an [`Image`](super::Image) is encoded.
///
/// TensorBoard's page tells the formats apart by itself and serves each with its own content type.
///
/// ```
/// use modelpulse::summary::{Image, ImageFormat};
/// assert_eq!(Image::grey(2, 1, &[0, 255])?.format(), Some(ImageFormat::Png));
/// assert_eq!(ImageFormat::of(b"\xff\xd8\xff\xe0"), Some(ImageFormat::Jpeg));
/// # Ok::<(), modelpulse::summary::ImageError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImageFormat {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF, still or moving.
    Gif,
}

impl ImageFormat {
    /// The format whose signature these bytes begin with.
    pub fn of(encoded: &[u8]) -> Option<Self> {
        match encoded {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            _ => None,
        }
    }

    /// Width and height as the header says them; `None` where it ends too early or says none.
    pub(super) fn size(self, encoded: &[u8]) -> Option<(u32, u32)> {
        match self {
            Self::Png => {
                let header = encoded.get(8..)?.strip_prefix(b"\0\0\0\x0dIHDR")?;
                let (width, rest) = header.split_first_chunk()?;
                let (height, _) = rest.split_first_chunk()?;
                Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
            }
            Self::Gif => {
                let (width, rest) = encoded.get(6..)?.split_first_chunk()?;
                let (height, _) = rest.split_first_chunk()?;
                let number = |bytes: &[u8; 2]| u32::from(u16::from_le_bytes(*bytes));
                Some((number(width), number(height)))
            }
            Self::Jpeg => jpeg_size(encoded.get(2..)?),
        }
    }
}

/// Goes from segment to segment up to the frame header, of whatever kind of frame.
fn jpeg_size(mut rest: &[u8]) -> Option<(u32, u32)> {
    loop {
        let [0xff, marker, tail @ ..] = rest else {
            return None;
        };
        rest = match marker {
            // A byte that only fills: the marker comes behind it.
            0xff => rest.get(1..)?,
            // Markers without a segment.
            0x01 | 0xd0..=0xd7 => tail,
            // Start of frame; its neighbours C4, C8 and CC are tables.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let (height, tail) = tail.get(3..)?.split_first_chunk()?;
                let (width, _) = tail.split_first_chunk()?;
                let number = |bytes: &[u8; 2]| u32::from(u16::from_be_bytes(*bytes));
                return Some((number(width), number(height)));
            }
            // End of image, or its data before any frame header.
            0xd9 | 0xda => return None,
            // The length counts its own two bytes.
            _ => {
                let (length, _) = tail.split_first_chunk()?;
                tail.get(usize::from(u16::from_be_bytes(*length)).max(2)..)?
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(encoded: &[u8]) -> Option<(u32, u32)> {
        ImageFormat::of(encoded)?.size(encoded)
    }

    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xdb\0\x03q\xff\xc4\0\x02\
        \xff\xc2\0\x11\x08\x01\x02\x03\x04\x03";
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\0\0\0\0\x07\x08\x02";

    #[test]
    fn sizes_stand_in_the_headers() {
        assert_eq!(size(PNG), Some((256, 7)));
        assert_eq!(size(b"GIF89a\x05\0\x01\x02rest"), Some((5, 513)));
        assert_eq!(size(JPEG), Some((0x304, 0x102)));
    }

    #[test]
    fn headers_cut_short_anywhere_have_no_size() {
        for whole in [&PNG[..24], &JPEG[..JPEG.len() - 1], b"GIF87a\x05\0\x01\x02"] {
            assert!(size(whole).is_some());
            for end in 0..whole.len() {
                assert_eq!(size(&whole[..end]), None, "{end} of {whole:?}");
            }
        }
    }

    #[test]
    fn other_bytes_are_no_image() {
        assert_eq!(ImageFormat::of(b"RIFF\0\0\0\0WEBP"), None);
        assert_eq!(size(b"\xff\xd8\xff\xd9"), None);
        assert_eq!(size(b"\xff\xd8\xff\xe0\0\0\0\0"), None);
        assert_eq!(size(&[&b"\xff\xd8"[..], &[0xff; 4096]].concat()), None);
    }
}
