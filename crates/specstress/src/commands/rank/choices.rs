//! The choices each model made between values.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use specstress_dataset::published::{PublishedRow, ReadOptions};
use specstress_scenarios::Nudge;
use specstress_stats::{Comparison, NudgedComparison, Toward};

use crate::cli::RankArgs;
use crate::exit::UsageExt;
use crate::published_files::{model_place, read_all};

#[derive(Debug)]
pub(super) struct Choices {
    pub(super) models: Vec<String>,
    /// Names, rising; comparisons go by their places.
    pub(super) values: Vec<String>,
    /// By model.
    pub(super) comparisons: Vec<Vec<NudgedComparison>>,
    pub(super) rows: u64,
    /// Rows that lack the name of a value.
    pub(super) unnamed: u64,
    /// Rows that do not say their nudge; taken as neutral.
    pub(super) without_nudge: u64,
}

/// A row without its texts: first value, second value, nudge, positions by model.
type Row = (String, String, Toward, Vec<(Option<u8>, Option<u8>)>);

struct Reading {
    models: Vec<String>,
    places: Vec<usize>,
    kept: Vec<Row>,
    rows: u64,
    without_nudge: u64,
}

impl Choices {
    pub(super) fn read(args: &RankArgs) -> anyhow::Result<Self> {
        let start = |models: &[String]| {
            let keys = if args.models.is_empty() {
                models
            } else {
                &args.models
            };
            let places = keys
                .iter()
                .map(|key| model_place(models, key.trim(), "--models"));
            let places: Vec<usize> = places.collect::<anyhow::Result<_>>().usage()?;
            if places.iter().collect::<BTreeSet<_>>().len() < places.len() {
                return Err(anyhow::anyhow!("--models names a model twice")).usage();
            }
            Ok(Reading {
                models: places.iter().map(|&place| models[place].clone()).collect(),
                places,
                kept: Vec::new(),
                rows: 0,
                without_nudge: 0,
            })
        };
        let reading = read_all(
            &args.files,
            &ReadOptions::without_texts(),
            start,
            |reading, row| {
                reading.add(row);
                Ok(())
            },
        )?;
        Self::new(reading, args).usage()
    }

    fn new(reading: Reading, args: &RankArgs) -> anyhow::Result<Self> {
        let files: Vec<String> = args
            .files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        let files = files.join(", ");
        let names: BTreeSet<&str> = reading
            .kept
            .iter()
            .flat_map(|(first, second, ..)| [first.as_str(), second.as_str()])
            .collect();
        if names.is_empty() {
            bail!("{files}: no row names two values; ranking needs the columns value1 and value2");
        }
        let values: Vec<String> = names.into_iter().map(ToOwned::to_owned).collect();
        let place: BTreeMap<&str, usize> = values
            .iter()
            .enumerate()
            .map(|(at, name)| (name.as_str(), at))
            .collect();
        let comparisons = (0..reading.models.len())
            .map(|model| {
                let one = |(first, second, toward, positions): &Row| {
                    let (first, second) = (place[first.as_str()], place[second.as_str()]);
                    let (own, other) = positions[model];
                    let preference = Comparison::of_positions(first, second, own, other).preference;
                    NudgedComparison {
                        first,
                        second,
                        toward: *toward,
                        preference,
                    }
                };
                reading.kept.iter().map(one).collect()
            })
            .collect();
        Ok(Self {
            unnamed: reading.rows - reading.kept.len() as u64,
            rows: reading.rows,
            without_nudge: reading.without_nudge,
            models: reading.models,
            comparisons,
            values,
        })
    }
}

impl Reading {
    fn add(&mut self, row: &PublishedRow) {
        self.rows += 1;
        let (Some(first), Some(second)) = (&row.value1, &row.value2) else {
            return;
        };
        self.without_nudge += u64::from(row.nudge_direction.is_none());
        let toward = match row.nudge_direction {
            Some(Nudge::Value1) => Toward::First,
            Some(Nudge::Value2) => Toward::Second,
            Some(Nudge::Neutral) | None => Toward::Neither,
        };
        let positions = self
            .places
            .iter()
            .map(|&place| row.positions[place])
            .collect();
        self.kept
            .push((first.clone(), second.clone(), toward, positions));
    }
}
