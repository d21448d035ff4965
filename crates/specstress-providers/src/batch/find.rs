//! A batch that may have been created, looked for in the list of all.

use std::cmp::Reverse;

use specstress_llm::LostBatch;

use super::moment::HOUR;

/// How far the clocks of two machines may be apart, in seconds.
const CLOCK_ALLOWANCE: u64 = HOUR / 12;
/// More pages than any account has.
const MOST_PAGES: usize = 10_000;

/// A batch as a list shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: String,
    /// The latest moment at which it may have been made.
    pub(super) created: Option<u64>,
    pub(super) tag: Option<String>,
    pub(super) requests: u64,
}

/// A page of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    pub(super) next: Option<String>,
}

/// Reads the list page by page.
#[derive(Debug)]
pub(super) struct Search<'a> {
    lost: &'a LostBatch<'a>,
    by_tag: bool,
    pages: usize,
    first: Option<u64>,
    last: Option<u64>,
    newest_first: bool,
    page: Option<String>,
    found: Vec<(Option<u64>, Reverse<usize>, String)>,
}

impl<'a> Search<'a> {
    pub(super) fn new(lost: &'a LostBatch<'a>, by_tag: bool) -> Self {
        Self {
            lost,
            by_tag,
            pages: 0,
            first: None,
            last: None,
            newest_first: true,
            page: None,
            found: Vec::new(),
        }
    }

    /// Takes a page; the next one to read, if any.
    ///
    /// The order of the list is promised by some providers only, so reading ends early only once it has shown
    /// itself to be newest first.
    pub(super) fn take(&mut self, listing: Listing) -> Option<String> {
        let oldest = self.lost.begun_at.saturating_sub(CLOCK_ALLOWANCE);
        let mut all_too_old = !listing.entries.is_empty();
        for entry in listing.entries {
            if let Some(created) = entry.created {
                self.first.get_or_insert(created);
                self.newest_first &= self.last.is_none_or(|last| last >= created);
                self.last = Some(created);
            }
            let too_old = entry.created.is_some_and(|created| created < oldest);
            all_too_old &= too_old;
            let fits = if self.by_tag {
                entry.tag.as_deref() == Some(self.lost.tag.as_str())
            } else {
                !too_old && entry.requests == self.lost.requests
            };
            if fits {
                let place = Reverse(self.found.len());
                self.found.push((entry.created, place, entry.id));
            }
        }
        self.pages += 1;
        let sinking = self.newest_first && self.last < self.first;
        let next = listing.next.filter(|next| !next.is_empty())?;
        if (all_too_old && sinking) || self.page.as_ref() == Some(&next) || self.pages >= MOST_PAGES
        {
            return None;
        }
        self.page = Some(next.clone());
        Some(next)
    }

    /// What was found, oldest first.
    pub(super) fn found(mut self) -> Vec<String> {
        self.found.sort_unstable();
        self.found.into_iter().map(|(_, _, id)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use specstress_llm::BatchTag;

    fn entry(id: usize, created: u64, tag: &str, requests: u64) -> Entry {
        Entry {
            id: format!("b{id}"),
            created: Some(created),
            tag: Some(tag.to_owned()),
            requests,
        }
    }

    /// Reads a list in pages; what is found and how many pages were read.
    fn search(
        entries: &[Entry],
        size: usize,
        lost: &LostBatch<'_>,
        by_tag: bool,
    ) -> (Vec<String>, usize) {
        let pages: Vec<&[Entry]> = entries.chunks(size).collect();
        let mut search = Search::new(lost, by_tag);
        let mut at = 0;
        while let Some(page) = pages.get(at) {
            let next = (at + 1 < pages.len()).then(|| (at + 1).to_string());
            let listing = Listing {
                entries: page.to_vec(),
                next,
            };
            match search.take(listing) {
                Some(next) => at = next.parse().unwrap(),
                None => break,
            }
        }
        (search.found(), at + 1)
    }

    #[test]
    fn reading_ends_where_a_list_that_sinks_is_too_old() {
        let tag = BatchTag::from_recorded("specstress-1");
        let lost = LostBatch {
            tag: &tag,
            begun_at: 10_000,
            requests: 3,
        };
        let falling: Vec<Entry> = (0..100)
            .map(|at| entry(at, 10_100 - 10 * at as u64, "other", 3))
            .collect();
        // 10,100 down to 9,700 is young enough: 41 entries, on the first five pages of ten.
        let (found, pages) = search(&falling, 10, &lost, false);
        assert_eq!((found.len(), pages), (41, 6));
        assert_eq!((found[0].as_str(), found[40].as_str()), ("b40", "b0"));
        assert_eq!(search(&falling, 10, &lost, true), (Vec::new(), 6));
        // Oldest first, or all of one day: every page is read.
        let rising: Vec<Entry> = falling.iter().rev().cloned().collect();
        assert_eq!(search(&rising, 10, &lost, false).0.len(), 41);
        let level: Vec<Entry> = (0..30).map(|at| entry(at, 100, "other", 3)).collect();
        assert_eq!(search(&level, 10, &lost, true).1, 3);
    }

    #[test]
    fn a_list_that_repeats_itself_ends() {
        let tag = BatchTag::from_recorded("specstress-1");
        let lost = LostBatch {
            tag: &tag,
            begun_at: 0,
            requests: 1,
        };
        let mut search = Search::new(&lost, true);
        let page = || Listing {
            entries: Vec::new(),
            next: Some("same".to_owned()),
        };
        assert_eq!(search.take(page()).as_deref(), Some("same"));
        assert_eq!(search.take(page()), None);
    }

    proptest! {
        #[test]
        fn nothing_that_fits_is_missed(
            times in prop::collection::vec(0_u64..2_000, 0..60),
            tagged in prop::collection::vec(any::<bool>(), 60),
            order in 0..3,
            size in 1_usize..7,
            begun in 0_u64..2_500,
            by_tag: bool,
        ) {
            let tag = BatchTag::from_recorded("specstress-1");
            let lost = LostBatch { tag: &tag, begun_at: begun, requests: 2 };
            let mut list: Vec<Entry> = times.iter().zip(&tagged).enumerate().map(|(at, (&time, &ours))| {
                // A tagged batch is never older than its search.
                let time = if ours { time.max(begun.saturating_sub(300)) } else { time };
                entry(at, time, if ours { "specstress-1" } else { "x" }, if ours { 2 } else { 1 })
            }).collect();
            match order {
                0 => list.sort_by_key(|entry| Reverse(entry.created)),
                1 => list.sort_by_key(|entry| entry.created),
                _ => {}
            }
            let mut expected: Vec<_> = list.iter().filter(|entry| entry.requests == 2).collect();
            expected.sort_by_key(|entry| entry.created);
            let (found, _) = search(&list, size, &lost, by_tag);
            let sort = |mut ids: Vec<String>| { ids.sort(); ids };
            let expected_ids: Vec<String> = expected.iter().map(|entry| entry.id.clone()).collect();
            if order < 2 {
                prop_assert_eq!(sort(found), sort(expected_ids));
            } else {
                // In no order at all the end may come early; nothing else is found.
                prop_assert!(found.iter().all(|id| expected_ids.contains(id)));
            }
        }
    }
}
