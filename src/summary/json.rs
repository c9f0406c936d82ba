//! Whether a text is JSON (RFC 8259), without reading it into anything.
//!
//! A page that gets broken JSON shows nothing at all, so such a text is refused before it is logged.

/// Checks that `text` is one JSON object; else says at which byte it goes wrong.
pub(super) fn check_object(text: &str) -> Result<(), usize> {
    let mut reader = Reader {
        text: text.as_bytes(),
        at: 0,
    };
    reader.space();
    if reader.peek() != Some(b'{') || reader.value(0).is_none() {
        return Err(reader.at);
    }
    reader.space();
    if reader.at == text.len() {
        Ok(())
    } else {
        Err(reader.at)
    }
}

/// Deeper nesting than any settings have, and shallower than any stack.
const MAX_DEPTH: u32 = 100;

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

/// `None` where the text goes wrong; `at` then says where.
impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, text: &[u8]) -> Option<()> {
        let there = self.text.get(self.at..)?.starts_with(text);
        there.then(|| self.at += text.len())
    }

    fn value(&mut self, depth: u32) -> Option<()> {
        self.space();
        match self.peek()? {
            _ if depth > MAX_DEPTH => None,
            b'{' => self.items(b'}', |reader| {
                reader.string()?;
                reader.space();
                reader.expect(b":")?;
                reader.value(depth + 1)
            }),
            b'[' => self.items(b']', |reader| reader.value(depth + 1)),
            b'"' => self.string(),
            b't' => self.expect(b"true"),
            b'f' => self.expect(b"false"),
            b'n' => self.expect(b"null"),
            _ => self.number(),
        }
    }

    /// What stands between brackets, with commas between.
    fn items(&mut self, close: u8, item: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.space();
        if self.peek() == Some(close) {
            return self.expect(&[close]);
        }
        loop {
            self.space();
            item(self)?;
            self.space();
            if self.peek() == Some(close) {
                return self.expect(&[close]);
            }
            self.expect(b",")?;
        }
    }

    fn string(&mut self) -> Option<()> {
        self.expect(b"\"")?;
        loop {
            match self.peek()? {
                b'"' => return self.expect(b"\""),
                b'\\' => {
                    self.at += 1;
                    match self.peek()? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
                        b'u' => {
                            self.at += 1;
                            for _ in 0..4 {
                                self.peek()?.is_ascii_hexdigit().then(|| self.at += 1)?;
                            }
                        }
                        _ => return None,
                    }
                }
                0..0x20 => return None,
                _ => self.at += 1,
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.expect(b"-");
        if self.expect(b"0").is_none() {
            self.digits()?;
        }
        if self.expect(b".").is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_objects_pass() {
        let nested = format!("{{\"a\": {}1{}}}", "[".repeat(90), "]".repeat(90));
        for text in [
            "{}",
            " \n{ } ",
            r#"{"camera": {"cls": "PerspectiveCamera", "fov": 75.5}, "lights": [], "x": [1, -0.5e-3, null]}"#,
            r#"{"\u00e9\n\"": true, "ü": false, "": 0, "e": 1E+2}"#,
            &nested,
        ] {
            assert_eq!(check_object(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_at_its_byte() {
        let deep = "{\"a\":".repeat(100_000);
        for (text, at) in [
            ("", 0),
            ("[]", 0),
            ("null", 0),
            ("{", 1),
            ("{'a': 1}", 1),
            (r#"{"a": 1,}"#, 8),
            (r#"{"a" 1}"#, 5),
            (r#"{"a": 01}"#, 7),
            (r#"{"a": NaN}"#, 6),
            (r#"{"a": .5}"#, 6),
            (r#"{"a": "\x"}"#, 8),
            (r#"{"a": "\u00g0"}"#, 11),
            ("{\"a\": \"\n\"}", 7),
            ("{} x", 3),
            (&deep, 505),
        ] {
            assert_eq!(check_object(text), Err(at), "{:.20}", text);
        }
    }
}
