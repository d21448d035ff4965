//! Finding the headings of a Markdown text: ATX and setext, outside fences.

/// A heading, with the byte ranges around it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heading<'a> {
    pub(crate) level: u8,
    pub(crate) title: &'a str,
    pub(crate) id: Option<&'a str>,
    pub(crate) authority: Option<&'a str>,
    /// From 1.
    pub(crate) line: usize,
    /// Where the heading starts.
    pub(crate) start: usize,
    /// Where the text below it starts.
    pub(crate) body: usize,
}

/// What one pass over a text finds.
#[derive(Debug, Default)]
pub(crate) struct Scan<'a> {
    /// All headings in order.
    pub(crate) headings: Vec<Heading<'a>>,
    /// Lines in fenced blocks that would be headings outside.
    pub(crate) fenced_headings: usize,
    /// The line of the fence that never closes.
    pub(crate) open_fence: Option<usize>,
    /// Links to headings of the text itself, outside fences: line and target without `#`.
    pub(crate) links: Vec<(usize, &'a str)>,
}

/// Lines in fenced blocks are no headings, however they look; a fence that never closes runs to the end. Fences may
/// be indented to any depth and follow the marks of lists and quotes.
pub(crate) fn scan(text: &str) -> Scan<'_> {
    let mut scan = Scan::default();
    let found = &mut scan.headings;
    let mut fence: Option<(char, usize)> = None;
    let mut opened_at = 0;
    // The line before when it could be the text of a setext heading: (offset, line).
    let mut paragraph: Option<(usize, &str)> = None;
    let mut fresh = true;
    let mut offset = 0;
    for (at, raw) in text.split_inclusive('\n').enumerate() {
        let start = offset;
        offset += raw.len();
        let line = raw.trim_end();
        if let Some((mark, length)) = fence {
            if closes_fence(line, mark, length) {
                fence = None;
                fresh = true;
            } else if atx(line).is_some() {
                scan.fenced_headings += 1;
            }
            continue;
        }
        let previous = paragraph.take();
        if let Some(opened) = opens_fence(line) {
            fence = Some(opened);
            opened_at = at + 1;
            continue;
        }
        let links = line.match_indices("](#").filter_map(|(start, mark)| {
            let target = line[start + mark.len()..].split_once(')')?.0;
            Some((at + 1, target))
        });
        scan.links.extend(links);
        if let Some((level, rest)) = atx(line) {
            found.push(heading(level, rest, at + 1, start, offset));
            fresh = true;
        } else if let (Some(level), Some((above, title))) = (setext(line), previous) {
            found.push(heading(level, title.trim(), at, above, offset));
            fresh = true;
        } else {
            let blank = line.trim().is_empty();
            if fresh && !blank && is_plain(line) {
                paragraph = Some((start, line));
            }
            fresh = blank;
        }
    }
    scan.open_fence = fence.map(|_| opened_at);
    scan
}

/// A fence can stand in a list item or quote, right after its marks.
fn without_marks(mut line: &str) -> &str {
    loop {
        line = line.trim_start_matches([' ', '\t', '>']);
        let item = line
            .strip_prefix(['-', '*', '+'])
            .or_else(|| {
                line.trim_start_matches(|c: char| c.is_ascii_digit())
                    .strip_prefix(['.', ')'])
            })
            .filter(|rest| rest.starts_with(' '));
        match item {
            Some(rest) => line = rest,
            None => return line,
        }
    }
}

fn opens_fence(line: &str) -> Option<(char, usize)> {
    let line = without_marks(line);
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.chars().take_while(|c| *c == mark).count();
    let info = &line[length..];
    // "```x``` y" is code within a line.
    (length >= 3 && (mark == '~' || !info.contains('`'))).then_some((mark, length))
}

fn closes_fence(line: &str, mark: char, length: usize) -> bool {
    let line = line.trim_start_matches([' ', '\t', '>']);
    line.len() >= length && line.chars().all(|c| c == mark)
}

/// The text at up to three spaces of indentation; more is code.
fn unindented(line: &str) -> Option<&str> {
    let text = line.trim_start_matches(' ');
    (line.len() - text.len() < 4).then_some(text)
}

fn atx(line: &str) -> Option<(u8, &str)> {
    let line = unindented(line)?;
    let rest = line.trim_start_matches('#');
    let level = u8::try_from(line.len() - rest.len()).ok()?;
    let marked = (1..=6).contains(&level) && (rest.is_empty() || rest.starts_with([' ', '\t']));
    marked.then_some((level, rest.trim()))
}

fn setext(line: &str) -> Option<u8> {
    let line = unindented(line)?;
    let all = |mark| line.len() >= 3 && line.chars().all(|c| c == mark);
    if all('=') {
        Some(1)
    } else if all('-') {
        Some(2)
    } else {
        None
    }
}

/// Whether a line starts an ordinary paragraph, not a list, quote, table, tag or rule.
fn is_plain(line: &str) -> bool {
    unindented(line).is_some_and(|text| {
        !text.starts_with(['>', '-', '*', '+', '|', '<', '=', '_'])
            && !text
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .starts_with(['.', ')'])
    })
}

fn heading(level: u8, text: &str, line: usize, start: usize, body: usize) -> Heading<'_> {
    let text = without_closing_marks(text);
    let mut heading = Heading {
        level,
        title: text,
        id: None,
        authority: None,
        line,
        start,
        body,
    };
    if let Some((title, attributes)) = text.strip_suffix('}').and_then(|t| t.rsplit_once('{')) {
        for attribute in attributes.split_whitespace() {
            if let Some(id) = attribute.strip_prefix('#').filter(|id| !id.is_empty()) {
                heading.id = Some(id);
            } else if let Some(level) = attribute.strip_prefix("authority=") {
                heading.authority = Some(level.trim_matches('"')).filter(|level| !level.is_empty());
            }
        }
        // Braces without anything of that kind belong to the title.
        if heading.id.is_some() || heading.authority.is_some() {
            heading.title = without_closing_marks(title.trim());
        }
    }
    heading
}

/// Drops the marks at the end of `# Title #`; those of `# C#` stay.
fn without_closing_marks(text: &str) -> &str {
    let bare = text.trim_end_matches('#');
    if bare.is_empty() || bare.ends_with([' ', '\t']) {
        bare.trim_end()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(text: &str) -> Vec<(u8, &str, usize)> {
        scan(text)
            .headings
            .into_iter()
            .map(|heading| (heading.level, heading.title, heading.line))
            .collect()
    }

    #[test]
    fn both_kinds_of_heading_are_found_and_lookalikes_are_not() {
        let text = "Top\n===\n\n# One #\ntext\n#no space\n####### seven\n    # code\n   ## Two C#\n\n- item\n---\n\npara\nmore\n---\n\n---\n\nSub\n---\n#\n";
        assert_eq!(
            titles(text),
            [
                (1, "Top", 1),
                (1, "One", 4),
                (2, "Two C#", 9),
                (2, "Sub", 20),
                (1, "", 22)
            ]
        );
    }

    #[test]
    fn nothing_in_a_fence_is_a_heading() {
        let text = "~~~xml\n# a\n```\n# b\n```\n~~~~ x\n# c\n~~~~\n# D\n  - ```py\n    # e\n    ```\n\n    ```\n# f\n    ```\n`` # g ``\n```x``` y\n# H\n````\n```\n# i\n";
        assert_eq!(titles(text), [(1, "D", 9), (1, "H", 19)]);
    }

    #[test]
    fn attributes_are_read_whatever_else_stands_with_them() {
        let found = scan(
            "## A b {#a_b authority=root tags=x}\n# C {#c} ##\n# D {x}\n# E {authority=\"user\"}\n# {#f}",
        )
        .headings;
        let attributes: Vec<_> = found.iter().map(|h| (h.title, h.id, h.authority)).collect();
        assert_eq!(
            attributes,
            [
                ("A b", Some("a_b"), Some("root")),
                ("C", Some("c"), None),
                ("D {x}", None, None),
                ("E", None, Some("user")),
                ("", Some("f"), None),
            ]
        );
    }

    #[test]
    fn front_matter_and_windows_line_ends_do_no_harm() {
        assert_eq!(
            titles("---\ntitle: x\n---\n\r\n# A\r\nb\r\n"),
            [(1, "A", 5)]
        );
    }
}
