//! Rankings of values from pairwise choices.

mod compare;
mod fit;
#[cfg(feature = "bootstrap")]
mod held_out;
mod likelihood;
mod linear;
mod params;

pub use compare::{RankAgreement, Transitivity, rank_agreement, transitivity};
pub use fit::{BradleyTerry, RankedItem, Term, bradley_terry};
#[cfg(feature = "bootstrap")]
pub use held_out::{HeldOut, held_out};
pub use params::{NudgedComparison, RankingParams, Shrinkage, StandardErrors, Ties, Toward};
