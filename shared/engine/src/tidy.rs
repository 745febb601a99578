//! Text from outside, before it gets into an error or a log.

/// Text from outside, fit for one line of a log: no control characters, no invisible ones that turn text around, and short.
pub fn tidy(text: &str) -> String {
    const LONGEST: usize = 300;
    let mut tidy = String::new();
    let mut length = 0;
    for c in text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| is_harmless(*c)) {
        if c == ' ' && (tidy.is_empty() || tidy.ends_with(' ')) {
            continue;
        }
        if length == LONGEST {
            tidy.pop();
            tidy.push('…');
            break;
        }
        tidy.push(c);
        length += 1;
    }
    tidy.truncate(tidy.trim_end().len());
    tidy
}

fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_becomes_one_short_harmless_line() {
        assert_eq!(tidy(" a\r\n\tb \u{1b}[31mred\u{202e}x\u{0} "), "a b [31mredx");
        let long = tidy(&"é".repeat(1000));
        assert_eq!(long.chars().count(), 300);
        assert!(long.ends_with('…'));
        assert_eq!(tidy(&"é".repeat(300)).chars().filter(|c| *c == 'é').count(), 300);
    }
}
