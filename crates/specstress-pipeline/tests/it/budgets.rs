//! A run spends no more than it may, and goes on when it may spend more.

use std::collections::BTreeMap;
use std::sync::Arc;

use specstress_pipeline::{Budget, Cap, PipelineError, RunDir, RunOptions, SqliteStore};

use crate::batch_fakes::{Office, Trouble, batches, settings};
use crate::cast::{Cast, tiny};
use crate::look::table_files;

fn spent(dir: &std::path::Path) -> (f64, u64) {
    let totals = SqliteStore::totals(&RunDir::calls_path(dir)).unwrap();
    (
        totals.iter().map(|part| part.cost_usd).sum(),
        totals
            .iter()
            .map(|part| part.input_tokens + part.output_tokens)
            .sum(),
    )
}

fn live() -> (BTreeMap<String, Vec<u8>>, f64, u64) {
    let dir = tempfile::tempdir().unwrap();
    Cast::tiny().run(dir.path(), tiny()).unwrap();
    let (usd, tokens) = spent(dir.path());
    (table_files(dir.path()), usd, tokens)
}

/// Runs under a budget, in batches where there is an office.
fn run(
    dir: &std::path::Path,
    budget: Budget,
    office: Option<&Arc<Office>>,
) -> Result<(), PipelineError> {
    let cast = Cast::tiny();
    let batches = office.map(|office| batches(&cast, office, settings()));
    let options = RunOptions {
        budget,
        batches,
        ..RunOptions::default()
    };
    let run = RunDir::open_with(dir, options).unwrap();
    cast.run_in(&run, tiny()).map(drop)
}

fn usd(limit: f64) -> Budget {
    Budget {
        usd: Some(limit),
        ..Budget::default()
    }
}

#[test]
fn a_budget_of_half_the_cost_is_not_overspent_and_the_rest_gives_the_same_tables() {
    let (tables, whole, tokens) = live();
    assert!(whole > 0.0);
    let half_the_tokens = Budget {
        tokens: Some(tokens / 2),
        ..Budget::default()
    };
    let one_provider = Budget {
        providers: BTreeMap::from([(
            "fake".to_owned(),
            Cap {
                usd: Some(whole / 2.0),
                tokens: None,
            },
        )]),
        ..Budget::default()
    };
    for (budget, batched) in [
        (usd(whole / 2.0), false),
        (usd(whole / 4.0), true),
        (half_the_tokens, false),
        (one_provider, false),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let office = batched.then(|| Office::with(Trouble::default()));
        let error = run(dir.path(), budget.clone(), office.as_ref()).unwrap_err();
        assert!(matches!(error, PipelineError::OverBudget { .. }), "{error}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("is used up"), "{cause}");
        let (used, used_tokens) = spent(dir.path());
        assert!(used > 0.0);
        assert!(budget.usd.is_none_or(|limit| used <= limit), "{used}");
        assert!(budget.tokens.is_none_or(|limit| used_tokens <= limit));
        if budget.providers.is_empty() {
            // Most of it is used: the last calls' worst case is small against it.
            assert!(used > whole / 2.0 * 0.2, "{used} of {whole}");
        }
        // The same budget does not go on, a larger one does.
        run(dir.path(), budget, office.as_ref()).unwrap_err();
        run(dir.path(), usd(whole * 1.5), office.as_ref()).unwrap();
        assert!(table_files(dir.path()) == tables);
        if let Some(office) = office {
            assert_eq!((office.most_answers(), office.twins()), (1, 0));
        }
    }
}

#[test]
fn a_budget_needs_prices_and_sense() {
    let dir = tempfile::tempdir().unwrap();
    let options = RunOptions {
        budget: usd(f64::NAN),
        ..RunOptions::default()
    };
    let error = RunDir::open_with(dir.path(), options).unwrap_err();
    assert!(error.to_string().starts_with("setting budget: "), "{error}");
}
