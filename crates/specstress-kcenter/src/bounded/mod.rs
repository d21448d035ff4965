//! The selectors with most pairs rejected unseen; what they decide equals the pairwise code.

mod centers;
mod codes;
mod frame;
mod mixing;
mod rotation;
mod scan;
mod sift;
mod sketch;
mod traversal;

pub(crate) use scan::{Scan, first_too_close, scan};
pub(crate) use sketch::Purpose;
pub(crate) use traversal::{Extent, Traversal};

use self::sketch::Sketch;
use crate::instance::{Instance, Weights};
use crate::{Cosine, Euclidean, Geometry, KCenterError, Metric, PointSource, Run};

/// Points with their bounds.
pub(crate) struct Bounded<'a, S: ?Sized> {
    source: &'a S,
    weights: Weights<'a>,
    geometry: Geometry,
    sketch: Sketch,
}

impl<'a, S: PointSource + ?Sized> Bounded<'a, S> {
    /// `None` when the run, the metric or the points call for the pairwise code.
    pub(crate) fn new<M: Metric + ?Sized>(
        instance: &Instance<'a, S, M>,
        purpose: Purpose,
        run: &Run<'_>,
    ) -> Result<Option<Self>, KCenterError> {
        let Some(geometry) = instance.bounded(run) else {
            return Ok(None);
        };
        let sketch = Sketch::build(instance.source, geometry, purpose, run)?;
        Ok(sketch.map(|sketch| Self {
            source: instance.source,
            weights: instance.weights,
            geometry,
            sketch,
        }))
    }

    pub(crate) fn len(&self) -> usize {
        self.source.point_count()
    }

    fn exact(&self, a: &[f32], b: &[f32]) -> f64 {
        match self.geometry {
            Geometry::Euclidean => Euclidean.distance(a, b),
            Geometry::Cosine => Cosine.distance(a, b),
        }
    }
}
