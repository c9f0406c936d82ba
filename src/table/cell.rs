//! Values as text writes them.
//!
//! A cell is null if nothing stands in it, or, in a column that is not text, one of the words that pandas, R and
//! databases write for nothing.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use super::Kind;

/// What stands for a value that is missing.
const NULLS: [&str; 8] = ["NA", "N/A", "<NA>", "null", "NULL", "None", "NONE", "\\N"];

/// Whether a cell of a column of that kind is missing.
pub(super) fn is_null(text: &str, kind: Kind) -> bool {
    text.is_empty() || (kind != Kind::Text && NULLS.contains(&text))
}

/// The narrowest kind that holds the text; `None` where it is null.
pub(super) fn kind_of(text: &str) -> Option<Kind> {
    // Any kind but text: there, only nothing is null.
    if is_null(text, Kind::Float) {
        return None;
    }
    let kind = if integer(text).is_some() {
        // Leading zeros belong to names, such as postal codes.
        let digits = text.trim_start_matches(['-', '+']);
        if digits.len() > 1 && digits.starts_with('0') {
            Kind::Text
        } else {
            Kind::Int
        }
    } else if float(text).is_some() {
        Kind::Float
    } else if boolean(text).is_some() {
        Kind::Bool
    } else if timestamp(text).is_some() {
        Kind::Timestamp
    } else {
        Kind::Text
    };
    Some(kind)
}

pub(super) fn integer(text: &str) -> Option<i64> {
    text.trim_ascii().parse().ok()
}

/// A number, NaN and infinities among them as Python, R and Rust write them.
pub(super) fn float(text: &str) -> Option<f64> {
    text.trim_ascii().parse().ok()
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    let text = text.trim_ascii();
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Microseconds since 1970 of a time as [RFC 3339][1] writes it, also without an offset (then UTC), with a space
/// for the T, or of a date alone.
///
/// [1]: https://www.rfc-editor.org/rfc/rfc3339
pub(super) fn timestamp(text: &str) -> Option<i64> {
    let text = text.trim_ascii();
    // The cheap look first: most texts are no times.
    let bytes = text.as_bytes();
    if bytes.len() < 10 || bytes[4] != b'-' || !bytes[0].is_ascii_digit() {
        return None;
    }
    if bytes.len() == 10 {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        return Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros());
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    let (form, with_offset) = if bytes.get(10) == Some(&b'T') {
        ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f%#z")
    } else {
        ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f%#z")
    };
    let time = NaiveDateTime::parse_from_str(text, form).map(|time| time.and_utc());
    // Databases write the offset as +00.
    let time =
        time.or_else(|_| DateTime::parse_from_str(text, with_offset).map(|time| time.to_utc()));
    time.ok().map(|time| time.timestamp_micros())
}

/// A time as RFC 3339 writes it.
#[cfg(any(test, feature = "evaluate", feature = "parquet"))]
pub(crate) fn timestamp_text(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).map_or_else(
        || format!("{micros} us"),
        |time| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_the_narrowest() {
        for (text, kind) in [
            ("", None),
            ("NA", None),
            ("null", None),
            ("0", Some(Kind::Int)),
            ("-12", Some(Kind::Int)),
            ("+5", Some(Kind::Int)),
            ("007", Some(Kind::Text)),
            ("9223372036854775808", Some(Kind::Float)),
            ("1e-3", Some(Kind::Float)),
            ("nan", Some(Kind::Float)),
            ("-inf", Some(Kind::Float)),
            ("Infinity", Some(Kind::Float)),
            ("True", Some(Kind::Bool)),
            ("FALSE", Some(Kind::Bool)),
            ("2026-07-01", Some(Kind::Timestamp)),
            ("2026-07-01T10:00:00+02:00", Some(Kind::Timestamp)),
            ("2026-13-01", Some(Kind::Text)),
            ("cat", Some(Kind::Text)),
        ] {
            assert_eq!(kind_of(text), kind, "{text}");
        }
        assert!(is_null("NA", Kind::Int) && !is_null("NA", Kind::Text));
    }

    #[test]
    fn times_are_instants() {
        let expected = Some(1_782_892_800_250_000);
        for text in [
            "2026-07-01T08:00:00.25Z",
            "2026-07-01T10:00:00.25+02:00",
            "2026-07-01 08:00:00.25",
            "2026-07-01 08:00:00.25+00",
            "2026-07-01 10:00:00.25+0200",
            "2026-07-01T08:00:00.250",
        ] {
            assert_eq!(timestamp(text), expected, "{text}");
        }
        assert_eq!(timestamp("1970-01-02"), Some(86_400_000_000));
        assert_eq!(timestamp_text(86_400_000_000), "1970-01-02T00:00:00Z");
    }
}
