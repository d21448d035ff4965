use crate::Ratio;

/// Disagreement of one panel on one scenario.
///
/// Says what [`Disagreement`](crate::Disagreement) says, but for the dispersion of each value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PanelDisagreement {
    pub(super) dispersion: Dispersed,
    pub(super) widest: u16,
    pub(super) n: u16,
    pub(super) missing: u16,
    pub(super) high: bool,
}

/// What is known of the dispersion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Dispersed {
    Not,
    Square(Ratio),
    Number(f64),
}

impl PanelDisagreement {
    /// `D(x, M)`; `None` where any value has no dispersion.
    pub fn max(&self) -> Option<f64> {
        match self.dispersion {
            Dispersed::Not => None,
            Dispersed::Square(square) => Some(square.to_f64().sqrt()),
            Dispersed::Number(number) => Some(number),
        }
    }

    /// `D(x, M)^2` as a ratio of integers, where there is one.
    pub fn max_square(&self) -> Option<Ratio> {
        match self.dispersion {
            Dispersed::Square(square) => Some(square),
            Dispersed::Not | Dispersed::Number(_) => None,
        }
    }

    /// The value the maximum belongs to; the lowest index among equals.
    pub fn widest(&self) -> Option<usize> {
        (self.dispersion != Dispersed::Not).then_some(self.widest.into())
    }

    /// Models that contributed at least one score.
    pub fn n(&self) -> usize {
        self.n.into()
    }

    /// Models of the panel that lack at least one score.
    pub fn missing(&self) -> usize {
        self.missing.into()
    }

    /// Whether `D(x, M)` reaches the threshold.
    pub fn is_high(&self) -> bool {
        self.high
    }
}

/// Disagreement of one panel on many scenarios, in their order; 8 bytes each for what the fast way
/// of [`disagreement_panels`](crate::disagreement_panels()) measures.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelDisagreements {
    cells: Vec<Cell>,
    /// Denominator of the square by number of models.
    scales: Vec<u64>,
    /// What does not fit a cell.
    wide: Vec<PanelDisagreement>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    /// Numerator of the square, or place among the wide ones.
    upper: u32,
    n: u8,
    missing: u8,
    widest: u8,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Low,
    High,
    Wide,
}

impl Cell {
    /// With the square `upper / scales[n]`.
    #[inline]
    pub(super) fn square(upper: u32, n: u8, missing: u8, widest: u8, high: bool) -> Self {
        Self {
            upper,
            n,
            missing,
            widest,
            state: if high { State::High } else { State::Low },
        }
    }

    /// Without a disagreement.
    pub(super) fn unknown(n: u8, missing: u8) -> Self {
        Self {
            upper: 0,
            n,
            missing,
            widest: 0,
            state: State::Unknown,
        }
    }
}

impl PanelDisagreements {
    pub(super) fn new(scales: Vec<u64>, capacity: usize) -> Self {
        Self {
            cells: Vec::with_capacity(capacity),
            scales,
            wide: Vec::new(),
        }
    }

    pub(super) fn extend(&mut self, cells: impl Iterator<Item = Cell>) {
        self.cells.extend(cells);
    }

    pub(super) fn push(&mut self, found: PanelDisagreement) {
        self.cells.push(Cell {
            upper: u32::try_from(self.wide.len()).expect("checked at the entry"),
            state: State::Wide,
            ..Cell::unknown(0, 0)
        });
        self.wide.push(found);
    }

    /// Adds the scenarios that follow.
    pub(super) fn append(&mut self, mut next: Self) {
        let before = u32::try_from(self.wide.len()).expect("checked at the entry");
        if before > 0 && !next.wide.is_empty() {
            for cell in next.cells.iter_mut().filter(|c| c.state == State::Wide) {
                cell.upper += before;
            }
        }
        self.cells.append(&mut next.cells);
        self.wide.append(&mut next.wide);
    }

    /// Number of scenarios.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is no scenario.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// One scenario; `None` beyond the last.
    pub fn get(&self, scenario: usize) -> Option<PanelDisagreement> {
        self.cells.get(scenario).map(|cell| self.unpack(*cell))
    }

    /// All scenarios, in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = PanelDisagreement> + '_ {
        self.cells.iter().map(|cell| self.unpack(*cell))
    }

    #[inline]
    fn unpack(&self, cell: Cell) -> PanelDisagreement {
        let dispersion = match cell.state {
            State::Wide => return self.wide[cell.upper as usize],
            State::Unknown => Dispersed::Not,
            State::Low | State::High => {
                let scale = self.scales[usize::from(cell.n)];
                let square = Ratio::new(cell.upper.into(), scale).expect("checked when made");
                Dispersed::Square(square)
            }
        };
        PanelDisagreement {
            dispersion,
            widest: cell.widest.into(),
            n: cell.n.into(),
            missing: cell.missing.into(),
            high: cell.state == State::High,
        }
    }
}
