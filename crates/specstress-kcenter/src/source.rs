use ndarray::{ArrayBase, Data, Ix2};

use crate::KCenterError;

/// Rows of `f32` coordinates, read one row or one block of rows at a time.
///
/// What the selectors read their points from: any two-dimensional array, a flat slice
/// ([`SlicePoints`](crate::SlicePoints)), half precision ([`HalfPoints`](crate::HalfPoints)), a
/// `.npy` file larger than memory ([`NpyPoints`](crate::NpyPoints)), or your own storage. Three
/// methods are required. The same row must read the same every time, from any thread, and hold
/// [`dimensions`](PointSource::dimensions) coordinates; the selectors check them for NaN.
///
/// ```
/// use specstress_kcenter::{Cover, KCenterError, PointSource, Run};
///
/// /// The points 0, 1/4, 2/4 and so on, of a line, made when they are asked for.
/// struct Line(usize);
///
/// impl PointSource for Line {
///     fn point_count(&self) -> usize {
///         self.0
///     }
///     fn dimensions(&self) -> usize {
///         1
///     }
///     fn read_row<'a>(&'a self, row: usize, buffer: &'a mut Vec<f32>) -> Result<&'a [f32], KCenterError> {
///         buffer.clear();
///         buffer.push(row as f32 / 4.0);
///         Ok(buffer)
///     }
/// }
///
/// let kept = Cover::new(0.5)?.select_from(&Line(7), None, &Run::new())?;
/// assert_eq!(kept.centers, [0, 3, 6]);
/// # Ok::<(), KCenterError>(())
/// ```
pub trait PointSource: Sync {
    /// Number of points.
    fn point_count(&self) -> usize;

    /// Coordinates per point.
    fn dimensions(&self) -> usize;

    /// The coordinates of a point below [`point_count`](PointSource::point_count): borrowed where they lie in
    /// memory, else written to `buffer`, whose former contents do not matter.
    fn read_row<'a>(
        &'a self,
        row: usize,
        buffer: &'a mut Vec<f32>,
    ) -> Result<&'a [f32], KCenterError>;

    /// Replaces the contents of `out` by `count` rows from `start` on, one after the other.
    /// Override it where one large read is cheaper than many small ones.
    fn read_block(
        &self,
        start: usize,
        count: usize,
        out: &mut Vec<f32>,
    ) -> Result<(), KCenterError> {
        let mut buffer = Vec::new();
        out.clear();
        for row in start..start + count {
            out.extend_from_slice(self.read_row(row, &mut buffer)?);
        }
        Ok(())
    }
}

impl<T: PointSource + ?Sized> PointSource for &T {
    fn point_count(&self) -> usize {
        (**self).point_count()
    }

    fn dimensions(&self) -> usize {
        (**self).dimensions()
    }

    fn read_row<'a>(
        &'a self,
        row: usize,
        buffer: &'a mut Vec<f32>,
    ) -> Result<&'a [f32], KCenterError> {
        (**self).read_row(row, buffer)
    }

    fn read_block(
        &self,
        start: usize,
        count: usize,
        out: &mut Vec<f32>,
    ) -> Result<(), KCenterError> {
        (**self).read_block(start, count, out)
    }
}

/// Rows of the array; borrowed when each row is contiguous, copied otherwise.
impl<S: Data<Elem = f32> + Sync> PointSource for ArrayBase<S, Ix2> {
    fn point_count(&self) -> usize {
        self.nrows()
    }

    fn dimensions(&self) -> usize {
        self.ncols()
    }

    fn read_row<'a>(
        &'a self,
        row: usize,
        buffer: &'a mut Vec<f32>,
    ) -> Result<&'a [f32], KCenterError> {
        let view = self.index_axis(ndarray::Axis(0), row);
        if let Some(slice) = view.to_slice() {
            return Ok(slice);
        }
        buffer.clear();
        buffer.extend(view.iter());
        Ok(buffer)
    }
}

fn _dyn_compatible(_: &dyn PointSource) {}
