//! The charts of custom scalars of each run of a log.
//!
//! Of a run TensorBoard takes the last layout alone, so one that is logged holds all charts so far.

use std::collections::HashMap;

use crate::summary::{Chart, Layout};

/// The charts of all runs, by the number of the run.
#[derive(Debug, Default)]
pub(super) struct Charts {
    runs: HashMap<u32, RunCharts>,
}

#[derive(Debug, Default)]
struct RunCharts {
    /// As it was set.
    layout: Layout,
    /// Groups of scalars and their members, each in the order in which they came.
    groups: Vec<(String, Vec<String>)>,
}

impl Charts {
    /// Sets a run's layout; the charts of groups stay. What is to be logged.
    pub(super) fn set(&mut self, run: u32, layout: Layout) -> Layout {
        let charts = self.runs.entry(run).or_default();
        charts.layout = layout;
        charts.all()
    }

    /// Takes note of the members of a group. What is to be logged, if there is a new one.
    pub(super) fn add<'a>(
        &mut self,
        run: u32,
        group: &str,
        members: impl IntoIterator<Item = &'a str>,
    ) -> Option<Layout> {
        let charts = self.runs.entry(run).or_default();
        let known = charts.groups.iter().position(|(name, _)| name == group);
        let index = known.unwrap_or_else(|| {
            charts.groups.push((group.to_owned(), Vec::new()));
            charts.groups.len() - 1
        });
        let known = &mut charts.groups[index].1;
        let before = known.len();
        for member in members {
            if !known.iter().any(|name| name == member) {
                known.push(member.to_owned());
            }
        }
        (known.len() > before).then(|| charts.all())
    }
}

impl RunCharts {
    fn all(&self) -> Layout {
        let groups = self.groups.iter();
        groups.fold(self.layout.clone(), |layout, (group, members)| {
            let tags = members.iter().map(|member| format!("{group}/{member}"));
            layout.section(group, [Chart::tags(group, tags)])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_logged_where_a_member_is_new() {
        let mut charts = Charts::default();
        let loss = |tags: &[&str]| Layout::scalars("loss", tags);
        assert_eq!(charts.add(0, "loss", ["a"]), Some(loss(&["loss/a"])));
        assert_eq!(charts.add(0, "loss", ["a"]), None);
        let both = loss(&["loss/a", "loss/b"]);
        assert_eq!(charts.add(0, "loss", ["b", "a"]), Some(both.clone()));
        assert_eq!(charts.add(1, "loss", ["b"]), Some(loss(&["loss/b"])));
        let own = Layout::scalars("own", ["x"]);
        let all = own
            .clone()
            .section("loss", [Chart::tags("loss", ["loss/a", "loss/b"])]);
        assert_eq!(charts.set(0, own), all);
        assert_eq!(charts.set(0, Layout::new()), both);
    }
}
