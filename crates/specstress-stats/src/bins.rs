use crate::{
    Confidence, Disagreement, Interval, Proportion, Ratio, StatsError, Threshold, Trend,
    proportion, risk_ratio,
};

/// Bins of disagreement: `[e0, e1), [e1, e2), ..., [e_last-1, e_last]`, the last one closed.
///
/// The default is the paper's (figure 2): edges 0, 1, 1.5, 2, 2.5, 3. Membership of integer
/// scores is decided without rounding, so a disagreement of exactly 1.5 is in `[1.5, 2)`.
///
/// ```
/// use specstress_stats::ndarray::array;
/// use specstress_stats::{Bins, DisagreementParams, disagreement};
///
/// let bins = Bins::default();
/// let d = disagreement(array![[1_u8], [4]].view(), None, &DisagreementParams::default())?;
/// assert_eq!(bins.of(&d), Some(2));
/// assert_eq!(bins.name(2).as_deref(), Some("std_1.5_to_2.0"));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    edges: Vec<Threshold>,
}

impl Bins {
    /// Bins between at least two rising edges, each usable as a [`Threshold`].
    pub fn new(edges: &[f64]) -> Result<Self, StatsError> {
        if edges.len() < 2 {
            return Err(StatsError::TooFewEdges { edges: edges.len() });
        }
        let checked = edges
            .iter()
            .map(|&edge| Threshold::new(edge))
            .collect::<Result<Vec<_>, _>>()?;
        for (index, pair) in edges.windows(2).enumerate() {
            if pair[1] <= pair[0] {
                return Err(StatsError::EdgeOrder {
                    index: index + 1,
                    value: pair[1],
                    previous: pair[0],
                });
            }
        }
        Ok(Self { edges: checked })
    }

    /// Number of bins, one less than the edges.
    pub fn count(&self) -> usize {
        self.edges.len() - 1
    }

    /// Lower and upper edge of a bin.
    pub fn edges(&self, bin: usize) -> Option<(f64, f64)> {
        let pair = self.edges.get(bin..)?.get(..2)?;
        Some((pair[0].value(), pair[1].value()))
    }

    /// Name of a bin in the published layout, such as `std_1.5_to_2.0`.
    pub fn name(&self, bin: usize) -> Option<String> {
        let (low, high) = self.edges(bin)?;
        Some(format!("std_{low:?}_to_{high:?}"))
    }

    /// The bin of a disagreement, exact where [`Disagreement::max_square`] is there.
    ///
    /// `None` without a disagreement, below the first edge and above the last.
    pub fn of(&self, disagreement: &Disagreement) -> Option<usize> {
        self.place(disagreement.max?, disagreement.max_square)
    }

    /// The bin of a dispersion known only as a number, compared as it is.
    ///
    /// A rounded square root may fall on the wrong side of an edge; use [`Bins::of`] where the
    /// scores are at hand. `None` outside the bins and for NaN.
    pub fn of_number(&self, dispersion: f64) -> Option<usize> {
        self.place(dispersion, None)
    }

    fn place(&self, dispersion: f64, square: Option<Ratio>) -> Option<usize> {
        let (last, lower) = self.edges.split_last()?;
        if last.is_exceeded(dispersion, square) {
            return None;
        }
        lower
            .iter()
            .rposition(|edge| edge.is_reached(dispersion, square))
    }
}

impl Default for Bins {
    fn default() -> Self {
        Self::new(&[0.0, 1.0, 1.5, 2.0, 2.5, 3.0]).expect("the paper's edges rise")
    }
}

/// The rate of an event in one bin.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BinRate {
    /// Name of the bin, see [`Bins::name`].
    pub name: String,
    /// Lower edge, included.
    pub low: f64,
    /// Upper edge, included in the last bin only.
    pub high: f64,
    /// Events, items, rate and interval of the bin.
    pub proportion: Proportion,
    /// Rate of this bin over the rate of the first; `None` when either is undefined or the
    /// first is 0.
    pub ratio_to_first: Option<f64>,
    /// Interval of that ratio, see [`risk_ratio`](crate::risk_ratio()); it exists, from raised
    /// counts, also where a count is 0. `None` for the first bin and without items.
    pub ratio_interval: Option<Interval>,
}

/// The rate of an event over bins of disagreement.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Enrichment {
    /// Every bin in order, also the empty ones.
    pub bins: Vec<BinRate>,
    /// Whether the rate rises from bin to bin, scored 0, 1, 2 and so on, see
    /// [`cochran_armitage`](crate::cochran_armitage()).
    pub trend: Trend,
    /// Items counted in a bin.
    pub n: usize,
    /// Items in no bin: no disagreement, or outside the edges.
    pub unplaced: usize,
    /// Items in a bin whose event is unknown.
    pub unknown: usize,
}

/// How often an event happens per bin, and how much more often than in the first bin
/// (paper, page 7, figure 2).
///
/// ```text
/// rate_b = #{ i in bin b : event_i } / #{ i in bin b : event_i known }
/// ratio_b = rate_b / rate_0
/// ```
///
/// `membership[i]` is the bin of item `i` ([`Bins::of`]) and `events[i]` whether the event
/// happened; `None` leaves the item out of the denominator and is counted. Errors when the
/// lengths differ or a bin does not exist. Cost O(items).
///
/// ```
/// use specstress_stats::{Bins, Confidence, enrichment};
///
/// let bins = Bins::new(&[0.0, 1.5, 3.0])?;
/// let membership = [Some(0), Some(0), Some(1), Some(1), None];
/// let events = [Some(true), Some(false), Some(true), Some(true), Some(true)];
/// let found = enrichment(&bins, &membership, &events, Confidence::default())?;
/// assert_eq!(found.bins[1].ratio_to_first, Some(2.0));
/// assert_eq!((found.n, found.unplaced), (4, 1));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn enrichment(
    bins: &Bins,
    membership: &[Option<usize>],
    events: &[Option<bool>],
    confidence: Confidence,
) -> Result<Enrichment, StatsError> {
    StatsError::same_length(membership.len(), events.len())?;
    let mut counts = vec![(0_u64, 0_u64); bins.count()];
    let (mut n, mut unplaced, mut unknown) = (0, 0, 0);
    for (item, (&bin, &event)) in membership.iter().zip(events).enumerate() {
        let Some(bin) = bin else {
            unplaced += 1;
            continue;
        };
        let bins = counts.len();
        let (happened, all) =
            counts
                .get_mut(bin)
                .ok_or(StatsError::BinIndex { item, bin, bins })?;
        let Some(event) = event else {
            unknown += 1;
            continue;
        };
        n += 1;
        *all += 1;
        *happened += u64::from(event);
    }

    let mut found = Vec::with_capacity(counts.len());
    let mut base = None;
    let first = counts.first().copied();
    let scores: Vec<f64> = (0..counts.len()).map(|bin| bin as f64).collect();
    for (bin, (happened, all)) in counts.into_iter().enumerate() {
        let share = proportion(happened, all, confidence)?;
        if bin == 0 {
            base = share.rate.filter(|&rate| rate > 0.0);
        }
        let (low, high) = bins.edges(bin).expect("one count per bin");
        found.push(BinRate {
            name: bins.name(bin).expect("one count per bin"),
            low,
            high,
            ratio_interval: match first.filter(|_| bin > 0) {
                Some(first) => risk_ratio((happened, all), first, confidence)?.interval,
                None => None,
            },
            ratio_to_first: share.rate.zip(base).map(|(rate, base)| rate / base),
            proportion: share,
        });
    }
    let rates: Vec<Proportion> = found.iter().map(|bin| bin.proportion).collect();
    Ok(Enrichment {
        trend: Trend::of_proportions(&rates, &scores)?,
        bins: found,
        n,
        unplaced,
        unknown,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::{DisagreementParams, SampleStd, disagreement};

    #[test]
    fn the_default_bins_carry_the_published_names() {
        let bins = Bins::default();
        let names: Vec<_> = (0..bins.count()).map(|b| bins.name(b).unwrap()).collect();
        assert_eq!(
            names,
            [
                "std_0.0_to_1.0",
                "std_1.0_to_1.5",
                "std_1.5_to_2.0",
                "std_2.0_to_2.5",
                "std_2.5_to_3.0"
            ]
        );
        assert_eq!(bins.name(5), None);
        assert_eq!(bins.edges(usize::MAX), None);
    }

    #[test]
    fn an_edge_belongs_to_the_bin_above_it_and_the_last_to_the_last() {
        let bins = Bins::default();
        // Pairs have D = gap / 2 exactly: 0, 0.5, 1, 1.5, 2, 2.5, 3.
        for (gap, bin) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3), (5, 4), (6, 4)] {
            let scores = Array2::from_shape_vec((2, 1), vec![0_u8, gap]).unwrap();
            let d = disagreement(scores.view(), None, &DisagreementParams::default()).unwrap();
            assert_eq!(bins.of(&d), Some(bin), "gap {gap}");
            assert_eq!(bins.of_number(d.max.unwrap()), Some(bin), "gap {gap}");
        }
        let wide = Array2::from_shape_vec((2, 1), vec![0_u8, 6]).unwrap();
        let d = disagreement(wide.view(), None, &DisagreementParams::new(SampleStd)).unwrap();
        assert_eq!(bins.of(&d), None);
        assert_eq!(bins.of_number(f64::NAN), None);
        assert_eq!(Bins::new(&[1.0, 2.0]).unwrap().of_number(0.5), None);
    }

    #[test]
    fn edges_must_rise() {
        assert_eq!(Bins::new(&[1.0]), Err(StatsError::TooFewEdges { edges: 1 }));
        assert_eq!(
            Bins::new(&[0.0, 2.0, 2.0]),
            Err(StatsError::EdgeOrder {
                index: 2,
                value: 2.0,
                previous: 2.0
            })
        );
        assert!(Bins::new(&[0.0, f64::NAN]).is_err());
    }

    #[test]
    fn a_first_bin_without_events_leaves_every_ratio_open() {
        let bins = Bins::new(&[0.0, 1.0, 2.0]).unwrap();
        let events = [Some(false), Some(true), None];
        let found = enrichment(
            &bins,
            &[Some(0), Some(1), Some(1)],
            &events,
            Confidence::default(),
        )
        .unwrap();
        assert_eq!(found.bins[1].proportion.rate, Some(1.0));
        assert_eq!(found.bins[1].ratio_to_first, None);
        assert_eq!((found.n, found.unknown), (2, 1));
        assert!(enrichment(&bins, &[Some(2)], &[None], Confidence::default()).is_err());
        assert!(enrichment(&bins, &[None], &[], Confidence::default()).is_err());
    }
}
