use std::borrow::Cow;
use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

const MASK: &str = "[redacted]";

/// Takes known secrets out of text that is about to be seen or kept. Servers echo keys in error messages.
#[derive(Clone, Default)]
pub(crate) struct Scrubber(Vec<SecretString>);

impl Scrubber {
    /// Learns a secret. Shorter ones than eight bytes are left alone: they would tear holes in common words.
    pub(crate) fn add(&mut self, secret: &str) {
        if secret.len() >= 8 {
            self.0.push(SecretString::from(secret));
        }
    }

    /// The text without the secrets; untouched, byte for byte, when there is none in it.
    pub(crate) fn scrub<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for secret in &self.0 {
            if text.contains(secret.expose_secret()) {
                text = Cow::Owned(text.replace(secret.expose_secret(), MASK));
            }
        }
        text
    }

    /// The same for text that is owned already.
    pub(crate) fn scrub_owned(&self, text: String) -> String {
        match self.scrub(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(clean) => clean,
        }
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scrubber({} secrets)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_goes_and_the_rest_stays() {
        let mut scrubber = Scrubber::default();
        scrubber.add("sk-planted-1");
        scrubber.add("short");
        assert_eq!(
            scrubber.scrub("bad key sk-planted-1, sk-planted-1!"),
            "bad key [redacted], [redacted]!"
        );
        assert!(matches!(
            scrubber.scrub("a short text"),
            Cow::Borrowed("a short text")
        ));
        assert_eq!(format!("{scrubber:?}"), "Scrubber(1 secrets)");
    }
}
