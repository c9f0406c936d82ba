//! The schemas in `proto/` agree with TensorBoard's own, and the code in
//! `src/proto/` is what they generate.
//!
//! TensorBoard is asked through the Python that `MODELPULSE_PYTHON` names, or
//! else the one in `target/venv`, which `tests/run` sets up.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use protox::prost_reflect::{Cardinality, DescriptorPool, FieldDescriptor, Kind};
use serde_json::{Value, json};

/// The package of ours that stands for `google.protobuf`.
const OURS: &str = "tensorboard.wkt.";
const THEIRS: &str = "google.protobuf.";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Names of the schemas, in order.
fn schemas() -> BTreeSet<String> {
    fs::read_dir(root().join("proto"))
        .expect("the directory proto")
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".proto"))
        .collect()
}

/// The code that the schemas generate, by file name in `src/proto`.
///
/// The file of a package has the package's name without the leading
/// `tensorboard.`, so that the modules need no paths.
fn generate() -> BTreeMap<String, String> {
    let files = protox::compile(schemas(), [root().join("proto")]).expect("the schemas");
    let out = tempfile::tempdir().unwrap();
    prost_build::Config::new()
        .bytes(["."])
        .btree_map(["."])
        .out_dir(out.path())
        .compile_fds(files)
        .expect("generated code");

    fs::read_dir(out.path())
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let package = path.file_stem().unwrap().to_str().unwrap();
            let module = package.strip_prefix("tensorboard.").unwrap_or(package);
            let code = format(&fs::read_to_string(&path).unwrap());
            (format!("{module}.rs"), code)
        })
        .collect()
}

/// Formats code as `cargo fmt` does.
fn format(code: &str) -> String {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout"])
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("rustfmt formats the generated code");
    let mut stdin = rustfmt.stdin.take().unwrap();
    let code = code.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(code.as_bytes()).unwrap());
    let output = rustfmt.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "rustfmt: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn generated_code_is_current() {
    const HOW: &str =
        "`MODELPULSE_BLESS=1 cargo test --no-default-features --test proto` generates it";
    let directory = root().join("src/proto");
    let generated = generate();

    if std::env::var_os("MODELPULSE_BLESS").is_some_and(|value| value == "1") {
        for (name, code) in &generated {
            fs::write(directory.join(name), code).unwrap();
        }
    }

    let present: BTreeSet<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "mod.rs")
        .collect();
    let expected: BTreeSet<_> = generated.keys().cloned().collect();
    assert_eq!(present, expected, "files in src/proto beside mod.rs; {HOW}");

    for (name, code) in &generated {
        let current = fs::read_to_string(directory.join(name)).unwrap();
        if let Some(line) = first_difference(&current, code) {
            panic!("src/proto/{name} differs from line {line} on; {HOW}");
        }
    }
}

/// Number of the first line in which two texts differ, counted from 1.
fn first_difference(a: &str, b: &str) -> Option<usize> {
    let same = a.split('\n').zip(b.split('\n')).take_while(|(a, b)| a == b);
    (a != b).then(|| same.count() + 1)
}

/// What TensorBoard declares; see `proto_descriptors.py` for the form.
fn theirs() -> Value {
    let python = std::env::var_os("MODELPULSE_PYTHON")
        .map_or_else(|| root().join("target/venv/bin/python"), PathBuf::from);
    let output = Command::new(&python)
        .arg(root().join("tests/proto_descriptors.py"))
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "no Python with TensorBoard at {}: {error}; `tests/run` sets one up, \
                 or MODELPULSE_PYTHON names another",
                python.display()
            )
        });
    assert!(
        output.status.success(),
        "{} cannot read TensorBoard's declarations; `tests/run` sets up a Python that can.\n{}",
        python.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The name that TensorBoard has for one of our messages or enumerations.
fn their_name(ours: &str) -> String {
    match ours.strip_prefix(OURS) {
        Some(name) => format!("{THEIRS}{name}"),
        None => ours.to_owned(),
    }
}

/// A field of ours, in the form of `proto_descriptors.py`.
fn describe(field: &FieldDescriptor) -> Value {
    let kind = match field.kind() {
        Kind::Message(message) => their_name(message.full_name()),
        Kind::Enum(enumeration) => their_name(enumeration.full_name()),
        scalar => format!("{scalar:?}"),
    };
    let label = match field.cardinality() {
        Cardinality::Optional => "optional",
        Cardinality::Required => "required",
        Cardinality::Repeated => "repeated",
    };
    json!({
        "number": field.number(),
        "type": kind,
        "label": label,
        "packed": field.is_packed(),
        "oneof": field.containing_oneof().map(|oneof| oneof.name().to_owned()),
    })
}

#[test]
fn schema_agrees_with_tensorboard() {
    let theirs = theirs();
    let files = protox::compile(schemas(), [root().join("proto")]).expect("the schemas");
    let ours = DescriptorPool::from_file_descriptor_set(files).unwrap();

    let mut wrong = Vec::new();
    let (mut messages, mut fields, mut enums, mut values) = (0, 0, 0, 0);

    for message in ours.all_messages() {
        let name = their_name(message.full_name());
        let Some(declared) = theirs["messages"].get(&name) else {
            wrong.push(format!("message {name}: not in TensorBoard"));
            continue;
        };
        messages += usize::from(!message.is_map_entry());
        for field in message.fields() {
            let ours = describe(&field);
            match declared.get(field.name()) {
                Some(theirs) if *theirs == ours => fields += 1,
                Some(theirs) => wrong.push(format!(
                    "{name}.{}: here {ours}, in TensorBoard {theirs}",
                    field.name()
                )),
                None => wrong.push(format!("{name}.{}: not in TensorBoard", field.name())),
            }
        }
    }
    for enumeration in ours.all_enums() {
        let name = their_name(enumeration.full_name());
        let Some(declared) = theirs["enums"].get(&name) else {
            wrong.push(format!("enum {name}: not in TensorBoard"));
            continue;
        };
        enums += 1;
        for value in enumeration.values() {
            match declared.get(value.name()) {
                Some(number) if *number == value.number() => values += 1,
                Some(number) => wrong.push(format!(
                    "{name}.{}: here {}, in TensorBoard {number}",
                    value.name(),
                    value.number()
                )),
                None => wrong.push(format!("{name}.{}: not in TensorBoard", value.name())),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    println!(
        "compared {messages} messages with {fields} fields, \
         and {enums} enumerations with {values} values"
    );
    let code: String = generate().into_values().collect();
    assert_eq!(
        (messages, enums),
        (
            code.matches("::prost::Message)]").count(),
            code.matches("::prost::Enumeration)]").count()
        ),
        "every message and enumeration of the generated code is compared"
    );
}
