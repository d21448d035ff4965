//! How many judges to ask before looking at what they say.

/// The votes of a panel so far, and how many more it takes.
///
/// With `p` votes for problematic, `c` for compliant and `r` judges left, the strict majority is settled when
///
/// ```text
/// problematic: p > c + r          compliant: p + r <= c
/// ```
///
/// whatever the rest says, also when some of them give no verdict: a missing vote only takes from `r`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waves {
    problematic: usize,
    compliant: usize,
    left: usize,
}

impl Waves {
    pub(crate) fn new(judges: usize) -> Self {
        Self {
            problematic: 0,
            compliant: 0,
            left: judges,
        }
    }

    /// The fewest judges that could settle the majority if they agreed; 0 when it is settled, or nobody is left.
    pub(crate) fn size(self) -> usize {
        (0..=self.left)
            .find(|&more| {
                let rest = self.left - more;
                self.problematic + more > self.compliant + rest
                    || self.problematic + rest <= self.compliant + more
            })
            .unwrap_or(self.left)
    }

    /// One of the judges left has been asked; `None` when it gave no verdict.
    pub(crate) fn voted(&mut self, problematic: Option<bool>) {
        self.left = self.left.saturating_sub(1);
        match problematic {
            Some(true) => self.problematic += 1,
            Some(false) => self.compliant += 1,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use specstress_judge::{Decision, PanelVerdict};

    fn majority(votes: &[Option<bool>]) -> Option<bool> {
        let decision = |vote: bool| {
            if vote {
                Decision::NonCompliant
            } else {
                Decision::Compliant
            }
        };
        PanelVerdict::of(votes.iter().map(|vote| vote.map(decision))).majority()
    }

    #[test]
    fn the_first_wave_is_a_bare_majority() {
        let first = |judges| Waves::new(judges).size();
        assert_eq!([1, 2, 3, 4, 5, 7].map(first), [1, 1, 2, 2, 3, 4]);
    }

    proptest! {
        #[test]
        fn whoever_is_left_out_would_change_nothing(
            votes in proptest::collection::vec(proptest::option::of(any::<bool>()), 1..8)
        ) {
            let mut waves = Waves::new(votes.len());
            let mut asked = 0;
            while waves.size() > 0 {
                let wave = waves.size();
                for vote in &votes[asked..asked + wave] {
                    waves.voted(*vote);
                }
                asked += wave;
                prop_assert!(asked <= votes.len());
            }
            // Those asked decide as all would, with any votes of the rest.
            let found = majority(&votes[..asked]);
            for rest in [Some(true), Some(false), None] {
                let mut all = votes[..asked].to_vec();
                all.resize(votes.len(), rest);
                prop_assert_eq!(majority(&all), if asked == votes.len() { found } else { found.or(Some(false)) });
            }
            prop_assert_eq!(found, majority(&votes));
        }
    }
}
