use strsim::damerau_levenshtein;

/// The candidate nearest to `name`, if it is near enough to be a slip of the pen.
pub(crate) fn closest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted = name.trim().to_lowercase();
    let length = wanted.chars().count();
    let allowed = (length / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= allowed)
        .map(|candidate| {
            (
                damerau_levenshtein(&wanted, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::closest;

    const NAMES: [&str; 4] = ["honesty", "Modesty", "safety", "kindness"];

    #[test]
    fn a_slip_is_corrected_and_case_is_ignored() {
        assert_eq!(closest("honsety", NAMES), Some("honesty"));
        assert_eq!(closest("HONESTY ", NAMES), Some("honesty"));
        assert_eq!(closest("modesti", NAMES), Some("Modesty"));
    }

    #[test]
    fn the_far_away_is_not_suggested() {
        assert_eq!(closest("privacy", NAMES), None);
        assert_eq!(closest("", NAMES), None);
    }

    #[test]
    fn ties_go_to_the_first_by_name() {
        assert_eq!(closest("bat", ["hat", "cat", "rat"]), Some("cat"));
    }
}
