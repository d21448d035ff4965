use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::slices::widen;
use crate::{KCenterError, PointSource};

/// Points in a `.npy` file, read from disk row by row or block by block: for embeddings larger
/// than memory.
///
/// Accepts two-dimensional arrays in row order of little-endian `f2`, `f4` or `f8`, format
/// versions 1 to 3; `f8` is rounded to `f32`. Opening reads the header only. The operating system keeps recently read parts in
/// memory, as it would for a memory map; the file must not change meanwhile.
///
/// ```
/// use specstress_kcenter::{Cover, NpyPoints, PointSource, Run};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // As numpy.save writes [[0], [1], [1.5]].
/// let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
/// let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1), }";
/// bytes.extend_from_slice(format!("{header:<117}\n").as_bytes());
/// bytes.extend([0.0_f32, 1.0, 1.5].iter().flat_map(|x| x.to_le_bytes()));
/// let path = std::env::temp_dir().join(format!("points-{}.npy", std::process::id()));
/// std::fs::write(&path, &bytes)?;
///
/// let points = NpyPoints::open(&path)?;
/// assert_eq!((points.point_count(), points.dimensions()), (3, 1));
/// assert_eq!(Cover::new(0.5)?.select_from(&points, None, &Run::new())?.centers, [0, 1]);
/// # std::fs::remove_file(&path)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct NpyPoints {
    path: PathBuf,
    file: File,
    header: Header,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    /// Bytes before the first coordinate.
    offset: u64,
    width: Width,
    rows: usize,
    dimensions: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Half,
    Single,
    Double,
}

impl Width {
    fn bytes(self) -> usize {
        match self {
            Width::Half => 2,
            Width::Single => 4,
            Width::Double => 8,
        }
    }
}

impl NpyPoints {
    /// Opens a file and checks its header and length.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, KCenterError> {
        let path = path.as_ref().to_path_buf();
        let (file, header) = open(&path, |sizes| match *sizes {
            [rows, dimensions] => Some((rows, dimensions)),
            _ => None,
        })?;
        Ok(Self { path, file, header })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read(&self, start: usize, count: usize, out: &mut Vec<f32>) -> Result<(), KCenterError> {
        out.clear();
        let bytes = read(&self.path, &self.file, self.header, start, count)?;
        match self.header.width {
            Width::Half => {
                let halves = bytes.as_chunks::<2>().0.iter();
                out.extend(halves.map(|&b| widen(u16::from_le_bytes(b))));
            }
            Width::Single => {
                let singles = bytes.as_chunks::<4>().0.iter();
                out.extend(singles.map(|&b| f32::from_le_bytes(b)));
            }
            Width::Double => {
                let doubles = bytes.as_chunks::<8>().0.iter();
                #[expect(clippy::cast_possible_truncation, reason = "rounded, as documented")]
                out.extend(doubles.map(|&b| f64::from_le_bytes(b) as f32));
            }
        }
        Ok(())
    }
}

/// The numbers of a one-dimensional `.npy` file of `f2`, `f4` or `f8`, or of one with a single
/// column: weights, as [`NpyPoints`] holds points.
pub fn read_npy_weights(path: impl AsRef<Path>) -> Result<Vec<f64>, KCenterError> {
    let path = path.as_ref();
    let (file, header) = open(path, |sizes| match *sizes {
        [rows] | [rows, 1] => Some((rows, 1)),
        _ => None,
    })?;
    let bytes = read(path, &file, header, 0, header.rows)?;
    Ok(match header.width {
        Width::Half => {
            let halves = bytes.as_chunks::<2>().0.iter();
            halves
                .map(|&b| f64::from(widen(u16::from_le_bytes(b))))
                .collect()
        }
        Width::Single => {
            let singles = bytes.as_chunks::<4>().0.iter();
            singles.map(|&b| f64::from(f32::from_le_bytes(b))).collect()
        }
        Width::Double => {
            let doubles = bytes.as_chunks::<8>().0.iter();
            doubles.map(|&b| f64::from_le_bytes(b)).collect()
        }
    })
}

/// Opens a file whose sizes `fit` turns into rows and columns.
fn open(
    path: &Path,
    fit: impl Fn(&[usize]) -> Option<(usize, usize)>,
) -> Result<(File, Header), KCenterError> {
    let failed = |cause: io::Error| KCenterError::Open {
        path: path.to_owned(),
        cause: cause.into(),
    };
    let refused = |problem: String| KCenterError::Npy {
        path: path.to_owned(),
        problem,
    };
    let mut file = File::open(path).map_err(failed)?;
    let (text, offset) = read_header(&mut file).map_err(failed)?;
    let (width, sizes) = parse(&text).map_err(refused)?;
    let Some((rows, dimensions)) = fit(&sizes) else {
        return Err(refused(format!(
            "its shape is {sizes:?}; points have two dimensions, weights one"
        )));
    };
    let needed = rows
        .checked_mul(dimensions)
        .and_then(|count| count.checked_mul(width.bytes()))
        .and_then(|bytes| u64::try_from(bytes).ok()?.checked_add(offset));
    let found = file.metadata().map_err(failed)?.len();
    if needed.is_none_or(|needed| found < needed) {
        return Err(refused(format!(
            "the header promises {rows} x {dimensions} numbers, the file has {found} bytes; write it again"
        )));
    }
    let header = Header {
        offset,
        width,
        rows,
        dimensions,
    };
    Ok((file, header))
}

/// Bytes of `count` rows from `start` on.
fn read(
    path: &Path,
    file: &File,
    header: Header,
    start: usize,
    count: usize,
) -> Result<Vec<u8>, KCenterError> {
    let stride = header.dimensions * header.width.bytes();
    let mut bytes = vec![0; count * stride];
    let at = header.offset + start as u64 * stride as u64;
    read_exact_at(file, &mut bytes, at).map_err(|cause| KCenterError::Read {
        path: path.to_owned(),
        row: start,
        cause: cause.into(),
    })?;
    Ok(bytes)
}

impl PointSource for NpyPoints {
    fn point_count(&self) -> usize {
        self.header.rows
    }

    fn dimensions(&self) -> usize {
        self.header.dimensions
    }

    fn read_row<'a>(
        &'a self,
        row: usize,
        buffer: &'a mut Vec<f32>,
    ) -> Result<&'a [f32], KCenterError> {
        self.read(row, 1, buffer)?;
        Ok(buffer)
    }

    fn read_block(
        &self,
        start: usize,
        count: usize,
        out: &mut Vec<f32>,
    ) -> Result<(), KCenterError> {
        self.read(start, count, out)
    }
}

/// The text of the header and the position of the data.
fn read_header(file: &mut impl Read) -> io::Result<(String, u64)> {
    let mut start = [0; 8];
    file.read_exact(&mut start)?;
    if &start[..6] != b"\x93NUMPY" {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "no .npy file: the first six bytes are not \\x93NUMPY",
        ));
    }
    let (length, before) = if start[6] == 1 {
        let mut length = [0; 2];
        file.read_exact(&mut length)?;
        (u64::from(u16::from_le_bytes(length)), 10)
    } else {
        let mut length = [0; 4];
        file.read_exact(&mut length)?;
        (u64::from(u32::from_le_bytes(length)), 12)
    };
    let mut text = Vec::new();
    file.take(length).read_to_end(&mut text)?;
    if text.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((String::from_utf8_lossy(&text).into_owned(), before + length))
}

/// Reads the three entries of the dictionary literal that the format prescribes.
fn parse(header: &str) -> Result<(Width, Vec<usize>), String> {
    let entry = |key: &str| {
        let rest = &header[header.find(&format!("'{key}'"))? + key.len() + 2..];
        Some(rest.trim_start().strip_prefix(':')?.trim_start())
    };
    let missing = |key: &str| format!("its header has no '{key}'; save it with numpy.save");
    let descr = entry("descr").ok_or_else(|| missing("descr"))?;
    let descr = descr.trim_start_matches(['\'', '"']);
    let descr = &descr[..descr.find(['\'', '"']).unwrap_or(descr.len())];
    let width = match descr {
        "<f4" => Width::Single,
        "<f2" => Width::Half,
        "<f8" => Width::Double,
        other => {
            return Err(format!(
                "its numbers are {other}; save them as <f4, <f2 or <f8"
            ));
        }
    };
    let order = entry("fortran_order").ok_or_else(|| missing("fortran_order"))?;
    if !order.starts_with("False") {
        return Err("it is in column order; save numpy.ascontiguousarray of it".to_owned());
    }
    let shape = entry("shape").ok_or_else(|| missing("shape"))?;
    let shape = shape.trim_start_matches('(');
    let shape = &shape[..shape.find(')').unwrap_or(shape.len())];
    let sizes: Option<Vec<usize>> = shape
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
        .collect();
    let sizes = sizes.ok_or_else(|| format!("its shape is ({shape}); save it with numpy.save"))?;
    Ok((width, sizes))
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, bytes, offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes = &mut bytes[read..];
        offset += read as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_strictly() {
        let header = |descr: &str, order: &str, shape: &str| {
            parse(&format!(
                "{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"
            ))
        };
        assert_eq!(
            header("<f4", "False", "(3, 2)"),
            Ok((Width::Single, vec![3, 2]))
        );
        assert_eq!(
            header("<f2", "False", "(411000,3072)"),
            Ok((Width::Half, vec![411_000, 3072]))
        );
        assert!(
            header(">f4", "False", "(3, 2)")
                .unwrap_err()
                .contains(">f4")
        );
        assert!(
            header("<f4", "True", "(3, 2)")
                .unwrap_err()
                .contains("column order")
        );
        assert_eq!(header("<f8", "False", "(3,)"), Ok((Width::Double, vec![3])));
        assert!(header("<f4", "False", "(3, -2)").is_err());
        assert!(parse("{}").unwrap_err().contains("'descr'"));
    }

    #[test]
    fn versions_differ_in_the_width_of_the_length() {
        let one = [&b"\x93NUMPY\x01\x00\x02\x00ab"[..], b"data"].concat();
        assert_eq!(read_header(&mut &one[..]).unwrap(), ("ab".to_owned(), 12));
        let two = [&b"\x93NUMPY\x02\x00\x02\x00\x00\x00ab"[..], b"data"].concat();
        assert_eq!(read_header(&mut &two[..]).unwrap(), ("ab".to_owned(), 14));
        assert!(read_header(&mut &b"\x93NUMPY\x01\x00\xff\x00ab"[..]).is_err());
        assert!(read_header(&mut &b"PK\x03\x04 and so on"[..]).is_err());
    }
}
