//! What the macros of `tracing` make of statements, for tests: the macros are no dependency.
//!
//! A statement has metadata that live as long as the program, as theirs do.

use tracing_core::field::{Empty, Value as Field};
use tracing_core::span::Attributes;
use tracing_core::{Event, Metadata, dispatcher};

/// What a macro of `tracing` makes of a statement: its callsite and metadata.
macro_rules! statement {
    ($name:literal, $level:ident, $kind:ident, $($field:literal),*) => {{
        static CALLSITE: tracing_core::callsite::DefaultCallsite =
            tracing_core::callsite::DefaultCallsite::new(&METADATA);
        static METADATA: tracing_core::Metadata<'static> = tracing_core::metadata! {
            name: $name,
            target: "my_app::fit",
            level: tracing_core::Level::$level,
            fields: &[$($field),*],
            callsite: &CALLSITE,
            kind: tracing_core::Kind::$kind,
        };
        &METADATA
    }};
}

pub(super) use statement;

/// An event with values for up to four fields, sent as the macros send it.
pub(super) fn event(metadata: &'static Metadata<'static>, values: &[&dyn Field]) {
    let mut fields = metadata.fields().iter();
    let values: [_; 4] = std::array::from_fn(|at| {
        // A field that is there twice is taken once; further ones are empty.
        let field = fields.next().or_else(|| metadata.fields().iter().next());
        (
            field.unwrap(),
            values.get(at).map_or(&Empty as &dyn Field, |value| *value),
        )
    });
    let values = values
        .each_ref()
        .map(|(field, value)| (field, Some(*value)));
    let values = metadata.fields().value_set(&values);
    dispatcher::get_default(|dispatch| {
        if dispatch.enabled(metadata) {
            dispatch.event(&Event::new(metadata, &values));
        }
    });
}

/// Opens a span, enters it so often, and closes it.
pub(super) fn span(metadata: &'static Metadata<'static>, entered: usize) {
    dispatcher::get_default(|dispatch| {
        if !dispatch.enabled(metadata) {
            return;
        }
        let values = metadata.fields().value_set(&[]);
        let id = dispatch.new_span(&Attributes::new(metadata, &values));
        (0..entered).for_each(|_| dispatch.enter(&id));
        (0..entered).for_each(|_| dispatch.exit(&id));
        assert!(dispatch.try_close(id));
    });
}
