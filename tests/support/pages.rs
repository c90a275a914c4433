//! Pages of the documentation with tables that tests generate.

use std::fs;
use std::path::Path;

/// If this variable is set, the pages are written instead of checked.
const UPDATE: &str = "UPDATE_DOCS";

/// Checks that a page has this text, or writes it if that is requested.
pub(crate) fn is_page(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, text).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "{page} should be as follows; run the test with {UPDATE}=1 to write it\n{text}"
    );
}

/// Does the same as [`is_page`] for the part between `<!-- mark -->` and `<!-- /mark -->`.
pub(crate) fn has_part(page: &str, mark: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let written = fs::read_to_string(&path).unwrap();
    let (start, end) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let (before, rest) = written.split_once(&start).expect("the page has the mark");
    let (_, after) = rest.split_once(&end).expect("the page has the end mark");
    is_page(page, &[before, &start, text, &end, after].concat());
}
