use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use specstress_llm::Digest;

use crate::error::SpecError;
use crate::markdown::{Heading, scan};
use crate::section::{Authority, Section, SectionId};

/// A model spec: the whole text, as judges see it, and its sections, as reports cite it.
///
/// Any Markdown will do. When some headings carry an id (`## Title {#id authority=platform}`), exactly those
/// open sections, and the others are text; when none does, all headings open sections, named after their
/// titles (`Being honest` becomes `being-honest`, its double `being-honest-2`). Fenced blocks are never
/// read for headings. Text before the first section is a section `preamble` of level 0; a text without
/// headings is one section `document`.
///
/// ```
/// use specstress_judge::{Authority, Spec};
///
/// let spec = Spec::parse("# Rules {#rules}\nBe good.\n## Honesty {#honesty authority=user}\nDo not lie.\n")?;
/// let honesty = &spec.sections[1];
/// assert_eq!((honesty.id.as_str(), honesty.text.as_str()), ("honesty", "Do not lie."));
/// assert_eq!(honesty.authority, Some(Authority::User));
/// assert_eq!(honesty.parent.as_ref(), Some(&spec.sections[0].id));
/// # Ok::<(), specstress_judge::SpecError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The sections in order of the document; at least one.
    pub sections: Vec<Section>,
    /// The whole text as given, without a byte order mark.
    pub text: String,
    /// The heading of level 1, when there is exactly one.
    pub title: Option<String>,
}

impl Spec {
    /// Reads a text. Cost: linear in its length.
    ///
    /// # Errors
    /// [`SpecError::NoText`] when there is nothing but white space.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(SpecError::NoText);
        }
        let all = scan(text).headings;
        let mut top = all.iter().filter(|heading| heading.level == 1);
        let title = match (top.next(), top.next()) {
            (Some(only), None) => Some(only.title.to_owned()),
            _ => None,
        };
        Ok(Self {
            sections: sections(text, all),
            text: text.to_owned(),
            title,
        })
    }

    /// Reads a UTF-8 file.
    ///
    /// # Errors
    /// The file cannot be read or holds no text.
    pub fn read(path: &Path) -> Result<Self, SpecError> {
        let text = fs::read_to_string(path).map_err(|source| SpecError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|_| SpecError::EmptyFile {
            path: path.to_owned(),
        })
    }

    /// The section of this name.
    pub fn section(&self, id: &SectionId) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == *id)
    }

    /// SHA-256 of the text, 64 hexadecimal digits: which spec the verdicts were made with.
    pub fn hash(&self) -> String {
        Digest::new("specstress spec 1")
            .field("text", &self.text)
            .hex()
    }
}

fn sections(text: &str, mut headings: Vec<Heading<'_>>) -> Vec<Section> {
    if headings.iter().any(|heading| heading.id.is_some()) {
        headings.retain(|heading| heading.id.is_some());
    }
    let before = headings.first().map_or(text.len(), |first| first.start);
    let mut names = Names::new(&headings);
    let mut sections = Vec::with_capacity(headings.len() + 1);
    if !text[..before].trim().is_empty() {
        let name = if headings.is_empty() {
            "document"
        } else {
            "preamble"
        };
        sections.push(Section {
            id: names.unique(name),
            title: name.to_owned(),
            level: 0,
            authority: None,
            text: text[..before].trim().to_owned(),
            parent: None,
            line: 1,
        });
    }
    // The open sections from the top down.
    let mut path: Vec<(u8, SectionId)> = Vec::new();
    for (at, heading) in headings.iter().enumerate() {
        let end = headings.get(at + 1).map_or(text.len(), |next| next.start);
        let id = match heading.id {
            Some(id) => names.given(id),
            None => names.unique(&slug(heading.title)),
        };
        while path
            .last()
            .is_some_and(|(level, _)| *level >= heading.level)
        {
            path.pop();
        }
        sections.push(Section {
            id: id.clone(),
            title: heading.title.to_owned(),
            level: heading.level,
            authority: heading.authority.map(Authority::from),
            text: text[heading.body..end].trim().to_owned(),
            parent: path.last().map(|(_, parent)| parent.clone()),
            line: heading.line,
        });
        path.push((heading.level, id));
    }
    sections
}

/// Hands out each id once. Ids written in the document go before those made from titles.
struct Names {
    given: BTreeSet<String>,
    used: BTreeSet<String>,
}

impl Names {
    fn new(headings: &[Heading<'_>]) -> Self {
        Self {
            given: headings
                .iter()
                .filter_map(|heading| heading.id.map(ToOwned::to_owned))
                .collect(),
            used: BTreeSet::new(),
        }
    }

    fn given(&mut self, id: &str) -> SectionId {
        if self.used.insert(id.to_owned()) {
            id.into()
        } else {
            self.unique(id)
        }
    }

    fn unique(&mut self, base: &str) -> SectionId {
        let mut name = base.to_owned();
        let mut number = 2;
        while self.given.contains(&name) || self.used.contains(&name) {
            name = format!("{base}-{number}");
            number += 1;
        }
        self.used.insert(name.clone());
        name.into()
    }
}

/// The name of a heading without an id.
pub(crate) fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars().filter(|c| !matches!(c, '\'' | '’')) {
        if c.is_alphanumeric() || c == '_' {
            slug.extend(c.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    match slug.trim_end_matches('-') {
        "" => "section".to_owned(),
        slug => slug.to_owned(),
    }
}
