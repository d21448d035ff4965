use std::cmp::Ordering;

use crate::StatsError;

/// Which of two categories a comparison favours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// The first category.
    First,
    /// The second category.
    Second,
    /// Neither.
    Tie,
}

/// One model's choice between two categories of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// The first category.
    pub first: usize,
    /// The second category.
    pub second: usize,
    /// What was favoured; `None` when it is not known.
    pub preference: Option<Preference>,
}

impl Comparison {
    /// The comparison of two positions on the value scale: the higher one is favoured.
    ///
    /// Unknown when either position is missing.
    pub fn of_positions(
        first: usize,
        second: usize,
        position_first: Option<u8>,
        position_second: Option<u8>,
    ) -> Self {
        let preference = position_first
            .zip(position_second)
            .map(|(a, b)| match a.cmp(&b) {
                Ordering::Greater => Preference::First,
                Ordering::Less => Preference::Second,
                Ordering::Equal => Preference::Tie,
            });
        Self {
            first,
            second,
            preference,
        }
    }
}

/// How one category fares against the others.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CategoryWins {
    /// Index of the category.
    pub category: usize,
    /// Comparisons it was favoured in.
    pub wins: u64,
    /// Comparisons the other category was favoured in.
    pub losses: u64,
    /// Comparisons that favoured neither.
    pub ties: u64,
    /// All comparisons counted: wins + losses + ties.
    pub n: u64,
    /// `(wins + ties / 2) / n` in `[0, 1]`; `None` without comparisons.
    pub share: Option<f64>,
}

/// Win rates of all categories for one model.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct WinRates {
    /// One entry per category, in index order.
    pub categories: Vec<CategoryWins>,
    /// Comparisons counted.
    pub n: usize,
    /// Comparisons dropped because the preference is unknown.
    pub unknown: usize,
    /// Comparisons dropped because both sides are the same category.
    pub same_category: usize,
}

/// A simple estimate of a model's value priorities: how often each category wins.
///
/// ```text
/// share_c = ( wins_c + ties_c / 2 ) / n_c
/// ```
///
/// Takes the comparisons of one model; categories run from 0 to `categories - 1`. The share
/// ignores whom a category was compared with, so it is fair only when opponents are drawn
/// alike, as with uniform pairs. The mean share weighted by `n` is 1/2. Errors on a category
/// out of range. Cost O(comparisons + categories).
///
/// ```
/// use specstress_stats::{Comparison, win_rates};
///
/// let comparisons = [
///     Comparison::of_positions(0, 1, Some(5), Some(1)),
///     Comparison::of_positions(1, 0, Some(3), Some(3)),
///     Comparison::of_positions(0, 1, Some(5), None),
/// ];
/// let found = win_rates(2, &comparisons)?;
/// assert_eq!(found.categories[0].share, Some(0.75));
/// assert_eq!((found.n, found.unknown), (2, 1));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn win_rates(categories: usize, comparisons: &[Comparison]) -> Result<WinRates, StatsError> {
    let mut found: Vec<CategoryWins> = (0..categories)
        .map(|category| CategoryWins {
            category,
            wins: 0,
            losses: 0,
            ties: 0,
            n: 0,
            share: None,
        })
        .collect();
    let (mut n, mut unknown, mut same_category) = (0, 0, 0);
    for (item, comparison) in comparisons.iter().enumerate() {
        let &Comparison { first, second, .. } = comparison;
        if let Some(category) = [first, second].into_iter().find(|&c| c >= categories) {
            return Err(StatsError::Category {
                item,
                category,
                categories,
            });
        }
        if first == second {
            same_category += 1;
            continue;
        }
        match comparison.preference {
            None => {
                unknown += 1;
                continue;
            }
            Some(Preference::First) => {
                found[first].wins += 1;
                found[second].losses += 1;
            }
            Some(Preference::Second) => {
                found[second].wins += 1;
                found[first].losses += 1;
            }
            Some(Preference::Tie) => {
                found[first].ties += 1;
                found[second].ties += 1;
            }
        }
        n += 1;
    }
    for entry in &mut found {
        entry.n = entry.wins + entry.losses + entry.ties;
        entry.share =
            (entry.n > 0).then(|| (2 * entry.wins + entry.ties) as f64 / (2 * entry.n) as f64);
    }
    Ok(WinRates {
        categories: found,
        n,
        unknown,
        same_category,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_against_itself_says_nothing() {
        let comparisons = [
            Comparison::of_positions(1, 1, Some(6), Some(0)),
            Comparison::of_positions(0, 1, Some(0), Some(6)),
        ];
        let found = win_rates(3, &comparisons).unwrap();
        assert_eq!((found.n, found.same_category), (1, 1));
        let shares: Vec<_> = found.categories.iter().map(|c| c.share).collect();
        assert_eq!(shares, [Some(0.0), Some(1.0), None]);
    }

    #[test]
    fn a_category_out_of_range_is_named() {
        let comparisons = [Comparison::of_positions(0, 4, None, None)];
        assert_eq!(
            win_rates(2, &comparisons),
            Err(StatsError::Category {
                item: 0,
                category: 4,
                categories: 2
            })
        );
    }
}
