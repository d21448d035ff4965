/// Why a simulated world or one of its models cannot be made.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SimError {
    /// An option outside its range.
    #[error("option {option} is {value}, outside {low} to {high}: choose a value inside")]
    OptionOutOfRange {
        /// The option's field name.
        option: &'static str,
        /// What was given.
        value: f64,
        /// The least allowed value.
        low: f64,
        /// The greatest allowed value.
        high: f64,
    },
    /// The taxonomy has too few or too many categories to plant conflicts between.
    #[error(
        "the taxonomy has {found} categories at level {level}, a simulated world takes {low} to {high}: \
         group its values differently"
    )]
    CategoryCount {
        /// How many there are.
        found: usize,
        /// The level taken as categories: 2, or the highest one below.
        level: u8,
        /// The least number.
        low: usize,
        /// The greatest number.
        high: usize,
    },
    /// No simulated model of that key.
    #[error("there is no simulated model {key:?}: use one of {known}")]
    UnknownModel {
        /// What was asked for.
        key: String,
        /// All keys, separated by commas.
        known: String,
    },
    /// No planted contradiction has a clause of that id.
    #[error("the simulated spec has no contradicting clause {clause:?}: use one of {known}")]
    UnknownClause {
        /// What was asked for.
        clause: String,
        /// All of them, separated by commas.
        known: String,
    },
    /// The server would be reachable from other machines. It takes any key and is for tests only.
    #[cfg(feature = "server")]
    #[error("the sim server listens on loopback only, {address} is not: use 127.0.0.1 or [::1]")]
    NotLoopback {
        /// What was asked for.
        address: std::net::SocketAddr,
    },
    /// The address cannot be listened on.
    #[cfg(feature = "server")]
    #[error("cannot listen on {address}: {kind}: choose another port, or 0 for a free one")]
    Listen {
        /// What was asked for.
        address: std::net::SocketAddr,
        /// What the system said.
        kind: std::io::ErrorKind,
    },
    /// A retirement date that is not a day.
    #[cfg(feature = "server")]
    #[error("the retirement of {model} is {date:?}: write it as YYYY-MM-DD")]
    RetirementDate {
        /// The model's key.
        model: String,
        /// What was given.
        date: String,
    },
}
