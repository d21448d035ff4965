//! Which models are measured together.

use anyhow::anyhow;
use specstress_dataset::published::PUBLISHED_SUBSETS;

use crate::published_files::model_place;

/// A subset by name, with the places of its models.
pub(super) type Places = (String, Vec<usize>);

/// `NAME=a,b,c`
pub(super) fn parse(text: &str) -> anyhow::Result<(String, Vec<String>)> {
    let wrong = || anyhow!("--subset {text:?} is not of the form NAME=model,model,...");
    let (name, models) = text.split_once('=').ok_or_else(wrong)?;
    let models: Vec<String> = models.split(',').map(|m| m.trim().to_owned()).collect();
    if name.trim().is_empty() || models.iter().any(String::is_empty) {
        return Err(wrong());
    }
    Ok((name.trim().to_owned(), models))
}

/// The published subsets that the file has the models of, those that a study names, and the user's own.
pub(super) fn all(
    models: &[String],
    known: &[(String, Vec<String>)],
    extra: &[(String, Vec<String>)],
) -> anyhow::Result<Vec<Places>> {
    let mut subsets: Vec<Places> = Vec::new();
    let place = |key: &str| models.iter().position(|model| model == key);
    let published = PUBLISHED_SUBSETS.iter().map(|published| {
        let places = published.models.iter().map(|key| place(key)).collect();
        (published.name.to_owned(), places)
    });
    let known = known.iter().map(|(name, keys)| {
        let places = keys.iter().map(|key| place(key)).collect();
        (name.clone(), places)
    });
    for (name, places) in published.chain(known) {
        // A file of another panel has none of them; it is measured as a whole below.
        let places: Option<Vec<usize>> = places;
        if let Some(places) = places.filter(|_| !subsets.iter().any(|(taken, _)| *taken == name)) {
            subsets.push((name, places));
        }
    }
    if !subsets.iter().any(|(name, _)| name == "all_models") {
        subsets.insert(0, ("all_models".to_owned(), (0..models.len()).collect()));
    }
    for (name, keys) in extra {
        if subsets.iter().any(|(taken, _)| taken == name) {
            return Err(anyhow!(
                "--subset {name}: the name is taken; choose another"
            ));
        }
        let option = format!("--subset {name}");
        let places = keys.iter().map(|key| model_place(models, key, &option));
        subsets.push((name.clone(), places.collect::<anyhow::Result<_>>()?));
    }
    Ok(subsets)
}
