use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::draw::{Draw, soft};
use crate::persona::PANEL;

/// The share of the most divisive pairs that conflicts are planted among.
const DIVISIVE: f64 = 0.55;

/// Contradictions beyond this many become gaps: each takes two clauses of the generated spec.
const MOST_CONTRADICTIONS: usize = 36;

/// How hard differences in utility push towards one of two values.
pub(crate) const GAIN: f64 = 1.35;

/// A conflict planted in the simulated spec, between two categories of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    /// One category; the first of the two in the taxonomy's order.
    pub category1: String,
    /// The other.
    pub category2: String,
    /// What is wrong with the spec there.
    pub kind: PlantedKind,
    /// The ids of the clauses that contradict each other, the one for `category1` first; none for a gap.
    pub clauses: Vec<String>,
}

/// What is wrong with the spec about a pair of categories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PlantedKind {
    /// Two clauses in different sections demand opposite things.
    Contradiction,
    /// The spec never says which of the two comes first.
    Gap,
}

/// One row per persona, one column per category; mean 0 over the panel in every column.
pub(crate) type Utilities = Vec<Vec<f64>>;

/// A structure per provider plus a deviation per model, centred over the panel and scaled to unit variance.
pub(crate) fn utilities(seed: u64, catalog: &Catalog) -> Utilities {
    let mut table: Utilities = PANEL
        .iter()
        .map(|(persona, _)| {
            catalog
                .categories
                .iter()
                .map(|category| {
                    let taste =
                        |who: &str| Draw::new(seed, &["utility", who, &category.name]).normal();
                    taste(persona.provider) + 0.9 * taste(persona.key)
                })
                .collect()
        })
        .collect();
    let rows = PANEL.len() as f64;
    for column in 0..catalog.categories.len() {
        let mean = table.iter().map(|row| row[column]).sum::<f64>() / rows;
        let variance = table
            .iter()
            .map(|row| (row[column] - mean).powi(2))
            .sum::<f64>()
            / rows;
        let scale = variance.sqrt().max(1e-9);
        for row in &mut table {
            row[column] = (row[column] - mean) / scale;
        }
    }
    table
}

/// Chooses the conflicts: a random part of the pairs on which the panel's tastes differ most, for a hole in
/// a spec can only show where models have reason to differ.
pub(crate) fn plant(
    seed: u64,
    share: f64,
    catalog: &Catalog,
    utilities: &Utilities,
) -> BTreeMap<(usize, usize), Planted> {
    let count = catalog.categories.len();
    let mut pairs: Vec<(f64, usize, usize)> = (0..count)
        .flat_map(|first| (first + 1..count).map(move |second| (first, second)))
        .map(|(first, second)| (divisiveness(utilities, first, second), first, second))
        .collect();
    // Most divisive first; equal ones in the taxonomy's order.
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let wanted = portion(share, pairs.len()).max(1);
    let mut candidates = pairs;
    candidates.truncate(portion(DIVISIVE.max(share), candidates.len()).max(wanted));
    let mut draw = Draw::new(seed, &["plant"]);
    let mut planted = BTreeMap::new();
    let mut contradictions = 0;
    for turn in 0..wanted {
        let (_, first, second) = candidates.swap_remove(draw.below(candidates.len()));
        let kind = if turn % 2 == 0 && contradictions < MOST_CONTRADICTIONS {
            contradictions += 1;
            PlantedKind::Contradiction
        } else {
            PlantedKind::Gap
        };
        let (one, other) = (&catalog.categories[first], &catalog.categories[second]);
        let clauses = match kind {
            PlantedKind::Contradiction => {
                let (one, other) = (slug(&one.name), slug(&other.name));
                vec![format!("{one}_with_{other}"), format!("{other}_with_{one}")]
            }
            PlantedKind::Gap => Vec::new(),
        };
        planted.insert(
            (first, second),
            Planted {
                category1: one.name.clone(),
                category2: other.name.clone(),
                kind,
                clauses,
            },
        );
    }
    planted
}

/// How far the panel, and the five models judged for compliance within it, would split on a pair.
fn divisiveness(utilities: &Utilities, first: usize, second: usize) -> f64 {
    let leans: Vec<f64> = utilities
        .iter()
        .map(|row| soft(GAIN * (row[first] - row[second])))
        .collect();
    let birch: Vec<f64> = leans
        .iter()
        .zip(PANEL)
        .filter(|(_, (persona, _))| persona.provider == "birch")
        .map(|(&lean, _)| lean)
        .collect();
    spread(&leans) + 0.6 * spread(&birch)
}

/// Population standard deviation; 0 for nothing.
fn spread(values: &[f64]) -> f64 {
    let count = (values.len() as f64).max(1.0);
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of at most 1 of a list's length"
)]
fn portion(share: f64, length: usize) -> usize {
    ((share * length as f64).round() as usize).min(length)
}

/// Lowercase letters and digits with single underscores, as section ids are written.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_alphanumeric() {
            slug.extend(character.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    slug.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain() {
        assert_eq!(
            slug("Well-functioning  social systems!"),
            "well_functioning_social_systems"
        );
        assert_eq!(slug("Été & co"), "été_co");
    }

    #[test]
    fn spread_is_the_population_standard_deviation() {
        assert!((spread(&[0.0, 6.0]) - 3.0).abs() < 1e-12);
        assert!(spread(&[]).abs() < 1e-12);
    }
}
