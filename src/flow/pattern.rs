//! Which series are spoken of, by whoever writes a rule or a filter.
//!
//! A pattern names a series by the end of its path, from any `/` on, so a rule does not care in which
//! directory a session lies.

use std::fmt;

/// A series by its run and tag, or by the end of that path: `epoch_accuracy` names it in every run,
/// `eval/epoch_accuracy` in each run `eval`, also below other directories. `*` stands for any text.
///
/// ```
/// use modelpulse::flow::SeriesPattern;
/// let pattern = SeriesPattern::new("eval/epoch_*");
/// assert!(pattern.matches("seed-1/eval/epoch_loss"));
/// assert!(!pattern.matches("train/epoch_loss"));
/// assert_eq!(pattern.prefix_of("seed-1/eval/epoch_loss"), Some("seed-1/"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SeriesPattern {
    text: String,
    is_glob: bool,
}

impl SeriesPattern {
    /// The pattern that is written as `text`.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let is_glob = text.contains('*');
        Self { text, is_glob }
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it names more than one series of a session.
    pub fn is_glob(&self) -> bool {
        self.is_glob
    }

    /// Whether it names the series at `path`.
    pub fn matches(&self, path: &str) -> bool {
        self.prefix_of(path).is_some()
    }

    /// What stands before the named end of `path`: nothing, or directories with a `/` behind them.
    pub fn prefix_of<'a>(&self, path: &'a str) -> Option<&'a str> {
        if !self.is_glob {
            let prefix = path.strip_suffix(self.as_str())?;
            return (prefix.is_empty() || prefix.ends_with('/')).then_some(prefix);
        }
        let starts = std::iter::once(0).chain(path.match_indices('/').map(|(at, _)| at + 1));
        let mut starts =
            starts.filter(|&start| glob(self.text.as_bytes(), &path.as_bytes()[start..]));
        starts.next().map(|start| &path[..start])
    }
}

impl fmt::Display for SeriesPattern {
    /// Quoted where it could not be told from the rest of a condition.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.contains(['<', '>', '=', '!', ',', '(', ')', '"']) {
            write!(f, "\"{}\"", self.text.replace('"', "\\\""))
        } else {
            f.write_str(&self.text)
        }
    }
}

/// Whether `pattern`, in which `*` stands for any bytes, is all of `text`. Linear but for the last star.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    (p, t) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_named_by_the_end_of_its_path() {
        for (pattern, path, prefix) in [
            ("y", "a/eval/x/y", Some("a/eval/x/")),
            ("x/y", "a/eval/x/y", Some("a/eval/")),
            ("a/eval/x/y", "a/eval/x/y", Some("")),
            ("b/a/eval/x/y", "a/eval/x/y", None),
            ("val/x/y", "a/eval/x/y", None),
            ("/y", "a/eval/x/y", None),
            ("y", "y", Some("")),
            ("*", "a/b", Some("")),
            ("eval/*", "a/eval/x", Some("a/")),
            ("*loss", "train/epoch_loss", Some("")),
            ("epoch_*", "train/epoch_loss", Some("train/")),
            ("epoch_*", "train/batch_loss", None),
            ("a*b*c", "axxbyyc", Some("")),
            ("a*b*c", "axxbyy", None),
            ("ä*", "ü/ärger", Some("ü/")),
        ] {
            assert_eq!(
                SeriesPattern::new(pattern).prefix_of(path),
                prefix,
                "{pattern} {path}"
            );
        }
    }
}
