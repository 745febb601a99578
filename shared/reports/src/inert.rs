//! Takes out of a text what a terminal or a log would obey instead of show.

/// The text in one line, without control characters and without characters that turn the direction of writing.
pub fn inert(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c => c,
        })
        .filter(|c| {
            !c.is_control()
                && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::inert;

    #[test]
    fn a_name_can_t_move_the_cursor_or_turn_the_line() {
        assert_eq!(inert("a\u{1b}[2Jb"), "a[2Jb");
        assert_eq!(inert("one\ntwo"), "one two");
        assert_eq!(inert("abc\u{202e}def"), "abcdef");
        assert_eq!(inert("Zoë – ü"), "Zoë – ü");
    }
}
