//! What a report needs to know of a run beyond its tables.

use specstress_pipeline::{Manifest, ModelCalls, StdKind};
use specstress_report::{CallCounts, PanelEntry, StudyInfo, SubsetInfo};

/// From the manifest and the call store; `made` is what the last run added.
pub(crate) fn study_info(manifest: &Manifest, calls: &[ModelCalls], made: u64) -> StudyInfo {
    let settings = &manifest.settings;
    let subsets: Vec<SubsetInfo> = settings
        .subsets
        .iter()
        .map(|subset| SubsetInfo {
            name: subset.name.clone(),
            models: subset.models.clone(),
        })
        .collect();
    let judged = settings
        .judged_subset
        .as_ref()
        .and_then(|name| subsets.iter().find(|subset| subset.name == *name))
        .or(subsets.first());
    let judged_models = judged.map_or_else(Vec::new, |subset| subset.models.clone());
    let costs: Option<Vec<f64>> = calls.iter().map(|model| model.cost_usd).collect();
    StudyInfo {
        title: settings.title.clone(),
        simulated: manifest.simulated,
        panel: manifest
            .panel
            .iter()
            .map(|panel| PanelEntry {
                key: panel.key.clone(),
                provider: panel.provider.clone(),
                name: panel.name.clone(),
            })
            .collect(),
        subsets,
        judges: manifest.judges.clone(),
        judged_models,
        spec_title: manifest.inputs.get("spec_title").cloned(),
        std_kind: match settings.std {
            StdKind::Population => "population",
            StdKind::Sample => "sample",
        }
        .to_owned(),
        threshold: settings.threshold,
        early_stop: settings.early_stop,
        seed: settings.seed,
        created: None,
        calls: Some(CallCounts {
            total: calls.iter().map(|model| model.calls).sum(),
            made,
            cost_usd: costs.map(|costs| costs.iter().sum()),
        }),
    }
}
