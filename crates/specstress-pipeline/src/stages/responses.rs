use specstress_dataset::TableDir;
use specstress_dataset::rows::ResponseRow;
use specstress_llm::{CallMode, ChatModel, ChatRequest, ChatResponse, RequestKey};

use crate::drive::{Abort, columns, ordered, settle};
use crate::parts::PanelModel;
use crate::stages::{DIVERSITY, Question, Tally, questions, selected};
use crate::study::Study;

/// Puts every kept question, and nothing else, to every panel model.
pub(crate) async fn run(
    study: &Study,
    tables: &TableDir,
    tally: &mut Tally<'_>,
) -> Result<(), Abort> {
    let kept = selected(tables, DIVERSITY)?;
    let samples = study.settings.samples;
    let panel = &study.parts.panel;
    tally.started(Some(
        kept.len() as u64 * panel.len() as u64 * u64::from(samples),
    ));
    let mut writer = tables.writer::<ResponseRow>()?;
    let items = questions(study, tables, &kept)?.flat_map(|question| match question {
        Ok(question) => panel
            .iter()
            .flat_map(|model| (0..samples).map(move |sample| (model, sample)))
            .map(|(model, sample)| Ok((question.clone(), model, sample)))
            .collect(),
        Err(error) => vec![Err(error)],
    });
    ordered(
        items,
        study.settings.concurrency,
        |(question, panel, sample)| answer(question, panel, sample),
        |row: ResponseRow| {
            tally.ended(row.outcome, 1);
            writer.push(row)?;
            Ok(())
        },
    )
    .await?;
    writer.finish()?;
    Ok(())
}

async fn answer(question: Question, panel: &PanelModel, sample: u32) -> Result<ResponseRow, Abort> {
    let request = panel
        .settings
        .apply(ChatRequest::user(question.query).with_sample(sample));
    let request_key = RequestKey::chat(panel.model.id(), &request).to_string();
    let response = settle(panel.model.chat(&request).await.map_err(Into::into))?;
    let settled = match &response {
        Ok(response) => settle(response.answer().map(ToOwned::to_owned))?,
        Err(lost) => Err(lost.clone()),
    };
    let (outcome, detail) = columns(&settled);
    let meta: Option<&ChatResponse> = response.as_ref().ok();
    Ok(ResponseRow {
        scenario_id: question.scenario_id,
        model: panel.key.clone(),
        sample,
        text: settled.ok(),
        answered_by: meta.map(|response| response.model.clone()),
        input_tokens: meta.map(|response| {
            let usage = &response.usage;
            usage.input + usage.cached_input + usage.cache_write
        }),
        output_tokens: meta.map(|response| response.usage.output + response.usage.reasoning),
        // Not what was paid: that depends on how the call was made, and the table must not.
        cost_usd: meta.and_then(|response| panel.model.quote(&response.usage, CallMode::Live)),
        request_key,
        outcome,
        detail,
    })
}
