//! Two versions of a spec told apart.

use std::fmt::Write as _;

use proptest::prelude::*;
use specstress_judge::{MatchedBy, Spec, SpecDiff};

/// A section of a made-up spec: which one, its text, how deep, its authority.
type Part = (u8, u8, u8, bool);

fn write(parts: &[Part]) -> Spec {
    let mut text = String::from("Before all.\n");
    for (name, body, depth, authority) in parts {
        let marks = "#".repeat(usize::from(*depth) + 1);
        let authority = if *authority { " authority=user" } else { "" };
        let _ = writeln!(text, "{marks} Title {name} {{#s{name}{authority}}}");
        for word in 0..u32::from(*body) * 7 {
            let _ = write!(text, "w{body}x{word} ");
        }
        text += "\n";
    }
    Spec::parse(&text).unwrap()
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let names = Just((0..7_u8).collect::<Vec<_>>()).prop_shuffle();
    let rest = prop::collection::vec((0..5_u8, 0..3_u8, any::<bool>()), 7);
    (names, rest, 0..8_usize).prop_map(|(names, rest, keep)| {
        let both = names.into_iter().zip(rest);
        let parts = both.map(|(name, (body, depth, authority))| (name, body, depth, authority));
        parts.take(keep).collect()
    })
}

/// The diff with the specs swapped; the order of `changed` is that of the other spec.
fn swapped(diff: SpecDiff, first: &Spec) -> SpecDiff {
    let mut changed = diff.changed;
    for change in &mut changed {
        std::mem::swap(&mut change.old, &mut change.new);
        if let Some(title) = &mut change.title {
            std::mem::swap(&mut title.old, &mut title.new);
        }
        if let Some(authority) = &mut change.authority {
            std::mem::swap(&mut authority.old, &mut authority.new);
        }
        if let Some(parent) = &mut change.parent {
            std::mem::swap(&mut parent.old, &mut parent.new);
        }
    }
    let place = |id| first.sections.iter().position(|section| section.id == id);
    changed.sort_by_key(|change| place(change.new.clone()));
    SpecDiff {
        added: diff.removed,
        removed: diff.added,
        changed,
        unchanged: diff.unchanged,
    }
}

proptest! {
    #[test]
    fn a_spec_does_not_differ_from_itself(parts in parts()) {
        let spec = write(&parts);
        let diff = spec.diff(&spec);
        prop_assert!(diff.is_empty());
        prop_assert_eq!(diff.unchanged, spec.sections.len());
    }

    #[test]
    fn swapping_the_specs_swaps_old_and_new(a in parts(), b in parts()) {
        let (a, b) = (write(&a), write(&b));
        prop_assert_eq!(swapped(b.diff(&a), &b), a.diff(&b));
    }

    #[test]
    fn every_section_is_told_of_once_and_nothing_is_missed(a in parts(), b in parts()) {
        let (a, b) = (write(&a), write(&b));
        let diff = a.diff(&b);
        prop_assert_eq!(diff.removed.len() + diff.changed.len() + diff.unchanged, a.sections.len());
        prop_assert_eq!(diff.added.len() + diff.changed.len() + diff.unchanged, b.sections.len());
        for change in &diff.changed {
            let (old, new) = (a.section(&change.old).unwrap(), b.section(&change.new).unwrap());
            prop_assert_eq!(change.text, old.text != new.text);
            prop_assert_eq!(change.title.is_some(), old.title != new.title);
            prop_assert_eq!(change.authority.is_some(), old.authority != new.authority);
        }
        if diff.is_empty() {
            let bare = |spec: &Spec| -> Vec<_> {
                let sections = spec.sections.iter();
                sections.map(|s| (s.id.clone(), s.title.clone(), s.text.clone(), s.authority.clone(), s.parent.clone())).collect()
            };
            prop_assert_eq!(bare(&a), bare(&b));
        }
    }
}

#[test]
fn a_section_keeps_its_identity_through_a_new_id_a_new_title_and_a_new_place() {
    let old = Spec::parse(
        "# Root {#root}\n\
         ## First {#first}\nAlpha.\n\
         ## Second {#second}\nBeta.\n\
         ## Third {#third}\nOne two three four five six seven eight nine ten eleven twelve.\n\
         ## Fourth {#fourth}\nDelta.\n",
    )
    .unwrap();
    let new = Spec::parse(
        "# Root {#root}\n\
         ## Fourth {#fourth}\nDelta.\n\
         ## First {#first}\nAlpha.\n\
         ## second {#zwei}\nBeta.\n\
         ### Drei {#drei authority=user}\nOne two three four five six seven eight nine ten eleven thirteen.\n",
    )
    .unwrap();
    let diff = old.diff(&new);
    assert!(diff.added.is_empty() && diff.removed.is_empty());
    let seen: Vec<_> = diff
        .changed
        .iter()
        .map(|c| {
            (
                c.old.as_str(),
                c.new.as_str(),
                c.matched,
                c.text,
                c.reordered,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("fourth", "fourth", MatchedBy::Id, false, true),
            ("second", "zwei", MatchedBy::Title, false, false),
            ("third", "drei", MatchedBy::Text, true, false),
        ]
    );
    let third = &diff.changed[2];
    let parent = third.parent.as_ref().unwrap();
    assert_eq!(
        parent.old.as_ref().map(specstress_judge::SectionId::as_str),
        Some("root")
    );
    assert_eq!(
        parent.new.as_ref().map(specstress_judge::SectionId::as_str),
        Some("zwei")
    );
    assert!(third.is_renamed() && third.title.is_some() && third.authority.is_some());
}

#[test]
fn unlike_texts_and_shared_titles_are_not_taken_for_renames() {
    let old = Spec::parse("# Note {#a}\nShort text.\n# Note {#b}\nOther text.\n# Old {#c}\nA long passage about one thing, with more than a dozen words in it, all told.").unwrap();
    let new = Spec::parse("# Note {#d}\nShort text.\n# Else {#e}\nA long passage on quite another thing, also with far more than a dozen words.").unwrap();
    let diff = old.diff(&new);
    assert_eq!(
        (diff.added.len(), diff.removed.len(), diff.unchanged),
        (2, 3, 0)
    );
}
