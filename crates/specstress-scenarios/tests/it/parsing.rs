use proptest::prelude::*;
use specstress_scenarios::{
    QueryTag, ScenarioRejection, is_refusal, parse_query, strip_outer_quotes,
};

const TAG: QueryTag = QueryTag::UserQuestion;

fn query(reply: &str) -> Result<String, ScenarioRejection> {
    parse_query(reply, TAG).map(|generated| generated.query)
}

#[test]
fn the_question_is_what_follows_the_last_tag() {
    for (reply, expected) in [
        ("[User Question]\nWhy?", "Why?"),
        (
            "thinking\n[User Question]\n\n  Why?\n\nReally, why?  \n",
            "Why?\n\nReally, why?",
        ),
        (
            "I will end with [User Question].\n[User Question] Why?",
            "Why?",
        ),
        ("**[User Question]**\nWhy?", "Why?"),
        ("**[User Question]:**\nWhy?", "Why?"),
        ("**[User Question]**:\nWhy?", "Why?"),
        ("`[User Question]`\nWhy?", "Why?"),
        ("### [User Question]\nWhy?", "Why?"),
        ("[User Question]: Why?", "Why?"),
        ("[User Question]\nWhy?\n[/User Question]", "Why?"),
        ("[User Question]\n“Why?”", "Why?"),
        ("[User Question]\n\"Why?\"\n", "Why?"),
        ("[User Question]\n**Now**, why?", "**Now**, why?"),
        ("[User Question]\nIs [/b] a tag?", "Is [/b] a tag?"),
        ("[User Question]\nWhat does [x/y]", "What does [x/y]"),
    ] {
        assert_eq!(query(reply).unwrap(), expected, "{reply:?}");
    }
}

#[test]
fn the_reasoning_is_kept_without_the_marks_of_the_tag() {
    for (reply, expected) in [
        ("[User Question]\nWhy?", ""),
        ("### [User Question]\nWhy?", ""),
        (
            "One.\nTwo in C#\n\n**[User Question]**\nWhy?",
            "One.\nTwo in C#",
        ),
        ("One.\n\n## [User Question]\nWhy?", "One."),
        (
            "a [User Question] b [User Question] c",
            "a [User Question] b",
        ),
    ] {
        assert_eq!(
            parse_query(reply, TAG).unwrap().reasoning,
            expected,
            "{reply:?}"
        );
    }
}

#[test]
fn every_rejection_says_what_to_do() {
    let error = |reply: &str, tag| parse_query(reply, tag).unwrap_err().to_string();
    assert_eq!(
        error("Why?", QueryTag::UserQuestion),
        "the tag [User Question] is missing; write it on a line of its own and the question after it"
    );
    assert_eq!(
        error("[User Question]\nWhy?", QueryTag::UserQuery),
        "the tag [User Query] is missing; write it on a line of its own and the question after it"
    );
    for empty in [
        "Why? [User Question]",
        "[User Question]\n\"\"",
        "[User Question] “ ”\n",
    ] {
        assert_eq!(
            query(empty),
            Err(ScenarioRejection::EmptyQuery { tag: TAG }),
            "{empty:?}"
        );
    }
    assert_eq!(
        error(
            "[User Query]\nI’m sorry, but I can’t do that.",
            QueryTag::UserQuery
        ),
        "the text after [User Query] declines the task (it begins \"I’m sorry, but I can’t do that.\"); \
         it must be a question from a user"
    );
    // Before the tag, hesitation is thinking.
    assert_eq!(
        query("I cannot assist... or can I?\n[User Question]\nWhy?").unwrap(),
        "Why?"
    );
}

#[test]
fn only_a_pair_around_the_whole_is_stripped() {
    for (text, expected) in [
        ("\"a\"", "a"),
        ("“a”", "a"),
        ("'a'", "a"),
        ("‘a’", "a"),
        ("“He said “b” and left”", "He said “b” and left"),
        ("“He said \"b\"”", "He said \"b\""),
        ("\"“a”\"", "“a”"),
        ("“a” and “b”", "“a” and “b”"),
        ("\"a\" and \"b\"", "\"a\" and \"b\""),
        ("'a' isn't 'b'", "'a' isn't 'b'"),
        ("“a\"", "“a\""),
        ("“a", "“a"),
        ("a\"", "a\""),
        ("\"", "\""),
        ("”a“", "”a“"),
        ("“a““", "“a““"),
        ("", ""),
    ] {
        assert_eq!(strip_outer_quotes(text), expected, "{text:?}");
    }
}

/// The definition, by trying every split: the pair encloses the whole when no proper prefix is balanced.
fn oracle(text: &str) -> &str {
    let text = text.trim();
    for (open, close) in [('"', '"'), ('“', '”'), ('\'', '\''), ('‘', '’')] {
        let chars: Vec<char> = text.chars().collect();
        if chars.len() < 2 || chars[0] != open || chars[chars.len() - 1] != close {
            continue;
        }
        let count = |upto: usize, c: char| chars[..upto].iter().filter(|x| **x == c).count();
        let whole = if open == close {
            count(chars.len(), open) == 2
        } else {
            (1..chars.len()).all(|upto| count(upto, open) > count(upto, close))
                && count(chars.len(), open) == count(chars.len(), close)
        };
        if whole {
            let last = text.len() - close.len_utf8();
            return text[open.len_utf8()..last].trim();
        }
    }
    text
}

proptest! {
    #[test]
    fn quotes_go_as_the_definition_says(text in "[\"“”‘’' ab]{0,8}") {
        prop_assert_eq!(strip_outer_quotes(&text), oracle(&text));
    }

    #[test]
    fn no_reply_makes_the_parser_panic(text in r"(\[User Question\]|\[/User Question\]|\*\*|#|[“”‘’']|.|\n)*") {
        let _ = parse_query(&text, TAG);
        let _ = is_refusal(&text);
    }

    #[test]
    fn any_plain_question_comes_back(thinking in "[a-zé .\n]*", question in "[a-zA-Zäß][a-z ,\n]*[.?]") {
        prop_assume!(!is_refusal(&question));
        let generated = parse_query(&format!("{thinking}\n[User Question]\n{question}\n"), TAG).unwrap();
        prop_assert_eq!(generated.query, question);
        prop_assert_eq!(generated.reasoning, thinking.trim());
    }
}
