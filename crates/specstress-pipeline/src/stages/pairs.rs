use specstress_dataset::TableDir;
use specstress_dataset::rows::PairRow;
use specstress_llm::OutcomeKind;
use specstress_scenarios::TripleId;
use specstress_values::ValuePair;

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
    let own = study
        .settings
        .shard
        .map_or(0..pairs.len(), |shard| shard.range(pairs.len()));
    let kept = own.len() as u64;
    let numbered: Vec<(u32, &ValuePair)> = (0_u32..).zip(&pairs).collect();
    for &(at, pair) in &numbered[own] {
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
    tally.ended(OutcomeKind::Answered, kept);
    Ok(())
}
