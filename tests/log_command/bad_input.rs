//! Bad input is said in one line each, and costs only itself.

use crate::{log, scalar, scalars};

#[test]
fn a_bad_line_is_reported_and_skipped() {
    let (deep, long) = ("[".repeat(200), "x".repeat(2000));
    let deep = format!("{{\"step\": 1, \"a\": {deep}");
    let long = format!("{{\"step\": 1, \"{long}\": 1}}");
    let cases: Vec<(&[u8], &str)> = vec![
        (b"epoch 3: loss 0.1", "not JSON: expected value (column 1)"),
        (
            b"{\"step\": 1, \"a\": 1",
            "not JSON: EOF while parsing an object (column 18)",
        ),
        (
            b"{\"a\": 1} {\"a\": 2}",
            "not JSON: trailing characters (column 10)",
        ),
        (b"{\"a\": 1e400}", "not JSON: number out of range"),
        (deep.as_bytes(), "not JSON: recursion limit exceeded"),
        (b"{\"\xff\": 1}", "not UTF-8 text from byte 3 on"),
        (
            b"[1, 2]",
            "not an object: write {\"step\": 1, \"train/loss\": 0.3}",
        ),
        (b"{}", "nothing to log"),
        (b"{\"step\": 1}", "nothing to log"),
        (
            b"{\"step\": 1.5, \"a\": 1}",
            "'step' is 1.5, not a whole number",
        ),
        (
            b"{\"step\": \"1\", \"a\": 1}",
            "'step' is \"1\", not a whole number",
        ),
        (
            b"{\"step\": 9223372036854775808, \"a\": 1}",
            "'step' is 9223372036854775808",
        ),
        (
            b"{\"step\": NaN, \"a\": 1}",
            "'step' is \"NaN\", not a whole number",
        ),
        (
            b"{\"wall_time\": Infinity, \"a\": 1}",
            "'wall_time' is \"Infinity\", not a finite",
        ),
        (
            b"{\"a\": null}",
            "'a' is null, not a number: leave it out, or write NaN",
        ),
        (b"{\"a\": true}", "'a' is true, not a number"),
        (b"{\"a\": [1]}", "'a' is an array, not a number"),
        (b"{\"a\": {\"b\": 1}}", "'a' is an object, not a number"),
        (
            b"{\"good\": 1, \"a\": \"x\"}",
            "'a' is text, not a number: log text as {\"tag\": \"a\", \"text\": ",
        ),
        (b"{\"\": 1}", "'tag' has an empty name"),
        (
            long.as_bytes(),
            "'tag' has a name of 2000 bytes; 1024 are allowed",
        ),
        (b"{\"run\": 1, \"a\": 1}", "'run' is a number, not a name"),
        (
            b"{\"run\": \"../up\", \"a\": 1}",
            "'../up' cannot name a run",
        ),
        (b"{\"run\": \"/etc\", \"a\": 1}", "'/etc' cannot name a run"),
        (
            b"{\"run\": \"my.tfevents\", \"a\": 1}",
            "'my.tfevents' cannot name a run",
        ),
        (
            b"{\"tag\": \"w\"}",
            "'w' has none of value, text, histogram, buckets, image",
        ),
        (
            b"{\"tag\": \"w\", \"text\": \"x\", \"a\": 1}",
            "'a' does not go with 'text'",
        ),
        (
            b"{\"tag\": \"w\", \"text\": 1}",
            "'text' is a number, not text",
        ),
        (
            b"{\"tag\": \"w\", \"value\": []}",
            "'value' is an array, not a number",
        ),
        (
            b"{\"tag\": \"w\", \"histogram\": 1}",
            "'histogram' is a number, not an array",
        ),
        (
            b"{\"tag\": \"w\", \"histogram\": [null]}",
            "'histogram' holds null",
        ),
        (
            b"{\"tag\": \"w\", \"buckets\": [[1, 2]]}",
            "'buckets' is not [[left, right, count]",
        ),
        (
            b"{\"tag\": \"w\", \"buckets\": [[2, 1, 1]]}",
            "'buckets' is not",
        ),
        (
            b"{\"tag\": \"w\", \"buckets\": [[1, 2, 1], [0, 1, 1]]}",
            "'buckets' is not",
        ),
        (
            b"{\"tag\": \"w\", \"buckets\": [[1, 2, -1]]}",
            "'buckets' is not",
        ),
        (
            b"{\"tag\": \"w\", \"image\": \"no.png\"}",
            "image no.png: No such file",
        ),
        (
            b"{\"tag\": \"w\", \"image\": \"/dev/zero\"}",
            "image /dev/zero: not a file",
        ),
        (
            b"{\"tag\": \"w\", \"image\": \"/etc/passwd\"}",
            "image /etc/passwd: no PNG",
        ),
        (b"{\"hparams\": [1]}", "'hparams' is not an object"),
        (
            b"{\"hparams\": {\"a\": null}}",
            "'a' is null: a hyperparameter is",
        ),
        (
            b"{\"hparams\": {}, \"metrics\": [1]}",
            "'metrics' is a number, not a name",
        ),
        (
            b"{\"hparams\": {}, \"a\": 1}",
            "'a' does not go with 'hparams'",
        ),
        (b"{\"hparams\": {}, \"step\": 1}", "'step' beside 'hparams'"),
    ];
    let dir = tempfile::tempdir().unwrap();
    let mut input: Vec<u8> = Vec::new();
    for (line, _) in &cases {
        input.extend(*line);
        input.push(b'\n');
    }
    input.extend(b"{\"step\": 7, \"a\": 1}\r\n");
    let (_, err) = log(dir.path(), &["--name", "x"], &input, 0);
    let said: Vec<&str> = err.lines().collect();
    assert_eq!(said.len(), cases.len() + 2, "{err}");
    for (number, ((line, reason), said)) in cases.iter().zip(&said[1..]).enumerate() {
        assert!(
            said.starts_with(&format!("warning: line {}: {reason}", number + 1))
                && said.ends_with("; skipped"),
            "{}: {said}",
            String::from_utf8_lossy(line)
        );
        let (_, err) = log(dir.path(), &["--strict", "--quiet", "--name", "y"], line, 2);
        assert!(
            err.starts_with(&format!("error: line 1: {reason}")) && err.lines().count() == 1,
            "{err}"
        );
    }
    assert!(said[cases.len() + 1].ends_with(&format!("; {} lines skipped", cases.len())));
    assert_eq!(scalars(dir.path()), [scalar("x/a", 7, 1.0)]);
    assert!(!dir.path().join("y").exists(), "nothing was logged there");
}

#[test]
fn input_without_a_good_line_is_an_error_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for (input, said) in [
        ("", "error: nothing came on standard input\n"),
        ("\n \n", "error: nothing came on standard input\n"),
        (
            "x\ny\n",
            "warning: line 1: not JSON: expected value (column 1); skipped\n\
             warning: line 2: not JSON: expected value (column 1); skipped\n\
             error: no line could be logged; 2 skipped\n",
        ),
    ] {
        let (_, err) = log(dir.path(), &["--name", "x", "--quiet"], input, 2);
        assert_eq!(err, said);
    }
    let noise: String = (0..5000).map(|_| "noise\n").collect();
    let (_, err) = log(dir.path(), &["--quiet"], noise, 2);
    assert_eq!(err.lines().count(), 102, "a flood is counted, not printed");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn strict_keeps_what_came_before_the_bad_line() {
    let dir = tempfile::tempdir().unwrap();
    let lines = "{\"a\": 1}\n\n{\"a\": \n{\"a\": 3}\n";
    let (_, err) = log(dir.path(), &["--strict", "--name", "x"], lines, 2);
    let last = err.lines().last().unwrap();
    assert_eq!(
        last,
        "error: line 3: not JSON: EOF while parsing a value (column 6)"
    );
    assert_eq!(scalars(dir.path()), [scalar("x/a", 0, 1.0)]);
}

#[test]
fn bad_arguments_are_one_line() {
    let dir = tempfile::tempdir().unwrap();
    for (arguments, said) in [
        (
            &["--name", "my.tfevents"][..],
            "must not contain 'tfevents'",
        ),
        (
            &["--resume"],
            "required arguments were not provided: --name <NAME>",
        ),
        (
            &["--flush-interval", "0"],
            "must be a positive number of seconds",
        ),
        (
            &["--flush-interval", "nan"],
            "must be a positive number of seconds",
        ),
        (&["--flush-interval", "1e300"], "too long"),
        (&["--logdir", "/dev/null"], "cannot"),
    ] {
        let (_, err) = log(dir.path(), arguments, "{\"a\": 1}", 2);
        assert!(err.contains(said) && err.lines().count() == 1, "{err}");
    }
}
