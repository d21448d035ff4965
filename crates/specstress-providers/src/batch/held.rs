//! Results of batches between two pages: providers give a file whole, callers take it piece by piece.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Most lines of one page.
const PAGE_LINES: usize = 1_000;
/// A page ends with the line that fills it.
const PAGE_BYTES: usize = 16 << 20;

/// The files of one batch and the text of the one that is being read.
pub(super) struct Held {
    pub(super) files: Vec<String>,
    pub(super) file: usize,
    pub(super) text: String,
}

impl fmt::Debug for Held {
    /// Without the text, which may be as long as a book shelf.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("files", &self.files)
            .field("file", &self.file)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// A place in the files of a batch: which file, and from which byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: usize,
    pub(super) at: usize,
}

impl Place {
    /// Reads what [`token`](Self::token) wrote; the beginning for anything else, since a result that comes twice
    /// does no harm.
    pub(super) fn read(token: Option<&str>) -> Self {
        token
            .and_then(|token| token.split_once(':'))
            .and_then(|(file, at)| {
                Some(Self {
                    file: file.parse().ok()?,
                    at: at.parse().ok()?,
                })
            })
            .unwrap_or_default()
    }

    pub(super) fn token(self) -> String {
        format!("{}:{}", self.file, self.at)
    }
}

impl Held {
    /// The lines of a page from a byte on, and the place of the next page.
    pub(super) fn page(&self, at: usize) -> (Vec<&str>, Option<Place>) {
        let rest = self.text.get(at..).unwrap_or(&self.text);
        let mut at = self.text.len() - rest.len();
        let (mut lines, mut bytes) = (Vec::new(), 0);
        for line in rest.split_inclusive('\n') {
            at += line.len();
            bytes += line.len();
            let line = line.trim();
            if !line.is_empty() {
                lines.push(line);
            }
            if lines.len() >= PAGE_LINES || bytes >= PAGE_BYTES {
                break;
            }
        }
        let next = if at < self.text.len() {
            let file = self.file;
            Some(Place { file, at })
        } else if self.file + 1 < self.files.len() {
            Some(Place {
                file: self.file + 1,
                at: 0,
            })
        } else {
            None
        };
        (lines, next)
    }
}

/// How long a text is held for a caller who does not come back for the next page.
const PATIENCE: Duration = Duration::from_mins(5);

/// By the id of the batch, with the last time that it was read.
type Texts = BTreeMap<String, (Instant, Arc<Held>)>;

/// What is held. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Holding(Arc<Mutex<Texts>>);

impl Holding {
    pub(super) fn get(&self, id: &str) -> Option<Arc<Held>> {
        let mut lock = self.lock();
        let (used, held) = lock.get_mut(id)?;
        *used = Instant::now();
        Some(Arc::clone(held))
    }

    pub(super) fn put(&self, id: &str, held: &Arc<Held>) {
        let now = Instant::now();
        let mut lock = self.lock();
        lock.retain(|_, (used, _)| now.duration_since(*used) < PATIENCE);
        lock.insert(id.to_owned(), (now, Arc::clone(held)));
    }

    pub(super) fn drop(&self, id: &str) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, Texts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(files: &[Vec<String>]) -> Vec<String> {
        let mut read = Vec::new();
        let mut place = Place::default();
        loop {
            let held = Held {
                files: (0..files.len()).map(|at| at.to_string()).collect(),
                file: place.file,
                text: files
                    .get(place.file)
                    .map_or_else(String::new, |file| file.join("\n")),
            };
            let (lines, next) = held.page(place.at);
            read.extend(lines.into_iter().map(ToOwned::to_owned));
            match next {
                Some(next) => place = Place::read(Some(&next.token())),
                None => return read,
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 40, ..ProptestConfig::default() })]

        #[test]
        fn pages_give_every_line_once(files in prop::collection::vec(prop::collection::vec("[a-zé]{1,4}", 0..2_500), 0..3)) {
            prop_assert_eq!(read_all(&files), files.concat());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_comes_back_for_is_let_go() {
        let holding = Holding::default();
        let held = Arc::new(Held {
            files: Vec::new(),
            file: 0,
            text: String::new(),
        });
        holding.put("left", &held);
        holding.put("read", &held);
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_mins(2)).await;
            assert!(holding.get("read").is_some());
        }
        holding.put("new", &held);
        assert!(holding.get("left").is_none());
        assert!(holding.get("read").is_some());
        holding.drop("read");
        assert!(holding.get("read").is_none());
    }

    #[test]
    fn odd_places_read_from_the_beginning() {
        for odd in ["", "x", "1", "1:x", "-1:2"] {
            assert_eq!(Place::read(Some(odd)), Place::default());
        }
        let held = Held {
            files: vec!["f".to_owned()],
            file: 0,
            text: "é\nb".to_owned(),
        };
        // Past the end and inside a character.
        assert_eq!(held.page(99).0, ["é", "b"]);
        assert_eq!(held.page(1).0, ["é", "b"]);
        assert!(format!("{held:?}").contains("bytes: 4"));
    }
}
