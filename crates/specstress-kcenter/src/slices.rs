use crate::{KCenterError, PointSource};

/// Points in a flat slice, row after row: the door that names no array library.
///
/// ```
/// use specstress_kcenter::{FarthestFirst, Run, SlicePoints, Stop};
///
/// let flat = [0.0_f32, 0.0, 0.1, 0.0, 1.0, 0.0];
/// let points = SlicePoints::new(&flat, 2)?;
/// let kept = FarthestFirst::new(Stop::Count(2)).select_from(&points, None, &Run::new())?;
/// assert_eq!(kept.centers, [0, 2]);
/// # Ok::<(), specstress_kcenter::KCenterError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlicePoints<'a> {
    flat: &'a [f32],
    dimensions: usize,
}

impl<'a> SlicePoints<'a> {
    /// Points of `dimensions` coordinates each. Errors when the slice holds no whole number of
    /// them, or nothing.
    pub fn new(flat: &'a [f32], dimensions: usize) -> Result<Self, KCenterError> {
        check_shape(flat.len(), dimensions)?;
        Ok(Self { flat, dimensions })
    }
}

impl PointSource for SlicePoints<'_> {
    fn point_count(&self) -> usize {
        self.flat.len() / self.dimensions
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn read_row<'a>(&'a self, row: usize, _: &'a mut Vec<f32>) -> Result<&'a [f32], KCenterError> {
        Ok(&self.flat[row * self.dimensions..(row + 1) * self.dimensions])
    }
}

/// Points in half precision (IEEE 754 binary16), as their bits, row after row.
///
/// Every half is an `f32` exactly, so picks equal those from the widened points at half the
/// memory. With the `half` crate, `half::slice::HalfFloatSliceExt::reinterpret_cast` gives the
/// bits of a slice for free.
///
/// ```
/// use specstress_kcenter::{Cover, HalfPoints, Run};
///
/// // 0, 1 and 1.5 on a line.
/// let points = HalfPoints::new(&[0x0000, 0x3c00, 0x3e00], 1)?;
/// assert_eq!(Cover::new(0.5)?.select_from(&points, None, &Run::new())?.centers, [0, 1]);
/// # Ok::<(), specstress_kcenter::KCenterError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalfPoints<'a> {
    bits: &'a [u16],
    dimensions: usize,
}

impl<'a> HalfPoints<'a> {
    /// Points of `dimensions` coordinates each. Errors as [`SlicePoints::new`].
    pub fn new(bits: &'a [u16], dimensions: usize) -> Result<Self, KCenterError> {
        check_shape(bits.len(), dimensions)?;
        Ok(Self { bits, dimensions })
    }
}

impl PointSource for HalfPoints<'_> {
    fn point_count(&self) -> usize {
        self.bits.len() / self.dimensions
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn read_row<'a>(
        &'a self,
        row: usize,
        buffer: &'a mut Vec<f32>,
    ) -> Result<&'a [f32], KCenterError> {
        let bits = &self.bits[row * self.dimensions..(row + 1) * self.dimensions];
        buffer.clear();
        buffer.extend(bits.iter().map(|&half| widen(half)));
        Ok(buffer)
    }
}

fn check_shape(length: usize, dimensions: usize) -> Result<(), KCenterError> {
    if length == 0 || dimensions == 0 {
        let rows = length.checked_div(dimensions).unwrap_or(0);
        return Err(KCenterError::Empty { rows, dimensions });
    }
    if !length.is_multiple_of(dimensions) {
        return Err(KCenterError::Ragged { length, dimensions });
    }
    Ok(())
}

/// The `f32` that a binary16 number is.
pub(crate) fn widen(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let magnitude = u32::from(half & 0x7fff);
    let bits = if magnitude >= 0x7c00 {
        // Infinities and NaN keep their fraction.
        0x7f80_0000 | ((magnitude & 0x03ff) << 13)
    } else {
        // Exponent and fraction moved to where f32 has them are off by 2^112, which one exact
        // product mends, for subnormal numbers too.
        let factor = f32::from_bits((127 + 112) << 23);
        (f32::from_bits(magnitude << 13) * factor).to_bits()
    };
    f32::from_bits(sign | bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_widens_to_its_value() {
        for half in 0..=u16::MAX {
            let found = widen(half);
            let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
            let exponent = i32::from((half >> 10) & 0x1f);
            let fraction = f64::from(half & 0x03ff) / 1024.0;
            let value = match exponent {
                31 if fraction > 0.0 => {
                    assert!(found.is_nan());
                    continue;
                }
                31 => f64::INFINITY,
                0 => fraction * 2.0_f64.powi(-14),
                _ => (1.0 + fraction) * 2.0_f64.powi(exponent - 15),
            };
            assert_eq!(
                f64::from(found).to_bits(),
                (sign * value).to_bits(),
                "{half:#x}"
            );
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        assert_eq!(
            SlicePoints::new(&[1.0, 2.0, 3.0], 2),
            Err(KCenterError::Ragged {
                length: 3,
                dimensions: 2
            })
        );
        assert!(SlicePoints::new(&[], 2).is_err());
        assert!(HalfPoints::new(&[1], 0).is_err());
    }
}
