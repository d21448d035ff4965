//! Seeded resampling. Draw `i` has its own stream of the generator, so the result does not
//! depend on the number of threads.

mod bootstrap;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

pub use bootstrap::{Bootstrap, BootstrapInterval, cluster_bootstrap, stratified_bootstrap};

/// The generator of one draw.
pub(crate) fn stream(seed: u64, draw: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(draw as u64);
    rng
}
