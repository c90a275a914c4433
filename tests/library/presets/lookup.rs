//! Where preset names are looked up.

use super::*;

#[test]
fn the_first_folder_comes_before_the_second_and_both_before_the_built_in() {
    let folders = Folders::with(&[
        ("first/a.toml", "ratio = 0.5"),
        ("second/a.toml", "ratio = 2"),
        ("second/music.toml", "ratio = 3"),
    ]);
    assert_eq!(folders.stretch("a").ratio, 0.5);
    assert_eq!(folders.stretch("music").ratio, 3.0);
    assert_eq!(folders.stretch("speech").upper_freq, 300);
}

#[test]
fn a_folder_that_does_not_exist_or_is_a_file_counts_as_empty() {
    let folders = Folders::with(&[("file", "")]);
    let store = PresetStore::new([folders.path("nowhere"), folders.path("file")]);
    assert!(
        store
            .resolve(Some("fast".as_ref()), &Layer::default())
            .is_ok()
    );
    assert_eq!(store.list().unwrap().len(), 7);
}

#[test]
fn a_preset_folder_that_was_asked_for_must_exist() {
    let folders = Folders::new();
    let error = PresetStore::from_environment(Some(&folders.path("nowhere"))).unwrap_err();
    let message = folders.plain(error);
    assert!(message.starts_with("cannot read nowhere: "), "{message}");

    let store = PresetStore::from_environment(Some(&folders.path("first"))).unwrap();
    assert_eq!(store.folders()[0], folders.path("first"));
    assert_eq!(store.folders()[1], Path::new("presets"));
}

#[test]
fn a_path_is_a_file_wherever_it_lies() {
    let folders = Folders::with(&[("mine.toml", "ratio = 2"), ("mine.preset", "ratio = 3")]);
    for (file, ratio) in [("mine.toml", 2.0), ("mine.preset", 3.0)] {
        let path = folders.path(file);
        let resolved = folders.resolve(path.to_str().unwrap()).unwrap();
        assert_eq!(resolved.settings.stretch.ratio, ratio);
        assert_eq!(resolved.preset.as_deref(), Some("mine"));
    }
}

#[test]
fn a_preset_can_extend_a_file_by_its_path_from_its_own_folder() {
    let folders = Folders::with(&[
        ("first/a.toml", "extends = \"../second/b.toml\""),
        ("second/b.toml", "extends = \"c.toml\"\nratio = 2"),
        ("second/c.toml", "buffer_ms = 50"),
    ]);
    let stretch = folders.stretch("a");
    assert_eq!((stretch.ratio, stretch.buffer_ms), (2.0, 50.0));
}

#[test]
fn a_preset_that_extends_its_own_name_builds_on_the_next_of_that_name() {
    let folders = Folders::with(&[
        ("first/speech.toml", "extends = \"speech\"\nbuffer_ms = 30"),
        (
            "second/speech.toml",
            "extends = \"speech\"\nlower_freq = 90",
        ),
    ]);
    let speech = folders.resolve("speech").unwrap();
    assert_eq!(folders.source(&speech, "buffer_ms"), "first/speech.toml:2");
    assert_eq!(
        folders.source(&speech, "lower_freq"),
        "second/speech.toml:2"
    );
    assert_eq!(
        folders.source(&speech, "upper_freq"),
        "built-in preset speech, line 2"
    );
    let path = folders.path("second/speech.toml");
    let by_path = folders.store().check(&path).unwrap();
    assert_eq!(by_path.entry("buffer_ms").unwrap().source, Source::Default);
}

#[test]
fn a_folder_named_twice_does_not_make_a_preset_extend_itself() {
    let folders = Folders::with(&[("first/speech.toml", "extends = \"speech\"")]);
    let store = PresetStore::new([folders.path("first"), folders.path("second/../first")]);
    let speech = store.resolve(Some("speech".as_ref()), &Layer::default());
    assert_eq!(speech.unwrap().settings.stretch.upper_freq, 300);
}

#[test]
fn a_built_in_preset_keeps_its_documented_values_beside_other_presets() {
    let folders = Folders::with(&[(
        "first/speech.toml",
        "extends = \"podcast\"\nengine = \"tdhs\"\nupper_freq = 999",
    )]);
    assert_eq!(
        folders.stretch("podcast"),
        built_in("podcast").settings.stretch
    );
    assert_eq!(folders.stretch("speech").upper_freq, 999);
    assert_eq!(folders.stretch("speech").ratio, 0.8);
}

#[test]
fn the_list_shows_each_name_once_and_tells_what_is_broken() {
    let folders = Folders::with(&[
        ("first/speech.toml", "description = \"Mine\""),
        ("second/speech.toml", "description = \"Hidden\""),
        ("second/broken.toml", "ratio = 9"),
        ("second/notes.txt", "not a preset"),
    ]);
    let list = folders.store().list().unwrap();
    let names: Vec<&str> = list.iter().map(|listed| listed.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "broken",
            "fast",
            "music",
            "natural",
            "natural-music",
            "phone",
            "podcast",
            "speech"
        ]
    );
    assert_eq!(list[7].description.as_deref(), Some("Mine"));
    assert_eq!(list[7].file, Some(folders.path("first/speech.toml")));
    assert_eq!(list[1].file, None);
    assert!(list[1].description.is_some() && list[1].problem.is_none());
    let problem = list[0].problem.as_ref().unwrap().to_string();
    assert!(problem.contains("ratio is 9"), "{problem}");
}
