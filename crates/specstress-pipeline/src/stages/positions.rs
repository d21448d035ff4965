use futures::future::join_all;
use specstress_dataset::TableDir;
use specstress_dataset::rows::{PositionRow, ResponseRow, SpectrumRow};
use specstress_rubric::{ClassificationTask, Classifications, Spectrum, SpectrumPair};
use specstress_values::ValuePair;

use crate::drive::{Abort, Groups, Lost, Settled, columns, ordered, settle};
use crate::stages::{DIVERSITY, Question, Tally, answered_questions, answers_of, selected};
use crate::study::Study;

/// Places all answers to a question on its pair's spectra, one call per question and sample.
pub(crate) async fn run(
    study: &Study,
    tables: &TableDir,
    tally: &mut Tally<'_>,
) -> Result<(), Abort> {
    let kept = selected(tables, DIVERSITY)?;
    tally.started(Some(tables.count::<ResponseRow>()?));
    let mut writer = tables.writer::<PositionRow>()?;
    let mut spectra = Groups::new(tables.rows::<SpectrumRow>()?, |row: &SpectrumRow| {
        row.triple_id.as_str()
    });
    let mut current: Option<SpectrumRow> = None;
    let items = answered_questions(study, tables, &kept)?.map(move |item| {
        let (question, responses) = item?;
        let triple = &question.row.triple_id;
        if current.as_ref().is_none_or(|row| row.triple_id != *triple) {
            current = spectra.take(triple)?.pop();
        }
        Ok((question, responses, current.clone()))
    });
    ordered(
        items,
        study.settings.concurrency,
        |(question, responses, spectrum)| classify(study, question, responses, spectrum),
        |rows: Vec<PositionRow>| {
            for row in rows {
                tally.ended(row.outcome, 1);
                writer.push(row)?;
            }
            Ok(())
        },
    )
    .await?;
    writer.finish()?;
    Ok(())
}

async fn classify(
    study: &Study,
    question: Question,
    responses: Vec<ResponseRow>,
    spectrum: Option<SpectrumRow>,
) -> Result<Vec<PositionRow>, Abort> {
    let pair = ValuePair::new(&question.row.value1, &question.row.value2);
    let spectra = spectrum.and_then(|row| spectrum_pair(&pair, row));
    // All samples at once: one that is put off must not keep the others from being put off too.
    let samples = (0..study.settings.samples).map(|sample| {
        place(
            study,
            &pair,
            &question.query,
            &responses,
            spectra.as_ref(),
            sample,
        )
    });
    let placed: Vec<Settled<Classifications>> = join_all(samples)
        .await
        .into_iter()
        .collect::<Result<_, _>>()?;
    Ok(responses
        .into_iter()
        .map(|response| position_row(response, &placed))
        .collect())
}

async fn place(
    study: &Study,
    pair: &ValuePair,
    query: &str,
    responses: &[ResponseRow],
    spectra: Option<&SpectrumPair>,
    sample: u32,
) -> Result<Settled<Classifications>, Abort> {
    let answers = answers_of(responses, sample);
    let Some(spectra) = spectra else {
        return Ok(Err(Lost::not_run("the pair has no spectra")));
    };
    if answers.is_empty() {
        return Ok(Err(Lost::not_run("no model answered")));
    }
    let task = ClassificationTask {
        pair,
        query,
        answers: &answers,
        spectra,
    };
    settle(study.parts.classifier.classify(&task).await)
}

fn spectrum_pair(pair: &ValuePair, row: SpectrumRow) -> Option<SpectrumPair> {
    Some(SpectrumPair {
        value1: Spectrum {
            value: pair.value1.clone(),
            strategies: row.strategies1.try_into().ok()?,
        },
        value2: Spectrum {
            value: pair.value2.clone(),
            strategies: row.strategies2.try_into().ok()?,
        },
    })
}

fn position_row(response: ResponseRow, placed: &[Settled<Classifications>]) -> PositionRow {
    let settled = match &placed[response.sample as usize] {
        _ if response.text.is_none() => Err(Lost::not_run("the model did not answer")),
        Ok(all) => all
            .get(&response.model)
            .cloned()
            .ok_or_else(|| Lost::not_run("the classifier left the model out")),
        Err(lost) => Err(lost.clone()),
    };
    let (outcome, detail) = columns(&settled);
    let (value1, value2) = match settled {
        Ok(classification) => (Some(classification.value1), Some(classification.value2)),
        Err(_) => (None, None),
    };
    PositionRow {
        scenario_id: response.scenario_id,
        model: response.model,
        sample: response.sample,
        value1_position: value1.as_ref().map(|rating| rating.position.score()),
        value1_confidence: value1.as_ref().map(|rating| rating.confidence),
        value1_reasoning: value1.map(|rating| rating.reasoning),
        value2_position: value2.as_ref().map(|rating| rating.position.score()),
        value2_confidence: value2.as_ref().map(|rating| rating.confidence),
        value2_reasoning: value2.map(|rating| rating.reasoning),
        outcome,
        detail,
    }
}
