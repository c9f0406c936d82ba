//! JSON as Python writes it: with the bare words `NaN`, `Infinity` and `-Infinity`.
//!
//! They become strings, which a number may be; nothing inside a string is touched.

const WORDS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// `text` with its bare words quoted; `None` where it has none.
pub(crate) fn quoted(text: &str) -> Option<String> {
    let (mut out, mut rest, mut found) = (String::with_capacity(text.len() + 16), text, false);
    loop {
        // Outside a string, every word begins behind one of these.
        let end = rest.find(['"', '-', 'N', 'I']).unwrap_or(rest.len());
        out.push_str(&rest[..end]);
        rest = &rest[end..];
        let length = match rest.as_bytes().first() {
            None => return found.then_some(out),
            Some(b'"') => string(rest),
            Some(_) => match WORDS.iter().find(|word| stands(rest, word)) {
                Some(word) => {
                    found = true;
                    out.extend(["\"", word, "\""]);
                    rest = &rest[word.len()..];
                    continue;
                }
                None => 1,
            },
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
}

/// Whether `text` begins with `word`, and the word ends there.
fn stands(text: &str, word: &str) -> bool {
    let behind = text.strip_prefix(word).map(|behind| behind.chars().next());
    behind.is_some_and(|next| !next.is_some_and(char::is_alphanumeric))
}

/// The length of the string that `text` begins with, quotes included.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn bare_words_are_quoted_and_strings_are_left_alone() {
        let cases = [
            (r#"{"a": NaN}"#, r#"{"a": "NaN"}"#),
            (
                r#"{"a":-Infinity,"b":[Infinity,NaN]}"#,
                r#"{"a":"-Infinity","b":["Infinity","NaN"]}"#,
            ),
            (
                r#"{"NaN, \" NaN": -1, "ü": NaN, "x": "Infinity"}"#,
                r#"{"NaN, \" NaN": -1, "ü": "NaN", "x": "Infinity"}"#,
            ),
            (r#"{"a": NaN, "b"#, r#"{"a": "NaN", "b"#),
        ];
        for (python, json) in cases {
            assert_eq!(quoted(python).as_deref(), Some(json));
        }
        for unchanged in [
            "",
            r#"{"NaN": "Infinity \"NaN"}"#,
            "Nan",
            "NaNa",
            "-Inf",
            "\"\\",
        ] {
            assert_eq!(quoted(unchanged), None, "{unchanged}");
        }
    }
}
