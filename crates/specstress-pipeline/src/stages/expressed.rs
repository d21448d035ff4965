use std::collections::BTreeMap;

use futures::future::join_all;
use specstress_dataset::TableDir;
use specstress_dataset::rows::{ExpressedValuesRow, ResponseRow};
use specstress_llm::{EmbeddingModel, EmbeddingRequest};
use specstress_rubric::Labeler;

use crate::drive::{Abort, Lost, Settled, columns, ordered, settle};
use crate::stages::{Question, Tally, answered_questions, answers_of, selected, vectors};
use crate::study::Study;

/// Labels the values that the answers to the selected questions express, all answers of a question in one
/// call, and maps each label to the nearest category.
pub(crate) async fn run(
    study: &Study,
    tables: &TableDir,
    tally: &mut Tally<'_>,
) -> Result<(), Abort> {
    let mut writer = tables.writer::<ExpressedValuesRow>()?;
    let Some(labeler) = &study.parts.labeler else {
        tally.started(Some(0));
        writer.finish()?;
        return Ok(());
    };
    let ids = selected(tables, &study.settings.subsets[0].name)?;
    let answers = study.parts.panel.len() as u64 * u64::from(study.settings.samples);
    tally.started(Some(ids.len() as u64 * answers));
    // While the categories are put off, the labels still can be.
    let (categories, deferred) = match &study.parts.embedder {
        Some(embedder) => match Categories::embed(study, embedder).await {
            Ok(categories) => (Some(categories), false),
            Err(Abort::Deferred) => (None, true),
            Err(abort) => return Err(abort),
        },
        None => (None, false),
    };
    let categories = categories.as_ref();
    ordered(
        answered_questions(study, tables, &ids)?,
        study.settings.concurrency,
        |(question, responses)| label(study, labeler, categories, question, responses),
        |rows: Vec<ExpressedValuesRow>| {
            for row in rows {
                tally.ended(row.outcome, 1);
                writer.push(row)?;
            }
            Ok(())
        },
    )
    .await?;
    if deferred {
        return Err(Abort::Deferred);
    }
    writer.finish()?;
    Ok(())
}

async fn label(
    study: &Study,
    labeler: &dyn Labeler,
    categories: Option<&Categories<'_>>,
    question: Question,
    responses: Vec<ResponseRow>,
) -> Result<Vec<ExpressedValuesRow>, Abort> {
    // All samples at once: one that is put off must not keep the others from being put off too.
    let samples = (0..study.settings.samples).map(|sample| {
        let answers = answers_of(&responses, sample);
        let query = &question.query;
        async move {
            if answers.is_empty() {
                return Ok(Err(Lost::not_run("no model answered")));
            }
            settle(labeler.expressed_values(query, &answers).await)
        }
    });
    let labelled: Vec<Settled<BTreeMap<String, Vec<String>>>> = join_all(samples)
        .await
        .into_iter()
        .collect::<Result<_, Abort>>()?;
    let mut rows = Vec::with_capacity(responses.len());
    for response in responses {
        let settled = match &labelled[response.sample as usize] {
            _ if response.text.is_none() => Err(Lost::not_run("the model did not answer")),
            Ok(all) => all
                .get(&response.model)
                .cloned()
                .ok_or_else(|| Lost::not_run("the labeler left the model out")),
            Err(lost) => Err(lost.clone()),
        };
        let settled = match (settled, categories) {
            (Ok(labels), Some(categories)) => categories
                .nearest(&labels)
                .await?
                .map(|categories| (labels, categories)),
            (Ok(labels), None) => Ok((labels, Vec::new())),
            (Err(lost), _) => Err(lost),
        };
        let (outcome, detail) = columns(&settled);
        let (labels, categories) = settled.unwrap_or_default();
        rows.push(ExpressedValuesRow {
            scenario_id: response.scenario_id,
            model: response.model,
            sample: response.sample,
            labels,
            categories,
            outcome,
            detail,
        });
    }
    Ok(rows)
}

/// The taxonomy's categories with their vectors.
struct Categories<'a> {
    embedder: &'a dyn EmbeddingModel,
    names: Vec<String>,
    vectors: Vec<Vec<f32>>,
}

impl<'a> Categories<'a> {
    async fn embed(study: &Study, embedder: &'a dyn EmbeddingModel) -> Result<Self, Abort> {
        let mut names = Vec::new();
        let mut texts = Vec::new();
        let taxonomy = &study.parts.taxonomy;
        let level = taxonomy.category_level();
        for category in level.into_iter().flat_map(|level| taxonomy.at_level(level)) {
            names.push(category.name.clone());
            texts.push(match &category.description {
                Some(description) => format!("{}: {description}", category.name),
                None => category.name.clone(),
            });
        }
        if names.is_empty() {
            return Ok(Self {
                embedder,
                names,
                vectors: Vec::new(),
            });
        }
        let vectors = match vectors::embed(embedder, EmbeddingRequest::new(texts)).await? {
            Ok(vectors) => vectors,
            Err(lost) => {
                return Err(crate::PipelineError::Setting {
                    setting: "embedder",
                    reason: format!("cannot embed the categories: {}", lost.detail),
                }
                .into());
            }
        };
        Ok(Self {
            embedder,
            names,
            vectors,
        })
    }

    /// The category of largest inner product for each label; the first of equals. Vectors are of unit norm,
    /// so this is the nearest by angle and by distance.
    async fn nearest(&self, labels: &[String]) -> Result<Settled<Vec<String>>, Abort> {
        if labels.is_empty() || self.names.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let request = EmbeddingRequest::new(labels);
        let settled = vectors::embed(self.embedder, request).await?;
        Ok(settled.map(|vectors| {
            vectors
                .iter()
                .map(|vector| self.name_near(vector))
                .collect()
        }))
    }

    fn name_near(&self, vector: &[f32]) -> String {
        let mut best = (0, f32::NEG_INFINITY);
        for (at, category) in self.vectors.iter().enumerate() {
            let product: f32 = category.iter().zip(vector).map(|(a, b)| a * b).sum();
            if product > best.1 {
                best = (at, product);
            }
        }
        self.names[best.0].clone()
    }
}
