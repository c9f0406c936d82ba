//! What this binary does when a test starts it as a child; see `support::Program`.

use modelpulse::train::Ranks;

#[cfg(feature = "signals")]
use crate::signals;
use crate::{descriptors, disk, ending, kill, ranks, second, support, threads};

#[test]
fn child() {
    let Some((role, dir)) = support::role() else {
        return;
    };
    match role.as_str() {
        "curves" => kill::log_curves(&dir),
        "quiet" => kill::log_and_be_quiet(&dir),
        "panic" => ending::log_and_panic(&dir),
        #[cfg(feature = "signals")]
        "signals" => signals::log_and_wait(&dir),
        #[cfg(feature = "signals")]
        "session" => signals::hold_session_and_wait(&dir),
        #[cfg(feature = "signals")]
        "hang" => signals::hang(&dir),
        "hold" => second::hold(&dir),
        "rank" => ranks::log_the_rank(&dir, Ranks::default()),
        "each_rank" => ranks::log_the_rank(&dir, Ranks::Each),
        "grow" => disk::grow(&dir),
        "descriptors" => descriptors::log_to_many_runs(&dir),
        "thousand" => threads::make_a_thousand_writers(&dir),
        _ => panic!("no role {role}"),
    }
}
