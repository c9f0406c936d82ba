//! What accumulators answer: one answer a metric, by field and by name.

/// A struct of answers, and their names in the same order.
macro_rules! report {
    ($(#[$doc:meta])* $name:ident: $($(#[$of:meta])* $metric:ident,)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$of])* pub $metric: $crate::metrics::Answer,)+
        }

        impl $name {
            /// The answers with their names, which are those of the fields.
            #[must_use]
            pub fn named(&self) -> Vec<(&'static str, $crate::metrics::Answer)> {
                vec![$((stringify!($metric), self.$metric),)+]
            }
        }
    };
}

pub(super) use report;
