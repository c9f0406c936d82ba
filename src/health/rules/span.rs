//! A length on a rule's clock: of time, or of steps.

use std::fmt;
use std::str::FromStr;

/// A length of time, written as Prometheus does (`90s`, `1h30m`), or a number of steps (`5`).
///
/// ```
/// use modelpulse::health::Span;
/// assert_eq!("1h30m".parse::<Span>()?.to_string(), "1h30m");
/// assert_eq!("5".parse::<Span>()?, Span::Steps(5));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Span {
    /// Microseconds.
    Time(i64),
    /// Steps of the series.
    Steps(i64),
}

/// The units of time, the longest first, in microseconds.
const UNITS: [(&str, i64); 6] = [
    ("w", 604_800_000_000),
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
];

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self::Time(seconds * 1_000_000)
    }

    /// The length in microseconds or in steps.
    pub(super) fn ticks(self) -> i64 {
        match self {
            Self::Time(ticks) | Self::Steps(ticks) => ticks,
        }
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fail = || {
            format!(
                "'{text}' is no length: write a time such as 90s, 5m or 1h30m, or a number of steps"
            )
        };
        if let Ok(steps) = text.parse::<u32>() {
            return Ok(Self::Steps(steps.into()));
        }
        let (mut rest, mut total) = (text, 0_i64);
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let number: i64 = rest[..digits].parse().map_err(|_| fail())?;
            rest = &rest[digits..];
            let letters = rest.len()
                - rest
                    .trim_start_matches(|c: char| c.is_ascii_alphabetic())
                    .len();
            let unit = UNITS.iter().find(|(name, _)| *name == &rest[..letters]);
            let &(_, unit) = unit.ok_or_else(fail)?;
            rest = &rest[letters..];
            let part = number.checked_mul(unit).ok_or_else(fail)?;
            total = total.checked_add(part).ok_or_else(fail)?;
        }
        if text.is_empty() {
            Err(fail())
        } else {
            Ok(Self::Time(total))
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Steps(steps) => steps.fmt(f),
            Self::Time(0) => f.write_str("0s"),
            Self::Time(mut rest) => {
                for (name, unit) in UNITS {
                    if rest >= unit {
                        write!(f, "{}{name}", rest / unit)?;
                        rest %= unit;
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_reads_as_it_is_written() {
        for (text, span, shown) in [
            ("90s", Span::seconds(90), "1m30s"),
            ("500ms", Span::Time(500_000), "500ms"),
            ("2d", Span::seconds(172_800), "2d"),
            ("0s", Span::Time(0), "0s"),
            ("7", Span::Steps(7), "7"),
        ] {
            let read: Span = text.parse().unwrap();
            assert_eq!((read, read.to_string().as_str()), (span, shown));
        }
        for text in ["", "s", "5 m", "-3s", "3y", "99999999999999w", "5m3", "٣s"] {
            assert!(
                text.parse::<Span>().unwrap_err().contains("is no length"),
                "{text}"
            );
        }
    }
}
