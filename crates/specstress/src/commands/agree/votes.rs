//! A file of votes as arrays.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow, bail};
use serde::Serialize;
use specstress_dataset::TextTable;
use specstress_stats::ndarray::Array2;

use crate::cli::{AgreeArgs, LevelArg};

/// More labels than this are names of things, not ratings.
const MOST_LABELS: usize = 100;

/// Labels that are commonly meant by yes and no: all that may occur, and those that count.
const KNOWN: &[(&[&str], &[&str])] = &[
    (&["0", "1"], &["1"]),
    (&["false", "true"], &["true"]),
    (&["no", "yes"], &["yes"]),
    // The paper's reading of verdicts (page 5): problematic is whatever is not compliant.
    (
        &["compliant", "non-compliant", "ambiguous"],
        &["non-compliant", "ambiguous"],
    ),
];

/// A label with the number it goes by.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Label {
    pub(super) code: u32,
    pub(super) name: String,
}

#[derive(Debug)]
pub(super) struct Votes {
    pub(super) raters: Vec<String>,
    /// By rising code.
    pub(super) labels: Vec<Label>,
    /// Subjects x raters.
    pub(super) ratings: Array2<Option<u32>>,
    /// The cluster of each subject, and how many there are.
    pub(super) clusters: Option<(Vec<u64>, usize)>,
    pub(super) gold: Option<Vec<Option<u32>>>,
}

impl Votes {
    pub(super) fn codes(&self) -> Vec<u32> {
        self.labels.iter().map(|label| label.code).collect()
    }

    pub(super) fn cluster_names(&self) -> Option<&[u64]> {
        self.clusters.as_ref().map(|(names, _)| names.as_slice())
    }

    pub(super) fn read(args: &AgreeArgs) -> anyhow::Result<Self> {
        let table = TextTable::read(&args.file)?;
        let file = args.file.display();
        if table.is_empty() {
            bail!("{file} has no rows under its header");
        }
        let one =
            |name: &Option<String>| name.as_deref().map(|name| table.column(name)).transpose();
        let (cluster, gold) = (one(&args.cluster)?, one(&args.gold)?);
        let raters = rater_columns(&table, args, &[cluster, gold])?;
        let cells = Cells {
            table: &table,
            args,
        };
        let columns: Vec<usize> = raters.iter().copied().chain(gold).collect();
        let coding = Coding::new(&cells, &columns)?;
        let mut flat = Vec::with_capacity(table.len() * raters.len());
        for row in 0..table.len() {
            for &column in &raters {
                flat.push(coding.code(&cells, row, column)?);
            }
        }
        let gold = gold
            .map(|column| {
                (0..table.len())
                    .map(|row| coding.code(&cells, row, column))
                    .collect()
            })
            .transpose()?;
        Ok(Self {
            ratings: Array2::from_shape_vec((table.len(), raters.len()), flat)
                .context("subjects x raters")?,
            raters: raters
                .iter()
                .map(|&column| table.header()[column].clone())
                .collect(),
            labels: coding.labels,
            clusters: cluster.map(|column| clusters(&table, column)).transpose()?,
            gold,
        })
    }
}

/// The columns that hold raters: those named, or all that have no other part to play.
fn rater_columns(
    table: &TextTable,
    args: &AgreeArgs,
    taken: &[Option<usize>],
) -> anyhow::Result<Vec<usize>> {
    let columns: Vec<usize> = if args.raters.is_empty() {
        (0..table.header().len())
            .filter(|column| !taken.contains(&Some(*column)))
            .collect()
    } else {
        args.raters
            .iter()
            .map(|name| table.column(name.trim()))
            .collect::<Result<_, _>>()?
    };
    for (at, column) in columns.iter().enumerate() {
        let name = &table.header()[*column];
        if columns[..at].contains(column) {
            bail!("--raters names {name} twice; name every rater once");
        }
        if taken.contains(&Some(*column)) {
            bail!("{name} cannot be a rater and --cluster or --gold as well");
        }
        // A second column of the same name could not be told from it.
        table.column(name)?;
    }
    if columns.len() < 2 {
        bail!(
            "{} has {} rater; agreement takes two or more columns, one per rater (its columns are {})",
            args.file.display(),
            columns.len(),
            table.header().join(", ")
        );
    }
    Ok(columns)
}

fn clusters(table: &TextTable, column: usize) -> anyhow::Result<(Vec<u64>, usize)> {
    let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
    let mut names = Vec::with_capacity(table.len());
    for row in 0..table.len() {
        let name = table
            .cell(row, column)
            .ok_or_else(|| table.bad_value(row, column, "the name of the row's cluster"))?;
        let next = numbers.len() as u64;
        names.push(*numbers.entry(name).or_insert(next));
    }
    Ok((names, numbers.len()))
}

/// Cells with the user's own marks for missing votes taken out.
struct Cells<'a> {
    table: &'a TextTable,
    args: &'a AgreeArgs,
}

impl<'a> Cells<'a> {
    fn get(&self, row: usize, column: usize) -> Option<&'a str> {
        let missing = |cell: &&str| !self.args.missing.iter().any(|mark| mark.trim() == *cell);
        self.table.cell(row, column).filter(missing)
    }
}

/// Which number each label goes by.
struct Coding {
    codes: BTreeMap<String, u32>,
    labels: Vec<Label>,
}

impl Coding {
    fn new(cells: &Cells<'_>, columns: &[usize]) -> anyhow::Result<Self> {
        let args = cells.args;
        let rows = 0..cells.table.len();
        let used: BTreeMap<&str, (usize, usize)> = rows
            .flat_map(|row| columns.iter().map(move |&column| (row, column)))
            .rev()
            .filter_map(|(row, column)| Some((cells.get(row, column)?, (row, column))))
            .collect();
        if used.is_empty() {
            bail!(
                "{} has no vote: every cell of the raters is missing",
                args.file.display()
            );
        }
        if used.len() > MOST_LABELS {
            bail!(
                "{} has {} different labels; name the columns that are raters with --raters, or bin the labels into {MOST_LABELS} or fewer",
                args.file.display(),
                used.len()
            );
        }
        let names: Vec<&str> = used.keys().copied().collect();
        let scale: Vec<&str> = args.scale.iter().map(|label| label.trim()).collect();
        for (at, label) in scale.iter().enumerate() {
            if label.is_empty() || scale[..at].contains(label) {
                bail!(
                    "--scale has {label:?} twice or empty; list every label once, as in --scale low,mid,high"
                );
            }
        }
        match args.level {
            LevelArg::Binary => Self::binary(&names, args),
            LevelArg::Interval => {
                for (name, (row, column)) in &used {
                    if whole(name).is_none() {
                        let allowed = "a whole number from 0, or an empty cell (use --level ordinal or nominal for names)";
                        return Err(cells.table.bad_value(*row, *column, allowed).into());
                    }
                }
                Self::numbers(names.into_iter().chain(scale)).ok_or_else(|| {
                    anyhow!("--scale: with --level interval every label is a whole number")
                })
            }
            LevelArg::Ordinal if scale.is_empty() => {
                Self::numbers(names.iter().copied()).ok_or_else(|| {
                    anyhow!(
                        "the labels are {}; give their order, as in --scale low,mid,high (and name the raters with --raters if some columns are none)",
                        listed(&names)
                    )
                })
            }
            LevelArg::Nominal if scale.is_empty() => {
                Ok(Self::numbers(names.iter().copied()).unwrap_or_else(|| Self::in_order(&names)))
            }
            LevelArg::Ordinal | LevelArg::Nominal => Ok(Self::in_order(&scale)),
        }
    }

    fn in_order(names: &[&str]) -> Self {
        Self::coded((0..).zip(names).map(|(code, name)| (code, *name)).collect())
    }

    /// Labels that are whole numbers go by themselves.
    fn numbers<'a>(names: impl Iterator<Item = &'a str>) -> Option<Self> {
        Some(Self::coded(
            names
                .map(|name| Some((whole(name)?, name)))
                .collect::<Option<_>>()?,
        ))
    }

    fn coded(pairs: Vec<(u32, &str)>) -> Self {
        // Two ways of writing a number are one label.
        let labels: BTreeMap<u32, String> = pairs
            .iter()
            .rev()
            .map(|(code, name)| (*code, (*name).to_owned()))
            .collect();
        Self {
            codes: pairs
                .into_iter()
                .map(|(code, name)| (name.to_owned(), code))
                .collect(),
            labels: labels
                .into_iter()
                .map(|(code, name)| Label { code, name })
                .collect(),
        }
    }

    fn binary(names: &[&str], args: &AgreeArgs) -> anyhow::Result<Self> {
        let positive: Vec<&str> = if args.positive.is_empty() {
            let lower: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
            let known = KNOWN
                .iter()
                .find(|(all, _)| lower.iter().all(|name| all.contains(&name.as_str())));
            let Some((_, counts)) = known else {
                bail!(
                    "the labels are {}; say which of them count as positive, as in --positive {}",
                    listed(names),
                    names[0]
                );
            };
            names
                .iter()
                .zip(&lower)
                .filter(|(_, lower)| counts.contains(&lower.as_str()))
                .map(|(name, _)| *name)
                .collect()
        } else {
            args.positive.iter().map(|label| label.trim()).collect()
        };
        if let Some(unknown) = positive.iter().find(|label| !names.contains(label)) {
            bail!(
                "--positive {unknown}: nobody gave that label; the labels are {}",
                listed(names)
            );
        }
        let rest: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| !positive.contains(name))
            .collect();
        let joined = |names: &[&str]| {
            if names.is_empty() {
                "(none)".to_owned()
            } else {
                names.join(" or ")
            }
        };
        Ok(Self {
            codes: names
                .iter()
                .map(|name| ((*name).to_owned(), u32::from(positive.contains(name))))
                .collect(),
            labels: vec![
                Label {
                    code: 0,
                    name: joined(&rest),
                },
                Label {
                    code: 1,
                    name: joined(&positive),
                },
            ],
        })
    }

    fn code(&self, cells: &Cells<'_>, row: usize, column: usize) -> anyhow::Result<Option<u32>> {
        let Some(name) = cells.get(row, column) else {
            return Ok(None);
        };
        if let Some(code) = self.codes.get(name) {
            return Ok(Some(*code));
        }
        let scale: Vec<&str> = self
            .labels
            .iter()
            .map(|label| label.name.as_str())
            .collect();
        let allowed = format!("one of {}, or an empty cell", scale.join(", "));
        Err(cells.table.bad_value(row, column, allowed).into())
    }
}

/// Labels for a message, not all of very many.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 12;
    let shown = names
        .iter()
        .take(MOST)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().checked_sub(MOST) {
        Some(more @ 1..) => format!("{shown} and {more} more"),
        _ => shown,
    }
}

/// A whole number from 0, also where a program wrote it as `3.0`.
fn whole(name: &str) -> Option<u32> {
    let (number, fraction) = name.split_once('.').unwrap_or((name, ""));
    (fraction.bytes().all(|byte| byte == b'0')).then(|| number.parse().ok())?
}
