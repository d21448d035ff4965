use serde::{Deserialize, Serialize};

/// Most distances that are shown.
const MOST: usize = 25;

/// How many questions are kept at a distance: the fewest picks of farthest-first after which every question is within
/// it of a kept one (paper, figure 9).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptAtDistance {
    /// The distance.
    pub distance: f64,
    /// Questions kept.
    pub kept: u64,
}

/// The curve from the radius after each pick, at even distances that fall to the last radius; `None` without radii.
/// Radii never rise, so the number of picks for a distance is one more than that of radii above it.
pub(crate) fn thinning(radii: &[f64]) -> Option<Vec<KeptAtDistance>> {
    let (&first, &last) = (radii.first()?, radii.last()?);
    let points = if first > last { MOST } else { 1 };
    let step = (first - last) / (MOST - 1) as f64;
    let distance = |place: usize| {
        if place + 1 == points {
            last
        } else {
            first - step * place as f64
        }
    };
    let curve = (0..points).map(distance).map(|distance| KeptAtDistance {
        distance,
        kept: radii.partition_point(|&radius| radius > distance) as u64 + 1,
    });
    Some(curve.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_takes_as_many_picks_as_radii_above_it_and_one() {
        let radii = [3.4, 2.0, 2.0, 1.5, 1.0];
        let curve = thinning(&radii).unwrap();
        assert_eq!(curve.len(), MOST);
        for point in &curve {
            let picks = radii.iter().position(|&radius| radius <= point.distance);
            assert_eq!(point.kept, picks.unwrap() as u64 + 1, "{point:?}");
        }
        assert_eq!((curve[0].distance, curve[0].kept), (3.4, 1));
        assert_eq!((curve[MOST - 1].distance, curve[MOST - 1].kept), (1.0, 5));
    }

    #[test]
    fn one_pick_is_one_point_and_none_are_none() {
        assert_eq!(
            thinning(&[0.0]),
            Some(vec![KeptAtDistance {
                distance: 0.0,
                kept: 1
            }])
        );
        assert_eq!(thinning(&[]), None);
    }
}
