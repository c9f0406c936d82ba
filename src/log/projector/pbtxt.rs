//! Protobuf's text format, as far as settings files use it (protobuf.dev, "Text Format Language
//! Specification"): fields, strings, messages, lists, comments.
//!
//! A field keeps its place in the text, so that one can be replaced and every other byte stays.

use std::ops::Range;

/// A field of a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: Value,
    /// The whole field, name and all.
    pub(super) span: Range<usize>,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A number or a name, as it is written.
    Word(String),
    Text(String),
    Message(Message),
    List(Vec<Self>),
}

/// The fields of a message and, for one between brackets, the place between them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Message {
    pub(super) fields: Vec<Field>,
    pub(super) body: Range<usize>,
}

/// The text is none of the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) line: usize,
    pub(super) what: &'static str,
}

impl Value {
    /// The value, or what a list holds.
    pub(super) fn each(&self) -> &[Self] {
        match self {
            Self::List(values) => values,
            value => std::slice::from_ref(value),
        }
    }
}

/// The fields of a whole file.
pub(super) fn parse(text: &str) -> Result<Message, SyntaxError> {
    let mut parser = Parser { text, at: 0 };
    let fields = parser.fields(None, 0)?;
    Ok(Message {
        fields,
        body: 0..text.len(),
    })
}

/// `text` between quotation marks.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted += "\\n",
            '\t' => quoted += "\\t",
            '\r' => quoted += "\\r",
            '\0'..' ' | '\x7f' => quoted += &format!("\\{:03o}", u32::from(character)),
            _ => quoted.push(character),
        }
    }
    quoted + "\""
}

/// The number of the line that `at` is in, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|&&byte| byte == b'\n').count()
}

/// Deeper nesting than any settings have, and shallower than any stack.
const MAX_DEPTH: u32 = 50;

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn fail<T>(&self, what: &'static str) -> Result<T, SyntaxError> {
        Err(SyntaxError {
            line: line_of(self.text, self.at),
            what,
        })
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Passes over space and comments.
    fn space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn take(&mut self, token: char) -> bool {
        self.space();
        let there = self.rest().starts_with(token);
        if there {
            self.at += token.len_utf8();
        }
        there
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '+');
        let word = &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    /// The fields up to `close`, which is passed over, or up to the end.
    fn fields(&mut self, close: Option<char>, depth: u32) -> Result<Vec<Field>, SyntaxError> {
        if depth > MAX_DEPTH {
            return self.fail("messages nested too deeply");
        }
        let mut fields = Vec::new();
        loop {
            self.space();
            match close {
                None if self.rest().is_empty() => return Ok(fields),
                Some(_) if self.rest().is_empty() => return self.fail("a message is not closed"),
                Some(close) if self.take(close) => return Ok(fields),
                _ => (),
            }
            let start = self.at;
            let name = self.name()?;
            // Before messages, also those of a list, the colon may be missing.
            let value = if self.take(':') || self.rest().starts_with('[') {
                self.value(depth)?
            } else {
                match self.message(depth)? {
                    Some(message) => Value::Message(message),
                    None => return self.fail("a field without a value"),
                }
            };
            let span = start..self.at;
            fields.push(Field { name, value, span });
            if !self.take(',') {
                self.take(';');
            }
        }
    }

    /// A name, or an extension's between brackets.
    fn name(&mut self) -> Result<String, SyntaxError> {
        let rest = self.rest();
        if rest.starts_with('[')
            && let Some(end) = rest.find(']')
        {
            self.at += end + 1;
            return Ok(rest[..=end].to_owned());
        }
        match self.word() {
            "" => self.fail("a field's name is missing"),
            name => Ok(name.to_owned()),
        }
    }

    fn message(&mut self, depth: u32) -> Result<Option<Message>, SyntaxError> {
        let close = if self.take('{') {
            '}'
        } else if self.take('<') {
            '>'
        } else {
            return Ok(None);
        };
        let start = self.at;
        let fields = self.fields(Some(close), depth + 1)?;
        let body = start..self.at - 1;
        Ok(Some(Message { fields, body }))
    }

    fn value(&mut self, depth: u32) -> Result<Value, SyntaxError> {
        if let Some(message) = self.message(depth)? {
            return Ok(Value::Message(message));
        }
        if self.take('[') {
            let mut values = Vec::new();
            if self.take(']') {
                return Ok(Value::List(values));
            }
            loop {
                self.space();
                if self.rest().starts_with('[') {
                    return self.fail("a list within a list");
                }
                values.push(self.value(depth)?);
                if self.take(']') {
                    return Ok(Value::List(values));
                }
                if !self.take(',') {
                    return self.fail("a list is not closed");
                }
            }
        }
        self.space();
        if self.rest().starts_with(['"', '\'']) {
            return self.text();
        }
        match self.word() {
            "" => self.fail("a value is missing"),
            word => Ok(Value::Word(word.to_owned())),
        }
    }

    /// String literals, one after the other, are one text.
    fn text(&mut self) -> Result<Value, SyntaxError> {
        let (mut bytes, mut end) = (Vec::new(), self.at);
        while let Some(quote @ ('"' | '\'')) = self.rest().chars().next() {
            self.at += 1;
            loop {
                let mut rest = self.rest().chars();
                match rest.next() {
                    None | Some('\n') => return self.fail("a text is not closed"),
                    Some(c) if c == quote => break self.at += 1,
                    Some('\\') => {
                        let length = unescape(rest.as_str().as_bytes(), &mut bytes);
                        match length {
                            Some(length) => self.at += 1 + length,
                            None => return self.fail("an unknown escape in a text"),
                        }
                    }
                    Some(c) => {
                        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                        self.at += c.len_utf8();
                    }
                }
            }
            end = self.at;
            self.space();
        }
        self.at = end;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Value::Text(text)),
            Err(_) => self.fail("a text that is not UTF-8"),
        }
    }
}

/// Appends what an escape stands for; says how long it is, without its backslash.
fn unescape(escape: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let digits = |from: usize, most: usize, radix: u32| {
        let digits = escape.get(from..)?.iter().take(most);
        let digits = digits.map_while(|&byte| char::from(byte).to_digit(radix));
        let (value, count) = digits.fold((0, 0), |(value, count), digit| {
            (value * radix + digit, count + 1)
        });
        (count > 0).then_some((value, from + count))
    };
    let simple = match escape.first()? {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        &mark @ (b'\\' | b'\'' | b'"' | b'?') => mark,
        b'0'..=b'7' => {
            let (value, length) = digits(0, 3, 8)?;
            out.push(u8::try_from(value).ok()?);
            return Some(length);
        }
        b'x' | b'X' => {
            let (value, length) = digits(1, 2, 16)?;
            out.push(u8::try_from(value).ok()?);
            return Some(length);
        }
        mark @ (b'u' | b'U') => {
            let count = if *mark == b'u' { 4 } else { 8 };
            let (value, length) =
                digits(1, count, 16).filter(|&(_, length)| length == 1 + count)?;
            let character = char::from_u32(value)?;
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(length);
        }
        _ => return None,
    };
    out.push(simple);
    Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(message: &Message) -> String {
        let value = |value: &Value| match value {
            Value::Word(word) => word.clone(),
            Value::Text(text) => format!("{text:?}"),
            Value::Message(message) => format!("{{{}}}", shown(message)),
            Value::List(values) => format!("{}*", values.len()),
        };
        let fields = message.fields.iter();
        let fields = fields.map(|field| format!("{}={}", field.name, value(&field.value)));
        fields.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_format_is_read() {
        let text = "# settings\nembeddings { a: 'x\\'' \"y\" ; b<c:-1.5e3, d : true> }  [x.y/z]: [1, 2]\ne: [] # end";
        let message = parse(text).unwrap();
        assert_eq!(
            shown(&message),
            r#"embeddings={a="x'y" b={c=-1.5e3 d=true}} [x.y/z]=2* e=0*"#
        );
        assert_eq!(&text[message.fields[1].span.clone()], "[x.y/z]: [1, 2]");
        assert_eq!(shown(&parse("").unwrap()), "");
    }

    #[test]
    fn a_text_comes_back() {
        let text = "tab\t \"quoted\" \\ line\nü \u{1f600} \u{1} \u{7f} 7";
        let parsed = parse(&format!("a: {}", quoted(text))).unwrap();
        assert_eq!(parsed.fields[0].value, Value::Text(text.to_owned()));
        let escapes = parse(r#"a: "\101\x42\u0043\U00000044\303\274""#).unwrap();
        assert_eq!(escapes.fields[0].value, Value::Text("ABCDü".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let deep = "a{".repeat(100_000);
        for (text, line) in [
            ("a", 1),
            ("a: 1\nb: ", 2),
            ("a {\n b: 1\n", 3),
            ("\n\na: \"x\ny\"", 3),
            ("a: \"\\q\"", 1),
            ("a: \"\\xff\"", 1),
            ("a: [1, 2", 1),
            ("a: [[1]]", 1),
            ("}", 1),
            ("a: 1 }", 1),
            ("[a", 1),
            (&deep, 1),
        ] {
            assert_eq!(
                parse(text).map_err(|error| error.line),
                Err(line),
                "{text:.20}"
            );
        }
    }
}
