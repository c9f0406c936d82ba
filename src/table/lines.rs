//! Lines of text, of bounded length.
//!
//! Memory is bounded whatever comes: of a line that is too long only its number is kept.

use std::io::{self, BufRead, Read};

/// The bytes that a line may have: some 400,000 numbers of a histogram. Read as JSON, a line takes up to forty
/// times as much.
pub(crate) const MAX_LINE: usize = 4 << 20;
/// What the buffer keeps between lines.
const KEEP: usize = 64 << 10;

/// Reads lines and numbers them from 1.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    number: u64,
}

/// A line without its end; `None` where it was too long.
pub(crate) type Line<'a> = (u64, Option<&'a [u8]>);

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            number: 0,
        }
    }

    /// The next line; `None` at the end. A last line needs no line end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        self.buffer.shrink_to(KEEP);
        let mut line = self.input.by_ref().take(MAX_LINE as u64 + 1);
        if line.read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        } else if self.buffer.len() > MAX_LINE {
            self.input.skip_until(b'\n')?;
            return Ok(Some((self.number, None)));
        }
        Ok(Some((self.number, Some(&self.buffer))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        let long = vec![b'x'; MAX_LINE + 1];
        let fits = vec![b'y'; MAX_LINE];
        let input = [b"a\n", &long[..], b"\n\nb\r\n", &fits, b"\nend"].concat();
        let mut lines = Lines::new(&input[..]);
        assert_eq!(lines.next().unwrap(), Some((1, Some(&b"a"[..]))));
        assert_eq!(lines.next().unwrap(), Some((2, None)));
        assert_eq!(lines.next().unwrap(), Some((3, Some(&b""[..]))));
        assert_eq!(lines.next().unwrap(), Some((4, Some(&b"b\r"[..]))));
        assert_eq!(lines.next().unwrap(), Some((5, Some(&fits[..]))));
        assert_eq!(lines.next().unwrap(), Some((6, Some(&b"end"[..]))));
        assert_eq!(lines.next().unwrap(), None);
    }
}
