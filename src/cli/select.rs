//! Which events of a log a command takes, and under which names, as its arguments say.

use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

use super::wildcard::{Renaming, Wildcard};
use crate::log::{Error, PurgedReader, Restart};
use crate::replay::{Edit, Edited, Shift};
use crate::types::{RunName, Tag};

/// Which events.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Which events")]
pub(super) struct Select {
    /// Only the runs of this name, where '*' stands for anything; may be given several times
    #[arg(long = "run", value_name = "NAME")]
    runs: Vec<Wildcard>,

    /// Only the tags of this name, where '*' stands for anything; may be given several times
    #[arg(long = "tag", value_name = "NAME")]
    tags: Vec<Wildcard>,

    /// None of the tags of this name, where '*' stands for anything; may be given several times
    #[arg(long, value_name = "NAME")]
    drop_tag: Vec<Wildcard>,

    /// Only these steps, both ends included: 100..200, 100.. or ..200
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    steps: Option<Range<i64>>,

    /// Only these wall times in seconds since 1970, both ends included: 1.7e9..1.8e9
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    times: Option<Range<f64>>,

    /// Only each N-th event of a series; NaN and infinite values are always kept
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,

    /// Only events that are at least so many seconds behind the last one kept of their series
    #[arg(long, value_name = "SECONDS")]
    interval: Option<f64>,
}

/// Under which names, steps and times.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "What becomes of them")]
pub(super) struct Rename {
    /// Give runs another name: 'old=new', 'seed-*=s*'; the first that fits counts; runs of one name become one
    #[arg(long, value_name = "FROM=TO")]
    rename_run: Vec<Renaming>,

    /// Give tags another name: 'loss=train/loss', 'train/*=fit/*'; the first that fits counts
    #[arg(long, value_name = "FROM=TO")]
    rename_tag: Vec<Renaming>,

    /// Move steps: by so many, or '[TAG=]N' those of some tags only
    #[arg(long, value_name = "[TAG=]N", allow_hyphen_values = true)]
    shift_step: Vec<Move<i64>>,

    /// Move wall times: by so many seconds, or '[TAG=]SECONDS' those of some tags only
    #[arg(long, value_name = "[TAG=]SECONDS", allow_hyphen_values = true)]
    shift_time: Vec<Move<f64>>,
}

/// What is left out of runs that were resumed.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Resumed {
    /// What a resumed run leaves out of the points that it wrote anew: tensorboard, data-server, keep-all, purge;
    /// 'modelpulse inspect --help' tells them apart
    #[arg(long, value_name = "POLICY", default_value_t)]
    restart: Restart,
}

impl Resumed {
    pub(super) fn policy(&self) -> Restart {
        self.restart
    }
}

impl Select {
    /// The events of a log: those of `takes`' runs that are selected, under their own names.
    pub(super) fn open(
        &self,
        logdir: &Path,
        resumed: &Resumed,
        takes: impl Fn(&RunName) -> bool,
    ) -> Result<Edited<PurgedReader>, Error> {
        let log = PurgedReader::open_runs(logdir, resumed.restart, takes)?;
        Ok(Edited::new(log, self.edit()))
    }

    /// Whether a run is taken.
    pub(super) fn takes_run(&self, run: &RunName) -> bool {
        self.runs.is_empty() || self.runs.iter().any(|it| it.matches(run.as_str()))
    }

    pub(super) fn edit(&self) -> Edit {
        self.edit_with(None)
    }

    /// For a log beside one that is renamed: what has the new names already is taken as well.
    pub(super) fn edit_of_renamed(&self, rename: &Rename) -> Edit {
        let mut select = self.clone();
        for (names, renamings) in [
            (&mut select.runs, &rename.rename_run),
            (&mut select.tags, &rename.rename_tag),
        ] {
            if !names.is_empty() && !renamings.is_empty() {
                *names = renamings.iter().map(Renaming::target).collect();
            }
        }
        select.edit()
    }

    pub(super) fn edit_with(&self, rename: Option<&Rename>) -> Edit {
        let (of_runs, of_tags) = (self.clone(), self.clone());
        let Rename {
            rename_run,
            rename_tag,
            shift_step,
            shift_time,
        } = rename.cloned().unwrap_or_else(Rename::nothing);
        let named = |renamings: &[Renaming], name: &str| {
            let new = renamings.iter().find_map(|renaming| renaming.apply(name));
            new.unwrap_or_else(|| name.to_owned())
        };
        let all = Shift::new(
            shift_step.iter().filter_map(Move::of_all).sum(),
            shift_time.iter().filter_map(Move::of_all).sum(),
        );
        let mut edit = Edit::default()
            .runs(move |run| {
                let taken = of_runs.takes_run(run);
                taken.then(|| RunName::from(named(&rename_run, run.as_str())))
            })
            .tags(move |_, tag| {
                let tag = tag.as_str();
                let matches = |names: &[Wildcard]| names.iter().any(|it| it.matches(tag));
                let taken = of_tags.tags.is_empty() || matches(&of_tags.tags);
                (taken && !matches(&of_tags.drop_tag)).then(|| Tag::from(named(&rename_tag, tag)))
            })
            .shift_all(all)
            .shift(move |tag| {
                Shift::new(
                    shift_step.iter().filter_map(|it| it.of_tag(tag)).sum(),
                    shift_time.iter().filter_map(|it| it.of_tag(tag)).sum(),
                )
            });
        if let Some(Range(steps)) = &self.steps {
            edit = edit.steps(steps.clone());
        }
        if let Some(Range(times)) = &self.times {
            edit = edit.times(times.clone());
        }
        edit.every(self.every.unwrap_or(1))
            .interval(self.interval.unwrap_or(0.0))
    }
}

impl Rename {
    fn nothing() -> Self {
        Self {
            rename_run: Vec::new(),
            rename_tag: Vec::new(),
            shift_step: Vec::new(),
            shift_time: Vec::new(),
        }
    }
}

/// `FROM..TO`, where either may be missing.
#[derive(Debug, Clone, PartialEq)]
struct Range<T>(RangeInclusive<T>);

trait Ends: FromStr + PartialOrd {
    const ENDS: (Self, Self);
}

impl Ends for i64 {
    const ENDS: (Self, Self) = (Self::MIN, Self::MAX);
}

impl Ends for f64 {
    const ENDS: (Self, Self) = (Self::NEG_INFINITY, Self::INFINITY);
}

impl<T: Ends> FromStr for Range<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text
            .split_once("..")
            .ok_or("write FROM..TO, such as 100..200, 100.. or ..200")?;
        let to = to.strip_prefix('=').unwrap_or(to);
        let end = |text: &str, otherwise: T| match text {
            "" => Ok(otherwise),
            text => text
                .parse()
                .map_err(|_| format!("'{text}' is not a number")),
        };
        let range = end(from, T::ENDS.0)?..=end(to, T::ENDS.1)?;
        if range.is_empty() {
            return Err("it ends before it begins".to_owned());
        }
        Ok(Self(range))
    }
}

/// `[TAG=]NUMBER`.
#[derive(Debug, Clone, PartialEq)]
struct Move<T> {
    tag: Option<Wildcard>,
    by: T,
}

impl<T: FromStr> FromStr for Move<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (tag, number) = match text.rsplit_once('=') {
            Some((tag, number)) => {
                let Ok(tag) = tag.parse();
                (Some(tag), number)
            }
            None => (None, text),
        };
        let by = number.parse();
        let by = by.map_err(|_| format!("'{number}' is not a number"))?;
        Ok(Self { tag, by })
    }
}

impl<T: Copy> Move<T> {
    fn of_all(&self) -> Option<T> {
        self.tag.is_none().then_some(self.by)
    }

    fn of_tag(&self, tag: &Tag) -> Option<T> {
        let named = self.tag.as_ref()?.matches(tag.as_str());
        named.then_some(self.by)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::flow::Event;

    #[derive(Parser)]
    struct Args {
        #[command(flatten)]
        select: Select,
        #[command(flatten)]
        rename: Rename,
    }

    fn edited(arguments: &[&str], event: Event) -> Option<(String, i64, f64)> {
        let args = Args::try_parse_from([&["x"], arguments].concat()).unwrap();
        let event = args.select.edit_with(Some(&args.rename)).apply(event)?;
        Some((event.path(), event.step.as_i64(), event.wall_time))
    }

    #[test]
    fn arguments_become_an_edit() {
        let event = || Event::new("a", "x/loss", 5, 2.0, 1.0);
        let same = ("a/x/loss".to_owned(), 5, 2.0);
        assert_eq!(edited(&[], event()), Some(same.clone()));
        for taken in [
            &["--run", "b", "--run", "a"][..],
            &["--tag", "*loss"],
            &["--drop-tag", "loss"],
            &["--steps", "5..5"],
            &["--steps", "..=5"],
            &["--times", "-1.."],
            &["--times", "1.5..2"],
        ] {
            assert_eq!(edited(taken, event()), Some(same.clone()), "{taken:?}");
        }
        for left in [
            &["--run", "b"][..],
            &["--tag", "loss"],
            &["--tag", "x/*", "--drop-tag", "*loss"],
            &["--steps", "6.."],
            &["--times", "..1"],
        ] {
            assert_eq!(edited(left, event()), None, "{left:?}");
        }
        let moved = [
            "--rename-run",
            "b=c",
            "--rename-run",
            "a=z/a",
            "--rename-tag",
            "x/*=*",
            "--shift-step",
            "-7",
            "--shift-time",
            "x/*=0.5",
            "--shift-time",
            "10",
            "--shift-step",
            "y=100",
        ];
        assert_eq!(
            edited(&moved, event()),
            Some(("z/a/loss".to_owned(), -2, 12.5))
        );
    }

    #[test]
    fn bad_ranges_are_refused() {
        for text in ["5", "a..b", "3..2", "1..x"] {
            assert!(text.parse::<Range<i64>>().is_err(), "{text}");
        }
        assert!("nan..1".parse::<Range<f64>>().is_err());
        assert!("t=x".parse::<Move<i64>>().is_err());
    }
}
