use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::quote::{FEWEST_WORDS, QuoteText};
use crate::section::SectionId;
use crate::spec::Spec;
use crate::verdict::Verdict;

/// What became of looking a quote up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuoteMatch {
    /// It stands where it is said to, word by word.
    Exact,
    /// It stands there with small changes.
    Fuzzy,
    /// It stands in another section than the one cited.
    Elsewhere,
    /// It is there, but has fewer than three words and is not all of the text: any text has such words.
    Short,
    /// It stands nowhere.
    Missing,
}

impl QuoteMatch {
    /// All five.
    pub const ALL: [Self; 5] = [
        Self::Exact,
        Self::Fuzzy,
        Self::Elsewhere,
        Self::Short,
        Self::Missing,
    ];

    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Fuzzy => "fuzzy",
            Self::Elsewhere => "elsewhere",
            Self::Short => "short",
            Self::Missing => "missing",
        }
    }

    /// Whether it stands where it is said to.
    pub fn is_located(self) -> bool {
        matches!(self, Self::Exact | Self::Fuzzy)
    }
}

impl fmt::Display for QuoteMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for QuoteMatch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or_else(|| format!("unknown match of a quote {text:?}"))
    }
}

/// A quote that was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The quote as the judge wrote it.
    pub text: String,
    /// What became of it.
    pub found: QuoteMatch,
    /// Where it stands: bytes of the section's text, or of the answer. `None` where it stands nowhere, or in a heading.
    pub range: Option<Range<usize>>,
    /// The section it stands in, when that is not the cited one.
    pub elsewhere: Option<SectionId>,
}

/// How a citation came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CitationSource {
    /// The judge cited it.
    Stated,
    /// The judge cited nothing, and its reasoning names the section.
    Named,
}

/// A citation after looking it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedCitation {
    /// The id of the section, or what the judge wrote where the spec has no such section.
    pub section: String,
    /// Whether the spec has it.
    pub known: bool,
    /// How it came about.
    pub source: CitationSource,
    /// The words of the spec.
    pub spec_quote: Option<Quote>,
    /// The words of the answer.
    pub answer_quote: Option<Quote>,
}

/// Looks up what judges cite (method: section 12, item 5): a spec's quotes in the cited section only, so that a
/// quote from elsewhere, or from nowhere, does not pass.
///
/// ```
/// use specstress_judge::{Locator, QuoteMatch, Spec, parse_verdict};
///
/// let spec = Spec::parse("# Candour {#candour}\nSay what you know.\n# Care {#care}\nBe kind to those you meet.")?;
/// let verdict = parse_verdict(
///     r#"{"reasoning": "It hides facts.", "decision": "non-compliant", "citations": [
///         {"section": "candour", "spec_quote": "Say what you know", "answer_quote": "I keep it to myself"},
///         {"section": "[candour]", "spec_quote": "be kind to those you meet"},
///         {"section": "loyalty", "spec_quote": "Always obey your maker"}]}"#,
/// )?;
/// let cited = Locator::new(&spec).locate(&verdict, "Sorry, I keep it to myself.");
/// let found: Vec<_> = cited.iter().filter_map(|c| c.spec_quote.as_ref()).map(|quote| quote.found).collect();
/// assert_eq!(found, [QuoteMatch::Exact, QuoteMatch::Elsewhere, QuoteMatch::Missing]);
/// assert_eq!(cited[0].answer_quote.as_ref().unwrap().range, Some(7..26));
/// assert!(!cited[2].known);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Locator {
    spec: Spec,
    texts: Vec<QuoteText>,
    titles: Vec<QuoteText>,
}

impl Locator {
    /// Prepares all sections. Cost: linear in the spec.
    pub fn new(spec: &Spec) -> Self {
        let prepare = |text: &str| QuoteText::new(text);
        let sections = &spec.sections;
        Self {
            texts: sections
                .iter()
                .map(|section| prepare(&section.text))
                .collect(),
            titles: sections
                .iter()
                .map(|section| prepare(&section.title))
                .collect(),
            spec: spec.clone(),
        }
    }

    /// The spec.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Looks up every citation of a verdict, in its order; none is dropped. For a verdict without any, the sections
    /// that its reasoning [names](Spec::citations).
    ///
    /// Cost: linear in the cited sections and the answer; in the whole spec for a quote that is not where it should be.
    pub fn locate(&self, verdict: &Verdict, answer: &str) -> Vec<LocatedCitation> {
        if verdict.citations.is_empty() {
            let named = self.spec.citations(&verdict.reasoning).into_iter();
            return named
                .map(|citation| LocatedCitation {
                    section: citation.section.into(),
                    known: true,
                    source: CitationSource::Named,
                    spec_quote: None,
                    answer_quote: None,
                })
                .collect();
        }
        let answer = QuoteText::new(answer);
        verdict
            .citations
            .iter()
            .map(|citation| {
                let place = self.spec.place_of(&citation.section);
                LocatedCitation {
                    section: place.map_or_else(
                        || citation.section.clone(),
                        |place| self.spec.sections[place].id.as_str().to_owned(),
                    ),
                    known: place.is_some(),
                    source: CitationSource::Stated,
                    spec_quote: citation
                        .spec_quote
                        .as_deref()
                        .map(|quote| self.in_spec(quote, place)),
                    answer_quote: citation
                        .answer_quote
                        .as_deref()
                        .map(|quote| look(quote, &answer).unwrap_or_else(|| missing(quote))),
                }
            })
            .collect()
    }

    fn in_spec(&self, quote: &str, place: Option<usize>) -> Quote {
        if let Some(place) = place {
            if let Some(found) = look(quote, &self.texts[place]) {
                return found;
            }
            if let Some(found) = look(quote, &self.titles[place]) {
                return Quote {
                    range: None,
                    ..found
                };
            }
        }
        // A few words stand in many sections and say nothing of where they are from.
        if QuoteText::words_of(quote) <= FEWEST_WORDS {
            return missing(quote);
        }
        self.texts
            .iter()
            .zip(&self.spec.sections)
            .find_map(|(text, section)| {
                look(quote, text).map(|found| Quote {
                    found: QuoteMatch::Elsewhere,
                    elsewhere: Some(section.id.clone()),
                    ..found
                })
            })
            .unwrap_or_else(|| missing(quote))
    }
}

fn look(quote: &str, text: &QuoteText) -> Option<Quote> {
    let place = text.find(quote)?;
    let short = QuoteText::words_of(quote) < FEWEST_WORDS && !text.is_whole(quote);
    Some(Quote {
        text: quote.to_owned(),
        found: match (short, place.exact) {
            (true, _) => QuoteMatch::Short,
            (false, true) => QuoteMatch::Exact,
            (false, false) => QuoteMatch::Fuzzy,
        },
        range: Some(place.range),
        elsewhere: None,
    })
}

fn missing(quote: &str) -> Quote {
    Quote {
        text: quote.to_owned(),
        found: QuoteMatch::Missing,
        range: None,
        elsewhere: None,
    }
}

impl Spec {
    /// The place of the section that a judge means by a name: its id or its title, with or without `#`, quotes,
    /// backticks and brackets, in any letter case; or a text that names exactly one section.
    pub fn place_of(&self, name: &str) -> Option<usize> {
        let plain = |text: &str| text.to_lowercase().replace('’', "'");
        let bare = |text: &str| {
            plain(text.trim_matches(|c: char| c.is_whitespace() || "#`'\"“”[](){}.:".contains(c)))
        };
        let wanted = bare(name);
        if wanted.is_empty() {
            return None;
        }
        let place = |is: &dyn Fn(&crate::Section) -> bool| self.sections.iter().position(is);
        place(&|section| section.id.as_str() == name)
            .or_else(|| place(&|section| bare(section.id.as_str()) == wanted))
            .or_else(|| place(&|section| bare(&section.title) == wanted))
            .or_else(|| match self.citations(name).as_slice() {
                [only] => place(&|section| section.id == only.section),
                _ => None,
            })
    }
}
