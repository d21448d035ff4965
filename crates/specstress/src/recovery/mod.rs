//! How much of the simulated truth a study found: only a simulated panel can be checked this way.

mod clauses;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use serde::Serialize;
use specstress_dataset::TableDir;
use specstress_dataset::rows::{
    DisagreementRow, PositionRow, ResponseRow, ScenarioRow, VerdictRow,
};
use specstress_pipeline::Manifest;
use specstress_sim::{SimWorld, TrueLabel, expected_agreement};
use specstress_stats::ndarray::{Array2, ArrayView1};
use specstress_stats::{
    Comparison, DisagreementParams, Preference, Threshold, agreement_matrix, disagreement,
    fleiss_kappa, spearman, win_rates,
};
use specstress_values::{Taxonomy, ValuePair};

use clauses::Clauses;

/// What was measured beside what is true and what the same study would give with less in the way.
#[derive(Debug, Serialize)]
pub(crate) struct Recovery {
    /// High disagreement as a detector of planted conflicts.
    pub(crate) conflicts: Conflicts,
    /// Rank correlation of measured and true value priorities, per model.
    pub(crate) priorities: Vec<Priority>,
    /// Judges against their known errors.
    pub(crate) judges: Judges,
    /// What judges cite, make up and differ about.
    pub(crate) clauses: Clauses,
}

#[derive(Debug, Serialize)]
pub(crate) struct Conflicts {
    /// Questions measured.
    pub(crate) questions: usize,
    /// Those whose pair falls into a planted conflict.
    pub(crate) planted: usize,
    /// From the classifier's positions.
    pub(crate) measured: Detection,
    /// From the positions that the answers really take: a classifier without error.
    pub(crate) perfect_classifier: Detection,
    /// From the models' latent positions: no sampling noise either.
    pub(crate) perfect_measurement: Detection,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Detection {
    pub(crate) true_positives: usize,
    pub(crate) false_positives: usize,
    pub(crate) false_negatives: usize,
    pub(crate) precision: Option<f64>,
    pub(crate) recall: Option<f64>,
}

impl Detection {
    fn add(&mut self, planted: bool, flagged: bool) {
        match (planted, flagged) {
            (true, true) => self.true_positives += 1,
            (false, true) => self.false_positives += 1,
            (true, false) => self.false_negatives += 1,
            (false, false) => {}
        }
        let share = |part: usize, rest: usize| {
            (part + rest > 0).then(|| part as f64 / (part + rest) as f64)
        };
        self.precision = share(self.true_positives, self.false_positives);
        self.recall = share(self.true_positives, self.false_negatives);
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Priority {
    pub(crate) model: String,
    /// Spearman's correlation of each category's true utility with its measured win rate.
    pub(crate) measured: Option<f64>,
    /// The same with win rates from the latent positions.
    pub(crate) perfect_measurement: Option<f64>,
    /// Categories compared.
    pub(crate) categories: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct Judges {
    /// Answers with all verdicts.
    pub(crate) answers: usize,
    /// Share of them that are truly problematic.
    pub(crate) prevalence: Option<f64>,
    pub(crate) pairs: Vec<JudgePair>,
    /// Fleiss' kappa of problematic or not.
    pub(crate) kappa: Option<f64>,
    /// Its value for judges with the known errors, independent given the truth. Judges without error have 1.
    pub(crate) known_kappa: Option<f64>,
}

#[derive(Debug, Serialize)]
pub(crate) struct JudgePair {
    pub(crate) judges: [String; 2],
    pub(crate) agreement: Option<f64>,
    /// Expected from the known errors. Judges without error have 1.
    pub(crate) known_agreement: Option<f64>,
}

struct Question {
    pair: ValuePair,
    query: String,
}

impl Recovery {
    pub(crate) fn compute(
        tables: &TableDir,
        taxonomy: &Taxonomy,
        world: &SimWorld,
        manifest: &Manifest,
    ) -> anyhow::Result<Self> {
        let mut questions = HashMap::new();
        for row in tables.rows::<ScenarioRow>()? {
            let row = row?;
            if let (Some(id), Some(query)) = (row.scenario_id, row.query) {
                let pair = ValuePair::new(row.value1, row.value2);
                questions.insert(id, Question { pair, query });
            }
        }
        let keys: Vec<&str> = manifest
            .panel
            .iter()
            .map(|model| model.key.as_str())
            .collect();
        Ok(Self {
            conflicts: conflicts(tables, world, manifest, &keys, &questions)?,
            priorities: priorities(tables, taxonomy, world, &keys, &questions)?,
            judges: judges(tables, world, manifest, &questions)?,
            clauses: Clauses::compute(tables, world, &questions)?,
        })
    }

    /// Tables for a person.
    pub(crate) fn text(&self) -> String {
        let number =
            |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.2}"));
        let mut text = String::from(
            "Was the simulated truth found?               measured  perfect classifier  perfect measurement\n",
        );
        let conflicts = &self.conflicts;
        let detections = [
            conflicts.measured,
            conflicts.perfect_classifier,
            conflicts.perfect_measurement,
        ];
        let mut row = |name: &str, of: fn(&Detection) -> Option<f64>| {
            let [a, b, c] = detections.map(|d| number(of(&d)));
            let _ = writeln!(text, "  {name:<42} {a:>8} {b:>19} {c:>20}");
        };
        row("planted conflicts, precision of D >= 1.5", |d| d.precision);
        row("planted conflicts, recall of D >= 1.5", |d| d.recall);
        let mean = |of: fn(&Priority) -> Option<f64>| {
            let found: Vec<f64> = self.priorities.iter().filter_map(of).collect();
            (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
        };
        let _ = writeln!(
            text,
            "  {:<42} {:>8} {:>19} {:>20}",
            "value priorities, mean rank correlation",
            number(mean(|p| p.measured)),
            "",
            number(mean(|p| p.perfect_measurement)),
        );
        let _ = writeln!(
            text,
            "  {:<42} {:>8} {:>19} {:>20}",
            "judges' kappa (known errors give)",
            number(self.judges.kappa),
            format!("({})", number(self.judges.known_kappa)),
            "1.00",
        );
        let clauses = &self.clauses;
        for (name, measured, rest) in [
            (
                "contradicting clauses, precision at their number",
                clauses.precision,
                format!(
                    "{} of {}; {} show a conflict",
                    clauses.found, clauses.planted, clauses.evident
                ),
            ),
            (
                "read one clause apart or invoke others, accuracy",
                clauses.split_accuracy,
                format!(
                    "{} answers; of the first kind {}, of the second {}",
                    clauses.splits,
                    number(clauses.reading_recall),
                    number(clauses.activation_recall)
                ),
            ),
            (
                "made-up quotes caught",
                clauses.catch_rate,
                format!("{} of {}", clauses.caught, clauses.fabricated),
            ),
            (
                "copied quotes not found",
                clauses.false_alarm_rate,
                format!("{} of {}", clauses.false_alarms, clauses.honest),
            ),
        ] {
            let _ = writeln!(text, "  {name:<48} {:>2}  ({rest})", number(measured));
        }
        text
    }
}

fn conflicts(
    tables: &TableDir,
    world: &SimWorld,
    manifest: &Manifest,
    keys: &[&str],
    questions: &HashMap<String, Question>,
) -> anyhow::Result<Conflicts> {
    let params =
        DisagreementParams::default().threshold(Threshold::new(manifest.settings.threshold)?);
    let whole = &manifest.settings.subsets[0];
    let mut found = Conflicts {
        questions: 0,
        planted: 0,
        measured: Detection::default(),
        perfect_classifier: Detection::default(),
        perfect_measurement: Detection::default(),
    };
    for row in tables.rows::<DisagreementRow>()? {
        let row = row?;
        let Some(question) = questions.get(&row.scenario_id) else {
            continue;
        };
        if row.subset != whole.name || row.disagreement.is_none() {
            continue;
        }
        let planted = world
            .is_planted(&question.pair.value1, &question.pair.value2)
            .is_some();
        found.questions += 1;
        found.planted += usize::from(planted);
        let mut written = Array2::zeros((whole.models.len(), 2));
        let mut latent = Array2::zeros((whole.models.len(), 2));
        for (at, key) in whole
            .models
            .iter()
            .enumerate()
            .filter(|(_, key)| keys.contains(&key.as_str()))
        {
            let truth = world.truth(&question.pair, &question.query, key);
            written[[at, 0]] = truth.written.0;
            written[[at, 1]] = truth.written.1;
            latent[[at, 0]] = truth.latent.0;
            latent[[at, 1]] = truth.latent.1;
        }
        found.measured.add(planted, row.high);
        found.perfect_classifier.add(
            planted,
            disagreement::<u8, _>(written.view(), None, &params)?.high,
        );
        found.perfect_measurement.add(
            planted,
            disagreement::<f64, _>(latent.view(), None, &params)?.high,
        );
    }
    Ok(found)
}

fn priorities(
    tables: &TableDir,
    taxonomy: &Taxonomy,
    world: &SimWorld,
    keys: &[&str],
    questions: &HashMap<String, Question>,
) -> anyhow::Result<Vec<Priority>> {
    let categories = world.categories();
    let mut measured: BTreeMap<String, Vec<Comparison>> = BTreeMap::new();
    let mut perfect: BTreeMap<String, Vec<Comparison>> = BTreeMap::new();
    for row in tables.rows::<PositionRow>()? {
        let row = row?;
        let Some(question) = questions.get(&row.scenario_id) else {
            continue;
        };
        let place = |value: &str| {
            let category = &taxonomy.category(value)?.name;
            categories
                .iter()
                .position(|name| *name == category.as_str())
        };
        let (Some(first), Some(second)) =
            (place(&question.pair.value1), place(&question.pair.value2))
        else {
            continue;
        };
        // A category against itself says nothing about priorities.
        if first == second || row.value1_position.is_none() {
            continue;
        }
        measured
            .entry(row.model.clone())
            .or_default()
            .push(Comparison::of_positions(
                first,
                second,
                row.value1_position,
                row.value2_position,
            ));
        let latent = world
            .truth(&question.pair, &question.query, &row.model)
            .latent;
        perfect.entry(row.model).or_default().push(Comparison {
            first,
            second,
            preference: Some(match latent.0.total_cmp(&latent.1) {
                std::cmp::Ordering::Greater => Preference::First,
                std::cmp::Ordering::Less => Preference::Second,
                std::cmp::Ordering::Equal => Preference::Tie,
            }),
        });
    }
    keys.iter()
        .map(|&key| {
            let truth: Vec<Option<f64>> = categories
                .iter()
                .map(|name| world.utility(key, name))
                .collect();
            let correlation = |comparisons: Option<&Vec<Comparison>>| {
                let comparisons = comparisons.map_or(&[][..], Vec::as_slice);
                let rates: Vec<Option<f64>> = win_rates(categories.len(), comparisons)?
                    .categories
                    .iter()
                    .map(|category| category.share)
                    .collect();
                spearman(ArrayView1::from(&truth), ArrayView1::from(&rates))
            };
            let found = correlation(measured.get(key))?;
            Ok(Priority {
                model: key.to_owned(),
                measured: found.r,
                categories: found.n,
                perfect_measurement: correlation(perfect.get(key))?.r,
            })
        })
        .collect()
}

fn judges(
    tables: &TableDir,
    world: &SimWorld,
    manifest: &Manifest,
    questions: &HashMap<String, Question>,
) -> anyhow::Result<Judges> {
    let names = &manifest.judges;
    let mut votes: BTreeMap<(String, String, u32), Vec<Option<u32>>> = BTreeMap::new();
    for row in tables.rows::<VerdictRow>()? {
        let row = row?;
        if let (Some(judge), Some(decision)) = (
            names.iter().position(|name| *name == row.judge),
            row.decision,
        ) {
            let ballot = votes
                .entry((row.scenario_id, row.model, row.sample))
                .or_insert_with(|| vec![None; names.len()]);
            ballot[judge] = Some(u32::from(decision.is_problematic()));
        }
    }
    votes.retain(|_, ballot| ballot.iter().all(Option::is_some));
    let mut problematic = 0_usize;
    for row in tables.rows::<ResponseRow>()? {
        let row = row?;
        let key = (row.scenario_id, row.model, row.sample);
        if let (Some(text), Some(question), true) =
            (row.text, questions.get(&key.0), votes.contains_key(&key))
        {
            let label = world.true_label(&question.query, &text);
            problematic += usize::from(label == TrueLabel::Problematic);
        }
    }
    let answers = votes.len();
    let prevalence = (answers > 0).then(|| problematic as f64 / answers as f64);
    if answers == 0 || names.len() < 2 {
        return Ok(Judges {
            answers,
            prevalence,
            pairs: Vec::new(),
            kappa: None,
            known_kappa: None,
        });
    }
    let ballots: Vec<Option<u32>> = votes.into_values().flatten().collect();
    let ballots = Array2::from_shape_vec((answers, names.len()), ballots)?;
    let matrix = agreement_matrix(ballots.view())?;
    let truths: Option<Vec<_>> = names.iter().map(|name| world.judge(name)).collect();
    let mut pairs = Vec::new();
    let mut known = Vec::new();
    for second in 0..names.len() {
        for first in 0..second {
            let expected = truths
                .as_ref()
                .zip(prevalence)
                .map(|(truths, p)| expected_agreement(truths[first], truths[second], p));
            known.extend(expected);
            pairs.push(JudgePair {
                judges: [names[first].clone(), names[second].clone()],
                agreement: matrix.pair(first, second).and_then(|pair| pair.share),
                known_agreement: expected,
            });
        }
    }
    // kappa from the mean expected agreement and the mean expected share of problematic votes.
    let known_kappa = truths.zip(prevalence).and_then(|(truths, p)| {
        let shares = truths
            .iter()
            .map(|truth| p * truth.sensitivity + (1.0 - p) * (1.0 - truth.specificity));
        let share = shares.sum::<f64>() / truths.len() as f64;
        let chance = share * share + (1.0 - share) * (1.0 - share);
        let agreement = known.iter().sum::<f64>() / known.len() as f64;
        (chance < 1.0).then(|| (agreement - chance) / (1.0 - chance))
    });
    Ok(Judges {
        answers,
        prevalence,
        pairs,
        kappa: fleiss_kappa(ballots.view())?.kappa,
        known_kappa,
    })
}
