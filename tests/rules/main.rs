//! Rules and alerts, held against Prometheus and against themselves.

mod reference;
