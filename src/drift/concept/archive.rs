//! What a detector is made of, and how it is written down.
//!
//! One function of a detector names its fields in order; written with it, they are read with it.

use std::collections::VecDeque;

use super::{DriftError, Signal};

/// The values that a detector takes.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// Any finite number.
    Finite,
    /// Numbers of 0..=1.
    Unit,
    /// 0 and 1.
    Bits,
}

impl Takes {
    #[inline]
    pub(super) fn contains(self, value: f64) -> bool {
        match self {
            Self::Finite => value.is_finite(),
            Self::Unit => (0.0..=1.0).contains(&value),
            Self::Bits => value == 0.0 || value == 1.0,
        }
    }

    #[cold]
    pub(super) fn refuse(self, detector: &'static str, value: f64) -> DriftError {
        let takes = match self {
            Self::Finite => "finite numbers",
            Self::Unit => "numbers of 0..=1, such as 1 for an error and 0 for none",
            Self::Bits => "0 and 1",
        };
        DriftError::Value {
            detector,
            takes,
            value,
        }
    }
}

/// How a detector watches; [`Detector`](super::Detector) is what others see of it.
pub trait Watch: Clone + Default {
    /// Its name in snapshots and messages.
    const NAME: &'static str;
    /// What it takes.
    const TAKES: Takes;

    /// What it said last.
    fn state(&mut self) -> &mut Signal;

    /// Takes a value that is one of `TAKES`.
    fn take(&mut self, value: f64) -> Signal;

    /// Forgets all values.
    fn clear(&mut self);

    /// Starts anew after a drift.
    fn restart(&mut self) {
        self.clear();
    }

    /// Names its fields.
    fn fields(&mut self, archive: &mut Archive<'_>);

    /// Whether what was read could have been written; what follows from the settings is made here.
    fn restored(&mut self) -> bool {
        true
    }
}

const VERSION: u64 = 1;

/// Fields on their way to bytes or from them; all are little-endian words of 8 bytes.
#[derive(Debug)]
pub enum Archive<'a> {
    /// To bytes.
    Write(Vec<u8>),
    /// From bytes; `None` once they have not sufficed.
    Read(Option<&'a [u8]>),
}

impl Archive<'_> {
    /// A snapshot: name and version, the fields, and a CRC-32C of all before it.
    pub(super) fn write<T: Watch>(mut detector: T) -> Vec<u8> {
        let mut archive = Self::Write(T::NAME.as_bytes().to_vec());
        archive.word(&mut { VERSION });
        archive.signal(detector.state());
        detector.fields(&mut archive);
        let Self::Write(mut bytes) = archive else {
            return Vec::new();
        };
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    pub(super) fn read<T: Watch>(bytes: &[u8]) -> Result<T, DriftError> {
        let wrong = |why| DriftError::Snapshot {
            detector: T::NAME,
            why,
        };
        let (fields, crc) = bytes.split_last_chunk().ok_or(wrong("it is too short"))?;
        if crc32c::crc32c(fields) != u32::from_le_bytes(*crc) {
            return Err(wrong("it is damaged"));
        }
        let fields = fields
            .strip_prefix(T::NAME.as_bytes())
            .ok_or(wrong("it is of another detector"))?;
        let mut archive = Archive::Read(Some(fields));
        let mut version = 0;
        archive.word(&mut version);
        if version != VERSION {
            return Err(wrong("it is of another detector or version"));
        }
        let mut detector = T::default();
        archive.signal(detector.state());
        detector.fields(&mut archive);
        let whole = matches!(archive, Archive::Read(Some([])));
        if !whole || !detector.restored() {
            return Err(wrong("its fields are not those of this version"));
        }
        Ok(detector)
    }

    /// A whole number.
    pub(super) fn word(&mut self, value: &mut u64) {
        match self {
            Self::Write(bytes) => bytes.extend(value.to_le_bytes()),
            Self::Read(rest) => match rest.and_then(<[u8]>::split_first_chunk) {
                Some((word, after)) => {
                    *value = u64::from_le_bytes(*word);
                    *rest = Some(after);
                }
                None => *rest = None,
            },
        }
    }

    pub(super) fn float(&mut self, value: &mut f64) {
        let mut bits = value.to_bits();
        self.word(&mut bits);
        *value = f64::from_bits(bits);
    }

    pub(super) fn floats<const N: usize>(&mut self, values: [&mut f64; N]) {
        for value in values {
            self.float(value);
        }
    }

    pub(super) fn size(&mut self, value: &mut usize) {
        let mut word = *value as u64;
        self.word(&mut word);
        match usize::try_from(word) {
            Ok(size) => *value = size,
            Err(_) => *self = Self::Read(None),
        }
    }

    pub(super) fn flag(&mut self, value: &mut bool) {
        let mut word = u64::from(*value);
        self.word(&mut word);
        *value = word != 0;
    }

    /// A number of bits; 64 are a word.
    pub(super) fn bits(&mut self, values: &mut VecDeque<bool>) {
        let mut length = values.len();
        self.size(&mut length);
        let before = std::mem::take(values);
        for first in (0..length).step_by(64) {
            let chunk = before.iter().skip(first).take(64);
            let mut word = chunk
                .enumerate()
                .fold(0, |word, (at, &bit)| word | u64::from(bit) << at);
            self.word(&mut word);
            if matches!(self, Self::Read(None)) {
                return;
            }
            values.extend((first..length.min(first + 64)).map(|at| word >> (at - first) & 1 == 1));
        }
    }

    /// A number of floats.
    pub(super) fn list(&mut self, values: &mut VecDeque<f64>) {
        let mut length = values.len();
        self.size(&mut length);
        let mut before = std::mem::take(values).into_iter();
        for _ in 0..length {
            let mut value = before.next().unwrap_or_default();
            self.float(&mut value);
            if matches!(self, Self::Read(None)) {
                return;
            }
            values.push_back(value);
        }
    }

    fn signal(&mut self, signal: &mut Signal) {
        let mut word = *signal as u64;
        self.word(&mut word);
        *signal = match word {
            0 => Signal::Stable,
            1 => Signal::Warning,
            2 => Signal::Drift,
            _ => {
                *self = Self::Read(None);
                return;
            }
        };
    }
}
