//! How much of what judges cite, make up and differ about was told apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use specstress_dataset::TableDir;
use specstress_dataset::rows::{CitationRow, ResponseRow, SectionRow, VerdictRow};
use specstress_judge::{CitationSource, ConflictCounter, Decision, Opinion, QuoteMatch, SplitKind};
use specstress_sim::{PlantedKind, SimWorld};

use super::Question;

/// What was found about clauses beside what is true.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Clauses {
    /// Planted contradictions that a judged question falls into.
    pub(crate) planted: usize,
    /// Those of them among as many pairs of the highest score.
    pub(crate) found: usize,
    /// Planted ones for which any answer is evidence: more cannot be found.
    pub(crate) evident: usize,
    /// Pairs of sections that are ranked.
    pub(crate) ranked: usize,
    pub(crate) precision: Option<f64>,
    /// Answers the judges differ on, for reasons that are known.
    pub(crate) splits: usize,
    /// Those told apart rightly: the same clause read differently, or different clauses invoked.
    pub(crate) splits_right: usize,
    pub(crate) split_accuracy: Option<f64>,
    /// Of those where the same clause is read differently, the share told so.
    pub(crate) reading_recall: Option<f64>,
    /// Of those where different clauses are invoked, the share told so.
    pub(crate) activation_recall: Option<f64>,
    /// Quotes that judges made up.
    pub(crate) fabricated: usize,
    /// Those that were not located.
    pub(crate) caught: usize,
    pub(crate) catch_rate: Option<f64>,
    /// Quotes that judges copied, now and then not letter by letter.
    pub(crate) honest: usize,
    /// Those that were not located.
    pub(crate) false_alarms: usize,
    pub(crate) false_alarm_rate: Option<f64>,
}

type Answer = (String, String, u32);

/// One verdict with the sections and matches that stand in the tables.
#[derive(Default)]
struct Found {
    decision: Option<Decision>,
    sections: BTreeSet<usize>,
    /// By place: of the spec, of the answer.
    matches: BTreeMap<u32, [Option<QuoteMatch>; 2]>,
}

/// What the tables hold of judged answers.
struct Tables {
    /// Places of the sections of the spec.
    places: BTreeMap<String, usize>,
    /// By judge.
    answers: BTreeMap<Answer, BTreeMap<String, Found>>,
    texts: HashMap<Answer, String>,
}

impl Tables {
    fn read(tables: &TableDir) -> anyhow::Result<Self> {
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for row in tables.rows::<SectionRow>()? {
            let row = row?;
            places.insert(row.section, row.place as usize);
        }
        let mut answers: BTreeMap<Answer, BTreeMap<String, Found>> = BTreeMap::new();
        for row in tables.rows::<VerdictRow>()? {
            let row = row?;
            let judges = answers
                .entry((row.scenario_id, row.model, row.sample))
                .or_default();
            judges.entry(row.judge).or_default().decision = row.decision;
        }
        for row in tables.rows::<CitationRow>()? {
            let row = row?;
            let judges = answers
                .entry((row.scenario_id, row.model, row.sample))
                .or_default();
            let found = judges.entry(row.judge).or_default();
            found
                .sections
                .extend(places.get(&row.section).filter(|_| row.known));
            if row.source == CitationSource::Stated {
                found
                    .matches
                    .insert(row.place, [row.spec_match, row.answer_match]);
            }
        }
        let mut texts: HashMap<Answer, String> = HashMap::new();
        for row in tables.rows::<ResponseRow>()? {
            let row = row?;
            let key = (row.scenario_id, row.model, row.sample);
            if let (Some(text), true) = (row.text, answers.contains_key(&key)) {
                texts.insert(key, text);
            }
        }
        Ok(Self {
            places,
            answers,
            texts,
        })
    }
}

impl Clauses {
    pub(super) fn compute(
        tables: &TableDir,
        world: &SimWorld,
        questions: &HashMap<String, Question>,
    ) -> anyhow::Result<Self> {
        let Tables {
            places,
            answers,
            texts,
        } = Tables::read(tables)?;
        let mut result = Self::default();
        let mut counter = ConflictCounter::default();
        let mut planted: BTreeSet<(usize, usize)> = BTreeSet::new();
        // Reading, activation: told rightly, of all.
        let mut kinds = [(0, 0); 2];
        let spec = world.spec_markdown();
        for (key, judges) in &answers {
            let (Some(question), Some(text)) = (questions.get(&key.0), texts.get(key)) else {
                continue;
            };
            let conflict = world
                .is_planted(&question.pair.value1, &question.pair.value2)
                .filter(|planted| planted.kind == PlantedKind::Contradiction);
            if let Some([one, two]) = conflict.map(|conflict| conflict.clauses.as_slice())
                && let (Some(&one), Some(&two)) = (places.get(one), places.get(two))
            {
                planted.insert((one.min(two), one.max(two)));
            }
            let (mut seen, mut true_ones) = (Vec::new(), Vec::new());
            for (judge, found) in judges {
                let Some(decision) = found.decision else {
                    continue;
                };
                let truth = world.citing(judge, &spec, &question.query, text, decision.as_str());
                for (place, citation) in (0..).zip(&truth.citations) {
                    let flags = [citation.spec_fabricated, citation.answer_fabricated];
                    let matches = found.matches.get(&place).copied().unwrap_or_default();
                    for (made_up, found) in flags.into_iter().zip(matches) {
                        result.add_quote(made_up, found);
                    }
                }
                seen.push(Opinion {
                    decision,
                    sections: found.sections.clone(),
                });
                true_ones.push(Opinion {
                    decision,
                    sections: truth
                        .grounds
                        .iter()
                        .filter_map(|id| places.get(id))
                        .copied()
                        .collect(),
                });
            }
            counter.add(&seen);
            let told = SplitKind::of(&seen);
            if let Some(kind @ (SplitKind::Reading | SplitKind::Activation)) =
                SplitKind::of(&true_ones)
            {
                let of_kind = &mut kinds[usize::from(kind == SplitKind::Activation)];
                of_kind.0 += usize::from(told == Some(kind));
                of_kind.1 += 1;
            }
        }
        let ranked = counter.ranked();
        result.ranked = ranked.len();
        result.planted = planted.len();
        result.found = ranked
            .iter()
            .take(planted.len())
            .filter(|pair| planted.contains(&(pair.first, pair.second)))
            .count();
        result.evident = ranked
            .iter()
            .filter(|pair| pair.conflicts > 0 && planted.contains(&(pair.first, pair.second)))
            .count();
        let [reading, activation] = kinds;
        result.splits = reading.1 + activation.1;
        result.splits_right = reading.0 + activation.0;
        let share = |part: usize, of: usize| (of > 0).then(|| part as f64 / of as f64);
        result.precision = share(result.found, result.planted);
        result.split_accuracy = share(result.splits_right, result.splits);
        result.reading_recall = share(reading.0, reading.1);
        result.activation_recall = share(activation.0, activation.1);
        result.catch_rate = share(result.caught, result.fabricated);
        result.false_alarm_rate = share(result.false_alarms, result.honest);
        Ok(result)
    }

    fn add_quote(&mut self, made_up: bool, found: Option<QuoteMatch>) {
        let located = found.is_some_and(QuoteMatch::is_located);
        if made_up {
            self.fabricated += 1;
            self.caught += usize::from(!located);
        } else {
            self.honest += 1;
            self.false_alarms += usize::from(!located);
        }
    }
}
