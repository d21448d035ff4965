/// Collects blocks, one blank line apart.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: String,
}

impl Writer {
    fn block(&mut self, block: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(block);
        self.text.push('\n');
    }

    /// A heading; `text` is escaped already.
    pub(crate) fn heading(&mut self, level: usize, text: &str) {
        self.block(&format!("{} {text}", "#".repeat(level)));
    }

    /// A paragraph; `text` is escaped already.
    pub(crate) fn paragraph(&mut self, text: &str) {
        self.block(text);
    }

    /// A table whose first column is text and whose others are numbers; cells are escaped already.
    pub(crate) fn table<const N: usize>(&mut self, head: [&str; N], rows: Vec<[String; N]>) {
        self.wide_table(
            &head.map(str::to_owned),
            &rows.into_iter().map(Vec::from).collect::<Vec<_>>(),
        );
    }

    /// The same for a number of columns known only from the data.
    pub(crate) fn wide_table(&mut self, head: &[String], rows: &[Vec<String>]) {
        self.aligned(head, rows, "---:");
    }

    /// A table of two columns of text; cells are escaped already.
    pub(crate) fn text_table(&mut self, head: [&str; 2], rows: Vec<[String; 2]>) {
        let rows: Vec<_> = rows.into_iter().map(Vec::from).collect();
        self.aligned(&head.map(str::to_owned), &rows, "---");
    }

    fn aligned(&mut self, head: &[String], rows: &[Vec<String>], rest: &str) {
        let mut lines = vec![line(head)];
        let rule: Vec<&str> = (0..head.len())
            .map(|column| if column == 0 { "---" } else { rest })
            .collect();
        lines.push(format!("|{}|", rule.join("|")));
        lines.extend(rows.iter().map(|row| line(row)));
        self.block(&lines.join("\n"));
    }

    /// Text as it is, in a fence longer than any run of backticks in it.
    pub(crate) fn fenced(&mut self, text: &str) {
        let fence = "`".repeat(longest_run(text, '`').max(2) + 1);
        self.block(&format!("{fence}text\n{}\n{fence}", text.trim_end()));
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

fn longest_run(text: &str, wanted: char) -> usize {
    let (mut longest, mut run) = (0, 0);
    for character in text.chars() {
        run = if character == wanted { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Text for a cell, a heading or a sentence: on one line, with everything that Markdown or HTML would read
/// as markup escaped.
pub(crate) fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (place, word) in text.split_whitespace().enumerate() {
        if place > 0 {
            out.push(' ');
        }
        for character in word.chars() {
            match character {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' | '!' => {
                    out.push('\\');
                    out.push(character);
                }
                _ => out.push(character),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped_and_lines_are_joined() {
        assert_eq!(
            inline("a|b `c` <script>\n</td> & *d* [e](f) \\"),
            "a\\|b \\`c\\` &lt;script&gt; &lt;/td&gt; &amp; \\*d\\* \\[e\\](f) \\\\"
        );
    }

    #[test]
    fn no_text_closes_its_fence() {
        let mut writer = Writer::default();
        writer.fenced("a\n````\n# not a heading");
        assert_eq!(
            writer.finish(),
            "`````text\na\n````\n# not a heading\n`````\n"
        );
    }

    #[test]
    fn tables_align_numbers_to_the_right() {
        let mut writer = Writer::default();
        writer.table(["a", "b"], vec![["x".to_owned(), "1".to_owned()]]);
        assert_eq!(writer.finish(), "| a | b |\n|---|---:|\n| x | 1 |\n");
    }
}
