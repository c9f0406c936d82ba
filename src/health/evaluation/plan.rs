//! Which columns are measured, and how: told by their names and values, save where it is said.

use super::category::{Category, Coder, Distinct};
use super::{EvaluationError, Evaluator, Task};
use crate::table::{Field, Kind, Roles, Schema, Table, TableError};

/// More classes are not taken for classes unless it is said.
const MOST_CLASSES: usize = 1000;
/// So many different whole numbers that are predicted as such are classes, more are counts.
const FEW: usize = 20;

/// What the true value of a row is called if a model looks for it.
const POSITIVE: [&str; 8] = ["1", "true", "yes", "positive", "pos", "y", "t", "+"];

/// Which columns are measured, and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Plan {
    /// What the model does.
    pub task: Task,
    /// The columns of the truth: one, or one a label.
    pub labels: Vec<String>,
    /// The scores: of the positive class, or one a class or label.
    pub scores: Vec<String>,
    /// What the model decided on, where it is measured by that.
    pub prediction: Option<String>,
    /// How much rows count.
    pub weight: Option<String>,
    /// The names of the classes or labels; for binary tasks the negative one, then the positive.
    pub classes: Vec<String>,
    pub(super) coder: Option<Coder>,
    /// With the kinds that the columns are read as.
    pub(super) table: Table,
}

impl Plan {
    /// The name of the file.
    #[must_use]
    pub fn file(&self) -> String {
        let path = self.table.path();
        let name = path.file_name().unwrap_or(path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// Finds out what is not said.
    pub(super) fn new(table: Table, asked: &Evaluator) -> Result<Self, EvaluationError> {
        let schema = table.schema();
        let found = Roles::detect(schema);
        let mut roles = found.clone();
        let said = |names: &[String]| !names.is_empty();
        if said(&asked.labels) {
            roles.labels = each_item(schema, &asked.labels);
        }
        if let Some(prediction) = &asked.prediction {
            roles.prediction = Some(prediction.clone());
            roles.scores.clear();
        }
        if said(&asked.scores) {
            roles.scores = each_item(schema, &asked.scores);
            roles.prediction.clone_from(&asked.prediction);
        }
        roles.weight = asked.weight.clone().or(roles.weight);
        // A name that is not there says so, whatever else is wrong.
        let named = roles
            .labels
            .iter()
            .chain(&roles.scores)
            .chain(&roles.prediction);
        table.read(&named.chain(&roles.weight).collect::<Vec<_>>())?;
        let columns = || {
            let names: Vec<String> = schema.names().map(|name| format!("'{name}'")).collect();
            names.join(", ")
        };
        if roles.labels.is_empty() {
            return Err(EvaluationError::NoRole {
                what: "the true label",
                option: "--label",
                columns: columns(),
            });
        }
        let (table, seen) = survey(table.clone(), &roles)?;
        if seen.rows == 0 {
            return Err(EvaluationError::NoRows { rows: 0 });
        }
        let draft = Draft {
            table,
            roles,
            seen,
            asked,
        };
        let Some(task) = asked
            .task
            .map_or_else(|| draft.detect(), |task| Ok(Some(task)))?
        else {
            draft.read_texts_as_scores()?;
            return Err(EvaluationError::NoRole {
                what: "a score or a prediction",
                option: "--score or --prediction",
                columns: columns(),
            });
        };
        match task {
            Task::Binary => draft.binary(),
            Task::Multiclass => draft.multiclass(),
            Task::Multilabel => draft.multilabel(),
            Task::Regression => draft.regression(),
        }
    }
}

/// The columns of these names; those of the items of a list, by its name.
fn each_item(schema: &Schema, names: &[String]) -> Vec<String> {
    let mut columns = Vec::new();
    for name in names {
        let items = (0..).map(|item| format!("{name}_{item}"));
        let items = items.take_while(|item| schema.position(item).is_some());
        let before = columns.len();
        if schema.position(name).is_none() {
            columns.extend(items);
        }
        if columns.len() == before {
            columns.push(name.clone());
        }
    }
    columns
}

/// What the first label and the prediction may be.
struct Seen {
    rows: u64,
    label: Distinct,
    prediction: Distinct,
}

/// Reads the first label and the prediction; kinds that were guessed too narrow are widened.
fn survey(mut table: Table, roles: &Roles) -> Result<(Table, Seen), EvaluationError> {
    let columns: Vec<&String> = roles
        .labels
        .iter()
        .take(1)
        .chain(&roles.prediction)
        .collect();
    loop {
        let mut seen = Seen {
            rows: 0,
            label: Distinct::new(),
            prediction: Distinct::new(),
        };
        let wider = table.read(&columns)?.find_map(|batch| match batch {
            Ok(batch) => {
                seen.rows += batch.rows() as u64;
                seen.label.see(batch.column(0));
                if let Some(prediction) = batch.columns().get(1) {
                    seen.prediction.see(prediction);
                }
                None
            }
            Err(TableError::Value {
                column,
                wider: Some(kind),
                ..
            }) => Some(Ok((column, kind))),
            Err(error) => Some(Err(error)),
        });
        match wider.transpose()? {
            Some((column, kind)) => table = table.with_kind(&column, kind)?,
            None => return Ok((table, seen)),
        }
    }
}

struct Draft<'a> {
    table: Table,
    roles: Roles,
    seen: Seen,
    asked: &'a Evaluator,
}

impl Draft<'_> {
    fn kind(&self, column: &str) -> Kind {
        self.table.schema().kind(column).unwrap_or(Kind::Text)
    }

    fn label(&self) -> &str {
        self.roles.labels.first().map_or("", String::as_str)
    }

    /// The columns that are named as the classes are.
    fn named_as_classes(&self) -> Vec<String> {
        let classes = self.seen.label.sorted();
        let is_score = |name: &String| self.kind(name).is_number();
        let columns = classes
            .iter()
            .take(MOST_CLASSES)
            .map(|(class, _)| class.to_string());
        let columns: Vec<String> = columns.filter(is_score).collect();
        if columns.len() == classes.len() && columns.len() > 1 {
            columns
        } else {
            Vec::new()
        }
    }

    /// `None` where there are neither scores nor predictions.
    fn detect(&self) -> Result<Option<Task>, EvaluationError> {
        let label = &self.seen.label;
        let (few, scores) = (label.sorted().len(), self.roles.scores.len());
        if self.roles.labels.len() > 1 {
            return Ok(Some(Task::Multilabel));
        }
        let numbers = label.fractions || label.too_many || few > MOST_CLASSES;
        let is_number = self.kind(self.label()).is_number();
        let task = match (scores, &self.roles.prediction) {
            _ if numbers && is_number => Task::Regression,
            _ if numbers => {
                return Err(EvaluationError::Task(format!(
                    "column '{}' has more than {MOST_CLASSES} different values: is it the label? \
                     name it with --label, or say --task",
                    self.label()
                )));
            }
            (1, _) if few <= 2 => Task::Binary,
            (1, None) if is_number => Task::Regression,
            (1, None) => {
                return Err(EvaluationError::Task(format!(
                    "column '{}' has {few} classes, but there is one score column, '{}': \
                     give one a class with --score",
                    self.label(),
                    self.roles.scores[0]
                )));
            }
            (2, _) if few <= 2 => Task::Binary,
            (2.., _) => Task::Multiclass,
            (_, Some(prediction)) => {
                let predicted = &self.seen.prediction;
                let both = is_number && self.kind(prediction).is_number();
                let counts = few > FEW || predicted.sorted().len() > FEW;
                if both && (predicted.fractions || predicted.too_many || counts) {
                    Task::Regression
                } else {
                    Task::Multiclass
                }
            }
            (0, None) if !self.named_as_classes().is_empty() => Task::Multiclass,
            (0, None) => return Ok(None),
        };
        Ok(Some(task))
    }

    /// Where the columns that are named like scores hold texts, an error that says where the first one stands.
    fn read_texts_as_scores(&self) -> Result<(), EvaluationError> {
        let fields = self.table.schema().fields().iter();
        let as_numbers = fields.map(|field| match field.kind() {
            Kind::Text => Field::new(field.name(), Kind::Float),
            _ => field.clone(),
        });
        let scores = Roles::detect(&as_numbers.collect()).scores;
        let mut table = self.table.clone();
        for column in &scores {
            table = table.with_kind(column, Kind::Float)?;
        }
        if scores.is_empty() {
            return Ok(());
        }
        table.read(&scores)?.try_for_each(|batch| batch.map(drop))?;
        // None of them has anything.
        let rows = self.seen.rows;
        Err(EvaluationError::NoRows { rows })
    }

    fn plan(
        self,
        task: Task,
        classes: Vec<String>,
        coder: Option<Coder>,
    ) -> Result<Plan, EvaluationError> {
        let roles = self.roles;
        let mut table = self.table;
        for column in roles.scores.iter().chain(&roles.weight) {
            table = table.with_kind(column, Kind::Float)?;
        }
        Ok(Plan {
            task,
            labels: roles.labels,
            scores: roles.scores,
            prediction: roles.prediction,
            weight: roles.weight,
            classes,
            coder,
            table,
        })
    }

    /// The two classes, the positive one last.
    fn two_classes(&self) -> Result<[Category; 2], EvaluationError> {
        let mut classes: Vec<Category> = self
            .seen
            .label
            .sorted()
            .into_iter()
            .map(|(class, _)| class)
            .collect();
        let positive = |class: &Category| match &self.asked.positive {
            Some(positive) => class.to_string() == *positive,
            None => POSITIVE.contains(&class.to_string().to_lowercase().as_str()),
        };
        if let [only] = &classes[..] {
            // The other class of the usual pairs; of a text, one that does not occur.
            let other = match only {
                Category::Bool(value) => Category::Bool(!value),
                Category::Int(1) => Category::Int(0),
                Category::Int(_) => Category::Int(1),
                Category::Text(text) => Category::Text(format!("not {text}")),
            };
            classes.push(other);
            classes.sort();
        }
        let wrong = self
            .asked
            .positive
            .as_ref()
            .filter(|_| !classes.iter().any(positive));
        match (<[Category; 2]>::try_from(classes), wrong) {
            (Ok([a, b]), None) => Ok(if positive(&a) && !positive(&b) {
                [b, a]
            } else {
                [a, b]
            }),
            (Ok([a, b]), Some(positive)) => Err(EvaluationError::Task(format!(
                "the positive class '{positive}' is none of column '{}', which has '{a}' and '{b}'",
                self.label()
            ))),
            (Err(classes), _) => Err(EvaluationError::Task(format!(
                "a binary label has two values, but column '{}' has {}",
                self.label(),
                classes.len()
            ))),
        }
    }

    fn binary(mut self) -> Result<Plan, EvaluationError> {
        let classes = self.two_classes()?;
        let names: Vec<String> = classes.iter().map(Category::to_string).collect();
        self.roles.scores = match &self.roles.scores[..] {
            [_] => self.roles.scores,
            [first, second] => {
                // The column that is named for the positive class; without names, the second.
                let suffixes = suffixes(&self.roles.scores);
                vec![if suffixes[0] == names[1] {
                    first.clone()
                } else {
                    second.clone()
                }]
            }
            _ => match self.roles.prediction.take() {
                // Decisions of 0 and 1, or probabilities that are called predictions.
                Some(prediction) if self.kind(&prediction).is_number() => vec![prediction],
                _ => {
                    return Err(EvaluationError::Task(
                        "a binary task needs one score column: name it with --score".to_owned(),
                    ));
                }
            },
        };
        self.roles.prediction = None;
        let coder = Coder::new(classes.iter().zip(0..));
        self.plan(Task::Binary, names, Some(coder))
    }

    fn multiclass(mut self) -> Result<Plan, EvaluationError> {
        if self.roles.scores.is_empty() && self.roles.prediction.is_none() {
            self.roles.scores = self.named_as_classes();
        }
        let found: Vec<Category> = self
            .seen
            .label
            .sorted()
            .into_iter()
            .map(|it| it.0)
            .collect();
        if self.roles.scores.is_empty() {
            let predicted = self.seen.prediction.sorted().into_iter().map(|it| it.0);
            // "1" and 1 are the same class.
            let mut classes: Vec<Category> = found;
            let mut names: Vec<String> = classes.iter().map(Category::to_string).collect();
            for category in predicted {
                let name = category.to_string();
                if !names.contains(&name) {
                    names.push(name);
                    classes.push(category);
                }
            }
            let mut order: Vec<usize> = (0..classes.len()).collect();
            order.sort_by(|&a, &b| classes[a].cmp(&classes[b]));
            let names: Vec<String> = order.iter().map(|&at| names[at].clone()).collect();
            if names.len() > MOST_CLASSES {
                return Err(EvaluationError::Task(format!(
                    "column '{}' has {} classes, more than {MOST_CLASSES}",
                    self.label(),
                    names.len()
                )));
            }
            let coder = coder_by_name(&names);
            return self.plan(Task::Multiclass, names, Some(coder));
        }
        self.roles.prediction = None;
        let names = self.class_names(&found)?;
        let coder = coder_by_name(&names);
        self.plan(Task::Multiclass, names, Some(coder))
    }

    /// What each score column is the score of.
    fn class_names(&self, found: &[Category]) -> Result<Vec<String>, EvaluationError> {
        let scores = &self.roles.scores;
        let is_label =
            |names: &[String]| found.iter().all(|class| names.contains(&class.to_string()));
        let suffixes = suffixes(scores);
        for names in [suffixes, scores.clone()] {
            if is_label(&names) {
                return Ok(names);
            }
        }
        let counted: Vec<String> = (0..scores.len()).map(|class| class.to_string()).collect();
        if is_label(&counted) {
            return Ok(counted);
        }
        // As many classes as columns: in order, as scikit-learn sorts its classes.
        if found.len() == scores.len() {
            return Ok(found.iter().map(Category::to_string).collect());
        }
        Err(EvaluationError::Task(format!(
            "the {} score columns ('{}' …) do not tell which class each is of: column '{}' has {} classes; \
             name the columns after them, or give them in order with --score",
            scores.len(),
            scores[0],
            self.label(),
            found.len()
        )))
    }

    fn multilabel(mut self) -> Result<Plan, EvaluationError> {
        let (labels, scores) = (self.roles.labels.len(), self.roles.scores.len());
        if labels != scores {
            return Err(EvaluationError::Task(format!(
                "a multilabel task needs one score column a label: there are {labels} labels and {scores} scores; \
                 name them with --label and --score"
            )));
        }
        let names = suffixes(&self.roles.labels);
        // Scores in the order of the labels, where both are named after them.
        let of_scores = suffixes(&self.roles.scores);
        let order = names
            .iter()
            .map(|name| of_scores.iter().position(|of| of == name));
        if let Some(order) = order.collect::<Option<Vec<usize>>>() {
            let scores = order.iter().map(|&at| self.roles.scores[at].clone());
            self.roles.scores = scores.collect();
        }
        self.roles.prediction = None;
        let flags = [
            Category::Bool(false),
            Category::Bool(true),
            Category::Int(0),
            Category::Int(1),
        ];
        let coder = Coder::new(flags.iter().zip([0, 1, 0, 1]));
        self.plan(Task::Multilabel, names, Some(coder))
    }

    fn regression(mut self) -> Result<Plan, EvaluationError> {
        let prediction = self
            .roles
            .prediction
            .take()
            .or_else(|| match &self.roles.scores[..] {
                [only] => Some(only.clone()),
                _ => None,
            });
        let Some(prediction) = prediction else {
            return Err(EvaluationError::Task(
                "a regression needs one column of predictions: name it with --prediction"
                    .to_owned(),
            ));
        };
        self.roles.scores.clear();
        for column in [self.label().to_owned(), prediction.clone()] {
            self.table = self.table.with_kind(&column, Kind::Float)?;
        }
        self.roles.prediction = Some(prediction);
        self.plan(Task::Regression, Vec::new(), None)
    }
}

/// Numbers by name, so that 1, "1" and 1.0 are one class.
fn coder_by_name(names: &[String]) -> Coder {
    let of = |name: &String| {
        let int = name.parse().ok().map(Category::Int);
        let bool = name.parse().ok().map(Category::Bool);
        [int, bool, Some(Category::Text(name.clone()))]
            .into_iter()
            .flatten()
    };
    let named = names
        .iter()
        .zip(0..)
        .flat_map(|(name, code)| of(name).map(move |it| (it, code)));
    let named: Vec<(Category, u32)> = named.collect();
    Coder::new(named.iter().map(|(category, code)| (category, *code)))
}

/// What names have behind what all of them begin with, up to a last `_` or where numbers begin.
fn suffixes(names: &[String]) -> Vec<String> {
    let Some(first) = names.first() else {
        return Vec::new();
    };
    let shared = |length: usize| {
        let prefix = first.get(..length);
        prefix.is_some_and(|prefix| names.iter().all(|name| name.starts_with(prefix)))
    };
    let length = (0..=first.len())
        .rev()
        .find(|&length| shared(length))
        .unwrap_or(0);
    let prefix = &first[..length];
    let cut = prefix.rfind(['_', '.', '-', ' ']).map(|at| at + 1);
    let digits = |name: &String| name[length..].bytes().all(|byte| byte.is_ascii_digit());
    let cut = match cut {
        Some(cut) => cut,
        None if names.iter().all(|name| digits(name) && name.len() > length) => length,
        None => 0,
    };
    names.iter().map(|name| name[cut..].to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_columns_are_of_stands_behind_what_they_share() {
        let of =
            |names: &[&str]| suffixes(&names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["score_cat", "score_car"]), ["cat", "car"]);
        assert_eq!(of(&["p0", "p1", "p10"]), ["0", "1", "10"]);
        assert_eq!(of(&["score_1", "score_10"]), ["1", "10"]);
        assert_eq!(of(&["cat", "car"]), ["cat", "car"]);
        assert!(of(&[]).is_empty());
    }
}
