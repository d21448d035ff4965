//! Which answers people are asked to label.

use std::collections::{BTreeMap, HashMap};

use specstress_dataset::TableDir;
use specstress_dataset::rows::{DisagreementRow, LabelSampleRow, ResponseRow, VerdictRow};
use specstress_judge::PanelVerdict;
use specstress_llm::Digest;
use specstress_stats::Bins;

use crate::error::PipelineError;
use crate::settings::StudySettings;
use crate::stages::draw;

/// Answers drawn for people to label; see [`draw_label_sample`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSample {
    /// The drawn answers, in the order of their items, which says nothing about them.
    pub rows: Vec<LabelSampleRow>,
    /// What the answers were divided by: some of `disagreement`, `majority` and `model`, in this order.
    pub divided_by: &'static [&'static str],
    /// The strata, by name.
    pub strata: Vec<LabelStratum>,
}

/// One stratum of a [`LabelSample`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelStratum {
    /// Its name, such as `std_1.5_to_2.0/problematic/gpt_4o`.
    pub name: String,
    /// Answers in it.
    pub population: u64,
    /// Answers drawn from it.
    pub drawn: u64,
}

/// The opaque name of an answer in a sheet: 16 hexadecimal digits of a hash of question, model, sample and text.
///
/// An answer that was given again with another text has another name, so that labels never go to a text nobody read.
pub fn label_item(scenario_id: &str, model: &str, sample: u32, text: &str) -> String {
    let mut name = Digest::new("specstress label item 1")
        .field("scenario", scenario_id)
        .field("model", model)
        .field("sample", sample.to_le_bytes())
        .field("text", text)
        .hex();
    name.truncate(16);
    name
}

/// What an answer is divided by, from the finest division to none.
const DIVISIONS: [&[&str]; 4] = [
    &["disagreement", "majority", "model"],
    &["disagreement", "majority"],
    &["majority"],
    &[],
];

/// Draws `number` answers of a run for people to label (method: 12, item 9).
///
/// Drawn from are the answers with a text that at least one judge decided on; all answers with a text where nothing was
/// judged. They are divided into strata by the bin of disagreement of the judged models, by the judges' majority
/// (problematic, compliant, or not judged) and by model. Where `number` is too small for two answers of every such
/// stratum, the division by model is given up, then that by disagreement, then all.
///
/// Every stratum gives two answers, or the one it has; then, again and again, the stratum that gave least gives one more,
/// of equal ones the first by name. Within a stratum the lowest hashes of seed and item win. So a larger number only
/// adds answers as long as the division is the same, and strata of rare answers are drawn from more than they weigh:
/// an answer stands for `population / drawn` answers of its stratum.
///
/// ```
/// use specstress_dataset::TableDir;
/// use specstress_dataset::rows::ResponseRow;
/// use specstress_llm::OutcomeKind;
/// use specstress_pipeline::{StudySettings, draw_label_sample};
///
/// let run = tempfile::tempdir()?;
/// let tables = TableDir::new(run.path());
/// let mut writer = tables.writer::<ResponseRow>()?;
/// for question in ["q1", "q2", "q3"] {
///     writer.push(ResponseRow {
///         scenario_id: question.into(),
///         model: "m".into(),
///         sample: 0,
///         text: Some("An answer.".into()),
///         answered_by: None,
///         input_tokens: None,
///         output_tokens: None,
///         cost_usd: None,
///         request_key: String::new(),
///         outcome: OutcomeKind::Answered,
///         detail: None,
///     })?;
/// }
/// writer.finish()?;
/// let sample = draw_label_sample(&tables, &StudySettings::default(), 2, 7)?;
/// // Nothing was judged, so there is one stratum: each of two answers stands for one and a half.
/// assert_eq!((sample.rows.len(), sample.rows[0].population), (2, 3));
/// assert_eq!(sample.strata[0].name, "std_unknown/not judged/m");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Deterministic in tables, number and seed. Cost: reads three tables; memory for the judged answers.
///
/// # Errors
/// [`PipelineError::Setting`] when `number` is 0 or there is no answer to draw, [`PipelineError::Dataset`] when a table
/// is missing or cannot be read.
pub fn draw_label_sample(
    tables: &TableDir,
    settings: &StudySettings,
    number: usize,
    seed: u64,
) -> Result<LabelSample, PipelineError> {
    let refuse = |reason: &str| PipelineError::Setting {
        setting: "for-labels",
        reason: reason.to_owned(),
    };
    if number == 0 {
        return Err(refuse("draw at least one answer"));
    }
    let candidates = candidates(tables, settings)?;
    if candidates.is_empty() {
        return Err(refuse(
            "the run has no answer to label; run it at least to the stage `responses`",
        ));
    }
    let (divided_by, strata) = divide(&candidates, number);
    let populations: Vec<usize> = strata.values().map(Vec::len).collect();
    let counts = allot(&populations, number);
    let mut sample = LabelSample {
        rows: Vec::new(),
        divided_by,
        strata: Vec::new(),
    };
    for ((name, mut members), count) in strata.into_iter().zip(counts) {
        let population = members.len() as u64;
        members.sort_by_key(|&at| {
            let item = &candidates[at].item;
            (draw(seed, "specstress label sample 1", item), item)
        });
        for &at in &members[..count] {
            let Candidate { row, item, .. } = &candidates[at];
            sample.rows.push(LabelSampleRow {
                item: item.clone(),
                stratum: name.clone(),
                population,
                ..row.clone()
            });
        }
        sample.strata.push(LabelStratum {
            name,
            population,
            drawn: count as u64,
        });
    }
    sample.rows.sort_by(|a, b| a.item.cmp(&b.item));
    Ok(sample)
}

/// An answer that may be drawn.
struct Candidate {
    item: String,
    /// The row but for its stratum.
    row: LabelSampleRow,
    /// What it is divided by, in the order of the first of [`DIVISIONS`].
    marks: [String; 3],
}

fn key(scenario_id: &str, model: &str, sample: u32) -> (String, String, u32) {
    (scenario_id.to_owned(), model.to_owned(), sample)
}

fn candidates(
    tables: &TableDir,
    settings: &StudySettings,
) -> Result<Vec<Candidate>, PipelineError> {
    let bins = bins(tables, settings)?;
    let mut decisions: HashMap<_, Vec<_>> = HashMap::new();
    if tables.exists::<VerdictRow>() {
        for row in tables.rows::<VerdictRow>()? {
            let row = row?;
            let key = key(&row.scenario_id, &row.model, row.sample);
            decisions.entry(key).or_default().push(row.decision);
        }
    }
    let mut candidates = Vec::new();
    for row in tables.rows::<ResponseRow>()? {
        let row = row?;
        let Some(text) = &row.text else { continue };
        let votes = decisions.get(&key(&row.scenario_id, &row.model, row.sample));
        let panel = PanelVerdict::of(votes.into_iter().flatten().copied());
        let majority = match panel.majority() {
            Some(true) => "problematic",
            Some(false) => "compliant",
            None if decisions.is_empty() => "not judged",
            None => continue,
        };
        let bin = bins.get(&row.scenario_id);
        candidates.push(Candidate {
            item: label_item(&row.scenario_id, &row.model, row.sample, text),
            marks: [
                bin.cloned().unwrap_or_else(|| "std_unknown".to_owned()),
                majority.to_owned(),
                row.model.clone(),
            ],
            row: LabelSampleRow {
                item: String::new(),
                scenario_id: row.scenario_id,
                model: row.model,
                sample: row.sample,
                stratum: String::new(),
                population: 0,
            },
        });
    }
    Ok(candidates)
}

/// The bin of every question that has a disagreement.
fn bins(
    tables: &TableDir,
    settings: &StudySettings,
) -> Result<HashMap<String, String>, PipelineError> {
    let bins = Bins::default();
    let mut found = HashMap::new();
    let Some(subset) = settings.judged() else {
        return Ok(found);
    };
    if !tables.exists::<DisagreementRow>() {
        return Ok(found);
    }
    for row in tables.rows::<DisagreementRow>()? {
        let row = row?;
        if row.subset == subset.name
            && let Some(disagreement) = row.disagreement
        {
            // As for the judged sample: what lies beyond the last edge belongs to the last bin.
            let bin = bins.of_number(disagreement).unwrap_or(bins.count() - 1);
            found.insert(row.scenario_id, bins.name(bin).unwrap_or_default());
        }
    }
    Ok(found)
}

type Strata = BTreeMap<String, Vec<usize>>;

/// The finest division of which every stratum can give two answers.
fn divide(candidates: &[Candidate], number: usize) -> (&'static [&'static str], Strata) {
    let by = |division: &'static [&'static str]| {
        let mut strata = Strata::new();
        for (at, candidate) in candidates.iter().enumerate() {
            let marks = DIVISIONS[0].iter().zip(&candidate.marks);
            let marks = marks.filter(|(what, _)| division.contains(*what));
            let name: Vec<&str> = marks.map(|(_, mark)| mark.as_str()).collect();
            let name = if name.is_empty() {
                "all".to_owned()
            } else {
                name.join("/")
            };
            strata.entry(name).or_default().push(at);
        }
        (division, strata)
    };
    let fits = |strata: &Strata| strata.values().map(|s| s.len().min(2)).sum::<usize>() <= number;
    let [finer @ .., last] = DIVISIONS;
    finer
        .into_iter()
        .map(by)
        .find(|(_, strata)| fits(strata))
        .unwrap_or_else(|| by(last))
}

/// How many each stratum gives; together `number`, or all there are.
fn allot(populations: &[usize], number: usize) -> Vec<usize> {
    let mut given: Vec<usize> = vec![0; populations.len()];
    for _ in 0..number {
        let least = (0..given.len())
            .filter(|&at| given[at] < populations[at])
            .min_by_key(|&at| (given[at], at));
        match least {
            Some(at) => given[at] += 1,
            None => break,
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scarce_strata_give_all_and_the_others_share_the_rest() {
        assert_eq!(allot(&[1, 10, 3], 8), [1, 4, 3]);
        assert_eq!(allot(&[5, 5, 5], 7), [3, 2, 2]);
        assert_eq!(allot(&[2, 1], 9), [2, 1]);
        for number in 0..12 {
            let (less, more) = (allot(&[4, 2, 9], number), allot(&[4, 2, 9], number + 1));
            assert!(less.iter().zip(&more).all(|(a, b)| a <= b), "{number}");
        }
    }

    fn candidate(marks: [&str; 3]) -> Candidate {
        Candidate {
            item: String::new(),
            marks: marks.map(ToOwned::to_owned),
            row: LabelSampleRow {
                item: String::new(),
                scenario_id: String::new(),
                model: String::new(),
                sample: 0,
                stratum: String::new(),
                population: 0,
            },
        }
    }

    #[test]
    fn a_division_too_fine_for_two_answers_each_is_given_up() {
        let mut all = Vec::new();
        for bin in ["a", "b"] {
            for majority in ["compliant", "problematic"] {
                for model in ["m", "n"] {
                    all.extend((0..3).map(|_| candidate([bin, majority, model])));
                }
            }
        }
        for (number, division, strata) in [(16, 3, 8), (15, 2, 4), (7, 1, 2), (3, 0, 1), (1, 0, 1)]
        {
            let (by, found) = divide(&all, number);
            assert_eq!((by.len(), found.len()), (division, strata), "{number}");
        }
        assert_eq!(
            divide(&all, 15).1.keys().collect::<Vec<_>>(),
            [
                "a/compliant",
                "a/problematic",
                "b/compliant",
                "b/problematic"
            ]
        );
    }
}
