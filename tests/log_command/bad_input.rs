//! Bad input is said in one line each, and costs only itself.

use crate::{log, scalar, scalars};

#[test]
fn a_bad_line_is_reported_and_skipped() {
    let (deep, long) = ("[".repeat(200), "x".repeat(2000));
    let deep = format!("{{\"step\": 1, \"a\": {deep}");
    let long = format!("{{\"step\": 1, \"{long}\": 1}}");
    let mut cases: Vec<(&[u8], &str)> = vec![
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
    let kinds: [(&str, &str); 47] = [
        (
            r#"{"tag": "x", "value": 1, "description": 1}"#,
            "'description' is a number, not text",
        ),
        (
            r#"{"tag": "x", "scalars": {"a": 1}, "description": "d"}"#,
            "'description' does not go with 'scalars'",
        ),
        (
            r#"{"tag": "x", "scalars": [1]}"#,
            "'scalars' is an array, not an object",
        ),
        (
            r#"{"tag": "x", "scalars": {}}"#,
            "'scalars' holds no numbers",
        ),
        (
            r#"{"tag": "x", "scalars": {"a": null}}"#,
            "'a' is null, not a number",
        ),
        (r#"{"tag": "x", "table": []}"#, "'table' has no rows"),
        (
            r#"{"tag": "x", "table": [["a"], [1, 2]]}"#,
            "'table' has a row of 2 cells below 1",
        ),
        (
            r#"{"tag": "x", "table": [{"a": 1}, {"b": 1}]}"#,
            "'b' of 'table' is not in its first row",
        ),
        (
            r#"{"tag": "x", "table": [[[1]]]}"#,
            "'table' holds an array, not text",
        ),
        (
            r#"{"tag": "x", "image": 1}"#,
            "'image' is a number, not the path of a file",
        ),
        (
            r#"{"tag": "x", "image": [[1, 2], [3]]}"#,
            "'image' is ragged: an array of 1 where others have 2",
        ),
        (r#"{"tag": "x", "image": [[[1, 2, 3, 4, 5]]]}"#, "'image': "),
        (r#"{"tag": "x", "image": [[]]}"#, "'image': "),
        (
            r#"{"tag": "x", "image": [[-1]]}"#,
            "'image' holds -1, not only levels from 0 to 255",
        ),
        (
            r#"{"tag": "x", "image": {"base64": "R0lG"}}"#,
            "'image': no PNG, JPEG or GIF",
        ),
        (
            r#"{"tag": "x", "image": [[1]], "columns": 2}"#,
            "'columns' does not go with 'image'",
        ),
        (
            r#"{"tag": "x", "image": [[1]], "boxes": [{"label": "a"}]}"#,
            "'boxes' needs 'box' too",
        ),
        (
            r#"{"tag": "x", "image": [[1]], "boxes": [{"box": [9, 9, 1, 1]}]}"#,
            "box 0 needs finite corners",
        ),
        (
            r#"{"tag": "x", "images": []}"#,
            "'images': there are no images",
        ),
        (
            r#"{"tag": "x", "grid": [[[1]], [[1, 2]]]}"#,
            "picture 1 of 'grid' is [1, 2, 1] (height, width, channels)",
        ),
        (
            r#"{"tag": "x", "animation": [[[1]]], "fps": 100}"#,
            "'animation': an animation plays at 0.01 to 50",
        ),
        (
            r#"{"tag": "x", "audio": [0, 1]}"#,
            "'audio' needs 'rate' too",
        ),
        (
            r#"{"tag": "x", "audio": [0, NaN], "rate": 8000}"#,
            "'audio': the sample of channel 0 in frame 1 is NaN",
        ),
        (
            r#"{"tag": "x", "audio": [[0], [0], [0]], "rate": 8000}"#,
            "'audio': 3 channels",
        ),
        (
            r#"{"tag": "x", "audio": "/etc/passwd"}"#,
            "audio /etc/passwd: cannot read",
        ),
        (
            r#"{"tag": "x", "pr_curve": [0.5], "labels": [1, 0]}"#,
            "'pr_curve': ",
        ),
        (
            r#"{"tag": "x", "pr_curve": [1.5], "labels": [1]}"#,
            "'pr_curve': score 0 is 1.5",
        ),
        (
            r#"{"tag": "x", "pr_curve": [0.5], "labels": [2]}"#,
            "'labels' holds 2, not only 0 and 1",
        ),
        (
            r#"{"tag": "x", "pr_curve": [0.5]}"#,
            "'pr_curve' needs 'labels' too",
        ),
        (
            r#"{"tag": "x", "pr_curve": {"true_positives": [1]}}"#,
            "'pr_curve' needs 'false_positives' too",
        ),
        (
            r#"{"tag": "x", "roc": [0.5, 0.1], "labels": [1, 1]}"#,
            "'roc' needs positives and negatives",
        ),
        (
            r#"{"tag": "x", "roc": {"a": [0.5]}, "labels": {"b": [1]}}"#,
            "'labels' has none for 'a'",
        ),
        (
            r#"{"tag": "x", "reliability": [2], "labels": [1]}"#,
            "'reliability' holds 2, not only scores",
        ),
        (
            r#"{"tag": "x", "reliability": [1], "labels": [1], "bins": 0}"#,
            "'bins' is 0, not 1 to 100",
        ),
        (r#"{"tag": "x", "confusion": [[1, 2]]}"#, "'confusion': "),
        (
            r#"{"tag": "x", "confusion": [1], "labels": [999999999]}"#,
            "'confusion' has 1000000000 classes",
        ),
        (
            r#"{"tag": "x", "confusion": ["a"], "labels": ["a"]}"#,
            "'confusion' holds names of classes",
        ),
        (
            r#"{"tag": "x", "mesh": [[0, 1]]}"#,
            "'mesh' is of shape [1, 2], not",
        ),
        (
            r#"{"tag": "x", "mesh": [[0, 0, 0]], "faces": [[0, 0, 1]]}"#,
            "'mesh': face 0 names vertex 1",
        ),
        (
            r#"{"tag": "x", "mesh": [[0, 0, 0]], "colors": [[0, 0, 256]]}"#,
            "'colors' is not an array of arrays of 3",
        ),
        (
            r#"{"tag": "x", "embedding": [1, 2]}"#,
            "'embedding' is of shape [2], not points",
        ),
        (
            r#"{"tag": "x", "embedding": [[1]], "metadata": ["a", "b"]}"#,
            "'embedding': column 'label' has 2 labels",
        ),
        (
            r#"{"tag": "x", "tensor": [1], "plugin": "p", "dtype": "int4"}"#,
            "'dtype' is \"int4\", not one of",
        ),
        (
            r#"{"tag": "x", "tensor": [1, 2], "plugin": "p", "shape": [3]}"#,
            "'tensor': a tensor of shape [3]",
        ),
        (
            r#"{"layout": {"a": {"b": 1}}}"#,
            "chart 'b' is a number, not an array of tags",
        ),
        (
            r#"{"graph": [{"name": "a", "inputs": ["b"]}]}"#,
            "'graph': node 'a' takes its input from 'b'",
        ),
        (
            r#"{"session_end": "success"}"#,
            "no 'hparams' began the session",
        ),
    ];
    let kinds = kinds.map(|(line, reason)| (line.as_bytes(), reason));
    cases.extend(kinds);
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
