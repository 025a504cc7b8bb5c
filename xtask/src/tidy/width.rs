//! The length of Rust's lines. `cargo fmt` breaks code, but neither comments nor what it cannot.

/// More columns than this no line may have.
const LIMIT: usize = 100;

/// Lists the lines that are too long: `code` is the text without comments and literals. Long texts
/// between quotes may stay, and so may a comment's only word, such as an address.
pub(super) fn problems(path: &str, text: &str, code: &str) -> Vec<String> {
    let lines = text.lines().zip(code.lines()).zip(1..);
    let too_long = lines.filter(|((line, code), _)| {
        line.chars().count() > LIMIT && is_breakable(line.trim(), code.trim())
    });
    too_long
        .map(|((line, _), number)| {
            let columns = line.chars().count();
            format!("{path}:{number}: {columns} columns, {LIMIT} are the limit")
        })
        .collect()
}

/// Says whether a line could be shorter.
fn is_breakable(line: &str, code: &str) -> bool {
    match line.starts_with("//") {
        true => line.split_whitespace().count() > 2,
        false => !line.contains('"') && !code.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rust_text;

    #[test]
    fn long_lines_are_caught_where_they_can_be_broken() {
        let check = |text: &str, expected: usize| {
            let found = problems("a.rs", text, &rust_text::blank_out(text));
            assert_eq!(found.len(), expected, "{text}");
        };
        let long = "word ".repeat(25);
        check(&format!("/// {long}\nfn a() {{}}"), 1);
        check(&format!("    //! {long}\n// {long}"), 2);
        check(&format!("call(a); // {long}"), 1);
        check(&format!("call({});", "a, ".repeat(40)), 1);
        check(&format!("call(\"{long}\");"), 0);
        check(&format!("call(\"\n{long}\n\");"), 0);
        check(&format!("// https://example.com/{}", "x".repeat(100)), 0);
        check(&format!("// {}", "é".repeat(97)), 0);
        check(&format!("/// {}", "short ".repeat(16)), 0);
    }
}
