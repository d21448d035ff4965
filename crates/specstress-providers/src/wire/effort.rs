//! One effort setting, mapped to levels and budgets. The rule is written at `EffortControl`.

use specstress_llm::{Effort, LlmError};

use crate::catalog::ModelInfo;
use crate::wire::params::refused;

/// Without a token limit, budgets are shares of this many tokens.
const DEFAULT_LIMIT: u32 = 32_768;

/// The allowed level that stands for the one wanted.
pub(super) fn level(
    model: &ModelInfo,
    wanted: Effort,
    levels: &[Effort],
) -> Result<Effort, LlmError> {
    let thinking = || {
        levels
            .iter()
            .copied()
            .filter(|level| *level != Effort::None)
    };
    let found = match wanted {
        Effort::None => levels.iter().copied().find(|level| *level == Effort::None),
        Effort::Minimal => thinking().min(),
        Effort::Max => thinking().max(),
        _ => thinking()
            .filter(|level| *level <= wanted)
            .max()
            .or_else(|| thinking().min()),
    };
    found.ok_or_else(|| {
        let allowed: Vec<_> = levels.iter().map(|level| level.as_str()).collect();
        refused(
            model,
            &format!("effort = {:?}", wanted.as_str()),
            &format!("it takes {}", allowed.join(", ")),
        )
    })
}

/// Tokens to think with, for any effort but none.
pub(super) fn budget(
    model: &ModelInfo,
    wanted: Effort,
    max_tokens: Option<u32>,
    min: u32,
    max: u32,
) -> Result<u32, LlmError> {
    let percent: u64 = match wanted {
        Effort::None | Effort::Minimal => 0,
        Effort::Low => 20,
        Effort::Medium => 50,
        Effort::High => 80,
        Effort::Xhigh => 90,
        Effort::Max => 95,
    };
    let share = u64::from(max_tokens.unwrap_or(DEFAULT_LIMIT)) * percent / 100;
    let budget = u32::try_from(share).unwrap_or(max).clamp(min, max.max(min));
    match max_tokens {
        Some(limit) if budget >= limit => Err(refused(
            model,
            &format!("effort = {:?} with max_tokens = {limit}", wanted.as_str()),
            &format!("it thinks with at least {min} of those tokens; allow more"),
        )),
        _ => Ok(budget),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ProviderKind;
    use Effort::{High, Low, Max, Medium, Minimal, None, Xhigh};

    fn model() -> ModelInfo {
        ModelInfo::unknown(ProviderKind::OpenAi, "openai", "m")
    }

    #[test]
    fn levels_go_down_to_an_allowed_one() {
        let old = [Low, Medium, High];
        let all = [None, Minimal, Low, Medium, High, Xhigh, Max];
        let gap = [Medium, Max];
        for (wanted, levels, expected) in [
            (Minimal, &old[..], Low),
            (Medium, &old, Medium),
            (Xhigh, &old, High),
            (Max, &old, High),
            (None, &all, None),
            (Minimal, &all, Minimal),
            (Max, &all, Max),
            (Low, &gap, Medium),
            (Xhigh, &gap, Medium),
        ] {
            assert_eq!(
                level(&model(), wanted, levels).unwrap(),
                expected,
                "{wanted:?}"
            );
        }
        let error = level(&model(), None, &old).unwrap_err().to_string();
        assert!(
            error.contains("\"none\"") && error.contains("low, medium, high"),
            "{error}"
        );
    }

    #[test]
    fn budgets_are_shares_that_leave_room() {
        let get = |effort, limit| budget(&model(), effort, limit, 1024, 32_000);
        assert_eq!(get(Low, Some(10_000)).unwrap(), 2_000);
        assert_eq!(get(High, Some(10_000)).unwrap(), 8_000);
        assert_eq!(get(Minimal, Some(10_000)).unwrap(), 1_024);
        assert_eq!(get(Low, Some(2_000)).unwrap(), 1_024);
        assert_eq!(get(Max, Some(100_000)).unwrap(), 32_000);
        assert_eq!(get(Medium, Option::None).unwrap(), 16_384);
        let error = get(High, Some(1_024)).unwrap_err().to_string();
        assert!(error.contains("max_tokens = 1024"), "{error}");
    }
}
