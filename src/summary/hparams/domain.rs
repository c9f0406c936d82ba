//! The value of a hyperparameter, and the values that it may take.
//!
//! A domain holds values of one kind, for a column of TensorBoard's table has one kind.

use crate::proto::hparams::{DataType, Interval, h_param_info};
use crate::proto::wkt;

/// The value of a hyperparameter.
///
/// ```
/// use modelpulse::summary::HParam;
/// assert_eq!(HParam::from(32), HParam::Number(32.0));
/// assert_eq!(HParam::from("adamw"), HParam::Text("adamw".into()));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum HParam {
    /// A number.
    Number(f64),
    /// A text, such as an optimizer's name.
    Text(String),
    /// A switch.
    Bool(bool),
}

/// The values that a hyperparameter may take; the page filters by them.
///
/// ```
/// use modelpulse::summary::Domain;
/// let rates = Domain::interval(1e-4, 1e-1)?;
/// let optimizers = Domain::discrete(["sgd", "adamw"])?;
/// assert!(Domain::interval(1.0, f64::NAN).is_err());
/// assert_ne!(rates, optimizers);
/// # Ok::<(), modelpulse::summary::DomainError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Domain(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Interval(f64, f64),
    /// At least one, all of one kind.
    Discrete(Vec<HParam>),
}

/// Why there is no domain.
///
/// ```
/// use modelpulse::summary::Domain;
/// let error = Domain::interval(1.0, 0.1).unwrap_err();
/// assert_eq!(error.to_string(), "1 to 0.1 is no interval of numbers");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DomainError {
    /// A bound is not finite, or the lower one is above the upper one.
    #[error("{min} to {max} is no interval of numbers")]
    Interval {
        /// The lower bound.
        min: f64,
        /// The upper bound.
        max: f64,
    },
    /// No values.
    #[error("a domain needs at least one value")]
    Empty,
    /// Values of different kinds.
    #[error("value {index} is of another kind than the first one")]
    Mixed {
        /// Which value.
        index: usize,
    },
}

impl Domain {
    /// All numbers from `min` to `max`, both included.
    ///
    /// # Errors
    /// [`DomainError::Interval`] unless both are finite and in order.
    pub fn interval(min: f64, max: f64) -> Result<Self, DomainError> {
        if min.is_finite() && max.is_finite() && min <= max {
            Ok(Self(Kind::Interval(min, max)))
        } else {
            Err(DomainError::Interval { min, max })
        }
    }

    /// These values.
    ///
    /// # Errors
    /// [`DomainError::Empty`], [`DomainError::Mixed`] unless all are numbers, texts or switches.
    pub fn discrete<T: Into<HParam>>(
        values: impl IntoIterator<Item = T>,
    ) -> Result<Self, DomainError> {
        let values: Vec<HParam> = values.into_iter().map(Into::into).collect();
        let first = values.first().ok_or(DomainError::Empty)?.data_type();
        match values.iter().position(|value| value.data_type() != first) {
            Some(index) => Err(DomainError::Mixed { index }),
            None => Ok(Self(Kind::Discrete(values))),
        }
    }

    pub(super) fn data_type(&self) -> DataType {
        match &self.0 {
            Kind::Discrete(values) => values.first().map_or(DataType::Unset, HParam::data_type),
            Kind::Interval(..) => DataType::Float64,
        }
    }

    pub(super) fn message(&self) -> h_param_info::Domain {
        match &self.0 {
            &Kind::Interval(min_value, max_value) => {
                h_param_info::Domain::DomainInterval(Interval {
                    min_value,
                    max_value,
                })
            }
            Kind::Discrete(values) => h_param_info::Domain::DomainDiscrete(wkt::ListValue {
                values: values.iter().map(HParam::message).collect(),
            }),
        }
    }

    pub(super) fn of_message(message: h_param_info::Domain) -> Option<Self> {
        match message {
            h_param_info::Domain::DomainInterval(Interval {
                min_value,
                max_value,
            }) => Self::interval(min_value, max_value).ok(),
            h_param_info::Domain::DomainDiscrete(list) => {
                let values = list.values.into_iter().map(HParam::of_message);
                Self::discrete(values.collect::<Option<Vec<_>>>()?).ok()
            }
        }
    }
}

impl HParam {
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Number(_) => DataType::Float64,
            Self::Text(_) => DataType::String,
            Self::Bool(_) => DataType::Bool,
        }
    }

    pub(super) fn message(&self) -> wkt::Value {
        let kind = match self {
            Self::Number(number) => wkt::value::Kind::NumberValue(*number),
            Self::Text(text) => wkt::value::Kind::StringValue(text.clone()),
            Self::Bool(bool) => wkt::value::Kind::BoolValue(*bool),
        };
        wkt::Value { kind: Some(kind) }
    }

    pub(super) fn of_message(message: wkt::Value) -> Option<Self> {
        match message.kind? {
            wkt::value::Kind::NumberValue(number) => Some(Self::Number(number)),
            wkt::value::Kind::StringValue(text) => Some(Self::Text(text)),
            wkt::value::Kind::BoolValue(bool) => Some(Self::Bool(bool)),
            _ => None,
        }
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl From<$number> for HParam {
            fn from(value: $number) -> Self {
                Self::Number(value as f64)
            }
        }
    )*};
}

numbers!(f64, f32, i32, u32, i64, u64, usize);

impl From<bool> for HParam {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for HParam {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for HParam {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_domain_is_said() {
        for (min, max) in [(2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
            assert!(matches!(
                Domain::interval(min, max),
                Err(DomainError::Interval { .. })
            ));
        }
        assert_eq!(Domain::discrete::<f64>([]), Err(DomainError::Empty));
        let mixed = [HParam::from(1), HParam::from(2), HParam::from("x")];
        assert_eq!(
            Domain::discrete(mixed),
            Err(DomainError::Mixed { index: 2 })
        );
    }
}
