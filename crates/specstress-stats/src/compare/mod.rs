//! Two runs on the same items: two specs, two models, before and after an edit.

mod adjust;
mod mcnemar;
#[cfg(feature = "bootstrap")]
mod permutation;
mod wilcoxon;

pub use adjust::{Adjusted, Adjustment, adjust_p_values};
pub use mcnemar::{McNemar, mcnemar};
#[cfg(feature = "bootstrap")]
pub use permutation::{PairedPermutation, Permutations, paired_permutation};
pub use wilcoxon::{Wilcoxon, wilcoxon_signed_rank};
