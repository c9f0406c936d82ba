//! The table `[[detector]]` of a rule file.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::watched::{Watched, kind_named};

/// A detector as it stands in a rule file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::health) struct Entry {
    kind: Spanned<String>,
    series: Spanned<String>,
    name: Option<String>,
    settings: Option<Spanned<BTreeMap<String, f64>>>,
}

impl Entry {
    /// The detector, or where what is wrong with it.
    pub(in crate::health) fn watched(self) -> Result<Watched, (Range<usize>, String)> {
        let at =
            |span: Range<usize>| move |error: super::ParseWatchedError| (span, error.to_string());
        let kind = kind_named(self.kind.get_ref()).map_err(at(self.kind.span()))?;
        if self.series.get_ref().is_empty() {
            return Err((self.series.span(), "the series has no name".to_owned()));
        }
        let mut watched = Watched::new(kind, self.series.into_inner());
        if let Some(name) = self.name {
            watched = watched.named(name);
        }
        match self.settings {
            Some(settings) => {
                let here = settings.span();
                watched.set_all(settings.into_inner()).map_err(at(here))
            }
            None => Ok(watched),
        }
    }
}
