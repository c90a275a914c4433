//! Names that are like one that means nothing.

/// Returns the name most like `wanted`, if any is like it at all.
pub(crate) fn nearest<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    ranked(wanted, names).into_iter().next()
}

/// Returns the names that are like `wanted`, most alike first.
pub(super) fn ranked<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    /// Lets through two slips in a word of eight letters, and words cut short, but not chance.
    const ALIKE: f64 = 0.8;
    let plain = |name: &str| name.to_lowercase().replace('-', "_");
    let wanted = plain(wanted);
    let mut alike: Vec<(f64, &str)> = (names.into_iter())
        .map(|name| (strsim::jaro_winkler(&wanted, &plain(name)), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    alike.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    alike.into_iter().map(|(_, name)| name).collect()
}
