//! Whether a model is healthy: rules over the events of a session, and findings in a training's numbers.
//!
//! Both decide from what they are shown alone, never from the clock, so an old log gives the same answers
//! as the live run did.

mod checkup;
mod detect;
mod doctor;
#[cfg(feature = "drift")]
pub mod drift;
#[cfg(all(feature = "drift", feature = "evaluate"))]
pub mod drift_report;
#[cfg(feature = "stats")]
pub mod errors;
#[cfg(feature = "evaluate")]
pub mod evaluation;
mod finding;
mod gate;
mod monitor;
mod naming;
mod nan_guard;
mod registry;
#[cfg(feature = "resources")]
mod resources;
mod routes;
mod rules;

pub use checkup::Checkup;
pub use detect::{
    ClassRecall, DeadUnits, Detector, Diverging, ExplodingGradients, Gradient, LabelNoise,
    LearningRateHigh, LearningRateLow, MissingClass, NotFinite, Observation, Overfit, Plateau,
    Unshuffled, VanishingGradients, detectors,
};
pub use doctor::{Diagnosis, Doctor};
pub use finding::{Finding, FindingKind, Place};
pub use gate::{Allowance, Course, Courses, GateVerdict};
pub use monitor::{
    AlertBoard, Cell, Counts, Evaluated, FeatureRow, Heard, IntoOutputs, LabelledRows, Labelling,
    Monitor, MonitorError, Observations, Predictions, Rows, Status, Watch,
};
#[cfg(feature = "serve")]
pub(crate) use monitor::{Kept, Row};
pub use naming::Direction;
pub use nan_guard::{NanGuard, OnNan};
#[cfg(feature = "export")]
pub(crate) use registry::SeriesNames;
#[cfg(feature = "push")]
pub(crate) use registry::label_name;
pub use registry::{
    Counter, Distribution, EventGauges, Families, Family, Gauge, Kind, Meter, MeterBuilder,
    Reading, Recorded, Registry, States, Timer,
};
#[cfg(feature = "resources")]
pub use resources::{Resources, Usage};
use rules::drift_metric;
pub use rules::{
    ALERTS, Alerts, Clock, Comparison, Condition, Measure, ParseConditionError, Rule, RuleSet,
    RuleSetError, SeriesPattern, Severity, Span, State, Transition, Unexported, When, metric_of,
};
#[cfg(feature = "rules")]
pub use rules::{Mismatch, Notify, RuleFile, RuleFileError, Scenario};
