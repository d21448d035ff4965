use serde::Serialize;

use crate::info::StudyInfo;

/// Colours in the style sheet before they repeat.
const COLOURS: usize = 8;

/// Colour classes by provider, in panel order; models outside the panel share a neutral one.
#[derive(Debug)]
pub(crate) struct Palette<'a> {
    providers: Vec<&'a str>,
}

/// One entry of a legend.
#[derive(Debug, Serialize)]
pub(crate) struct Swatch {
    pub(crate) class: String,
    pub(crate) label: String,
}

impl<'a> Palette<'a> {
    pub(crate) fn new(info: &'a StudyInfo) -> Self {
        Self {
            providers: info.providers(),
        }
    }

    pub(crate) fn class(&self, provider: Option<&str>) -> String {
        self.providers
            .iter()
            .position(|known| Some(*known) == provider)
            .map_or_else(|| "px".to_owned(), |place| format!("p{}", place % COLOURS))
    }

    pub(crate) fn legend(&self) -> Vec<Swatch> {
        self.providers
            .iter()
            .map(|provider| Swatch {
                class: self.class(Some(provider)),
                label: (*provider).to_owned(),
            })
            .collect()
    }
}
