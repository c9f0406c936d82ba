//! Just enough of Rust's syntax to find what a file imports.
//!
//! Comments, strings and characters are passed over; the rest is words and punctuation.

/// Collects the paths of the use tree at `at`, such as `crate::{a, b::c}`; returns where it ends.
pub fn tree(
    tokens: &[(usize, String)],
    mut at: usize,
    before: &[String],
    paths: &mut Vec<Vec<String>>,
) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.1.as_str());
    let mut path = before.to_vec();
    loop {
        match text(at) {
            "::" => at += 1,
            "{" => {
                at += 1;
                while !["}", ""].contains(&text(at)) {
                    at = tree(tokens, at, &path, paths).max(at + 1);
                    at += usize::from(text(at) == ",");
                }
                return at + 1;
            }
            "as" => {
                // The name under which it is known.
                path.push(text(at + 1).to_owned());
                paths.push(path);
                return at + 2;
            }
            word if word == "*" || word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                path.push(word.to_owned());
                at += 1;
                if !["::", "as"].contains(&text(at)) {
                    paths.push(path);
                    return at;
                }
            }
            // A path that goes on as an expression or a type: `crate::a::f::<T>`.
            _ => {
                paths.push(path);
                return at;
            }
        }
    }
}

/// Words and punctuation, each with its line counted from 1.
pub fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut tokens = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let length = match first {
                _ if word(first) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
                ':' if rest.starts_with("::") => 2,
                _ => first.len_utf8(),
            };
            tokens.push((number + 1, rest[..length].to_owned()));
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// The source with comments left out, and strings and characters empty. Lines stay where they are.
pub fn code(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let after_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let hashes = rest[1.min(rest.len())..]
            .bytes()
            .take_while(|&b| b == b'#')
            .count();
        let raw = first == 'r'
            && (!after_word || code.ends_with(['b', 'c']))
            && rest[1 + hashes..].starts_with('"');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if raw {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = 2 + hashes;
            rest[body..]
                .find(&end)
                .map_or(rest.len(), |at| body + at + end.len())
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\''
            && (rest[1..].starts_with('\\') || rest[1..].chars().nth(1) == Some('\''))
        {
            quoted(rest, '\'')
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.extend(rest[..length].chars().filter(|&c| c == '\n'));
        // So that what stands on both sides stays two words.
        code.push(' ');
        rest = &rest[length..];
    }
    code
}

/// The length of a literal between quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if !escaped && c == quote {
            return at + 1;
        }
        escaped = !escaped && c == '\\';
    }
    text.len()
}

/// The length of a comment that may hold others.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let two = &text.as_bytes()[at..text.len().min(at + 2)];
        at += if two == b"/*" || two == b"*/" { 2 } else { 1 };
        depth += i32::from(two == b"/*") - i32::from(two == b"*/");
        if depth == 0 {
            break;
        }
    }
    at
}
