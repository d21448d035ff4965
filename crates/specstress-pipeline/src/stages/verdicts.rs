use std::collections::HashSet;

use specstress_dataset::TableDir;
use specstress_dataset::rows::{DisagreementRow, ResponseRow, VerdictRow};
use specstress_judge::Judge;
use specstress_stats::Bins;

use crate::drive::{Abort, Lost, columns, ordered, settle};
use crate::stages::{Tally, answered_questions, draw};
use crate::study::Study;

/// Judges the answers of the judged subset to a sample of questions from every disagreement bin.
pub(crate) async fn run(
    study: &Study,
    tables: &TableDir,
    tally: &mut Tally<'_>,
) -> Result<(), Abort> {
    let mut writer = tables.writer::<VerdictRow>()?;
    let judges = &study.parts.judges;
    let Some(subset) = study.settings.judged().filter(|_| !judges.is_empty()) else {
        tally.started(Some(0));
        writer.finish()?;
        return Ok(());
    };
    let ids = sample(study, tables, &subset.name)?;
    let answers = subset.models.len() as u64 * u64::from(study.settings.samples);
    tally.started(Some(ids.len() as u64 * answers * judges.len() as u64));
    let items = answered_questions(study, tables, &ids)?.flat_map(|item| match item {
        Ok((question, responses)) => responses
            .into_iter()
            .filter(|response| subset.models.contains(&response.model))
            .flat_map(|response| judges.iter().map(move |judge| (judge, response.clone())))
            .map(|(judge, response)| Ok((judge, question.query.clone(), response)))
            .collect(),
        Err(error) => vec![Err(error)],
    });
    ordered(
        items,
        study.settings.concurrency,
        |(judge, query, response)| judge_one(judge, query, response),
        |row: VerdictRow| {
            tally.ended(row.outcome, 1);
            writer.push(row)?;
            Ok(())
        },
    )
    .await?;
    writer.finish()?;
    Ok(())
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

async fn judge_one(
    judge: &dyn Judge,
    query: String,
    response: ResponseRow,
) -> Result<VerdictRow, Abort> {
    let settled = match &response.text {
        Some(text) => settle(judge.judge(&query, text).await)?,
        None => Err(Lost::not_run("the model did not answer")),
    };
    let (outcome, detail) = columns(&settled);
    let verdict = settled.ok();
    Ok(VerdictRow {
        scenario_id: response.scenario_id,
        model: response.model,
        sample: response.sample,
        judge: judge.name().to_owned(),
        decision: verdict.as_ref().map(|verdict| verdict.decision),
        reasoning: verdict.map(|verdict| verdict.reasoning),
        outcome,
        detail,
    })
}
