use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::markdown::scan;
use crate::section::{Authority, SectionId};
use crate::spec::{Spec, slug};

/// What a spec consists of, and what is wrong with it; see [`Spec::check`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpecCheck {
    /// The heading of level 1, when there is exactly one.
    pub title: Option<String>,
    /// Sections.
    pub sections: usize,
    /// Headings that carry an id.
    pub with_id: usize,
    /// Sections that carry an authority.
    pub with_authority: usize,
    /// Sections by authority, the one that binds most first.
    pub by_authority: Vec<AuthorityCount>,
    /// Lines in fenced blocks that look like headings and are none.
    pub fenced_headings: usize,
    /// What is wrong, by line.
    pub problems: Vec<SpecProblem>,
}

impl SpecCheck {
    /// Whether judges and reports can rely on the spec: no problem is an error.
    pub fn is_usable(&self) -> bool {
        self.problems.iter().all(|problem| !problem.kind.is_error())
    }
}

/// How many sections have one authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorityCount {
    /// The level.
    pub authority: Authority,
    /// Sections.
    pub sections: usize,
}

/// Something wrong with a spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpecProblem {
    /// The line, from 1.
    pub line: usize,
    /// What it is.
    #[serde(flatten)]
    pub kind: ProblemKind,
}

/// The ways a spec can be wrong. The display says what to do.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum ProblemKind {
    /// A fenced block that never ends: nothing after it is read for headings.
    OpenFence,
    /// An id that an earlier heading has too.
    DuplicateId {
        /// The id.
        id: SectionId,
        /// Line of the earlier one.
        first: usize,
    },
    /// A title that an earlier section has too.
    DuplicateTitle {
        /// The title.
        title: String,
        /// Line of the earlier one.
        first: usize,
    },
    /// A level of authority that is none of the published ones.
    UnknownAuthority {
        /// The level as written.
        authority: String,
    },
    /// A heading with an authority that opens no section, since it has no id and others have.
    AuthorityWithoutId {
        /// The heading's title.
        title: String,
    },
    /// A section without text and without subsections.
    EmptySection {
        /// The section.
        id: SectionId,
    },
    /// A link to a heading that is not there.
    DanglingLink {
        /// What it points at.
        target: String,
    },
}

impl ProblemKind {
    /// Whether the spec cannot be relied on: a citation could mean two sections, or text would go unread. The others
    /// are warnings.
    pub fn is_error(&self) -> bool {
        matches!(self, Self::OpenFence | Self::DuplicateId { .. })
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenFence => f.write_str(
                "this fenced block never ends, so no heading after it is read; close it with the same marks",
            ),
            Self::DuplicateId { id, first } => write!(
                f,
                "id {:?} is that of line {first} too; give one of them another id",
                id.as_str()
            ),
            Self::DuplicateTitle { title, first } => write!(
                f,
                "title {title:?} is that of line {first} too; a judge that names it means the first"
            ),
            Self::UnknownAuthority { authority } => write!(
                f,
                "authority {authority:?} is none of root, platform, system, developer, user, guideline; it ranks below them"
            ),
            Self::AuthorityWithoutId { title } => write!(
                f,
                "heading {title:?} has an authority but no id, so it opens no section; give it an id"
            ),
            Self::EmptySection { id } => write!(
                f,
                "section {:?} has no text and no subsections",
                id.as_str()
            ),
            Self::DanglingLink { target } => {
                write!(f, "link to #{target}, which no heading is called")
            }
        }
    }
}

impl Spec {
    /// Counts what is there and looks for what is wrong. Cost: linear in the text.
    ///
    /// ```
    /// use specstress_judge::Spec;
    ///
    /// let check = Spec::parse("# A {#a authority=king}\nSee [b](#b).\n# B {#a}\nText.")?.check();
    /// assert_eq!((check.sections, check.with_id, check.with_authority), (2, 2, 1));
    /// let problems: Vec<String> = check.problems.iter().map(|p| format!("{}: {}", p.line, p.kind)).collect();
    /// assert!(problems[0].starts_with("1: authority \"king\" is none of"));
    /// assert_eq!(problems[1], "2: link to #b, which no heading is called");
    /// assert_eq!(problems[2], "3: id \"a\" is that of line 1 too; give one of them another id");
    /// assert!(!check.is_usable());
    /// # Ok::<(), specstress_judge::SpecError>(())
    /// ```
    pub fn check(&self) -> SpecCheck {
        let scan = scan(&self.text);
        let with_id = scan.headings.iter().filter(|h| h.id.is_some()).count();
        let mut problems: Vec<SpecProblem> = Vec::new();
        let mut report = |line, kind| problems.push(SpecProblem { line, kind });

        if let Some(line) = scan.open_fence {
            report(line, ProblemKind::OpenFence);
        }
        let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
        for heading in &scan.headings {
            match (heading.id, heading.authority) {
                (Some(id), _) => {
                    if let Some(&first) = ids.get(id) {
                        let id = id.into();
                        report(heading.line, ProblemKind::DuplicateId { id, first });
                    } else {
                        ids.insert(id, heading.line);
                    }
                }
                (None, Some(_)) if with_id > 0 => {
                    let title = heading.title.to_owned();
                    report(heading.line, ProblemKind::AuthorityWithoutId { title });
                }
                _ => {}
            }
        }
        let mut levels: BTreeMap<&Authority, usize> = BTreeMap::new();
        let mut titles: BTreeMap<String, usize> = BTreeMap::new();
        for (at, section) in self.sections.iter().enumerate() {
            if let Some(authority) = &section.authority {
                *levels.entry(authority).or_default() += 1;
                if let Authority::Other(name) = authority {
                    let authority = name.clone();
                    report(section.line, ProblemKind::UnknownAuthority { authority });
                }
            }
            let title = section.title.to_lowercase();
            match titles.get(&title) {
                Some(&first) if section.level > 0 => {
                    let title = section.title.clone();
                    report(section.line, ProblemKind::DuplicateTitle { title, first });
                }
                _ => {
                    titles.insert(title, section.line);
                }
            }
            let next = self.sections.get(at + 1);
            let has_parts = next.is_some_and(|next| next.parent.as_ref() == Some(&section.id));
            if section.text.is_empty() && !has_parts {
                let id = section.id.clone();
                report(section.line, ProblemKind::EmptySection { id });
            }
        }
        for (line, target) in &scan.links {
            let known = |target: &str| {
                ids.contains_key(target)
                    || self.section(&target.into()).is_some()
                    || scan
                        .headings
                        .iter()
                        .any(|h| h.id.is_none() && slug(h.title) == target)
            };
            if !known(target) {
                let target = (*target).to_owned();
                report(*line, ProblemKind::DanglingLink { target });
            }
        }
        problems.sort_by_key(|problem| problem.line);
        SpecCheck {
            title: self.title.clone(),
            sections: self.sections.len(),
            with_id,
            with_authority: levels.values().sum(),
            by_authority: levels
                .into_iter()
                .map(|(authority, sections)| AuthorityCount {
                    authority: authority.clone(),
                    sections,
                })
                .collect(),
            fenced_headings: scan.fenced_headings,
            problems,
        }
    }
}
