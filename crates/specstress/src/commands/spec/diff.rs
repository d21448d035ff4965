//! `specstress spec diff`

use std::fmt::Write as _;

use anyhow::anyhow;
use serde::Serialize;
use specstress_judge::{
    Authority, MatchedBy, Section, SectionChange, SectionId, Spec, SpecDiff, WordEdit, word_edits,
};

use crate::cli::JsonArg;
use crate::exit::UsageExt;
use crate::output;

/// Words shown on either side of a change.
const CONTEXT: usize = 8;

#[derive(Debug, Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    diff: &'a SpecDiff,
    /// How texts changed, where that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    texts: Vec<TextChange<'a>>,
}

#[derive(Debug, Serialize)]
struct TextChange<'a> {
    section: &'a SectionId,
    edits: Vec<WordEdit<'a>>,
}

pub(super) fn run(
    old: &Spec,
    new: &Spec,
    text: bool,
    only: Option<&str>,
    json: &JsonArg,
) -> anyhow::Result<()> {
    let mut diff = old.diff(new);
    if let Some(id) = only {
        let id = SectionId::from(id);
        if old.section(&id).is_none() && new.section(&id).is_none() {
            return Err(anyhow!("neither spec has a section with the id {id}")).usage();
        }
        diff.added.retain(|added| *added == id);
        diff.removed.retain(|removed| *removed == id);
        diff.changed
            .retain(|change| change.old == id || change.new == id);
        diff.unchanged = usize::from(
            diff.added.is_empty() && diff.removed.is_empty() && diff.changed.is_empty(),
        );
    }
    let mut texts = Vec::new();
    if text {
        for change in diff.changed.iter().filter(|change| change.text) {
            if let (Some(before), Some(after)) =
                (old.section(&change.old), new.section(&change.new))
            {
                texts.push(TextChange {
                    section: &change.new,
                    edits: word_edits(&before.text, &after.text),
                });
            }
        }
    }
    let shown = Shown { diff: &diff, texts };
    output::give(json, &shown, || words(old, new, &shown))
}

fn words(old: &Spec, new: &Spec, shown: &Shown<'_>) -> String {
    let diff = shown.diff;
    let counted = |is: &dyn Fn(&SectionChange) -> bool| {
        diff.changed.iter().filter(|change| is(change)).count()
    };
    let mut text = format!(
        "{} added, {} removed, {} changed, {} unchanged\nof the changed: {} text, {} title, {} authority, {} renamed, {} moved\n",
        diff.added.len(),
        diff.removed.len(),
        diff.changed.len(),
        diff.unchanged,
        counted(&|change| change.text),
        counted(&|change| change.title.is_some()),
        counted(&|change| change.authority.is_some()),
        counted(&SectionChange::is_renamed),
        counted(&SectionChange::is_moved),
    );
    list(&mut text, "Added", '+', &diff.added, new);
    list(&mut text, "Removed", '-', &diff.removed, old);
    if !diff.changed.is_empty() {
        text.push_str("\nChanged\n");
    }
    for change in &diff.changed {
        let _ = writeln!(text, "  ~ {}: {}", change.new, ways(change).join("; "));
        let edits = shown
            .texts
            .iter()
            .find(|changed| *changed.section == change.new);
        for line in edits.map_or_else(Vec::new, |changed| hunks(&changed.edits)) {
            let _ = writeln!(text, "      {line}");
        }
    }
    text
}

fn list(text: &mut String, title: &str, mark: char, ids: &[SectionId], spec: &Spec) {
    if ids.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    for section in ids.iter().filter_map(|id| spec.section(id)) {
        let authority = section
            .authority
            .as_ref()
            .map_or_else(String::new, |level| format!(", {level}"));
        let Section { id, title, .. } = section;
        let _ = writeln!(text, "  {mark} {id}: {title}{authority}");
    }
}

fn ways(change: &SectionChange) -> Vec<String> {
    let mut ways = Vec::new();
    if change.is_renamed() {
        let why = match change.matched {
            MatchedBy::Text => "text",
            _ => "title",
        };
        ways.push(format!("was {}, matched by {why}", change.old));
    }
    if let Some(title) = &change.title {
        ways.push(format!("title {:?} was {:?}", title.new, title.old));
    }
    if let Some(authority) = &change.authority {
        let name = |level: &Option<Authority>| {
            level
                .as_ref()
                .map_or_else(|| "none".to_owned(), ToString::to_string)
        };
        let (old, new) = (name(&authority.old), name(&authority.new));
        ways.push(format!("authority {old} -> {new}"));
    }
    if let Some(parent) = &change.parent {
        let name = |id: &Option<SectionId>| {
            id.as_ref()
                .map_or_else(|| "the top".to_owned(), ToString::to_string)
        };
        let (old, new) = (name(&parent.old), name(&parent.new));
        ways.push(format!("moved from {old} to {new}"));
    }
    if change.reordered {
        ways.push("moved among its siblings".to_owned());
    }
    if change.text {
        ways.push("text".to_owned());
    }
    ways
}

/// The changed places, each on a line, with a few words around them.
fn hunks(edits: &[WordEdit<'_>]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let last = edits.len().saturating_sub(1);
    for (at, edit) in edits.iter().enumerate() {
        match edit {
            WordEdit::Removed(text) => put(&mut line, &format!("[-{}-]", flat(text))),
            WordEdit::Added(text) => put(&mut line, &format!("{{+{}+}}", flat(text))),
            WordEdit::Same(text) => {
                let words: Vec<&str> = text.split_whitespace().collect();
                let (head, tail) = (at > 0, at < last);
                if head && tail && words.len() <= 2 * CONTEXT {
                    put(&mut line, &words.join(" "));
                    continue;
                }
                if head {
                    let shown = &words[..words.len().min(CONTEXT)];
                    put(&mut line, &shown.join(" "));
                    if shown.len() < words.len() {
                        put(&mut line, "...");
                    }
                    lines.push(std::mem::take(&mut line));
                }
                if tail {
                    let shown = &words[words.len().saturating_sub(CONTEXT)..];
                    if shown.len() < words.len() {
                        put(&mut line, "...");
                    }
                    put(&mut line, &shown.join(" "));
                }
            }
        }
    }
    lines.push(line);
    lines.retain(|line| !line.is_empty());
    lines
}

fn put(line: &mut String, text: &str) {
    if !line.is_empty() && !text.is_empty() {
        line.push(' ');
    }
    line.push_str(text);
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_shown_with_a_few_words_around_it() {
        let old = "one two three four five six seven eight nine ten old a b end";
        let new = "one two three four five six seven eight nine ten new a b c";
        assert_eq!(
            hunks(&word_edits(old, new)),
            ["... three four five six seven eight nine ten [-old-] {+new+} a b [-end-] {+c+}"]
        );
        let far = "x ".repeat(40);
        let edits = word_edits(&far, "y").len();
        assert!(edits >= 2);
        assert_eq!(hunks(&word_edits("same", "same")), Vec::<String>::new());
    }
}
