use serde::{Deserialize, Serialize};

use crate::draw::Draw;
use crate::error::SimError;
use crate::server::options::in_range;

/// How the batch services of a [`SimServer`](crate::SimServer) behave. The default: batches end after two
/// seconds, whole, under the providers' own limits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchOptions {
    /// Milliseconds until a batch ends, up to a day; default 2000. Its states pass within that time.
    pub delay_ms: u32,
    /// Milliseconds that a cancelled batch takes to stop, up to a day; default 100.
    pub cancel_ms: u32,
    /// Milliseconds until a new batch shows in lists, up to a day; default 0. It can be asked for by id at once.
    pub list_delay_ms: u32,
    /// Most requests of a batch, at least 1; where `None`, the provider's own limit: 100 000 at Anthropic, 50 000 at
    /// `OpenAI`.
    pub max_requests: Option<u32>,
    /// Most bytes of a batch's body or file, at least 1; where `None`, the provider's own limit: 256 MB at Anthropic,
    /// 200 MB at `OpenAI` and xAI, 20 MB inline and 2 GB by file at Gemini.
    pub max_bytes: Option<u64>,
    /// Most input tokens in the batches of one model that have not ended, at least 1; `None`, the default, is no
    /// limit. `OpenAI` batches beyond it fail with `token_limit_exceeded`, Gemini refuses them with a 429.
    pub enqueued_tokens: Option<u64>,
    /// What goes wrong.
    pub faults: BatchFaults,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            delay_ms: 2_000,
            cancel_ms: 100,
            list_delay_ms: 0,
            max_requests: None,
            max_bytes: None,
            enqueued_tokens: None,
            faults: BatchFaults::default(),
        }
    }
}

const DAY_MS: f64 = 86_400_000.0;

impl BatchOptions {
    pub(in crate::server) fn check(&self) -> Result<(), SimError> {
        for (option, millis) in [
            ("batch.delay_ms", self.delay_ms),
            ("batch.cancel_ms", self.cancel_ms),
            ("batch.list_delay_ms", self.list_delay_ms),
        ] {
            in_range(option, f64::from(millis), 0.0, DAY_MS)?;
        }
        let most = self.max_requests.map_or(1.0, f64::from);
        in_range("batch.max_requests", most, 1.0, f64::from(u32::MAX))?;
        for (option, limit) in [
            ("batch.max_bytes", self.max_bytes),
            ("batch.enqueued_tokens", self.enqueued_tokens),
        ] {
            in_range(option, limit.map_or(1.0, |limit| limit as f64), 1.0, 1e15)?;
        }
        self.faults.check()
    }
}

/// How often each fault of a batch service happens, as a probability. The default is none.
///
/// Faults follow from [`ServerOptions::seed`](crate::ServerOptions::seed), from what is asked and how often, never from
/// time. A batch is known by its provider and the ids of its items, an item by model, content and sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchFaults {
    /// Items that fail with a server error, by itself worth another try.
    pub item_failed: f64,
    /// Items that expire in a batch that ends. With [`item_failed`](Self::item_failed) at most 1.
    pub item_expired: f64,
    /// Batches that expire in the middle. What had an answer keeps it, but at Gemini, where nothing is kept.
    pub expired: f64,
    /// Batches that fail as a whole: in their validation where there is one, else in every item.
    pub failed: f64,
    /// Batches that end as if all were well, without any result. With [`expired`](Self::expired) and
    /// [`failed`](Self::failed) at most 1.
    pub no_output: f64,
    /// Batches that are made, and additions at xAI, although the connection is reset before the reply.
    pub create_dropped: f64,
    /// Reads of batches, lists, results and files that are answered 503; never more than three in a row.
    pub unavailable: f64,
    /// Downloads of results that break off in the middle; never more than three in a row.
    pub download_cut: f64,
    /// Most submissions of one item that fail or expire; after them it is answered. Default 1.
    pub max_per_item: u32,
    /// Most batches of the same items that go wrong as a whole, and most whose creation is dropped. Default 1.
    pub max_per_batch: u32,
}

impl Default for BatchFaults {
    fn default() -> Self {
        Self {
            item_failed: 0.0,
            item_expired: 0.0,
            expired: 0.0,
            failed: 0.0,
            no_output: 0.0,
            create_dropped: 0.0,
            unavailable: 0.0,
            download_cut: 0.0,
            max_per_item: 1,
            max_per_batch: 1,
        }
    }
}

/// What becomes of one submission of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemFate {
    Answered,
    Failed,
    Expired,
}

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum BatchFate {
    Ends,
    /// After this share of its items.
    Expires(f64),
    Fails,
    EndsEmpty,
}

/// Most faults that reads of the same thing meet in a row.
pub(super) const MOST_IN_A_ROW: u32 = 3;

impl BatchFaults {
    /// Every fault that passes when a client tries again, each at this rate.
    pub fn even(rate: f64) -> Self {
        Self {
            item_failed: rate,
            item_expired: rate,
            expired: rate,
            failed: rate,
            no_output: rate,
            create_dropped: rate,
            unavailable: rate,
            download_cut: rate,
            ..Self::default()
        }
    }

    fn check(&self) -> Result<(), SimError> {
        for (option, rate) in [
            ("batch.faults.item_failed", self.item_failed),
            ("batch.faults.item_expired", self.item_expired),
            ("batch.faults.expired", self.expired),
            ("batch.faults.failed", self.failed),
            ("batch.faults.no_output", self.no_output),
            ("batch.faults.create_dropped", self.create_dropped),
            ("batch.faults.unavailable", self.unavailable),
            ("batch.faults.download_cut", self.download_cut),
            (
                "batch.faults: item_failed + item_expired",
                self.item_failed + self.item_expired,
            ),
            (
                "batch.faults: expired + failed + no_output",
                self.expired + self.failed + self.no_output,
            ),
        ] {
            // Thirds do not add up to exactly one.
            in_range(option, rate, 0.0, 1.0 + 1e-9)?;
        }
        Ok(())
    }

    /// The fate of an item in its n-th submission, from 1.
    pub(super) fn item(&self, seed: u64, content: &str, submission: u32) -> ItemFate {
        let unit = Draw::new(seed, &["batch item", content, &submission.to_string()]).unit();
        if unit < self.item_failed {
            ItemFate::Failed
        } else if unit < self.item_failed + self.item_expired {
            ItemFate::Expired
        } else {
            ItemFate::Answered
        }
    }

    /// The fate of the n-th batch, from 1, of the same items.
    pub(super) fn batch(&self, seed: u64, items: &str, creation: u32) -> BatchFate {
        let mut draw = Draw::new(seed, &["batch", items, &creation.to_string()]);
        let unit = draw.unit();
        if unit < self.expired {
            BatchFate::Expires(draw.between(0.25, 0.75))
        } else if unit < self.expired + self.failed {
            BatchFate::Fails
        } else if unit < self.expired + self.failed + self.no_output {
            BatchFate::EndsEmpty
        } else {
            BatchFate::Ends
        }
    }

    pub(super) fn drops_creation(&self, seed: u64, items: &str, creation: u32) -> bool {
        Draw::new(seed, &["batch create", items, &creation.to_string()]).chance(self.create_dropped)
    }

    /// Whether the n-th read of a thing, from 1, is answered 503.
    pub(super) fn is_unavailable(&self, seed: u64, path: &str, number: u32) -> bool {
        Draw::new(seed, &["batch read", path, &number.to_string()]).chance(self.unavailable)
    }

    /// Whether the n-th download, from 1, breaks off.
    pub(super) fn cuts_download(&self, seed: u64, path: &str, number: u32) -> bool {
        Draw::new(seed, &["batch download", path, &number.to_string()]).chance(self.download_cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fates_come_at_their_rates_and_repeat() {
        let faults = BatchFaults {
            item_failed: 0.1,
            item_expired: 0.2,
            expired: 0.1,
            failed: 0.2,
            no_output: 0.3,
            create_dropped: 0.4,
            ..BatchFaults::default()
        };
        let (mut items, mut batches, mut dropped) = ([0; 3], [0; 4], 0);
        for number in 0..20_000 {
            let name = number.to_string();
            let item = faults.item(7, &name, 1);
            assert_eq!(item, faults.item(7, &name, 1));
            items[match item {
                ItemFate::Answered => 0,
                ItemFate::Failed => 1,
                ItemFate::Expired => 2,
            }] += 1;
            batches[match faults.batch(7, &name, 1) {
                BatchFate::Ends => 0,
                BatchFate::Expires(share) => {
                    assert!((0.25..0.75).contains(&share));
                    1
                }
                BatchFate::Fails => 2,
                BatchFate::EndsEmpty => 3,
            }] += 1;
            dropped += i32::from(faults.drops_creation(7, &name, 1));
        }
        // Six standard deviations are at most 425.
        let near = |count: i32, expected: i32| {
            assert!((count - expected).abs() < 425, "{count}, not {expected}");
        };
        for (count, expected) in items.into_iter().zip([14_000, 2_000, 4_000]) {
            near(count, expected);
        }
        for (count, expected) in batches.into_iter().zip([8_000, 2_000, 4_000, 6_000]) {
            near(count, expected);
        }
        near(dropped, 8_000);
    }

    #[test]
    fn options_outside_their_range_are_named() {
        let bad = |change: fn(&mut BatchOptions)| {
            let mut options = BatchOptions::default();
            change(&mut options);
            options.check().unwrap_err().to_string()
        };
        for (message, expected) in [
            (bad(|o| o.delay_ms = u32::MAX), "batch.delay_ms"),
            (bad(|o| o.max_requests = Some(0)), "batch.max_requests is 0"),
            (bad(|o| o.max_bytes = Some(0)), "batch.max_bytes is 0"),
            (
                bad(|o| o.faults.unavailable = 1.5),
                "batch.faults.unavailable is 1.5",
            ),
            (
                bad(|o| o.faults.item_failed = f64::NAN),
                "item_failed is NaN",
            ),
            (
                bad(|o| o.faults = BatchFaults::even(0.5)),
                "expired + failed + no_output is 1.5",
            ),
        ] {
            assert!(message.contains(expected), "{message}");
        }
        let thirds = BatchOptions {
            faults: BatchFaults::even(1.0 / 3.0),
            ..BatchOptions::default()
        };
        assert!(thirds.check().is_ok());
    }

    #[test]
    fn options_are_read_strictly() {
        let read = |text: &str| serde_json::from_str::<BatchOptions>(text);
        let options = read(r#"{"delay_ms":5,"faults":{"no_output":0.1}}"#).unwrap();
        assert_eq!((options.delay_ms, options.faults.max_per_item), (5, 1));
        assert!(read(r#"{"delay":5}"#).is_err());
        assert!(read(r#"{"faults":{"lost":0.1}}"#).is_err());
    }
}
