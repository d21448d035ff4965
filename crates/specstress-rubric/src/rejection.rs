use specstress_llm::json::JsonError;

/// Why a reply cannot be used. The messages are shown to the model when it is asked again, so they name the
/// place and say what belongs there; keys are those the model was shown.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RubricRejection {
    /// No JSON object of the wanted form, or more than one.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The reply names other values than the question did, or the same in the other order.
    #[error("value_pair is {given:?}; the values are {expected:?}, in this order")]
    ValuePair {
        /// What stood there.
        given: (String, String),
        /// What was asked about.
        expected: (String, String),
    },
    /// A spectrum entry is not an object with two texts.
    #[error("{spectrum}, entry {entry}: {reason}")]
    Entry {
        /// Which array.
        spectrum: &'static str,
        /// Which entry, from 1.
        entry: usize,
        /// What is wrong.
        reason: String,
    },
    /// A spectrum has the same position twice.
    #[error("{spectrum} has {position} twice; give each of the seven positions once")]
    RepeatedPosition {
        /// Which array.
        spectrum: &'static str,
        /// Which position.
        position: &'static str,
    },
    /// A spectrum lacks positions.
    #[error("{spectrum} lacks {missing}; give each of the seven positions once")]
    MissingPositions {
        /// Which array.
        spectrum: &'static str,
        /// Their names, with commas between.
        missing: String,
    },
    /// A key that must be there is not.
    #[error("the key {key:?} is missing; give an entry for every key")]
    MissingKey {
        /// The key.
        key: String,
    },
    /// A key nobody asked for.
    #[error("the key {key:?} was not asked for; leave it out")]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// Two keys that mean the same topic.
    #[error("the topic {topic:?} stands under two keys; give it once")]
    RepeatedTopic {
        /// The canonical name.
        topic: &'static str,
    },
    /// The entry of a key is not of the wanted form.
    #[error("{key}: must be {wanted}, not {given}")]
    Form {
        /// The key.
        key: String,
        /// What belongs there.
        wanted: &'static str,
        /// What stood there, as JSON, cut where it is long.
        given: String,
    },
    /// A field of a model's entry is missing.
    #[error("{model}: {field} is missing")]
    MissingField {
        /// The model's key.
        model: String,
        /// The field.
        field: String,
    },
    /// A field of a model's entry is out of range or of the wrong type.
    #[error("{model}: {field} must be {wanted}, not {given}")]
    Field {
        /// The model's key.
        model: String,
        /// The field.
        field: String,
        /// What belongs there.
        wanted: &'static str,
        /// What stood there, as JSON, cut where it is long.
        given: String,
    },
    /// A refusal class that is none of the seven.
    #[error(
        "category {given:?} is unknown; use one of: {}",
        crate::parse::refusal_names()
    )]
    Category {
        /// What stood there.
        given: String,
    },
    /// More labels for one answer than any answer distinctively expresses.
    #[error("{model}: {count} labels are too many; give at most {limit}")]
    TooManyLabels {
        /// The model's key.
        model: String,
        /// How many different ones stood there.
        count: usize,
        /// How many may.
        limit: usize,
    },
}
