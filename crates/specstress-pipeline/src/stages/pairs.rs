use specstress_dataset::TableDir;
use specstress_dataset::rows::PairRow;
use specstress_llm::OutcomeKind;
use specstress_scenarios::TripleId;

use crate::drive::Abort;
use crate::error::PipelineError;
use crate::stages::Tally;
use crate::study::Study;

/// Samples the value pairs.
pub(crate) fn run(study: &Study, tables: &TableDir, tally: &mut Tally<'_>) -> Result<(), Abort> {
    let taxonomy = &study.parts.taxonomy;
    let count = study.settings.pairs;
    tally.started(Some(count as u64));
    let pairs = study
        .parts
        .sampler
        .sample(taxonomy, count, study.settings.seed)
        .map_err(PipelineError::from)?;
    let category = |value: &str| {
        taxonomy
            .category(value)
            .map(|category| category.name.clone())
    };
    let mut writer = tables.writer::<PairRow>()?;
    for (at, pair) in (0_u32..).zip(&pairs) {
        writer.push(PairRow {
            pair: at,
            triple_id: TripleId::of(pair).into(),
            value1: pair.value1.clone(),
            value2: pair.value2.clone(),
            category1: category(&pair.value1),
            category2: category(&pair.value2),
        })?;
    }
    writer.finish()?;
    tally.ended(OutcomeKind::Answered, pairs.len() as u64);
    Ok(())
}
