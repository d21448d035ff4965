use serde::{Deserialize, Serialize};

use crate::section::SectionId;
use crate::spec::Spec;

/// How often a text names a section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// The section.
    pub section: SectionId,
    /// Mentions of its id or title; at least 1.
    pub count: usize,
}

impl Spec {
    /// The sections a judge's reasoning names, in order of the document.
    ///
    /// A section is named by its id or by its title, as whole words, whatever the letter case and the shape
    /// of apostrophes. Ids and titles of a single word (`honesty`, `Overview`) are ordinary words too, so they
    /// count only when marked: `#honesty`, or in backticks, quotes or square brackets. Where the title of
    /// one section is part of another's, the longest match counts. Titles that two sections share count
    /// for the first.
    ///
    /// This finds what a judge wrote, not what it relied on: a lower bound. Cost: the length of the text
    /// times the number of sections.
    ///
    /// ```
    /// use specstress_judge::Spec;
    ///
    /// let spec = Spec::parse("# Be honest {#be_honest}\nx\n# Style {#style}\ny")?;
    /// let cited = spec.citations("It is in good style, but `be_honest` (\"Be honest\") forbids it.");
    /// assert_eq!(cited.len(), 1);
    /// assert_eq!((cited[0].section.as_str(), cited[0].count), ("be_honest", 2));
    /// # Ok::<(), specstress_judge::SpecError>(())
    /// ```
    pub fn citations(&self, text: &str) -> Vec<Citation> {
        let text = plain(text);
        let mut matches: Vec<(usize, usize, usize)> = Vec::new();
        for (at, section) in self.sections.iter().enumerate() {
            let (id, title) = (plain(section.id.as_str()), plain(&section.title));
            let names = if id == title {
                vec![id]
            } else {
                vec![id, title]
            };
            for name in names.iter().filter(|name| !name.is_empty()) {
                matches.extend(mentions(&text, name).map(|start| (start, start + name.len(), at)));
            }
        }
        matches.sort_unstable_by_key(|&(start, end, at)| (start, usize::MAX - end, at));
        let mut counts = vec![0; self.sections.len()];
        let mut covered = 0;
        for (start, end, at) in matches {
            if start >= covered {
                counts[at] += 1;
                covered = end;
            }
        }
        self.sections
            .iter()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
            .map(|(section, count)| Citation {
                section: section.id.clone(),
                count,
            })
            .collect()
    }
}

fn plain(text: &str) -> String {
    text.to_lowercase().replace('’', "'")
}

fn mentions<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let one_word = !name.contains(|c: char| c.is_whitespace() || matches!(c, '_' | '-'));
    text.match_indices(name)
        .map(|(start, _)| start)
        .filter(move |&start| {
            let before = text[..start].chars().next_back();
            let after = text[start + name.len()..].chars().next();
            let marked = matches!(before, Some('#'))
                || matches!(
                    (before, after),
                    (Some('`'), Some('`'))
                        | (Some('"'), Some('"'))
                        | (Some('“'), Some('”'))
                        | (Some('['), Some(']'))
                );
            !before.is_some_and(in_word) && !after.is_some_and(in_word) && (marked || !one_word)
        })
}
