use serde::{Deserialize, Serialize};
use specstress_stats::ndarray::Array2;
use specstress_stats::{agreement_matrix, fleiss_kappa};

use crate::data::ballots::Ballots;
use crate::data::rate::Rate;
use crate::error::ReportError;

/// How far the judges agree on the binary label *problematic* (paper, section 3.3). Subjects are answers,
/// all samples included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgeAgreement {
    /// How often each judge flags an answer, in the study's order.
    pub judges: Vec<JudgeRate>,
    /// Agreement of every two judges on the answers both voted on.
    pub pairs: Vec<JudgePair>,
    /// Agreement of all of them, beyond chance.
    pub fleiss: Fleiss,
}

/// How often one judge flags an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgeRate {
    /// The judge.
    pub judge: String,
    /// Answers called non-compliant or ambiguous, out of those with a readable verdict.
    pub flagged: Rate,
    /// Answers without a readable verdict from this judge; in no denominator.
    pub missing: u64,
}

/// How often two judges give the same label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgePair {
    /// First judge.
    pub first: String,
    /// Second judge.
    pub second: String,
    /// Answers with the same label, out of those both voted on.
    pub agree: Rate,
}

/// Fleiss' kappa on the binary label: `(P - Pe) / (1 - Pe)`, with `P` the mean observed agreement and `Pe`
/// the agreement that the judges' shared rates give by chance (Fleiss 1971).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fleiss {
    /// At most 1; `None` with fewer than two judges, without complete answers, or when all labels are equal.
    pub kappa: Option<f64>,
    /// Answers that every judge voted on.
    pub used: u64,
    /// Answers left out because a judge's vote is missing.
    pub dropped: u64,
}

pub(crate) fn judge_agreement(ballots: &Ballots) -> Result<Option<JudgeAgreement>, ReportError> {
    if !ballots.exists() {
        return Ok(None);
    }
    let judges = ballots.judges.names();
    let mut labels: Vec<Option<u32>> = Vec::new();
    let mut missing = vec![0_u64; judges.len()];
    for scenario in ballots.scenarios() {
        // Votes are sorted, so those on one answer stand together.
        for answer in scenario
            .votes
            .chunk_by(|a, b| (a.model, a.sample) == (b.model, b.sample))
        {
            let start = labels.len();
            labels.resize(start + judges.len(), None);
            for vote in answer {
                let judge = usize::from(vote.judge);
                match vote.mark.problematic() {
                    Some(problematic) => labels[start + judge] = Some(u32::from(problematic)),
                    None => missing[judge] += 1,
                }
            }
        }
    }

    let rates = judges.iter().enumerate().map(|(judge, name)| {
        let votes = labels.iter().skip(judge).step_by(judges.len()).flatten();
        let (flagged, of) = votes.fold((0, 0), |(flagged, of), &label| {
            (flagged + u64::from(label), of + 1)
        });
        JudgeRate {
            judge: name.clone(),
            flagged: Rate::new(flagged, of),
            missing: missing[judge],
        }
    });
    let rates = rates.collect();
    let answers = labels.len().checked_div(judges.len()).unwrap_or(0);
    if judges.len() < 2 || answers == 0 {
        return Ok(Some(JudgeAgreement {
            judges: rates,
            pairs: Vec::new(),
            fleiss: Fleiss {
                kappa: None,
                used: 0,
                dropped: answers as u64,
            },
        }));
    }

    let failed = |source| ReportError::Stats {
        what: "the judges' agreement",
        source: Box::new(source),
    };
    let labels = Array2::from_shape_vec((answers, judges.len()), labels)
        .expect("one label per answer and judge");
    let matrix = agreement_matrix(labels.view()).map_err(failed)?;
    let fleiss = fleiss_kappa(labels.view()).map_err(failed)?;
    Ok(Some(JudgeAgreement {
        judges: rates,
        pairs: matrix
            .pairs
            .iter()
            .map(|pair| JudgePair {
                first: judges[pair.a].clone(),
                second: judges[pair.b].clone(),
                agree: Rate::new(pair.agreed as u64, pair.n as u64),
            })
            .collect(),
        fleiss: Fleiss {
            kappa: fleiss.kappa,
            used: fleiss.subjects as u64,
            dropped: fleiss.dropped as u64,
        },
    }))
}
