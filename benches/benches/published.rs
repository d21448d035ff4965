//! A file of the published layout at its full size, 411,000 rows with twelve answers of 2 kB for the first 60,000 of
//! them: written, then read for what disagreement needs, row by row as one writes it first, and as columns on all
//! cores.
//!
//! `-- FILE` keeps the file there, for `benches/published.py`, which sets the binary against `DuckDB` and Polars; a second
//! number is the rows, a third those with answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use specstress_benches::timed;
use specstress_dataset::DatasetError;
use specstress_dataset::published::{
    PUBLISHED_MODELS, PUBLISHED_SUBSETS, PositionFiles, PublishedRow, PublishedWriter, ReadOptions,
    read_published,
};
use specstress_scenarios::Nudge;
use specstress_stats::ndarray::{Array2, ArrayView3};
use specstress_stats::{DisagreementParams, PanelDisagreement, disagreement, disagreement_panels};

const ROWS: usize = 411_000;
const ANSWERED: usize = 60_000;
const ANSWER: usize = 2_000;
const WORDS: usize = 4_000;

/// Answers of pseudo-words, which compress about as text does.
fn answer(words: &[String], rng: &mut ChaCha8Rng) -> String {
    let mut text = String::with_capacity(ANSWER + 16);
    while text.len() < ANSWER {
        // Few words are frequent.
        let draw = rng.random_range(0.0..1.0_f64).powi(3);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "below the number of words"
        )]
        let at = (draw * WORDS as f64) as usize;
        text.push_str(&words[at]);
        text.push(' ');
    }
    text
}

fn write(path: &Path, rows: usize, answered: usize) -> Result<(), DatasetError> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let word = |rng: &mut ChaCha8Rng| -> String {
        let letters = rng.random_range(2..11);
        let letter = |_| char::from(b'a' + rng.random_range(0..26_u8));
        (0..letters).map(letter).collect()
    };
    let words: Vec<String> = (0..WORDS).map(|_| word(&mut rng)).collect();
    let models: Arc<[String]> = PUBLISHED_MODELS.map(str::to_owned).into();
    let mut writer = PublishedWriter::create(path, &models)?;
    for at in 0..rows {
        // One row in three is contested.
        let calm = rng.random_range(1..=5_u8);
        let contested = rng.random_bool(0.33);
        let position = |rng: &mut ChaCha8Rng| {
            let near = calm - 1 + rng.random_range(0..3_u8);
            Some(if contested || rng.random_bool(0.05) {
                rng.random_range(0..=6)
            } else {
                near
            })
        };
        let positions = models
            .iter()
            .map(|_| (position(&mut rng), position(&mut rng)));
        let positions = positions.collect();
        let responses = models
            .iter()
            .map(|_| (at < answered).then(|| answer(&words, &mut rng)));
        let row = PublishedRow {
            rank: None,
            query_generator: Some(["claude", "o3"][at % 2].to_owned()),
            value1: Some(words[at % 3_307].clone()),
            value2: Some(words[(at * 7) % 3_307].clone()),
            nudge_direction: Some([Nudge::Neutral, Nudge::Value1, Nudge::Value2][at % 3]),
            query: Some(format!("question {at}")),
            responses: responses.collect(),
            models: models.clone(),
            positions,
            chunk_index: i64::try_from(at / 3 / 500).ok(),
            entry_idx: i64::try_from(at / 3 % 500).ok(),
            value1_spectrum: None,
            value2_spectrum: None,
        };
        writer.write(&[row])?;
    }
    writer.finish().map(drop)
}

fn panels() -> Vec<Vec<usize>> {
    let place = |key: &&str| PUBLISHED_MODELS.iter().position(|model| model == key);
    let subsets = PUBLISHED_SUBSETS.iter();
    subsets
        .map(|subset| subset.models.iter().filter_map(place).collect())
        .collect()
}

/// Rows that are high, by subset.
fn by_row(path: &Path) -> Result<Vec<u64>, DatasetError> {
    let panels = panels();
    let params = DisagreementParams::default();
    let mut high = vec![0; panels.len()];
    for row in read_published(path, &ReadOptions::without_texts())? {
        let row = row?;
        let scores = Array2::from_shape_fn((row.models.len(), 2), |(model, value)| {
            let (first, second) = row.positions[model];
            [first, second][value]
        });
        for (high, panel) in high.iter_mut().zip(&panels) {
            let found = disagreement(scores.view(), Some(panel), &params).expect("twelve models");
            *high += u64::from(found.high);
        }
    }
    Ok(high)
}

fn by_column(path: &Path) -> Result<Vec<u64>, DatasetError> {
    let panels = panels();
    let panels: Vec<&[usize]> = panels.iter().map(Vec::as_slice).collect();
    let params = DisagreementParams::default();
    let mut high = vec![0; panels.len()];
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    PositionFiles::open(&[path])?.for_each(threads, |block| {
        let shape = (block.len(), PUBLISHED_MODELS.len(), 2);
        let scores = ArrayView3::from_shape(shape, &block.positions).expect("all positions");
        let found = disagreement_panels(scores, &panels, &params).expect("twelve models");
        for (high, found) in high.iter_mut().zip(&found) {
            *high += found.iter().filter(PanelDisagreement::is_high).count() as u64;
        }
        Ok::<(), DatasetError>(())
    })?;
    Ok(high)
}

fn main() -> Result<(), DatasetError> {
    let given: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let number = |at: usize, default| {
        given
            .get(at)
            .and_then(|n| n.parse().ok())
            .unwrap_or(default)
    };
    let (rows, answered) = (number(1, ROWS), number(2, ANSWERED));
    let folder = tempfile::tempdir().expect("a folder");
    let path = given
        .first()
        .map_or_else(|| folder.path().join("published.parquet"), PathBuf::from);
    timed("write the file", || write(&path, rows, answered))?;
    let slow = timed("row by row", || by_row(&path))?;
    let fast = timed("as columns", || by_column(&path))?;
    assert_eq!(slow, fast, "both count the same rows");
    Ok(())
}
