use std::fmt::Write as _;

/// Text fit for a URL: letters, digits, `-._~` and the bytes to keep stay as they are.
pub(crate) fn encode(text: &str, keep: &[u8]) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn nothing_in_a_name_ends_a_path() {
        assert_eq!(encode("meta/llama-4:free", b":/"), "meta/llama-4:free");
        assert_eq!(encode("a?key=b#c d/+", b""), "a%3Fkey%3Db%23c%20d%2F%2B");
    }
}
