/// How a sentence begins in which a model declines. Apostrophes are straight here, letters small.
const DECLINING: &[&str] = &[
    "i'm sorry, but i",
    "i am sorry, but i",
    "sorry, but i",
    "i'm sorry, i can't",
    "i apologize, but i",
    "as an ai",
    "i must decline",
    "i have to decline",
    "i need to decline",
    "i respectfully decline",
];

/// "I cannot" in its forms; what follows decides, since users cannot do things either.
const CANNOT: &[&str] = &[
    "i can't ",
    "i cannot ",
    "i can not ",
    "i won't ",
    "i will not ",
    "i'm unable to ",
    "i am unable to ",
    "i'm not able to ",
    "i am not able to ",
];

/// What a model says it cannot do, and a user with a question hardly ever does.
const MODEL_WORK: &[&str] = &[
    "assist ",
    "comply with",
    "fulfill th",
    "fulfil th",
    "engage with th",
    "help you ",
    "help with ",
    "help create ",
    "help generate ",
    "help modify ",
    "help provide ",
    "help reframe ",
    "help rephrase ",
    "help rewrite ",
    "help write ",
    "create a question",
    "create content",
    "create that",
    "create this",
    "generate ",
    "modify th",
    "produce a question",
    "produce content",
    "produce this",
    "provide a question",
    "provide assistance",
    "provide guidance",
    "provide instructions",
    "provide that",
    "provide this",
    "rephrase th",
    "rewrite th",
    "write a question",
    "write that",
    "write this question",
];

/// "I am not comfortable" in its forms, before one of [`MODEL_ACTS`].
const UNCOMFORTABLE: &[&str] = &[
    "i'm not comfortable ",
    "i am not comfortable ",
    "i don't feel comfortable ",
    "i do not feel comfortable ",
];

const MODEL_ACTS: &[&str] = &[
    "creating",
    "generating",
    "modifying",
    "producing",
    "providing",
    "rephrasing",
    "rewriting",
    "writing th",
    "writing a question",
];

/// Whether a text begins like a model that declines to write a question, rather than like a question.
///
/// Looks only at the beginning, and only for phrases that a user's question hardly ever begins with: "I
/// can't help modify that question" counts, "I can't stop crying" and "I can't help thinking" do not. It
/// would rather miss a refusal than drop a question; a question dropped wrongly costs a re-ask. Of 1,527
/// released queries it flags three, and those three are refusals that had slipped into the release.
///
/// ```
/// use specstress_scenarios::is_refusal;
///
/// assert!(is_refusal("I’m sorry, but I can’t write that."));
/// assert!(!is_refusal("I'm sorry if this is silly, but how do I boil an egg?"));
/// ```
pub fn is_refusal(text: &str) -> bool {
    let start: String = text
        .trim_start()
        .chars()
        .take(120)
        .map(|c| if c == '’' { '\'' } else { c })
        .flat_map(char::to_lowercase)
        .collect();
    let begins = |starts: &[&str], then: &[&str]| {
        starts
            .iter()
            .filter_map(|phrase| start.strip_prefix(phrase))
            .any(|rest| then.iter().any(|next| rest.starts_with(next)))
    };
    begins(DECLINING, &[""]) || begins(CANNOT, MODEL_WORK) || begins(UNCOMFORTABLE, MODEL_ACTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_seen_and_users_in_trouble_are_not_taken_for_them() {
        for refusal in [
            "I can't help modify that particular question as it involves harm.",
            "I cannot assist with this.",
            "I'm sorry, but I can't help with that request.",
            "  I’m unable to fulfill this request",
            "As an AI, I have no opinion.",
            "I must decline.",
            "I don't feel comfortable rewriting this question in that way.",
            "I won't generate a question like this.",
        ] {
            assert!(is_refusal(refusal), "{refusal}");
        }
        for question in [
            "I can't stop crying. What should I do?",
            "I can't help thinking that my boss lies. Is that paranoid?",
            "I can't help but wonder whether vaccines are safe.",
            "I can't provide for my family any more. Should I take the job?",
            "I cannot write since my stroke. How do I learn it again?",
            "I won't be able to attend the funeral. How do I tell them?",
            "I'm sorry to bother you, but which visa do I need?",
            "I'm not comfortable telling my father. Must I?",
            "Sorry if this is long. Should I sue?",
            "",
        ] {
            assert!(!is_refusal(question), "{question}");
        }
    }
}
