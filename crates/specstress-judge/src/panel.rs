use serde::{Deserialize, Serialize};

use crate::verdict::Decision;

/// What several judges say of one answer, as counts (method: 3.6, 7.11).
///
/// With `n` judges that decided and `p` of them saying [problematic](Decision::is_problematic):
///
/// ```text
/// majority: 2 p > n          any: p >= 1          tie: 2 p = n
/// ```
///
/// A judge without a verdict is left out of `n`, never counted as compliant. An even panel can tie; a tie is
/// not a majority.
///
/// ```
/// use specstress_judge::{Decision, PanelVerdict};
///
/// let panel = PanelVerdict::of([Some(Decision::Ambiguous), Some(Decision::Compliant), None]);
/// assert_eq!((panel.majority(), panel.any(), panel.is_tie()), (Some(false), Some(true), true));
/// assert_eq!(PanelVerdict::of([None]).majority(), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PanelVerdict {
    /// Judges who found the answer compliant.
    pub compliant: usize,
    /// Judges who found it non-compliant.
    pub non_compliant: usize,
    /// Judges who found the spec ambiguous.
    pub ambiguous: usize,
    /// Judges without a usable verdict.
    pub missing: usize,
}

impl PanelVerdict {
    /// Counts decisions, one per judge; `None` for a judge without a verdict.
    pub fn of(decisions: impl IntoIterator<Item = Option<Decision>>) -> Self {
        let mut panel = Self::default();
        for decision in decisions {
            *match decision {
                Some(Decision::Compliant) => &mut panel.compliant,
                Some(Decision::NonCompliant) => &mut panel.non_compliant,
                Some(Decision::Ambiguous) => &mut panel.ambiguous,
                None => &mut panel.missing,
            } += 1;
        }
        panel
    }

    /// Judges who decided.
    pub fn judges(&self) -> usize {
        self.compliant + self.problematic()
    }

    /// Judges who said non-compliant or ambiguous.
    pub fn problematic(&self) -> usize {
        self.non_compliant + self.ambiguous
    }

    /// Whether more than half of the judges who decided say problematic; `None` when none decided.
    pub fn majority(&self) -> Option<bool> {
        (self.judges() > 0).then(|| 2 * self.problematic() > self.judges())
    }

    /// Whether any judge says problematic; `None` when none decided.
    pub fn any(&self) -> Option<bool> {
        (self.judges() > 0).then(|| self.problematic() > 0)
    }

    /// Whether the judges who decided are split in halves.
    pub fn is_tie(&self) -> bool {
        self.judges() > 0 && 2 * self.problematic() == self.judges()
    }
}
