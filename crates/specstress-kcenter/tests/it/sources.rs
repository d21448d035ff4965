//! Every way in gives the same picks; what cannot be read is told with its row.

use std::cell::Cell;
use std::ops::ControlFlow;

use specstress_kcenter::ndarray::Array2;
use specstress_kcenter::{
    Cover, FarthestFirst, HalfPoints, KCenterError, NpyPoints, PointSource, Progress, Run,
    SlicePoints, Stop, Strategy, WeightedKCenter,
};

/// Multiples of 1/8, which are exact in half precision too, and their bits.
fn eighths(rows: usize, columns: usize) -> (Vec<f32>, Vec<u16>) {
    let number = |i: usize| (i * i + 3 * i) % 29;
    let flat = (0..rows * columns)
        .map(|i| number(i) as f32 / 8.0)
        .collect();
    let bits = (0..rows * columns)
        .map(|i| half_of_eighths(number(i)))
        .collect();
    (flat, bits)
}

/// Bits of n/8 for n below 32, built from the definition of binary16.
fn half_of_eighths(n: usize) -> u16 {
    let Some(top) = n.checked_ilog2() else {
        return 0;
    };
    let fraction = (n << (10 - top)) & 0x3ff;
    u16::try_from(((15 + top as usize - 3) << 10) | fraction).unwrap()
}

fn npy(descr: &str, rows: usize, columns: usize, data: &[u8]) -> tempfile::NamedTempFile {
    let header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend_from_slice(format!("{header:<117}\n").as_bytes());
    bytes.extend_from_slice(data);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

#[test]
fn arrays_slices_halves_and_files_agree() {
    let (rows, columns) = (300, 70);
    let (flat, bits) = eighths(rows, columns);
    let array = Array2::from_shape_vec((rows, columns), flat.clone()).unwrap();
    let turned = array.t().as_standard_layout().into_owned();
    let singles: Vec<u8> = flat.iter().flat_map(|x| x.to_le_bytes()).collect();
    let halves: Vec<u8> = bits.iter().flat_map(|x| x.to_le_bytes()).collect();
    let singles = npy("<f4", rows, columns, &singles);
    let halves = npy("<f2", rows, columns, &halves);
    let sources: [Box<dyn PointSource>; 6] = [
        Box::new(array.clone()),
        Box::new(turned.t().to_owned()),
        Box::new(SlicePoints::new(&flat, columns).unwrap()),
        Box::new(HalfPoints::new(&bits, columns).unwrap()),
        Box::new(NpyPoints::open(singles.path()).unwrap()),
        Box::new(NpyPoints::open(halves.path()).unwrap()),
    ];
    let weights: Vec<f64> = (0..rows).map(|i| 1.0 + (i % 5) as f64 / 4.0).collect();
    for strategy in [Strategy::Pairwise, Strategy::Bounded] {
        let run = Run::new().strategy(strategy);
        let pick = |source: &dyn PointSource| {
            let cover = Cover::new(9.0).unwrap();
            (
                cover.select_from(source, Some(&weights), &run).unwrap(),
                FarthestFirst::new(Stop::Radius(8.0))
                    .select_from(source, None, &run)
                    .unwrap(),
                WeightedKCenter::new(5)
                    .select_from(source, Some(&weights), &run)
                    .unwrap(),
            )
        };
        let first = pick(sources[0].as_ref());
        assert!((2..rows).contains(&first.0.centers.len()));
        for source in &sources[1..] {
            assert_eq!(pick(source.as_ref()), first);
        }
    }
}

#[test]
fn bad_rows_of_any_source_are_named() {
    let mut flat = vec![1.0_f32; 40];
    flat[13] = f32::NAN;
    let points = SlicePoints::new(&flat, 4).unwrap();
    for strategy in [Strategy::Pairwise, Strategy::Bounded] {
        let run = Run::new().strategy(strategy);
        let found = FarthestFirst::new(Stop::Count(1)).select_from(&points, None, &run);
        assert!(matches!(
            found,
            Err(KCenterError::NotFinite {
                row: 3,
                column: 1,
                ..
            })
        ));
    }
    let infinite = HalfPoints::new(&[0, 0x7c00], 1).unwrap();
    let found = Cover::new(1.0)
        .unwrap()
        .select_from(&infinite, None, &Run::new());
    assert!(matches!(
        found,
        Err(KCenterError::NotFinite {
            row: 1,
            column: 0,
            ..
        })
    ));
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let short = npy("<f4", 3, 2, &[0; 20]);
    let message = NpyPoints::open(short.path()).unwrap_err().to_string();
    assert!(message.contains("3 x 2 numbers"), "{message}");
    let missing = short.path().with_extension("missing");
    let error = NpyPoints::open(missing).unwrap_err();
    assert!(matches!(error, KCenterError::Open { .. }));
    assert!(std::error::Error::source(&error).is_some());
}

/// Fails from some row on, as a disk may.
struct Broken(usize);

impl PointSource for Broken {
    fn point_count(&self) -> usize {
        100
    }

    fn dimensions(&self) -> usize {
        2
    }

    fn read_row<'a>(
        &'a self,
        row: usize,
        buffer: &'a mut Vec<f32>,
    ) -> Result<&'a [f32], KCenterError> {
        buffer.clear();
        buffer.resize(if row == self.0 { 1 } else { 2 }, row as f32);
        Ok(buffer)
    }
}

#[test]
fn rows_of_another_length_are_told() {
    let found = Cover::new(1.0)
        .unwrap()
        .select_from(&Broken(7), None, &Run::new());
    let wanted = KCenterError::RowLength {
        row: 7,
        found: 1,
        dimensions: 2,
    };
    assert_eq!(found, Err(wanted));
}

#[test]
fn progress_is_told_and_stops_when_asked() {
    let (flat, _) = eighths(400, 70);
    let points = SlicePoints::new(&flat, 70).unwrap();
    for strategy in [Strategy::Pairwise, Strategy::Bounded] {
        for stop_at in [None, Some(0), Some(1), Some(2)] {
            let calls = Cell::new(0);
            let last = Cell::new(0);
            let callback = |progress: Progress| {
                if let Progress::Selecting { centers, .. } = progress {
                    assert!(centers >= last.get());
                    last.set(centers);
                }
                calls.set(calls.get() + 1);
                if stop_at == Some(calls.get() - 1) {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            };
            let run = Run::new().strategy(strategy).on_progress(&callback);
            let found = FarthestFirst::new(Stop::Count(50)).select_from(&points, None, &run);
            match stop_at {
                None => assert_eq!(found.unwrap().centers.len(), 50),
                Some(at) => {
                    assert_eq!(found, Err(KCenterError::Cancelled));
                    assert_eq!(calls.get(), at + 1);
                }
            }
        }
    }
}
