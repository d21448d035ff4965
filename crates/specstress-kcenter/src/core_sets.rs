use ndarray::{Array2, ArrayView2};

use crate::{KCenterError, Selector};

/// What one shard of a data set keeps: the points it selected, with what identifies them.
///
/// Any engine may have selected them, on any machine.
#[derive(Debug, Clone, PartialEq)]
pub struct CoreSet {
    /// Identity of each point in the whole data set, for instance its row there.
    pub ids: Vec<u64>,
    /// The points, one row per identity.
    pub points: Array2<f32>,
    /// The weight of each point; `None` for all shards or for none.
    pub weights: Option<Vec<f64>>,
    /// The (weighted) distance within which every point of the shard has one of these.
    pub radius: f64,
}

/// Centres chosen among the points of core-sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// Identities of the centres, in the order picked.
    pub ids: Vec<u64>,
    /// The (weighted) distance within which every point of every shard has a centre: the largest
    /// radius of a shard plus that of the selection among the core-sets.
    pub radius: f64,
}

/// Selects among the union of core-sets: k-center past one machine.
///
/// ```text
/// every shard s:   T_s = select(shard s),   radius r_s
/// then:            T = select(union of T_s),   radius r
/// every point is within  max r_s + r  of T
/// ```
///
/// What the detour costs, without weights:
///
/// - [`FarthestFirst`](crate::FarthestFirst) with `k` centres in each shard and in the end is within
///   **4** times the optimum instead of 2 (Malkomes et al. 2015). Proof: k + 1 points more than
///   2 OPT apart would have two in one optimal cluster, in a shard and in the union alike, so
///   `r_s` and `r` are at most 2 OPT each.
/// - A radius `t` in each shard and in the end gives a **2 t** cover of centres still more than
///   `t` apart, so no more of them than any cover at `t / 2` has.
///
/// With weights the sum holds where each point is covered by a centre at least as heavy, as
/// [`Cover`](crate::Cover) by falling weight has it: `w_v d(v, c) <= w_v d(v, u) + w_u d(u, c)`.
/// It needs the triangle inequality.
///
/// `selector` chooses among the union, shards in the given order; the radius it reached is
/// computed from the assignment it returns, and a selector must return one. Equal core-sets in
/// equal order give equal centres. Errors on core-sets that do not fit together and as the
/// selector does.
///
/// ```
/// use specstress_kcenter::ndarray::{Array2, Axis, array};
/// use specstress_kcenter::{CoreSet, FarthestFirst, Selector, Stop, merge_core_sets};
///
/// let points = array![[0.0_f32], [0.1], [5.0], [0.2], [5.1], [9.0]];
/// let selector = FarthestFirst::new(Stop::Count(2));
/// let mut core_sets = Vec::new();
/// for rows in [0..3, 3..6] {
///     let shard = points.slice_axis(Axis(0), rows.clone().into());
///     let kept = selector.select(shard, None)?;
///     core_sets.push(CoreSet {
///         ids: kept.centers.iter().map(|&row| (rows.start + row) as u64).collect(),
///         points: shard.select(Axis(0), &kept.centers),
///         weights: None,
///         radius: *kept.radii.expect("farthest-first keeps track").last().expect("two picks"),
///     });
/// }
/// let merged = merge_core_sets(&selector, &core_sets)?;
/// assert_eq!(merged.ids, [0, 5]);
/// assert!(merged.radius >= 4.1 && merged.radius <= 4.0 * 4.1);
/// # Ok::<(), specstress_kcenter::KCenterError>(())
/// ```
pub fn merge_core_sets<S: Selector + ?Sized>(
    selector: &S,
    shards: &[CoreSet],
) -> Result<Merged, KCenterError> {
    let refused = |shard: usize, problem: String| KCenterError::CoreSet { shard, problem };
    let dimensions = shards.first().map_or(0, |first| first.points.ncols());
    let weighted = shards.first().is_some_and(|first| first.weights.is_some());
    let (mut ids, mut flat, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    let mut largest = 0.0_f64;
    for (at, shard) in shards.iter().enumerate() {
        let (rows, columns) = shard.points.dim();
        if columns != dimensions {
            let problem =
                format!("{columns} dimensions, the first has {dimensions}; use one model");
            return Err(refused(at, problem));
        }
        if shard.ids.len() != rows {
            let problem = format!(
                "{} ids for {rows} points; pass one per row",
                shard.ids.len()
            );
            return Err(refused(at, problem));
        }
        if shard.weights.is_some() != weighted {
            let problem = "weights in some shards only; give them in all or none".to_owned();
            return Err(refused(at, problem));
        }
        if !shard.radius.is_finite() || shard.radius < 0.0 {
            let problem = format!(
                "radius {}; pass the one its selection reached",
                shard.radius
            );
            return Err(refused(at, problem));
        }
        if let Some(given) = &shard.weights {
            if given.len() != rows {
                let problem = format!(
                    "{} weights for {rows} points; pass one per row",
                    given.len()
                );
                return Err(refused(at, problem));
            }
            weights.extend_from_slice(given);
        }
        ids.extend_from_slice(&shard.ids);
        flat.extend(shard.points.iter().copied());
        largest = largest.max(shard.radius);
    }
    let union = ArrayView2::from_shape((ids.len(), dimensions), &flat);
    let union = union.expect("every shard has that many columns");
    let kept = selector.select(union, weighted.then_some(&weights[..]))?;
    let Some(assignment) = &kept.assignment else {
        return Err(refused(
            0,
            "the selector gives no assignment; use one that does".to_owned(),
        ));
    };
    let weight = |row: usize| if weighted { weights[row] } else { 1.0 };
    let reached = assignment
        .iter()
        .enumerate()
        .map(|(row, assigned)| weight(row) * assigned.distance)
        .fold(0.0, f64::max);
    Ok(Merged {
        ids: kept.centers.iter().map(|&row| ids[row]).collect(),
        radius: largest + reached,
    })
}
