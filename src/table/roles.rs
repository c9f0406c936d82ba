//! What the columns of a table of predictions are for, told by their names and kinds.
//!
//! Nothing is told by position: a column whose name says nothing has no role, and a role that a name gives wrongly is
//! set by hand.

use super::{Field, Kind, Schema};

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// What is true: the class, the value; several columns where a row has several labels.
    Label,
    /// What the model decided on.
    Prediction,
    /// How sure the model is, of the positive class or of each class.
    Score,
    /// How much the row counts.
    Weight,
    /// When it happened.
    Timestamp,
    /// What names the row.
    Id,
}

/// Which columns have which role.
///
/// ```
/// use modelpulse::table::{Field, Kind, Roles, Schema};
/// let schema: Schema = [
///     Field::new("request_id", Kind::Text),
///     Field::new("country", Kind::Text),
///     Field::new("y_true", Kind::Int),
///     Field::new("proba_0", Kind::Float),
///     Field::new("proba_1", Kind::Float),
/// ]
/// .into_iter()
/// .collect();
/// let roles = Roles::detect(&schema);
/// assert_eq!(roles.labels, ["y_true"]);
/// assert_eq!(roles.scores, ["proba_0", "proba_1"]);
/// assert_eq!(roles.features(&schema), ["country"]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Roles {
    /// What is true.
    pub labels: Vec<String>,
    /// What the model decided on.
    pub prediction: Option<String>,
    /// One score of the positive class or label, or one a class.
    pub scores: Vec<String>,
    /// How much each row counts.
    pub weight: Option<String>,
    /// When each row happened.
    pub timestamp: Option<String>,
    /// What names the rows.
    pub id: Option<String>,
}

const LABELS: [&str; 14] = [
    "label",
    "y_true",
    "target",
    "truth",
    "ground_truth",
    "true_label",
    "actual",
    "y",
    "class",
    "gold",
    "outcome",
    "labels",
    "targets",
    "y_test",
];
const PREDICTIONS: [&str; 13] = [
    "prediction",
    "y_pred",
    "pred",
    "predicted",
    "predicted_label",
    "pred_label",
    "predicted_class",
    "y_hat",
    "yhat",
    "estimate",
    "forecast",
    "predictions",
    "predicted_value",
];
const SCORES: [&str; 14] = [
    "score",
    "y_score",
    "proba",
    "y_proba",
    "prob",
    "y_prob",
    "probability",
    "predict_proba",
    "pred_proba",
    "predicted_probability",
    "confidence",
    "scores",
    "probabilities",
    "p",
];
const WEIGHTS: [&str; 4] = ["weight", "sample_weight", "weights", "w"];
const TIMES: [&str; 8] = [
    "timestamp",
    "time",
    "ts",
    "datetime",
    "date",
    "event_time",
    "created_at",
    "wall_time",
];
const IDS: [&str; 8] = [
    "id",
    "row_id",
    "sample_id",
    "request_id",
    "uuid",
    "index",
    "prediction_id",
    "example_id",
];

impl Roles {
    /// What names and kinds say.
    #[must_use]
    pub fn detect(schema: &Schema) -> Self {
        let fields = schema.fields();
        let numbers: Vec<&Field> = fields
            .iter()
            .filter(|field| field.kind.is_number())
            .collect();
        let all: Vec<&Field> = fields.iter().collect();
        let prediction = named(&all, &PREDICTIONS);
        let mut labels: Vec<String> = named(&all, &LABELS).into_iter().collect();
        let flags: Vec<&Field> = fields
            .iter()
            .filter(|it| matches!(it.kind, Kind::Int | Kind::Bool))
            .collect();
        if labels.is_empty() {
            labels = family(&flags, &LABELS);
        }
        let mut scores = family(&numbers, &SCORES);
        if scores.is_empty() {
            scores.extend(named(&numbers, &SCORES));
        }
        if scores.is_empty() && prediction.is_none() {
            scores = family(&numbers, &PREDICTIONS);
        }
        let times: Vec<&Field> = fields
            .iter()
            .filter(|field| field.kind == Kind::Timestamp)
            .collect();
        Self {
            labels,
            prediction,
            scores,
            weight: named(&numbers, &WEIGHTS),
            timestamp: named(&times, &TIMES)
                .or_else(|| Some(times.first()?.name.clone()))
                .or_else(|| named(&numbers, &TIMES)),
            id: named(&all, &IDS),
        }
    }

    /// The role of a column; `None` for a feature.
    #[must_use]
    pub fn of(&self, column: &str) -> Option<Role> {
        let is = |role: &Option<String>| role.as_deref() == Some(column);
        if self.labels.iter().any(|label| label == column) {
            Some(Role::Label)
        } else if self.scores.iter().any(|score| score == column) {
            Some(Role::Score)
        } else if is(&self.prediction) {
            Some(Role::Prediction)
        } else if is(&self.weight) {
            Some(Role::Weight)
        } else if is(&self.timestamp) {
            Some(Role::Timestamp)
        } else if is(&self.id) {
            Some(Role::Id)
        } else {
            None
        }
    }

    /// The columns without a role: what the model may have seen.
    #[must_use]
    pub fn features<'a>(&self, schema: &'a Schema) -> Vec<&'a str> {
        schema
            .names()
            .filter(|name| self.of(name).is_none())
            .collect()
    }
}

/// What differs only in case, spaces and dashes is the same name.
fn plain(name: &str) -> String {
    let plain = name.trim_ascii().chars().map(|character| match character {
        ' ' | '-' | '.' => '_',
        other => other.to_ascii_lowercase(),
    });
    plain.collect()
}

/// The column of the first of `names` that there is.
fn named(fields: &[&Field], names: &[&str]) -> Option<String> {
    let find = |name: &&str| fields.iter().find(|field| plain(&field.name) == *name);
    names.iter().find_map(find).map(|field| field.name.clone())
}

/// The columns of the first of `names` that begins those of several: `score_cat`, `score_dog`.
fn family(fields: &[&Field], names: &[&str]) -> Vec<String> {
    let of = |stem: &&str| {
        let members = fields.iter().filter(|field| {
            let name = plain(&field.name);
            let rest = name.strip_prefix(*stem);
            // `score_0`, and `score0` where a number follows.
            rest.is_some_and(|rest| match rest.strip_prefix('_') {
                Some(rest) => !rest.is_empty(),
                None => !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()),
            })
        });
        let members: Vec<String> = members.map(|field| field.name.clone()).collect();
        (members.len() > 1).then_some(members)
    };
    names.iter().find_map(of).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(fields: &[(&str, Kind)]) -> Roles {
        let fields = fields.iter().map(|&(name, kind)| Field::new(name, kind));
        Roles::detect(&fields.collect())
    }

    #[test]
    fn the_names_of_the_usual_tools_are_known() {
        let roles = detect(&[
            ("Timestamp", Kind::Timestamp),
            ("y_true", Kind::Float),
            ("y_pred", Kind::Float),
            ("Sample Weight", Kind::Float),
        ]);
        assert_eq!(
            (roles.labels, roles.prediction),
            (vec!["y_true".into()], Some("y_pred".into()))
        );
        assert_eq!(roles.weight.as_deref(), Some("Sample Weight"));
        assert_eq!(roles.timestamp.as_deref(), Some("Timestamp"));
        assert!(roles.scores.is_empty());
    }

    #[test]
    fn families_of_columns_are_scores_or_labels() {
        let roles = detect(&[
            ("label_cat", Kind::Int),
            ("label_dog", Kind::Int),
            ("score_cat", Kind::Float),
            ("score_dog", Kind::Float),
        ]);
        assert_eq!(roles.labels, ["label_cat", "label_dog"]);
        assert_eq!(roles.scores, ["score_cat", "score_dog"]);
        assert_eq!(
            detect(&[("p0", Kind::Float), ("p1", Kind::Float)]).scores,
            ["p0", "p1"]
        );
    }

    #[test]
    fn a_name_of_text_is_no_score() {
        let roles = detect(&[
            ("score", Kind::Text),
            ("label", Kind::Text),
            ("age", Kind::Int),
        ]);
        assert!(roles.scores.is_empty() && roles.weight.is_none());
        assert_eq!(roles.of("age"), None);
    }
}
