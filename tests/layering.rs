//! The rooms of the crate stand in order: each imports only from those below it.

#[path = "layering/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use source::{code, tokens, tree};

/// From the ground up.
const ROOMS: [&str; 19] = [
    "types", "record", "proto", "summary", "flow", "log", "metrics", "drift", "table", "datasets",
    "figure", "train", "health", "replay", "export", "serve", "bridge", "compat", "cli",
];

/// Rooms that know less than their place allows.
const NARROW: [(&str, &[&str]); 5] = [
    ("record", &[]),
    ("proto", &[]),
    ("summary", &["types", "proto"]),
    ("drift", &["types", "metrics"]),
    ("figure", &["metrics"]),
];

/// A file below `src`, named by its parts: `log/reader.rs` is `log`, `reader`.
struct File {
    modules: Vec<String>,
    code: String,
}

impl File {
    fn new(path: &str, source: &str) -> Self {
        let parts = path.trim_end_matches(".rs").split('/');
        let modules: Vec<String> = parts
            .filter(|&part| part != "mod" && part != "lib")
            .map(str::to_owned)
            .collect();
        let code = code(source);
        Self { modules, code }
    }

    fn room(&self) -> &str {
        self.modules.first().map_or("", String::as_str)
    }

    /// The paths that reach the crate's root, from there on, with the line of each; `candle_…` paths too.
    fn imports(&self) -> Vec<(usize, Vec<String>)> {
        let tokens = tokens(&self.code);
        let text = |at: usize| {
            tokens
                .get(at)
                .map_or("", |token: &(usize, String)| &token.1)
        };
        let mut found = Vec::new();
        // At which depth of braces each inline module began.
        let (mut inline, mut braces) = (Vec::new(), 0);
        let mut at = 0;
        while at < tokens.len() {
            let mut next = at + 1;
            match text(at) {
                "mod" if text(at + 2) == "{" => inline.push(braces),
                "{" => braces += 1,
                "}" => {
                    braces -= 1;
                    if inline.last() == Some(&braces) {
                        inline.pop();
                    }
                }
                "use" | "crate" | "super" | "candle_core" | "candle_nn" => {
                    let start = at + usize::from(text(at) == "use");
                    let mut paths = Vec::new();
                    next = tree(&tokens, start, &[], &mut paths).max(at + 1);
                    let depth = self.modules.len() + inline.len();
                    let rooted = paths.into_iter().filter_map(|path| from_root(path, depth));
                    // `pub(crate)` and `pub(super)` lead nowhere.
                    let rooted = rooted.filter(|path| !path.is_empty());
                    found.extend(rooted.map(|path| (tokens[at].0, path)));
                }
                _ => {}
            }
            at = next;
        }
        found
    }

    /// What is not allowed; `exports` are names that the root has from rooms.
    fn violations(&self, exports: &BTreeMap<String, String>) -> Vec<String> {
        let room = self.room();
        let Some(place) = ROOMS.iter().position(|&known| known == room) else {
            return vec![format!("{room} is no room of the house")];
        };
        let narrow = NARROW.iter().find(|(narrow, _)| *narrow == room);
        let below = narrow.map_or(&ROOMS[..place], |(_, below)| below);
        let may_use_candle =
            room == "cli" || self.modules[1..].iter().any(|module| module == "candle");
        let mut wrong = Vec::new();
        for (line, path) in self.imports() {
            let first = path.first().map_or("", String::as_str);
            let target = exports.get(first).map_or(first, String::as_str);
            let allowed = match target {
                "candle_core" | "candle_nn" => may_use_candle,
                _ => target == room || below.contains(&target),
            };
            if !allowed {
                let file = self.modules.join("/");
                wrong.push(format!("{file}:{line}: {room} uses {target}"));
            }
        }
        wrong.dedup();
        wrong
    }
}

/// The path from the crate's root on, if it is one that leads there from a module `depth` below it.
fn from_root(path: Vec<String>, depth: usize) -> Option<Vec<String>> {
    let path: Vec<String> = path.into_iter().skip_while(|part| part == "self").collect();
    let first = path.first()?;
    if first == "crate" {
        return Some(path[1..].to_vec());
    }
    if first.starts_with("candle_") {
        return Some(path);
    }
    let up = path.iter().take_while(|part| *part == "super").count();
    (up > 0 && up >= depth).then(|| path[up..].to_vec())
}

/// The names that `lib.rs` has from rooms: `pub use train::Session` gives `Session` → `train`.
fn exports(lib: &str) -> BTreeMap<String, String> {
    let tokens = tokens(&code(lib));
    let mut paths = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.1 == "use" {
            tree(&tokens, at + 1, &[], &mut paths);
        }
    }
    let paths = paths.into_iter().map(|path| match path.as_slice() {
        [first, rest @ ..] if first == "crate" || first == "self" => rest.to_vec(),
        _ => path,
    });
    paths
        .filter_map(|path| Some((path.last()?.clone(), path.first()?.clone())))
        .collect()
}

/// Every file below `src` but the roots of the library and the program.
fn files(dir: &Path, within: &str, files: &mut Vec<File>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{within}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            self::files(&path, &format!("{name}/"), files);
        } else if name.ends_with(".rs") && name != "lib.rs" && name != "main.rs" {
            files.push(File::new(&name, &fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn rooms_import_only_from_those_below_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let exports = exports(&fs::read_to_string(src.join("lib.rs")).unwrap());
    assert_eq!(exports.get("Session").map(String::as_str), Some("train"));
    let mut all = Vec::new();
    files(&src, "", &mut all);

    let wrong: Vec<String> = all
        .iter()
        .flat_map(|file| file.violations(&exports))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // That nothing is wrong is not because nothing was read.
    let seen: BTreeSet<(String, String)> = all
        .iter()
        .flat_map(|file| {
            let imports = file.imports().into_iter();
            imports.map(|(_, path)| (file.room().to_owned(), path[0].clone()))
        })
        .collect();
    for (room, target) in [
        ("log", "record"),
        ("figure", "metrics"),
        ("train", "candle_core"),
        ("cli", "train"),
        ("cli", "Session"),
    ] {
        assert!(
            seen.contains(&(room.into(), target.into())),
            "{room} uses {target}"
        );
    }
}

#[test]
fn planted_violations_are_found() {
    let exports = exports("pub use train::Session; pub use types::{Step, Tag as Label};");
    for (path, source, expected) in [
        (
            "log/reader.rs",
            "use crate::train::Session;",
            "1: log uses train",
        ),
        (
            "log/reader.rs",
            "\nuse crate::Session;",
            "2: log uses train",
        ),
        (
            "flow/mod.rs",
            "use crate::{Session, types::Step};",
            "1: flow uses train",
        ),
        (
            "flow/mod.rs",
            "use crate::{types::{Step, Tag},\n log::{self, Writer}};",
            "1: flow uses log",
        ),
        (
            "flow/mod.rs",
            "pub(crate) use {std::fmt, crate::health::Rule as R};",
            "1: flow uses health",
        ),
        (
            "flow/mod.rs",
            "fn f() -> crate::log::Error { todo!() }",
            "1: flow uses log",
        ),
        (
            "flow/mod.rs",
            "fn f() { crate::log::f::<u8>() }",
            "1: flow uses log",
        ),
        ("flow/mod.rs", "use super::log::Writer;", "1: flow uses log"),
        (
            "flow/tee.rs",
            "use super::{super::log::Writer, Event};",
            "1: flow uses log",
        ),
        (
            "flow/tee.rs",
            "mod tests { use super::super::super::log; }",
            "1: flow uses log",
        ),
        (
            "flow/tee.rs",
            "mod a {} mod b { fn c() {} }\nuse super::super::log;",
            "2: flow uses log",
        ),
        ("flow/mod.rs", "use crate::*;", "1: flow uses *"),
        (
            "types.rs",
            "use crate::record::crc;",
            "1: types uses record",
        ),
        (
            "record/crc.rs",
            "use crate::types::Step;",
            "1: record uses types",
        ),
        ("proto/mod.rs", "use crate::Step;", "1: proto uses types"),
        (
            "summary/text.rs",
            "use crate::record::crc;",
            "1: summary uses record",
        ),
        (
            "figure/grid.rs",
            "use crate::datasets::Images;",
            "1: figure uses datasets",
        ),
        (
            "train/hook.rs",
            "use candle_core::Tensor;",
            "1: train uses candle_core",
        ),
        (
            "train/hook.rs",
            "fn f(x: &candle_nn::Linear) {}",
            "1: train uses candle_nn",
        ),
        ("candle.rs", "", "candle is no room of the house"),
        (
            "log/a.rs",
            "const C: char = '\"'; use crate::train::A; const D: char = '\"';",
            "1: log uses train",
        ),
        (
            "log/a.rs",
            "fn f<'a>(x: &'a str) {} use crate::train::A;",
            "1: log uses train",
        ),
    ] {
        let wrong = File::new(path, source).violations(&exports);
        assert_eq!(wrong.len(), 1, "{path}: {source}: {wrong:?}");
        assert!(wrong[0].ends_with(expected), "{source}: {wrong:?}");
    }
}

#[test]
fn what_is_allowed_is_no_violation() {
    let exports = exports("pub use train::Session; pub use types::{Step, Tag as Label};");
    for (path, source) in [
        (
            "log/reader.rs",
            "use crate::{Step, Label, flow::{Event, Sink as _}, log::name};",
        ),
        (
            "log/reader.rs",
            "//! use crate::train::Session;\n/// crate::train::f()\n// use crate::cli;",
        ),
        (
            "log/reader.rs",
            "/* use crate::cli; /* and */ use crate::cli; */",
        ),
        (
            "log/reader.rs",
            r##"const A: &str = "use crate::cli; \" use crate::cli;";"##,
        ),
        (
            "log/reader.rs",
            "const A: &str = r#\"use \"crate::cli\";\"#; const B: &[u8] = br\"crate::cli\";",
        ),
        (
            "log/reader.rs",
            "use super::{name, super::flow::Event}; mod tests { use super::super::Error; }",
        ),
        (
            "log/mod.rs",
            "pub(crate) use reader::LogReader; pub(in crate::log) fn f() {}",
        ),
        ("figure/grid.rs", "use crate::metrics::ConfusionMatrix;"),
        (
            "train/candle/trainer.rs",
            "use candle_core::{DType, Tensor};",
        ),
        (
            "cli/train.rs",
            "use candle_core::Device; use crate::{Session, serve, log};",
        ),
    ] {
        let wrong = File::new(path, source).violations(&exports);
        assert!(wrong.is_empty(), "{source}: {wrong:?}");
    }
}
