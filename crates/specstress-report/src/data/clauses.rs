use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use specstress_dataset::TableDir;
use specstress_dataset::rows::{CitationRow, SectionRow};
use specstress_judge::{CitationSource, ConflictCounter, Decision, Opinion, QuoteMatch, SplitKind};

use crate::data::ballots::{Ballots, Vote};
use crate::data::granularity::{Granularity, GranularityGap};
use crate::data::rate::Rate;
use crate::data::scan::{scan, scan_columns};
use crate::error::ReportError;

/// Most pairs of sections in [`Clauses::conflicts`].
const MOST_PAIRS: usize = 20;

/// What the judges cite of the spec, and what that says of its clauses (method: section 12, items 5 and 12). All
/// samples of answers count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clauses {
    /// Verdicts with a section of the spec, cited or at least named in the reasoning, out of those with a decision.
    pub grounded: Rate,
    /// Those of them whose reasoning names sections but that cite none.
    pub named_only: u64,
    /// Quotes, looked up: all judges.
    pub quotes: Quotes,
    /// The same per judge, in the study's order.
    pub by_judge: Vec<JudgeQuotes>,
    /// Sections that are invoked, in order of the spec.
    pub invoked: Vec<Clause>,
    /// Sections with a text of their own that no judge ever invokes, in order of the spec.
    pub never: Vec<SectionRef>,
    /// Names that judges cite and the spec does not have, most often first, then by name; at most 20.
    pub unknown: Vec<UnknownSection>,
    /// Pairs of sections that pull against each other, by [score](specstress_judge::ConflictCounter); at most 20, and only
    /// those with more conflicts than expected.
    pub conflicts: Vec<ClauseConflict>,
    /// Pairs of sections invoked on one answer.
    pub pairs: u64,
    /// Why judges differ on an answer.
    pub split: Split,
}

/// A section by id and heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionRef {
    /// Its id.
    pub section: String,
    /// Its heading.
    pub title: String,
}

/// A name that judges cite and the spec does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownSection {
    /// What they wrote.
    pub section: String,
    /// Citations.
    pub count: u64,
}

/// Quotes of one kind by what became of looking them up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuoteCounts {
    /// Found where they are said to stand, exactly or with small changes, out of all.
    pub located: Rate,
    /// Word by word.
    pub exact: u64,
    /// With small changes.
    pub fuzzy: u64,
    /// In another section.
    pub elsewhere: u64,
    /// Too short to prove anything.
    pub short: u64,
    /// Nowhere.
    pub missing: u64,
}

impl QuoteCounts {
    fn of(counts: [u64; 5]) -> Self {
        let [exact, fuzzy, elsewhere, short, missing] = counts;
        Self {
            located: Rate::new(exact + fuzzy, counts.iter().sum()),
            exact,
            fuzzy,
            elsewhere,
            short,
            missing,
        }
    }
}

/// Quotes of the spec and of answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quotes {
    /// Words of the spec, looked up in the cited section.
    pub spec: QuoteCounts,
    /// Words of the answer.
    pub answer: QuoteCounts,
}

/// Quotes of one judge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgeQuotes {
    /// The judge.
    pub judge: String,
    /// Its quotes.
    pub quotes: Quotes,
}

/// A section that is invoked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clause {
    /// Which.
    pub section: SectionRef,
    /// Answers on which at least one judge invokes it.
    pub answers: u64,
    /// Verdicts that invoke it, by decision.
    pub compliant: u64,
    /// Non-compliant ones.
    pub non_compliant: u64,
    /// Ambiguous ones.
    pub ambiguous: u64,
    /// Verdicts that invoke it per judge, in the study's order.
    pub by_judge: Vec<u64>,
    /// Quotes from it that stand in it.
    pub located: Rate,
    /// How far answers differ that all comply and invoke it; `None` where no question has two of them.
    pub gap: Option<GranularityGap>,
}

/// Two sections that pull against each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClauseConflict {
    /// The one that comes first in the spec.
    pub first: SectionRef,
    /// The other.
    pub second: SectionRef,
    /// Answers on which both are invoked.
    pub together: u64,
    /// Those of them with evidence of a conflict.
    pub conflicts: u64,
    /// Conflicts expected from how often each is invoked.
    pub expected: f64,
    /// Signed root of the deviance; a rank, not a test.
    pub score: f64,
}

/// Why judges differ on an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// Answers on which judges are of opposite verdict, out of those with two verdicts or more.
    pub answers: Rate,
    /// Judges read a common section differently, out of the answers they differ on.
    pub reading: Rate,
    /// They look at different sections.
    pub activation: Rate,
    /// Of every two opposite judges one names no section.
    pub unknown: Rate,
}

#[derive(Default)]
struct Tally {
    decisions: [u64; 3],
    by_judge: Vec<u64>,
    quotes: (u64, u64),
}

/// Per judge: spec and answer quotes by match.
type QuoteTally = [[u64; 5]; 2];

/// Sections invoked by one verdict: scenario, model, sample, judge.
pub(crate) type Invoked = BTreeMap<VerdictKey, BTreeSet<usize>>;

/// Who cites what: verdicts by scenario, model, sample and judge.
type VerdictKey = (usize, u16, u32, u16);

pub(crate) fn clauses(
    tables: &TableDir,
    ballots: &Ballots,
) -> Result<Option<Clauses>, ReportError> {
    let Some(mut cited) = Cited::of_sections(tables, ballots)? else {
        return Ok(None);
    };
    if !ballots.exists() || !cited.read(tables, ballots)? {
        return Ok(None);
    }
    let answers = Answers::count(ballots, &cited.invoked);
    let gaps = Granularity::read(tables, ballots, &cited.invoked)?;
    Ok(Some(cited.finish(ballots, &answers, &gaps)))
}

/// Counts over citations.
struct Cited {
    /// Sections of the spec, and whether they have a text of their own.
    sections: Vec<(SectionRef, bool)>,
    tallies: Vec<Tally>,
    quotes: Vec<QuoteTally>,
    unknown: BTreeMap<String, u64>,
    invoked: Invoked,
    named: BTreeSet<VerdictKey>,
}

impl Cited {
    fn of_sections(tables: &TableDir, ballots: &Ballots) -> Result<Option<Self>, ReportError> {
        let judges = ballots.judges.names().len();
        let mut cited = Self {
            sections: Vec::new(),
            tallies: Vec::new(),
            quotes: vec![QuoteTally::default(); judges],
            unknown: BTreeMap::new(),
            invoked: Invoked::new(),
            named: BTreeSet::new(),
        };
        let there = scan::<SectionRow>(tables, |_, row| {
            let own = SectionRef {
                section: row.section,
                title: row.title,
            };
            cited.sections.push((own, !row.text.is_empty()));
            cited.tallies.push(Tally {
                by_judge: vec![0; judges],
                ..Tally::default()
            });
            Ok(())
        })?;
        Ok(there.then_some(cited))
    }

    /// Reads the citations; `false` without any table of them.
    fn read(&mut self, tables: &TableDir, ballots: &Ballots) -> Result<bool, ReportError> {
        let places: BTreeMap<String, usize> = self
            .sections
            .iter()
            .enumerate()
            .map(|(place, (section, _))| (section.section.clone(), place))
            .collect();
        scan_columns::<CitationRow, Columns>(tables, |_, row| {
            // Others are of another run's verdicts.
            if let (Some(scenario), Some(model), Some(judge)) = (
                ballots.place(&row.scenario_id),
                ballots.models.find(&row.model),
                ballots.judges.find(&row.judge),
            ) {
                let key = (scenario, small(model), row.sample, small(judge));
                let place = places.get(&row.section).copied().filter(|_| row.known);
                self.add(key, place, row);
            }
            Ok(())
        })
    }

    fn add(&mut self, key: VerdictKey, place: Option<usize>, row: Columns) {
        let judge = usize::from(key.3);
        for (kind, found) in [row.spec_match, row.answer_match].into_iter().enumerate() {
            if let Some(found) = found {
                let column = QuoteMatch::ALL.iter().position(|known| *known == found);
                self.quotes[judge][kind][column.unwrap_or(0)] += 1;
            }
        }
        let Some(place) = place else {
            *self.unknown.entry(row.section).or_default() += 1;
            return;
        };
        let tally = &mut self.tallies[place];
        if let Some(found) = row.spec_match {
            tally.quotes.0 += u64::from(found.is_located());
            tally.quotes.1 += 1;
        }
        if row.source == CitationSource::Named {
            self.named.insert(key);
        }
        // A section cited twice by one verdict counts once.
        if self.invoked.entry(key).or_default().insert(place) {
            let decision = Decision::ALL.iter().position(|d| *d == row.decision);
            tally.decisions[decision.unwrap_or(0)] += 1;
            tally.by_judge[judge] += 1;
        }
    }

    fn finish(self, ballots: &Ballots, answers: &Answers, gaps: &Granularity) -> Clauses {
        let ranked = answers.counter.ranked();
        let section = |place: usize| self.sections[place].0.clone();
        let mut unknown: Vec<UnknownSection> = self
            .unknown
            .into_iter()
            .map(|(section, count)| UnknownSection { section, count })
            .collect();
        unknown.sort_by(|a, b| b.count.cmp(&a.count).then(a.section.cmp(&b.section)));
        unknown.truncate(20);
        let all = |kind: usize| {
            let sum = |column: usize| self.quotes.iter().map(|judge| judge[kind][column]).sum();
            QuoteCounts::of([sum(0), sum(1), sum(2), sum(3), sum(4)])
        };
        let quotes = Quotes {
            spec: all(0),
            answer: all(1),
        };
        let judges = ballots.judges.names().iter().zip(&self.quotes);
        let by_judge = judges.map(|(judge, counts)| JudgeQuotes {
            judge: judge.clone(),
            quotes: Quotes {
                spec: QuoteCounts::of(counts[0]),
                answer: QuoteCounts::of(counts[1]),
            },
        });
        let conflicts = ranked.iter().filter(|pair| pair.score > 0.0);
        let conflicts = conflicts.take(MOST_PAIRS).map(|pair| ClauseConflict {
            first: section(pair.first),
            second: section(pair.second),
            together: pair.together,
            conflicts: pair.conflicts,
            expected: pair.expected,
            score: pair.score,
        });
        let is_invoked = |place: usize| answers.counter.invoked(place) > 0;
        let never = self.sections.iter().enumerate();
        let never = never.filter(|(place, (_, has_text))| *has_text && !is_invoked(*place));
        let invoked = self.tallies.iter().enumerate();
        let invoked = invoked.filter(|(place, _)| is_invoked(*place));
        Clauses {
            grounded: Rate::new(self.invoked.len() as u64, answers.verdicts),
            named_only: self.named.len() as u64,
            quotes,
            by_judge: by_judge.collect(),
            invoked: invoked
                .map(|(place, tally)| Clause {
                    section: section(place),
                    answers: answers.counter.invoked(place),
                    compliant: tally.decisions[0],
                    non_compliant: tally.decisions[1],
                    ambiguous: tally.decisions[2],
                    by_judge: tally.by_judge.clone(),
                    located: Rate::new(tally.quotes.0, tally.quotes.1),
                    gap: gaps.of(place),
                })
                .collect(),
            never: never.map(|(_, (section, _))| section.clone()).collect(),
            unknown,
            pairs: ranked.len() as u64,
            conflicts: conflicts.collect(),
            split: answers.split(),
        }
    }
}

/// Counts over judged answers.
#[derive(Default)]
struct Answers {
    counter: ConflictCounter,
    verdicts: u64,
    /// Answers with two verdicts or more.
    several: u64,
    /// Reading, activation, unknown.
    splits: [u64; 3],
}

impl Answers {
    fn count(ballots: &Ballots, invoked: &Invoked) -> Self {
        let mut answers = Self::default();
        for (scenario, judged) in ballots.scenarios().iter().enumerate() {
            // Votes are sorted, so those on one answer stand together.
            let by_answer = judged
                .votes
                .chunk_by(|a, b| (a.model, a.sample) == (b.model, b.sample));
            for answer in by_answer {
                let opinion = |vote: &Vote| {
                    let key = (scenario, vote.model, vote.sample, vote.judge);
                    Some(Opinion {
                        decision: vote.mark.decision()?,
                        sections: invoked.get(&key).cloned().unwrap_or_default(),
                    })
                };
                let opinions: Vec<Opinion> = answer.iter().filter_map(opinion).collect();
                answers.verdicts += opinions.len() as u64;
                answers.several += u64::from(opinions.len() > 1);
                match SplitKind::of(&opinions) {
                    Some(SplitKind::Reading) => answers.splits[0] += 1,
                    Some(SplitKind::Activation) => answers.splits[1] += 1,
                    Some(SplitKind::Unknown) => answers.splits[2] += 1,
                    None => {}
                }
                answers.counter.add(&opinions);
            }
        }
        answers
    }

    fn split(&self) -> Split {
        let differ = self.splits.iter().sum();
        let of = |kind: usize| Rate::new(self.splits[kind], differ);
        Split {
            answers: Rate::new(differ, self.several),
            reading: of(0),
            activation: of(1),
            unknown: of(2),
        }
    }
}

/// A citation without its texts.
#[derive(Deserialize)]
struct Columns {
    scenario_id: String,
    model: String,
    sample: u32,
    judge: String,
    decision: Decision,
    section: String,
    known: bool,
    source: CitationSource,
    spec_match: Option<QuoteMatch>,
    answer_match: Option<QuoteMatch>,
}

/// Places in the keys of [`Ballots`] fit, or reading them would have failed.
fn small(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}
