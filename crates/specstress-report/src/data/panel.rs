use serde::{Deserialize, Serialize};
use specstress_dataset::TableDir;
use specstress_dataset::rows::{OutlierRow, PositionRow, ResponseRow, ScenarioRow};

use crate::data::rate::Rate;
use crate::data::scan::{Keys, scan, scan_columns, slot};
use crate::data::sharpest::Sharpest;
use crate::data::stages::{ModelOutcomes, Outcomes, StageCounts};
use crate::error::ReportError;
use crate::info::{ModelRef, StudyInfo};

/// How often a model stands alone: the answer is at least 4 points away from most of the others' (paper,
/// Fig. 6; the exact rule is the one that the outlier table was written with).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelOutliers {
    /// The model.
    pub model: ModelRef,
    /// Scenarios that flag it, out of those where it has a position on either value.
    pub flagged: Rate,
}

/// A position without confidence and reasons.
#[derive(Deserialize)]
pub(crate) struct PositionColumns {
    pub(crate) scenario_id: String,
    pub(crate) model: String,
    pub(crate) sample: u32,
    pub(crate) value1_position: Option<u8>,
    pub(crate) value2_position: Option<u8>,
    outcome: String,
}

/// Counts that come from answers and positions.
#[derive(Debug, Default)]
pub(crate) struct PanelCounts {
    pub(crate) stages: Vec<StageCounts>,
    pub(crate) answers: Option<Vec<ModelOutcomes>>,
    pub(crate) outliers: Option<Vec<ModelOutliers>>,
}

fn panel_keys(info: &StudyInfo) -> Keys {
    Keys::new(info.panel.iter().map(|entry| &entry.key))
}

/// Reads scenarios (for the sharpest only), answers, positions and outliers, each once; texts are kept for
/// the sharpest scenarios only.
pub(crate) fn panel_counts(
    tables: &TableDir,
    info: &StudyInfo,
    sharpest: &mut Sharpest,
) -> Result<PanelCounts, ReportError> {
    let mut counts = PanelCounts::default();
    if !sharpest.is_empty() {
        scan::<ScenarioRow>(tables, |_, row| {
            sharpest.question(row);
            Ok(())
        })?;
    }

    let mut models = panel_keys(info);
    let mut by_model = vec![Outcomes::default(); models.names().len()];
    let mut all = Outcomes::default();
    if scan::<ResponseRow>(tables, |_, row| {
        let outcome = row.outcome.as_str();
        all.add(outcome);
        slot(&mut by_model, models.place(&row.model)).add(outcome);
        sharpest.answer(row);
        Ok(())
    })? {
        counts.stages.push(all.finish("responses"));
        counts.answers = Some(
            models
                .names()
                .iter()
                .zip(by_model)
                .map(|(key, outcomes)| ModelOutcomes {
                    model: info.model(key),
                    counts: outcomes.finish("responses"),
                })
                .collect(),
        );
    }

    let mut models = panel_keys(info);
    let mut placed = vec![0_u64; models.names().len()];
    let mut all = Outcomes::default();
    let has_positions = scan_columns::<PositionRow, PositionColumns>(tables, |number, row| {
        for (column, position) in [
            ("value1_position", row.value1_position),
            ("value2_position", row.value2_position),
        ] {
            if let Some(value @ 7..) = position {
                return Err(ReportError::BadValue {
                    table: "positions",
                    row: number,
                    column,
                    value: value.to_string(),
                    allowed: "0 to 6",
                });
            }
        }
        all.add(&row.outcome);
        let place = slot(&mut placed, models.place(&row.model));
        if row.sample == 0 && (row.value1_position.is_some() || row.value2_position.is_some()) {
            *place += 1;
        }
        sharpest.position(&row);
        Ok(())
    })?;
    if has_positions {
        counts.stages.push(all.finish("positions"));
    }

    let mut flagged = vec![0_u64; placed.len()];
    if scan::<OutlierRow>(tables, |_, row| {
        *slot(&mut flagged, models.place(&row.model)) += 1;
        Ok(())
    })? {
        placed.resize(models.names().len(), 0);
        flagged.resize(models.names().len(), 0);
        let mut outliers: Vec<_> = models
            .names()
            .iter()
            .zip(flagged.into_iter().zip(placed))
            .map(|(key, (flagged, placed))| ModelOutliers {
                model: info.model(key),
                flagged: Rate::new(flagged, placed),
            })
            .collect();
        // A stable sort: equal counts stay in panel order.
        outliers.sort_by_key(|row| std::cmp::Reverse(row.flagged.count));
        counts.outliers = Some(outliers);
    }
    Ok(counts)
}
