use super::*;
use crate::catalog::{SamplingRule, StructuredOutput, TokenLimitName};

fn entry(json: &str) -> ModelEntry {
    serde_json::from_str(json).unwrap()
}

#[test]
fn the_builtin_table_is_sound_and_dated() {
    let catalog = Catalog::builtin();
    assert!(catalog.iter().count() >= 40);
    for info in catalog.iter() {
        assert!(info.known, "{}", info.id());
        assert_eq!(info.provider, info.kind.as_str());
        let Some(prices) = &info.prices else { continue };
        assert!(!prices.source.is_empty(), "{}", info.id());
        assert!(prices.as_of <= catalog.as_of(), "{}", info.id());
        assert!(
            prices.output >= prices.input || info.embedding.is_some(),
            "{}",
            info.id()
        );
        assert!(
            prices
                .cached_input
                .is_none_or(|cached| cached < prices.input),
            "{}",
            info.id()
        );
    }
}

#[test]
fn the_models_of_the_paper_have_their_dates_and_prices() {
    let catalog = Catalog::builtin();
    let as_of = catalog.as_of();
    for (provider, name, input, output, gone, retired) in [
        (
            "anthropic",
            "claude-opus-4-20250514",
            15.0,
            75.0,
            "2026-06-15",
            true,
        ),
        (
            "anthropic",
            "claude-sonnet-4-20250514",
            3.0,
            15.0,
            "2026-06-15",
            true,
        ),
        (
            "anthropic",
            "claude-3-7-sonnet-20250219",
            3.0,
            15.0,
            "2026-02-19",
            true,
        ),
        (
            "anthropic",
            "claude-3-5-sonnet-20241022",
            3.0,
            15.0,
            "2025-10-28",
            true,
        ),
        (
            "anthropic",
            "claude-3-5-sonnet-20240620",
            3.0,
            15.0,
            "2025-10-28",
            true,
        ),
        (
            "anthropic",
            "claude-3-opus-20240229",
            15.0,
            75.0,
            "2026-01-05",
            true,
        ),
        (
            "openai",
            "gpt-4.1-2025-04-14",
            2.0,
            8.0,
            "2027-01-14",
            false,
        ),
        (
            "openai",
            "gpt-4.1-mini-2025-04-14",
            0.4,
            1.6,
            "2027-01-14",
            false,
        ),
        (
            "openai",
            "gpt-4o-2024-08-06",
            2.5,
            10.0,
            "2027-01-14",
            false,
        ),
        ("openai", "o3-2025-04-16", 2.0, 8.0, "2026-12-11", false),
        ("openai", "o4-mini-2025-04-16", 1.1, 4.4, "2026-10-23", true),
        ("gemini", "gemini-2.5-pro", 1.25, 10.0, "2026-12-01", false),
        ("xai", "grok-4-0709", 3.0, 15.0, "2026-05-15", true),
    ] {
        let info = catalog.get(provider, name).expect(name);
        let prices = info.prices.as_ref().expect(name);
        assert_eq!(prices.input.to_bits(), f64::to_bits(input), "{name}");
        assert_eq!(prices.output.to_bits(), f64::to_bits(output), "{name}");
        assert_eq!(info.alive_until, Some(gone.parse().unwrap()), "{name}");
        assert_eq!(info.is_retired(as_of), retired, "{name}");
    }
    let rerouted = catalog.get("gemini", "gemini-2.5-pro").unwrap();
    assert_eq!(rerouted.rerouted_to.as_deref(), Some("gemini-3.8-flash"));
}

#[test]
fn names_resolve_by_alias_date_and_wire_format() {
    let catalog = Catalog::builtin();
    let resolve = |kind, provider, name| catalog.resolve(kind, provider, name);
    let undated = resolve(ProviderKind::OpenAi, "openai", "o3");
    assert!(undated.known && undated.prices.is_some());
    assert_eq!(undated.name, "o3");
    let newest = resolve(ProviderKind::Anthropic, "anthropic", "claude-3-5-sonnet");
    assert!(newest.known);
    let dated = resolve(
        ProviderKind::Anthropic,
        "anthropic-eu",
        "claude-opus-4-7-20260401",
    );
    assert!(dated.known);
    assert_eq!(dated.sampling, SamplingRule::Refused);
    assert_eq!(dated.provider, "anthropic-eu");
    // A proxy that calls itself openai keeps the rules of the models it names.
    let proxied = resolve(ProviderKind::Compatible, "openai", "o3");
    assert!(proxied.known);
    assert_eq!(proxied.kind, ProviderKind::Compatible);
    assert!(!resolve(ProviderKind::Gemini, "openai", "o3").known);
    // One snapshot never stands for another.
    assert!(!resolve(ProviderKind::OpenAi, "openai", "o3-2026-01-01").known);
    let old = resolve(ProviderKind::OpenAi, "openai", "gpt-4o-2024-05-13");
    assert!(old.prices.is_none());
    assert!(!old.answers_to("gpt-4o-2024-08-06"));
    let snapshot = resolve(ProviderKind::OpenAi, "openai", "gpt-4o-2024-08-06");
    assert!(!snapshot.answers_to("gpt-4o-2024-11-20"));
}

#[test]
fn rows_correct_add_and_inherit() {
    let mut catalog = Catalog::builtin();
    catalog
        .extend([
            entry(r#"{"provider":"openai","name":"gpt-4o","max_output":99}"#),
            entry(
                r#"{"provider":"proxy","name":"mine","kind":"compatible","like":"openai/gpt-4o","token_limit":"max_tokens"}"#,
            ),
            entry(r#"{"provider":"proxy","name":"other"}"#),
        ])
        .unwrap();
    let fixed = catalog.get("openai", "gpt-4o").unwrap();
    assert_eq!(fixed.max_output, Some(99));
    assert!(fixed.prices.is_some() && fixed.alive_until.is_some());
    let mine = catalog.get("proxy", "mine").unwrap();
    assert_eq!(mine.max_output, Some(99));
    assert_eq!(mine.token_limit, TokenLimitName::MaxTokens);
    assert_eq!(mine.alive_until, None);
    assert_eq!(
        catalog.get("proxy", "other").unwrap().kind,
        ProviderKind::Compatible
    );
}

#[test]
fn bad_rows_are_refused_whole() {
    let mut catalog = Catalog::builtin();
    let before = catalog.clone();
    for (bad, says) in [
        (r#"{"provider":"","name":"x"}"#, "row 2 has no provider"),
        (r#"{"provider":"nobody","name":"x"}"#, "kind ="),
        (
            r#"{"provider":"xai","name":"x","like":"grok-4.3"}"#,
            "provider/name",
        ),
        (r#"{"provider":"xai","name":"x","batch_factor":1.5}"#, "1.5"),
        (
            r#"{"provider":"xai","name":"x","prices":{"input":-1,"output":1,"as_of":"2026-01-01","source":"s"}}"#,
            "prices.input is -1",
        ),
        (
            r#"{"provider":"xai","name":"x","effort":{"kind":"levels","levels":["none"]}}"#,
            "fixed",
        ),
        (
            r#"{"provider":"xai","name":"x","effort":{"kind":"anthropic_budget","min":2,"max":1}}"#,
            "2 to 1",
        ),
    ] {
        let good = entry(r#"{"provider":"xai","name":"new","context":5}"#);
        let error = catalog.extend([good, entry(bad)]).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(catalog, before);
    }
    assert!(
        serde_json::from_str::<ModelEntry>(r#"{"provider":"a","name":"b","price":1}"#).is_err()
    );
    assert!(
        serde_json::from_str::<ModelEntry>(
            r#"{"provider":"a","name":"b","effort":{"kind":"fixed","reasons":true,"x":1}}"#
        )
        .is_err()
    );
}

#[test]
fn the_rules_of_claude_generations() {
    let catalog = Catalog::builtin();
    let get = |name| catalog.get("anthropic", name).expect(name);
    assert_eq!(
        get("claude-haiku-4-5").sampling,
        SamplingRule::TemperatureXorTopP
    );
    assert_eq!(get("claude-opus-5-5").sampling, SamplingRule::Refused);
    assert_eq!(
        get("claude-3-opus-20240229").structured_output,
        StructuredOutput::Tool
    );
    assert_eq!(
        get("claude-opus-4-5").structured_output,
        StructuredOutput::JsonSchema
    );
    assert!(
        catalog
            .iter()
            .all(|info| info.kind != ProviderKind::Anthropic || !info.seed)
    );
}
