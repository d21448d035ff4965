/// The centre a point belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assignment {
    /// Position of the centre in [`Selection::centers`], not its row.
    pub center: usize,
    /// Unweighted distance to that centre.
    pub distance: f64,
}

/// The centres kept from a set of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// Rows of the centres, in the order picked; each row at most once.
    pub centers: Vec<usize>,
    /// Weighted covering radius `max_i w_i * dist(i, T)` after each pick, never rising; the
    /// last entry is the radius reached. `None` for selectors that do not keep track.
    pub radii: Option<Vec<f64>>,
    /// For each point, the centre that stands for it: the nearest one, the earliest pick among
    /// equals, except for [`Cover`](crate::Cover), where it is the earliest that covers. A
    /// centre stands for itself. `None` for selectors that do not keep track.
    pub assignment: Option<Vec<Assignment>>,
    /// A proven lower bound on the weighted radius of any choice of that many centres; `None`
    /// where none was computed.
    pub lower_bound: Option<f64>,
}

impl Selection {
    /// Rows of the points that were not kept, rising.
    pub fn dropped(&self, points: usize) -> Vec<usize> {
        let mut kept = vec![false; points];
        for &row in &self.centers {
            if let Some(slot) = kept.get_mut(row) {
                *slot = true;
            }
        }
        (0..points).filter(|&row| !kept[row]).collect()
    }
}
