use std::collections::HashSet;
use std::sync::Arc;

use futures::future::join_all;
use specstress_dataset::TableDir;
use specstress_dataset::rows::{CitationRow, DisagreementRow, ResponseRow, SectionRow, VerdictRow};
use specstress_judge::{Judge, LocatedCitation, Locator, Quote, Verdict};
use specstress_stats::Bins;

use crate::drive::{Abort, Lost, Settled, columns, ordered, settle};
use crate::stages::{Tally, answered_questions, draw};
use crate::study::Study;
use crate::waves::Waves;

/// Judges the answers of the judged subset to a sample of questions from every disagreement bin. What is judged is read
/// from the tables in `from`, the verdicts go to those in `to`.
pub(crate) async fn run(
    study: &Study,
    from: &TableDir,
    to: &TableDir,
    tally: &mut Tally<'_>,
) -> Result<(), Abort> {
    let mut verdicts = to.writer::<VerdictRow>()?;
    let mut citations = to.writer::<CitationRow>()?;
    let mut sections = to.writer::<SectionRow>()?;
    let judges = &study.parts.judges;
    let subset = study.settings.judged().filter(|_| !judges.is_empty());
    if let Some(subset) = subset {
        for row in section_rows(study) {
            sections.push(row)?;
        }
        let ids = sample(study, from, &subset.name)?;
        let answers = subset.models.len() as u64 * u64::from(study.settings.samples);
        tally.started(Some(ids.len() as u64 * answers * judges.len() as u64));
        // Judges asked together, for each answer. One at a time unless the answers of some decide on others.
        let panels: Vec<&[Arc<dyn Judge>]> = if study.settings.early_stop {
            vec![&judges[..]]
        } else {
            judges.chunks(1).collect()
        };
        let at_once = Waves::new(panels[0].len()).size();
        let locator = study.parts.spec.as_deref().map(Locator::new);
        let (panels, locator) = (&panels, locator.as_ref());
        let items = answered_questions(study, from, &ids)?.flat_map(|item| match item {
            Ok((question, responses)) => responses
                .into_iter()
                .filter(|response| subset.models.contains(&response.model))
                .flat_map(|response| panels.iter().map(move |panel| (*panel, response.clone())))
                .map(|(panel, response)| Ok((panel, question.query.clone(), response)))
                .collect(),
            Err(error) => vec![Err(error)],
        });
        ordered(
            items,
            study.settings.concurrency / at_once,
            |(panel, query, response)| {
                judge_one(study.settings.seed, panel, locator, query, response)
            },
            |judged: Vec<(VerdictRow, Vec<CitationRow>)>| {
                for (verdict, cited) in judged {
                    tally.ended(verdict.outcome, 1);
                    verdicts.push(verdict)?;
                    for row in cited {
                        citations.push(row)?;
                    }
                }
                Ok(())
            },
        )
        .await?;
    } else {
        tally.started(Some(0));
    }
    verdicts.finish()?;
    citations.finish()?;
    sections.finish()?;
    Ok(())
}

fn section_rows(study: &Study) -> impl Iterator<Item = SectionRow> + '_ {
    let sections = study.parts.spec.iter().flat_map(|spec| &spec.sections);
    (0..).zip(sections).map(|(place, section)| SectionRow {
        place,
        section: section.id.as_str().to_owned(),
        title: section.title.clone(),
        level: section.level,
        authority: section
            .authority
            .as_ref()
            .map(|level| level.as_str().to_owned()),
        parent: section.parent.as_ref().map(|id| id.as_str().to_owned()),
        text: section.text.clone(),
    })
}

/// Draws up to the set number of questions from each bin, without replacement: the lowest draws win, so a
/// larger number only adds questions.
fn sample(study: &Study, tables: &TableDir, subset: &str) -> Result<HashSet<String>, Abort> {
    let bins = Bins::default();
    let mut drawn: Vec<Vec<(u64, String)>> = vec![Vec::new(); bins.count()];
    for row in study.all_rows::<DisagreementRow>(tables)? {
        let row = row?;
        if row.subset != subset {
            continue;
        }
        // Exact: the stored number is the correctly rounded root of a ratio of small integers. Sample deviations
        // of few models lie beyond the last edge and belong to the last bin.
        if let Some(disagreement) = row.disagreement {
            let bin = bins.of_number(disagreement).unwrap_or(bins.count() - 1);
            let place = draw(
                study.settings.seed,
                "specstress judged sample 1",
                &row.scenario_id,
            );
            drawn[bin].push((place, row.scenario_id));
        }
    }
    let most = study.settings.judged_per_bin.unwrap_or(usize::MAX);
    let mut ids = HashSet::new();
    for mut bin in drawn {
        bin.sort_unstable();
        ids.extend(bin.into_iter().take(most).map(|(_, id)| id));
    }
    Ok(ids)
}

/// The rows of one answer, in order of the judges.
async fn judge_one(
    seed: u64,
    panel: &[Arc<dyn Judge>],
    locator: Option<&Locator>,
    query: String,
    response: ResponseRow,
) -> Result<Vec<(VerdictRow, Vec<CitationRow>)>, Abort> {
    let settled = match &response.text {
        Some(text) => {
            let id = format!(
                "{}/{}/{}",
                response.scenario_id, response.model, response.sample
            );
            ask(seed, &id, panel, &query, text).await?
        }
        None => vec![Err(Lost::not_run("the model did not answer")); panel.len()],
    };
    let text = response.text.as_deref().unwrap_or_default();
    let rows = panel.iter().zip(settled).map(|(judge, settled)| {
        let (outcome, detail) = columns(&settled);
        let verdict = settled.ok();
        let cited = match (&verdict, locator) {
            (Some(verdict), Some(locator)) => {
                let located = locator.locate(verdict, text);
                let rows = (0..).zip(located).map(|(place, citation)| {
                    citation_row(&response, judge.name(), verdict, place, citation)
                });
                rows.collect()
            }
            _ => Vec::new(),
        };
        let row = VerdictRow {
            scenario_id: response.scenario_id.clone(),
            model: response.model.clone(),
            sample: response.sample,
            judge: judge.name().to_owned(),
            decision: verdict.as_ref().map(|verdict| verdict.decision),
            reasoning: verdict.map(|verdict| verdict.reasoning),
            outcome,
            detail,
        };
        (row, cited)
    });
    Ok(rows.collect())
}

/// Asks a panel wave by wave until the majority is settled. The order is drawn, so that no judge is left out more often
/// than others.
async fn ask(
    seed: u64,
    id: &str,
    panel: &[Arc<dyn Judge>],
    query: &str,
    answer: &str,
) -> Result<Vec<Settled<Verdict>>, Abort> {
    let skipped = || Lost::not_run("the majority was settled without this judge (early stop)");
    let mut settled: Vec<Settled<Verdict>> = vec![Err(skipped()); panel.len()];
    let first = draw(seed, "specstress early stop 1", id) % panel.len() as u64;
    let mut order: Vec<usize> = (0..panel.len()).collect();
    order.rotate_left(usize::try_from(first).unwrap_or(0));
    let mut waves = Waves::new(panel.len());
    let mut order = order.into_iter();
    loop {
        let wave: Vec<usize> = order.by_ref().take(waves.size()).collect();
        if wave.is_empty() {
            return Ok(settled);
        }
        let asked = join_all(wave.iter().map(|&judge| panel[judge].judge(query, answer))).await;
        let mut deferred = false;
        for (judge, result) in wave.into_iter().zip(asked) {
            match settle(result) {
                Ok(result) => {
                    let decision = result.as_ref().ok().map(|verdict| verdict.decision);
                    waves.voted(decision.map(specstress_judge::Decision::is_problematic));
                    settled[judge] = result;
                }
                // The calls of a whole wave are put off together.
                Err(Abort::Deferred) => deferred = true,
                Err(abort) => return Err(abort),
            }
        }
        if deferred {
            return Err(Abort::Deferred);
        }
    }
}

fn citation_row(
    response: &ResponseRow,
    judge: &str,
    verdict: &Verdict,
    place: u32,
    citation: LocatedCitation,
) -> CitationRow {
    let bytes = |quote: &Option<Quote>| -> (Option<u64>, Option<u64>) {
        let range = quote.as_ref().and_then(|quote| quote.range.as_ref());
        (range.map(|r| r.start as u64), range.map(|r| r.end as u64))
    };
    let (spec_start, spec_end) = bytes(&citation.spec_quote);
    let (answer_start, answer_end) = bytes(&citation.answer_quote);
    let (spec, answer) = (citation.spec_quote, citation.answer_quote);
    CitationRow {
        scenario_id: response.scenario_id.clone(),
        model: response.model.clone(),
        sample: response.sample,
        judge: judge.to_owned(),
        place,
        decision: verdict.decision,
        section: citation.section,
        known: citation.known,
        source: citation.source,
        spec_match: spec.as_ref().map(|quote| quote.found),
        spec_elsewhere: spec
            .as_ref()
            .and_then(|quote| quote.elsewhere.as_ref())
            .map(|id| id.as_str().to_owned()),
        spec_quote: spec.map(|quote| quote.text),
        spec_start,
        spec_end,
        answer_match: answer.as_ref().map(|quote| quote.found),
        answer_quote: answer.map(|quote| quote.text),
        answer_start,
        answer_end,
    }
}
