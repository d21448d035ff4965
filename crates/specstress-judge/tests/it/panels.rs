use proptest::prelude::*;
use specstress_judge::{Decision, PanelVerdict};

#[test]
fn majorities_ties_and_missing_judges() {
    use Decision::{Ambiguous as A, Compliant as C, NonCompliant as N};
    for (decisions, majority, any, tie) in [
        (
            vec![Some(C), Some(C), Some(N)],
            Some(false),
            Some(true),
            false,
        ),
        (
            vec![Some(C), Some(A), Some(N)],
            Some(true),
            Some(true),
            false,
        ),
        (
            vec![Some(C), Some(C), Some(C)],
            Some(false),
            Some(false),
            false,
        ),
        (vec![Some(C), Some(N), None], Some(false), Some(true), true),
        (vec![Some(N), None, None], Some(true), Some(true), false),
        (vec![None, None], None, None, false),
        (vec![], None, None, false),
    ] {
        let panel = PanelVerdict::of(decisions.clone());
        assert_eq!(
            (panel.majority(), panel.any(), panel.is_tie()),
            (majority, any, tie),
            "{decisions:?}"
        );
    }
}

proptest! {
    #[test]
    fn counts_add_up_and_order_does_not_matter(picks in prop::collection::vec(0..4_usize, 0..9)) {
        let decisions: Vec<Option<Decision>> = picks.iter().map(|&at| Decision::ALL.get(at).copied()).collect();
        let panel = PanelVerdict::of(decisions.iter().copied());
        prop_assert_eq!(panel, PanelVerdict::of(decisions.iter().rev().copied()));
        prop_assert_eq!(panel.judges() + panel.missing, decisions.len());
        let problematic = decisions.iter().flatten().filter(|d| d.is_problematic()).count();
        let compliant = decisions.iter().flatten().count() - problematic;
        prop_assert_eq!(panel.majority().unwrap_or(false), problematic > compliant);
    }
}
