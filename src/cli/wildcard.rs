//! Names with `*` in them, as people give them on a command line.

use std::str::FromStr;

/// A name in which each `*` stands for anything, also for nothing and for `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wildcard {
    /// What stands between the stars.
    parts: Vec<String>,
}

impl FromStr for Wildcard {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split('*').map(str::to_owned).collect();
        Ok(Self { parts })
    }
}

impl Wildcard {
    pub(super) fn matches(&self, name: &str) -> bool {
        self.stars(name).is_some()
    }

    /// What each star stands for, as little as possible but for the last one; `None` where the name does not match.
    fn stars<'a>(&self, name: &'a str) -> Option<Vec<&'a str>> {
        let (first, rest) = self.parts.split_first()?;
        let mut name = name.strip_prefix(first.as_str())?;
        let Some((last, between)) = rest.split_last() else {
            return name.is_empty().then(Vec::new);
        };
        let mut stars = Vec::new();
        for part in between {
            let at = name.find(part.as_str())?;
            stars.push(&name[..at]);
            name = &name[at + part.len()..];
        }
        stars.push(name.strip_suffix(last.as_str())?);
        Some(stars)
    }
}

/// `FROM=TO`, where each `*` of TO becomes what that of FROM stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Renaming {
    from: Wildcard,
    to: Vec<String>,
}

impl FromStr for Renaming {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text
            .split_once('=')
            .ok_or("write FROM=TO, such as 'train/*=fit/*'")?;
        let Ok(from) = from.parse::<Wildcard>();
        let to: Vec<String> = to.split('*').map(str::to_owned).collect();
        if to.len() > from.parts.len() {
            return Err("the new name has more '*' than the old one".to_owned());
        }
        Ok(Self { from, to })
    }
}

impl Renaming {
    /// What all new names match.
    pub(super) fn target(&self) -> Wildcard {
        Wildcard {
            parts: self.to.clone(),
        }
    }

    /// The new name; `None` where it is not for this one.
    pub(super) fn apply(&self, name: &str) -> Option<String> {
        let mut stars = self.from.stars(name)?.into_iter();
        let mut to = self.to.iter();
        let mut name = to.next()?.clone();
        for part in to {
            name += stars.next()?;
            name += part;
        }
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, matches) in [
            ("loss", "loss", true),
            ("loss", "losses", false),
            ("*", "", true),
            ("*", "a/b", true),
            ("*loss", "train/loss", true),
            ("train/*", "train/a/b", true),
            ("*a*a*", "aa", true),
            ("*a*a*", "a", false),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("", "", true),
            ("", "a", false),
        ] {
            let Ok(wildcard) = pattern.parse::<Wildcard>();
            assert_eq!(wildcard.matches(name), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn a_new_name_keeps_what_the_stars_stood_for() {
        for (renaming, name, new) in [
            ("loss=cost", "loss", Some("cost")),
            ("loss=cost", "loss2", None),
            ("train/*=fit/*", "train/a/b", Some("fit/a/b")),
            ("*/*=*", "a/b/c", Some("a")),
            ("*_*=*/*", "x_y_z", Some("x/y_z")),
            ("*=all", "x", Some("all")),
            ("a=", "a", Some("")),
        ] {
            let renaming: Renaming = renaming.parse().unwrap();
            assert_eq!(renaming.apply(name).as_deref(), new);
        }
        assert!("a*=*b*".parse::<Renaming>().is_err());
        assert!("a".parse::<Renaming>().is_err());
    }
}
