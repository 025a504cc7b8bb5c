//! The length of functions: from the signature to the closing brace.

/// Longer than this no function may be; half of it is the aim.
const LIMIT: usize = 70;

/// Lists the functions of blanked-out Rust that are too long.
pub(super) fn problems(path: &str, code: &str) -> Vec<String> {
    functions(code)
        .into_iter()
        .filter(|function| function.lines > LIMIT)
        .map(|Function { name, line, lines }| {
            format!("{path}:{line}: `{name}` has {lines} lines, {LIMIT} are the limit")
        })
        .collect()
}

#[derive(Debug, Eq, PartialEq)]
struct Function<'code> {
    name: &'code str,
    line: usize,
    lines: usize,
}

fn functions(code: &str) -> Vec<Function<'_>> {
    let starts = code.match_indices("fn ").filter(|(start, _)| {
        let before = code[..*start].chars().next_back();
        before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_')
    });
    starts.filter_map(|(start, _)| function_at(code, start)).collect()
}

/// Measures the function whose `fn` is at `start`; none for a pointer type or one without a body.
fn function_at(code: &str, start: usize) -> Option<Function<'_>> {
    let text = &code[start..];
    let name = text["fn ".len()..]
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .next()?;
    if name.is_empty() {
        return None;
    }
    let line = code[..start].matches('\n').count() + 1;
    let lines = text[..length(text)?].matches('\n').count() + 1;
    Some(Function { name, line, lines })
}

/// Finds the closing brace of the first block that is not inside parentheses or brackets.
fn length(text: &str) -> Option<usize> {
    let (mut braces, mut others) = (0_usize, 0_usize);
    for (index, letter) in text.char_indices() {
        match letter {
            '(' | '[' => others += 1,
            ')' | ']' => others = others.saturating_sub(1),
            ';' if braces == 0 && others == 0 => return None,
            '{' if braces > 0 || others == 0 => braces += 1,
            '}' if braces == 1 => return Some(index + 1),
            '}' if braces > 1 => braces -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured_from_signature_to_brace() {
        let code = "trait T { fn none(&self, x: [u8; 2]); }\n\
                    fn one() {}\n\
                    pub fn three<const N: usize>(\n    f: fn (u8) -> u8,\n) -> u8 { f(N) }\n\
                    my_fn (x);\n";
        let found: Vec<_> = functions(code).iter().map(|it| (it.name, it.line, it.lines)).collect();
        assert_eq!(found, [("one", 2, 1), ("three", 3, 3)]);
    }

    #[test]
    fn a_long_function_is_named() {
        let body = |lines: usize| format!("\nfn big() {{\n{}}}\n", "    x();\n".repeat(lines));
        assert_eq!(problems("a.rs", &body(LIMIT - 2)), [""; 0]);
        let found = problems("a.rs", &body(LIMIT - 1));
        assert_eq!(found, ["a.rs:2: `big` has 71 lines, 70 are the limit"]);
    }
}
