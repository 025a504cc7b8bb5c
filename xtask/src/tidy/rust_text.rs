//! Rust source with everything blanked out that is not code, so that plain searches can be trusted.

/// Replaces comments, strings and characters by spaces. Lines and columns (in bytes) stay.
pub(super) fn blank_out(source: &str) -> String {
    let mut rest = source;
    let mut code = String::with_capacity(source.len());
    while let Some(first) = rest.chars().next() {
        let previous = code.chars().next_back();
        let length = length_of_non_code(rest, previous);
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (hidden, after) = rest.split_at(length);
            code.extend(hidden.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
            rest = after;
        }
    }
    code
}

/// Says how many bytes at the start of `text` are a comment, string or character; 0 for code.
fn length_of_non_code(text: &str, previous: Option<char>) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return length_of_block_comment(text);
    }
    let in_word = previous.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    if !in_word && let Some(length) = length_of_raw_string(text) {
        return length;
    }
    if text.starts_with('"') {
        return length_of_string(text);
    }
    if text.starts_with('\'') {
        return length_of_character(text);
    }
    0
}

/// Block comments nest.
fn length_of_block_comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut index) = (0, 0);
    while index < bytes.len() {
        match bytes.get(index..index + 2) {
            Some(b"/*") => (depth, index) = (depth + 1, index + 2),
            Some(b"*/") => (depth, index) = (depth - 1, index + 2),
            _ => index += 1,
        }
        if depth == 0 {
            break;
        }
    }
    // Only ever called on text whose comment begins and ends in ASCII, so this is a boundary.
    index.min(text.len())
}

/// `r"…"`, `r#"…"#`, and both with a `b` or `c` before.
fn length_of_raw_string(text: &str) -> Option<usize> {
    let after_prefix = text.strip_prefix(['b', 'c']).unwrap_or(text).strip_prefix('r')?;
    let body = after_prefix.trim_start_matches('#');
    let hashes = after_prefix.len() - body.len();
    let content = body.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = content.find(&end).map_or(content.len(), |start| start + end.len());
    Some(text.len() - content.len() + length)
}

fn length_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (index, letter) in text.char_indices().skip(1) {
        match letter {
            '"' if !is_escaped => return index + 1,
            _ => is_escaped = letter == '\\' && !is_escaped,
        }
    }
    text.len()
}

/// A character has a closing quote after one letter or an escape; a lifetime has none.
fn length_of_character(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    match letters.next() {
        Some((_, '\\')) => {
            letters.next();
            text[2..]
                .char_indices()
                .skip(1)
                .find(|(_, letter)| *letter == '\'')
                .map_or(0, |(index, _)| index + 3)
        }
        Some(_) => match letters.next() {
            Some((index, '\'')) => index + 1,
            _ => 0,
        },
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares the words that are left, and that nothing has moved.
    fn check(source: &str, expected: &str) {
        let code = blank_out(source);
        assert_eq!(code.len(), source.len(), "{source}");
        assert_eq!(code.lines().count(), source.lines().count(), "{source}");
        let words = code.split_whitespace().collect::<Vec<_>>();
        assert_eq!(words, expected.split(' ').collect::<Vec<_>>(), "{source}");
    }

    #[test]
    fn only_code_is_left() {
        check("a // fn b() {\nc", "a c");
        check("a /* x /* y */ { */ c", "a c");
        check(r#"f("}{\"", x)"#, "f( , x)");
        check("r#\"a\"b{\"# + x", "+ x");
        check("br\"{\" + for_r", "+ for_r");
        check("match c { '{' => '\\'', '\\u{7b}' => x }", "match c { => , => x }");
        check("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}");
        check("\"é\" x", "x");
    }
}
