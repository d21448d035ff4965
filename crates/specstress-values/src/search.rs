use crate::Value;

/// See [`Taxonomy::search`](crate::Taxonomy::search) for the ranks and the tie rule.
pub(crate) fn search<'a>(values: &'a [Value], query: &str) -> Vec<&'a Value> {
    let query = query.trim().to_lowercase();
    let wanted = words(&query);
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut hits: Vec<(u8, &Value)> = values
        .iter()
        .filter_map(|value| Some((rank(value, &query, &wanted)?, value)))
        .collect();
    hits.sort_by(|(left_rank, left), (right_rank, right)| {
        (left_rank, left.level, &left.name, left.id).cmp(&(
            right_rank,
            right.level,
            &right.name,
            right.id,
        ))
    });
    hits.into_iter().map(|(_, value)| value).collect()
}

fn rank(value: &Value, query: &str, wanted: &[&str]) -> Option<u8> {
    let name = value.name.to_lowercase();
    if name == query {
        return Some(0);
    }
    if name.starts_with(query) {
        return Some(1);
    }
    if name.contains(query) {
        return Some(2);
    }
    let in_name = words(&name);
    if all_start_a_word(wanted, &[&in_name]) {
        return Some(3);
    }
    let description = value.description.as_deref()?.to_lowercase();
    all_start_a_word(wanted, &[&in_name, &words(&description)]).then_some(4)
}

fn words(text: &str) -> Vec<&str> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect()
}

fn all_start_a_word(wanted: &[&str], texts: &[&[&str]]) -> bool {
    wanted.iter().all(|start| {
        texts
            .iter()
            .flat_map(|text| text.iter())
            .any(|word| word.starts_with(start))
    })
}

#[cfg(test)]
mod tests {
    use crate::Taxonomy;

    fn names(query: &str) -> Vec<String> {
        let text = r#"{"values": [
            {"name": "Honest care", "description": "Warmth toward people.", "children": [
                "care", "caring for health", "self-care", "health and careful rest"]},
            {"name": "Truth", "description": "Careful talk.", "children": ["honesty", "Care"]}
        ]}"#;
        let taxonomy = Taxonomy::from_json(text).expect("valid");
        taxonomy
            .search(query)
            .into_iter()
            .map(|value| value.name.clone())
            .collect()
    }

    #[test]
    fn ranks_come_in_the_written_order() {
        assert_eq!(
            names("care"),
            [
                // Exact, both leaves; capitals sort first.
                "Care",
                "care",
                // Contains: leaves before the group.
                "health and careful rest",
                "self-care",
                "Honest care",
                // Only the description.
                "Truth",
            ]
        );
    }

    #[test]
    fn prefix_beats_substring_and_case_is_ignored() {
        assert_eq!(names("CARI"), ["caring for health"]);
        assert_eq!(names("hon"), ["honesty", "Honest care"]);
    }

    #[test]
    fn words_match_in_any_order_by_their_beginnings() {
        assert_eq!(
            names("health car"),
            ["caring for health", "health and careful rest"]
        );
        assert_eq!(names("people hon"), ["Honest care"]);
    }

    #[test]
    fn an_empty_query_matches_nothing() {
        assert!(names("").is_empty());
        assert!(names(" - ").is_empty());
        assert!(names("xyzzy").is_empty());
    }
}
