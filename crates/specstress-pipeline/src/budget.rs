//! What a run may spend, and what it has spent, counting what is in flight and in batches.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::channel::oneshot;
use serde::{Deserialize, Serialize};
use specstress_llm::{CallMode, LlmError, LlmErrorKind, NewCall, RequestKey, Usage};

use crate::store::{BatchRecord, CallTotals};

/// A limit on money and tokens; what is `None` is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cap {
    /// US dollars.
    pub usd: Option<f64>,
    /// Tokens read and written.
    pub tokens: Option<u64>,
}

/// What the whole run may spend, over all its sessions, and what each provider may.
///
/// A call is made only when the most it can cost still fits beside everything that is spent, in flight or in
/// batches. The most it can cost: its text at twice the tokens it should have (or at the measured rate), and as many
/// output tokens as its limit allows; without a limit, four standard deviations above the mean of its like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// US dollars for the whole run.
    pub usd: Option<f64>,
    /// Tokens read and written by the whole run.
    pub tokens: Option<u64>,
    /// Limits of single providers, by the name in model ids.
    pub providers: BTreeMap<String, Cap>,
}

impl Budget {
    /// Whether anything is limited.
    pub fn is_limited(&self) -> bool {
        self.usd.is_some() || self.tokens.is_some() || !self.providers.is_empty()
    }

    fn caps<'a>(&'a self, provider: &'a str) -> impl Iterator<Item = (Option<&'a str>, Cap)> {
        let whole = Cap {
            usd: self.usd,
            tokens: self.tokens,
        };
        let own = self.providers.get(provider);
        [(None, whole)]
            .into_iter()
            .chain(own.map(|cap| (Some(provider), *cap)))
    }

    /// Says what is wrong with a limit.
    pub(crate) fn check(&self) -> Result<(), String> {
        let all = [("budget".to_owned(), self.usd)].into_iter().chain(
            self.providers
                .iter()
                .map(|(name, cap)| (format!("budget of {name}"), cap.usd)),
        );
        for (name, usd) in all {
            if let Some(usd) = usd
                && !(usd.is_finite() && usd >= 0.0)
            {
                return Err(format!(
                    "{name}: {usd} is not an amount of US dollars, 0 or more"
                ));
            }
        }
        Ok(())
    }
}

/// An amount of money and tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Amount {
    pub(crate) usd: f64,
    pub(crate) tokens: u64,
}

impl Amount {
    fn plus(self, other: Self) -> Self {
        Self {
            usd: self.usd + other.usd,
            tokens: self.tokens.saturating_add(other.tokens),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            usd: (self.usd - other.usd).max(0.0),
            tokens: self.tokens.saturating_sub(other.tokens),
        }
    }
}

/// What calls of one stage and model have been like.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Habit {
    calls: f64,
    bytes: f64,
    input: f64,
    output: f64,
    output_squares: f64,
}

/// Calls from which a mean and a spread are worth something.
const ENOUGH: f64 = 30.0;

impl Habit {
    fn add(&mut self, bytes: u64, usage: &Usage) {
        let output = (usage.output + usage.reasoning) as f64;
        self.calls += 1.0;
        self.bytes += bytes as f64;
        self.input += (usage.input + usage.cached_input + usage.cache_write) as f64;
        self.output += output;
        self.output_squares += output * output;
    }

    fn add_totals(&mut self, totals: &CallTotals) {
        self.calls += totals.calls as f64;
        self.bytes += totals.bytes as f64;
        self.input += totals.input_tokens as f64;
        self.output += totals.output_tokens as f64;
        self.output_squares += totals.output_squares;
    }

    fn known(&self) -> bool {
        self.calls >= ENOUGH && self.bytes > 0.0
    }

    fn mean(&self) -> f64 {
        self.output / self.calls
    }

    fn variance(&self) -> f64 {
        (self.output_squares / self.calls - self.mean().powi(2)).max(0.0)
    }

    /// Tokens that this much text can have at most.
    fn input_tokens(&self, bytes: u64) -> u64 {
        if self.known() {
            ceil(bytes as f64 * self.input / self.bytes * 1.1) + 16
        } else {
            bytes.div_ceil(2)
        }
    }

    /// Tokens that one answer can have at most.
    fn output_tokens(&self, limit: Option<u32>, most: Option<u32>) -> u64 {
        match limit {
            Some(limit) => u64::from(limit),
            None if self.known() => ceil(self.mean() + 4.0 * self.variance().sqrt()),
            None => u64::from(most.unwrap_or(UNKNOWN_OUTPUT).min(UNKNOWN_OUTPUT)),
        }
    }
}

/// Output tokens taken for the most where nothing limits them and nothing was measured.
const UNKNOWN_OUTPUT: u32 = 8192;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "token counts: not negative, and saturation is what is wanted"
)]
fn ceil(tokens: f64) -> u64 {
    tokens.ceil().max(0.0) as u64
}

#[derive(Debug, Default)]
struct Books {
    spent: BTreeMap<String, Amount>,
    /// Live calls in flight.
    calls: HashMap<RequestKey, (String, Amount)>,
    /// Open batches by tag.
    batches: BTreeMap<String, (String, Amount)>,
    habits: HashMap<(String, String), Habit>,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Books {
    /// Spent, in flight and in batches, of one provider or of all.
    fn used(&self, provider: Option<&str>) -> Amount {
        let counts = |name: &str| provider.is_none_or(|provider| provider == name);
        let spent = self.spent.iter().filter(|(name, _)| counts(name));
        let held = self.calls.values().chain(self.batches.values());
        spent
            .map(|(_, amount)| *amount)
            .chain(held.filter(|(name, _)| counts(name)).map(|held| held.1))
            .fold(Amount::default(), Amount::plus)
    }

    fn wake(&mut self) {
        for waiter in self.waiting.drain(..) {
            // One that went away needs no waking.
            let _ = waiter.send(());
        }
    }
}

/// Keeps the books of a run.
#[derive(Debug)]
pub(crate) struct Purse {
    budget: Budget,
    books: Mutex<Books>,
}

/// Why something cannot be paid now.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Something in flight may turn out cheaper than feared.
    Wait(oneshot::Receiver<()>),
    /// Nothing live is in flight; with open batches, waiting for them may help.
    Over(LlmError),
}

impl Purse {
    pub(crate) fn new(budget: Budget, totals: &[CallTotals], batches: &[BatchRecord]) -> Self {
        let mut books = Books::default();
        for part in totals {
            let amount = Amount {
                usd: part.cost_usd,
                tokens: part.input_tokens.saturating_add(part.output_tokens),
            };
            let spent = books.spent.entry(provider_of(&part.model)).or_default();
            *spent = spent.plus(amount);
            let like = (part.stage.clone(), part.model.clone());
            books.habits.entry(like).or_default().add_totals(part);
        }
        for batch in batches.iter().filter(|batch| batch.open) {
            let amount = Amount {
                usd: batch.reserved_usd,
                tokens: batch.reserved_tokens,
            };
            let held = (provider_of(&batch.model), amount);
            books.batches.insert(batch.tag.to_string(), held);
        }
        Self {
            budget,
            books: Mutex::new(books),
        }
    }

    /// What may be spent.
    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // A panic elsewhere leaves sums that were added whole.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Spent so far, and held for what is in flight and in batches.
    pub(crate) fn spent(&self) -> (Amount, Amount) {
        let books = self.books();
        let spent = books
            .spent
            .values()
            .fold(Amount::default(), |sum, &amount| sum.plus(amount));
        (spent, books.used(None).minus(spent))
    }

    /// Holds the most a call can cost, or says why not.
    fn hold(&self, stage: &str, call: &NewCall<'_>) -> Result<(), Refusal> {
        let provider = call.model().provider().to_owned();
        let mut books = self.books();
        let habit = books
            .habits
            .get(&(stage.to_owned(), call.model().to_string()))
            .copied()
            .unwrap_or_default();
        let (most, limit) = match call.ask {
            specstress_llm::Ask::Chat(_, request) => (
                habit.output_tokens(request.max_tokens, call.capabilities().max_output),
                true,
            ),
            specstress_llm::Ask::Embed(..) => (0, false),
        };
        let (own, shared) = call.bytes();
        // Writing a shared text to the provider's cache can cost more than plain input.
        let usage = Usage {
            input: habit.input_tokens(own),
            cache_write: if limit { habit.input_tokens(shared) } else { 0 },
            output: most,
            ..Usage::default()
        };
        let amount = self.priced(
            &provider,
            usage.total(),
            call.quote(&usage, CallMode::Live),
            || call.model().to_string(),
        )?;
        if let Some(over) = self.over(&books, &provider, amount) {
            if books.calls.is_empty() {
                return Err(Refusal::Over(over));
            }
            let (sender, receiver) = oneshot::channel();
            books.waiting.push(sender);
            return Err(Refusal::Wait(receiver));
        }
        if let Some(&key) = call.keys.first() {
            books.calls.insert(key, (provider, amount));
        }
        Ok(())
    }

    /// Waits for its turn and holds the most a call can cost.
    pub(crate) async fn reserve(&self, stage: &str, call: &NewCall<'_>) -> Result<(), LlmError> {
        loop {
            match self.hold(stage, call) {
                Ok(()) => return Ok(()),
                Err(Refusal::Over(error)) => return Err(error),
                // A dropped sender wakes too.
                Err(Refusal::Wait(turn)) => {
                    let _ = turn.await;
                }
            }
        }
    }

    /// Ends a hold: what the call cost is spent.
    pub(crate) fn settle(
        &self,
        stage: &str,
        call: &NewCall<'_>,
        result: Result<(Usage, Option<f64>), &LlmError>,
    ) {
        let mut books = self.books();
        if let Some(key) = call.keys.first() {
            books.calls.remove(key);
        }
        if let Ok((usage, cost)) = result {
            let amount = Amount {
                usd: cost.unwrap_or(0.0),
                tokens: usage.total(),
            };
            let provider = call.model().provider().to_owned();
            let spent = books.spent.entry(provider).or_default();
            *spent = spent.plus(amount);
            let (own, shared) = call.bytes();
            let like = (stage.to_owned(), call.model().to_string());
            books
                .habits
                .entry(like)
                .or_default()
                .add(own + shared, &usage);
        }
        books.wake();
    }

    /// How many of these calls fit into one more batch, and what they may cost: as many from the front as the budget
    /// has room for. `calls` gives stage, bytes of text and output limit; `quote` the batch price of a usage.
    pub(crate) fn fit_batch(
        &self,
        model: &str,
        calls: &[(String, u64, Option<u32>)],
        most_output: Option<u32>,
        quote: impl Fn(&Usage) -> Option<f64>,
    ) -> Result<(usize, Amount), LlmError> {
        let provider = provider_of(model);
        let books = self.books();
        let (mut usd, mut tokens, mut variance) = (0.0, 0.0, 0.0);
        let mut fitting = (0, Amount::default());
        for (at, (stage, bytes, limit)) in calls.iter().enumerate() {
            let habit = books
                .habits
                .get(&(stage.clone(), model.to_owned()))
                .copied()
                .unwrap_or_default();
            // The sum of many calls is near the sum of their means; single ones can be anything.
            let output = if habit.known() {
                variance += habit.variance();
                ceil(habit.mean())
            } else {
                habit.output_tokens(*limit, most_output)
            };
            let usage = Usage {
                input: habit.input_tokens(*bytes),
                output,
                ..Usage::default()
            };
            let one = self.priced(&provider, usage.total(), quote(&usage), || model.to_owned());
            let one = one.map_err(|refusal| match refusal {
                Refusal::Over(error) => error,
                Refusal::Wait(_) => unreachable!("a price is not waited for"),
            })?;
            usd += one.usd;
            tokens += one.tokens as f64;
            let spread = 4.0 * f64::sqrt(variance);
            let spread_usage = Usage {
                output: ceil(spread),
                ..Usage::default()
            };
            let amount = Amount {
                usd: usd + quote(&spread_usage).unwrap_or(0.0),
                tokens: ceil(tokens + spread),
            };
            if let Some(over) = self.over(&books, &provider, amount) {
                if at == 0 {
                    return Err(over);
                }
                break;
            }
            fitting = (at + 1, amount);
        }
        Ok(fitting)
    }

    /// Holds what an open batch may cost.
    pub(crate) fn hold_batch(&self, tag: &str, model: &str, amount: Amount) {
        let held = (provider_of(model), amount);
        self.books().batches.insert(tag.to_owned(), held);
    }

    /// A reply of a batch is paid for.
    pub(crate) fn spend_batched(
        &self,
        stage: &str,
        model: &str,
        bytes: u64,
        usage: &Usage,
        cost: Option<f64>,
    ) {
        let mut books = self.books();
        let amount = Amount {
            usd: cost.unwrap_or(0.0),
            tokens: usage.total(),
        };
        let spent = books.spent.entry(provider_of(model)).or_default();
        *spent = spent.plus(amount);
        let like = (stage.to_owned(), model.to_owned());
        books.habits.entry(like).or_default().add(bytes, usage);
    }

    /// A batch is over.
    pub(crate) fn release_batch(&self, tag: &str) {
        let mut books = self.books();
        books.batches.remove(tag);
        books.wake();
    }

    fn priced(
        &self,
        provider: &str,
        tokens: u64,
        price: Option<f64>,
        model: impl FnOnce() -> String,
    ) -> Result<Amount, Refusal> {
        let money = self.budget.caps(provider).any(|(_, cap)| cap.usd.is_some());
        match price {
            Some(usd) => Ok(Amount { usd, tokens }),
            None if money => Err(Refusal::Over(LlmError::new(
                LlmErrorKind::OverBudget,
                format!(
                    "no price is known for {}, so its calls cannot be held to a budget in US dollars; state its \
                     prices in [[catalog]], or limit tokens instead",
                    model()
                ),
            ))),
            None => Ok(Amount { usd: 0.0, tokens }),
        }
    }

    /// Which limit one more amount would break.
    fn over(&self, books: &Books, provider: &str, amount: Amount) -> Option<LlmError> {
        self.budget.caps(provider).find_map(|(name, cap)| {
            let used = books.used(name);
            let whose = name.map_or_else(String::new, |name| format!(" of {name}"));
            if let Some(limit) = cap.usd
                && used.usd + amount.usd > limit
            {
                return Some(LlmError::new(
                    LlmErrorKind::OverBudget,
                    format!(
                        "the budget{whose} of {limit} US dollars is used up: {:.4} are spent or in batches, and the \
                         next call may cost {:.4}",
                        used.usd, amount.usd
                    ),
                ));
            }
            if let Some(limit) = cap.tokens
                && used.tokens.saturating_add(amount.tokens) > limit
            {
                return Some(LlmError::new(
                    LlmErrorKind::OverBudget,
                    format!(
                        "the budget{whose} of {limit} tokens is used up: {} are spent or in batches, and the next \
                         call may use {}",
                        used.tokens, amount.tokens
                    ),
                ));
            }
            None
        })
    }
}

/// The provider's name in a model id.
fn provider_of(model: &str) -> String {
    model.split('/').next().unwrap_or(model).to_owned()
}
