//! Which processes of a distributed training log, and where.
//!
//! A launcher such as torchrun starts `WORLD_SIZE` processes and numbers them by `RANK`, from 0.

/// Which of a training's processes log, where a launcher says by the environment variables `RANK` and
/// `WORLD_SIZE` that there are several.
///
/// What a hook writes beside the log is its own matter: checkpoints are to be saved by one process.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::train::{Loop, Ranks, Session, callbacks::Checkpoint};
/// let session = Session::builder(dir.path()).ranks(Ranks::First).start()?;
/// let checkpoints = Checkpoint::new(session.dir().join("checkpoints"));
/// let fit = Loop::new().hook(session.logs().then_some(checkpoints));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Ranks {
    /// Only rank 0; what the others log is taken and forgotten.
    #[default]
    First,
    /// Each, to the directory `rank-N` of its own, so that its runs are `rank-N/train` and so on.
    Each,
    /// Whoever starts a session, to the directory that it names.
    Any,
}

/// Where a process logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In the directory itself.
    Here,
    /// In a directory of this name there.
    Below(String),
    /// Nowhere.
    Nowhere,
}

impl Ranks {
    /// Where a process logs whose environment has these variables.
    pub(super) fn place(self, variable: impl Fn(&str) -> Option<String>) -> Place {
        let number = |name| variable(name)?.trim().parse::<u32>().ok();
        let several = number("WORLD_SIZE").is_none_or(|size| size > 1);
        match (self, number("RANK")) {
            (Self::First, Some(rank)) if several && rank > 0 => Place::Nowhere,
            (Self::Each, Some(rank)) if several => Place::Below(format!("rank-{rank}")),
            _ => Place::Here,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Session;

    fn place(ranks: Ranks, rank: Option<&str>, size: Option<&str>) -> Place {
        ranks.place(|name| match name {
            "RANK" => rank.map(str::to_owned),
            "WORLD_SIZE" => size.map(str::to_owned),
            _ => None,
        })
    }

    #[test]
    fn only_the_first_of_several_logs_unless_each_is_to() {
        let below = |rank: u32| Place::Below(format!("rank-{rank}"));
        for (rank, size, first, each) in [
            (None, None, Place::Here, Place::Here),
            (Some("0"), Some("1"), Place::Here, Place::Here),
            (Some("0"), Some("4"), Place::Here, below(0)),
            (Some("3"), Some("4"), Place::Nowhere, below(3)),
            (Some("3"), None, Place::Nowhere, below(3)),
            (Some("x"), Some("4"), Place::Here, Place::Here),
        ] {
            assert_eq!(place(Ranks::First, rank, size), first, "{rank:?} {size:?}");
            assert_eq!(place(Ranks::Each, rank, size), each, "{rank:?} {size:?}");
            assert_eq!(place(Ranks::Any, rank, size), Place::Here);
        }
    }

    #[test]
    fn a_session_of_another_rank_writes_nothing_and_fails_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let logdir = dir.path().join("log");
        let builder = Session::builder(&logdir);
        let session = builder.log(|log| log.discard()).start().unwrap();
        session.resume_at(1, 2);
        session.hparams(&crate::summary::HParams::new().set("lr", 0.1));
        let mut epoch = session.epoch(0);
        epoch.train_batch(2, [("loss", 0.5)]);
        assert_eq!(epoch.end().train["loss"], 0.5);
        let train = session.run("train");
        train.scalar("x", 0, 1.0);
        train.histogram("h", 0, &[1.0, f64::NAN]);
        session.flush();
        let report = session.finish().unwrap();
        assert_eq!((report.written, report.dropped), (0, 0));
        assert!(!logdir.exists());
    }
}
