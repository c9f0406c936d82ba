//! An axis: the range that holds all values, and round numbers to name along it.
//!
//! Powers of ten come from decimal digits, not from logarithms, so the ticks are the same on every machine.

/// Values farther from 0 than this have no place on an axis, so that no sum or difference overflows.
pub(super) const MOST: f64 = 1e300;
/// What part of its range an axis has beyond the least and the greatest value.
const ROOM: f64 = 0.04;

/// A range of values, which is not empty, and the ticks in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    from: f64,
    to: f64,
    pub(super) ticks: Vec<Tick>,
}

/// A round value and how it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) text: String,
}

impl Axis {
    /// An axis for values, with about `count` ticks; `None` if none of the values is finite and below [`MOST`].
    pub(super) fn around(values: impl Iterator<Item = f64>, count: u32) -> Option<Self> {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| value.abs() < MOST) {
            (least, most) = (least.min(value), most.max(value));
        }
        if least > most {
            return None;
        }
        let size = least.abs().max(most.abs());
        let room = if most - least > size * 1e-9 {
            (most - least) * ROOM
        } else {
            size * 0.1
        };
        // A range around 0 that is too small to be divided is shown as 0.
        let room = if room > 1e-290 { room } else { 1.0 };
        Some(Self::new(least - room, most + room, count))
    }

    /// An axis of exactly this range, which is not empty, with about `count` ticks.
    pub(super) fn new(from: f64, to: f64, count: u32) -> Self {
        let (step, exponent) = round_step((to - from) / f64::from(count.max(1)));
        let (first, last) = ((from / step).ceil(), (to / step).floor());
        let ticks = (0..=2 * count)
            .map(|number| first + f64::from(number))
            .take_while(|&multiple| multiple <= last)
            .map(|multiple| {
                let value = multiple * step;
                let text = written(value, exponent);
                Tick { value, text }
            })
            .collect();
        Self { from, to, ticks }
    }

    /// Where a value lies: 0 at the beginning, 1 at the end.
    pub(super) fn share(&self, value: f64) -> f64 {
        (value - self.from) / (self.to - self.from)
    }
}

/// The least of 1, 2, 5 times a power of ten that is not less than a positive number, and that power's exponent.
fn round_step(least: f64) -> (f64, i32) {
    let digits = format!("{least:e}");
    let exponent = digits.split_once('e').and_then(|(_, e)| e.parse().ok());
    let exponent: i32 = exponent.unwrap_or(0);
    [(1, 0), (2, 0), (5, 0), (1, 1)]
        .into_iter()
        .map(|(digit, more)| {
            let text = format!("{digit}e{}", exponent + more);
            (text.parse().unwrap_or(1.0), exponent + more)
        })
        .find(|(step, _)| *step >= least)
        .unwrap_or((least, exponent))
}

/// A multiple of 10 to the power of `exponent`, in as few characters as say it.
fn written(value: f64, exponent: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if (-5..0).contains(&exponent) {
        return format!("{value:.*}", exponent.unsigned_abs() as usize);
    }
    if value.abs() < 1e6 && exponent >= 0 {
        return format!("{value:.0}");
    }
    let all = format!("{value:e}");
    let own = all.split_once('e').and_then(|(_, e)| e.parse::<i32>().ok());
    let digits = own.unwrap_or(exponent).saturating_sub(exponent);
    let text = format!("{value:.*e}", digits.clamp(0, 9) as usize);
    match text.split_once('e') {
        Some((digits, power)) if digits.contains('.') => {
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            format!("{digits}e{power}")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(from: f64, to: f64) -> Vec<String> {
        let axis = Axis::around([from, to].into_iter(), 5).unwrap();
        axis.ticks.into_iter().map(|tick| tick.text).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(texts(0.0, 1.0), ["0", "0.5", "1.0"]);
        assert_eq!(texts(0.03, 2.31), ["0", "0.5", "1.0", "1.5", "2.0"]);
        assert_eq!(texts(-3.0, 11.0), ["0", "5", "10"]);
        assert_eq!(texts(0.0, 25_000.0), ["0", "10000", "20000"]);
        assert_eq!(texts(1e6, 3.1e6), ["1e6", "1.5e6", "2e6", "2.5e6", "3e6"]);
        assert_eq!(texts(0.0, 3e-7), ["0", "1e-7", "2e-7", "3e-7"]);
        assert_eq!(Axis::new(0.0, 1.0, 5).ticks.len(), 6);
    }

    #[test]
    fn any_values_make_an_axis() {
        for (from, to) in [
            (0.0, 0.0),
            (7.0, 7.0),
            (-1e299, 1e299),
            (0.0, f64::MIN_POSITIVE),
            (f64::from_bits(1), f64::from_bits(1)),
            (1e9, 1e9 + 1e-6),
            (-1e-280, 1e-280),
        ] {
            let axis = Axis::around([f64::NAN, from, to, f64::INFINITY].into_iter(), 5).unwrap();
            assert!(axis.from < axis.to, "{axis:?}");
            assert!((1..=10).contains(&axis.ticks.len()), "{axis:?}");
            assert!((0.0..=1.0).contains(&axis.share(from)), "{axis:?}");
            assert!(
                axis.ticks.iter().all(|tick| tick.text.len() < 16),
                "{axis:?}"
            );
        }
        assert_eq!(Axis::around([f64::NAN, f64::MAX].into_iter(), 5), None);
    }
}
