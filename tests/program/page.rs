//! The report as a page, in a real browser.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::browser::Browser;
use crate::env::TestEnv;

/// Copies the recordings that come with the program.
fn with_recordings() -> TestEnv {
    let env = TestEnv::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/recordings");
    for folder in ["lectures", "stories"] {
        for entry in fs::read_dir(from.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = Path::new("in").join(folder).join(path.file_name().unwrap());
            env.write(name, fs::read(&path).unwrap());
        }
    }
    env
}

fn names(browser: &mut Browser) -> Vec<String> {
    let shown = "[...document.querySelectorAll('#files tbody tr')].filter(row => !row.hidden)";
    let names = format!("{shown}.map(row => row.cells[0].textContent)");
    let names = browser.evaluate(&names);
    serde_json::from_value(names).unwrap()
}

/// Returns where an input time went, as the report tells.
fn went(picture: &Value, time: f64) -> f64 {
    let step = picture["place_seconds"].as_f64().unwrap();
    let input_seconds = picture["input_seconds"].as_f64().unwrap();
    let mut points = vec![(0.0, 0.0)];
    for (number, place) in (1..).zip(picture["places_ms"].as_array().unwrap()) {
        let input = step * f64::from(number);
        if input < input_seconds {
            points.push((input, place.as_f64().unwrap() / 1000.0));
        }
    }
    points.push((input_seconds, picture["output_seconds"].as_f64().unwrap()));
    let after = points.iter().position(|point| point.0 >= time).unwrap();
    let (a, b) = (points[after.saturating_sub(1)], points[after]);
    match b.0 > a.0 {
        true => a.1 + (time - a.0) * (b.1 - a.1) / (b.0 - a.0),
        false => b.1,
    }
}

#[test]
fn the_page_of_the_recordings_sorts_filters_and_plays() {
    let env = with_recordings();
    env.run("in out -p podcast --speed 1.5 --report-html out/report.html --time-map -")
        .exits(2);
    env.run("in out -p podcast --speed 1.5 --report-html out/report.html")
        .succeeds();
    let report = env.report("out");
    let files = report["files"].as_array().unwrap();
    // What is moved with its page still works.
    fs::rename(env.path("in"), env.path("moved-in")).unwrap();
    fs::create_dir(env.path("moved")).unwrap();
    fs::rename(env.path("out"), env.path("moved/out")).unwrap();
    fs::rename(env.path("moved-in"), env.path("moved/in")).unwrap();

    let mut browser = Browser::start();
    browser.open(&env.path("moved/out/report.html"));
    assert_eq!(names(&mut browser).len(), files.len());
    let click = |selector: &str| format!("document.querySelector('{selector}').click()");
    browser.evaluate(&click("#files thead th:nth-child(3) button"));
    let by_length = names(&mut browser);
    browser.evaluate(&click("#files thead th:nth-child(3) button"));
    assert!(names(&mut browser).iter().eq(by_length.iter().rev()));
    assert_eq!(by_length.last().unwrap(), "in/lectures/scaling.wav");
    let search =
        |text: &str| format!("search.value = '{text}'; search.dispatchEvent(new Event('input'))");
    browser.evaluate(&search("LECTURES"));
    assert_eq!(names(&mut browser).len(), 3);
    browser.evaluate(&search(""));
    let pick = "document.getElementById('status').value = 'warning';
        document.getElementById('status').dispatchEvent(new Event('change'))";
    browser.evaluate(pick);
    assert_eq!(names(&mut browser), ["in/lectures/scaling.wav"]);
    browser.evaluate(&pick.replace("'warning'", "''"));
    assert_eq!(browser.evaluate("shown.textContent"), "7 of 7 files");

    for file in files {
        let name = file["input"].as_str().unwrap();
        let button = format!(
            "[...document.querySelectorAll('#files tbody th button')].find(b => b.textContent === '{name}')"
        );
        browser.evaluate(&format!("{button}.click()"));
        browser.wait_for("[...document.querySelectorAll('audio')].every(a => a.readyState > 0)");
        let lengths =
            browser.evaluate("[...document.querySelectorAll('audio')].map(a => a.duration)");
        let picture = &file["picture"];
        for (length, told) in [
            (&lengths[0], "input_seconds"),
            (&lengths[1], "output_seconds"),
        ] {
            let (length, told) = (length.as_f64().unwrap(), picture[told].as_f64().unwrap());
            assert!((length - told).abs() < 0.1, "{name}: {length} and {told}");
        }
        // A click into the upper waveform, a third of the way along.
        browser.evaluate("document.querySelector('.picture').scrollIntoView()");
        let frame = browser.evaluate(
            "(({left, top, width, height}) => [left, top, width, height])(
                document.querySelector('.picture').getBoundingClientRect())",
        );
        let frame: Vec<f64> = serde_json::from_value(frame).unwrap();
        browser.click_at(frame[0] + frame[2] / 3.0, frame[1] + frame[3] * 0.2);
        let times = "[...document.querySelectorAll('audio')].map(a => a.currentTime)";
        let at: Vec<f64> = serde_json::from_value(browser.evaluate(times)).unwrap();
        let longest = picture["input_seconds"].as_f64().unwrap();
        assert!((at[0] - longest / 3.0).abs() < 0.05, "{name}: {at:?}");
        assert!(
            (at[1] - went(picture, at[0])).abs() < 0.05,
            "{name}: {at:?}"
        );
        // The same from the lower waveform, and with the keyboard.
        browser.click_at(
            frame[0] + frame[2] * at[1] / longest,
            frame[1] + frame[3] * 0.8,
        );
        let back: Vec<f64> = serde_json::from_value(browser.evaluate(times)).unwrap();
        assert!((back[0] - at[0]).abs() < 0.1, "{name}: {back:?} and {at:?}");
        browser.evaluate("document.querySelector('.picture').focus()");
        browser.press("ArrowRight");
        let next: Vec<f64> = serde_json::from_value(browser.evaluate(times)).unwrap();
        assert!((next[0] - back[0] - 1.0).abs() < 0.05, "{name}: {next:?}");
        browser.evaluate(&format!("{button}.click()"));
        assert_eq!(
            browser.evaluate("document.querySelectorAll('audio').length"),
            0
        );
    }
    browser.check_peace();
}

#[test]
fn hostile_names_and_tags_do_nothing() {
    let env = TestEnv::new();
    let names = [
        "in/<img src=x onerror=hacked=1>.wav",
        "in/'\"><script>hacked=1<!script>.wav",
        "in/javascript:hacked=1.wav",
        "in/<!--<script>\n\u{1b}[31m\u{202e}.wav",
        "in/100% # ? &amp;.wav",
    ];
    for name in names {
        env.copy_recording("speech-8k-mono", name);
    }
    env.write("in/</script><b>bad.mp3", "no audio");
    let title = "</script><img src=x onerror=hacked=1>";
    env.write(
        "meta.txt",
        format!(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle={title}\n"),
    );
    env.write("tone.wav", env.read(names[2]));
    let args = "-v error -i tone.wav -i meta.txt -map_metadata 1 in/book.mp3";
    env.tool("ffmpeg", args.split(' '));
    env.run("in out --speed 2 --report-html report.html")
        .exits(1);
    let page = String::from_utf8(env.read("report.html")).unwrap();
    assert_eq!(page.matches("<script").count(), 2);
    assert!(!page.contains("<img"));

    let mut browser = Browser::start();
    browser.open(&env.path("report.html"));
    browser.evaluate("document.querySelectorAll('#files tbody th button').forEach(b => b.click())");
    browser.wait_for(
        "[...document.querySelectorAll('audio')].every(a => a.readyState > 0 || a.error)",
    );
    assert_eq!(browser.evaluate("typeof hacked"), "undefined");
    assert_eq!(
        browser.evaluate("document.querySelectorAll('img, b script, th b').length"),
        0
    );
    // All that is audio can be played, whatever its name.
    assert_eq!(
        browser.evaluate(
            "[...document.querySelectorAll('audio')].filter(a => a.readyState > 0).length"
        ),
        12
    );
    assert!(
        browser
            .evaluate("document.body.textContent")
            .as_str()
            .unwrap()
            .contains(&title[..30])
    );
    // What is no audio says so.
    let text = browser.evaluate("document.querySelector('.panel').textContent");
    assert!(
        text.as_str().unwrap().contains("It cannot be played here"),
        "{text}"
    );
}

/// axe-core, which `scripts/test-tools` fetches.
fn axe() -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("target/test-tools/node_modules/axe-core/axe.min.js");
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn the_page_is_accessible_light_dark_and_narrow() {
    let env = with_recordings();
    env.write("in/broken.mp3", "no audio");
    env.run("in out -p podcast --speed 1.5 --report-html out/report.html")
        .exits(1);
    let mut browser = Browser::start();
    for (scheme, width) in [
        ("light", 1200),
        ("dark", 1200),
        ("light", 400),
        ("dark", 400),
    ] {
        browser.show_as(scheme, width);
        browser.open(&env.path("out/report.html"));
        browser.evaluate("[...document.querySelectorAll('#files tbody th button')].slice(0, 3).forEach(b => b.click())");
        browser.evaluate(&axe());
        let found = browser.evaluate(
            "axe.run().then(({violations}) => violations.map(v => [v.id, v.nodes.map(n => n.html)]))",
        );
        assert_eq!(
            found.as_array().unwrap().len(),
            0,
            "{scheme} {width}: {found}"
        );
        // Nothing is wider than the window but what scrolls by itself.
        let width = "document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(browser.evaluate(width), true, "{scheme}");
    }
}

#[test]
fn pictures_stay_when_files_are_up_to_date_and_pages_are_made_later() {
    let env = TestEnv::with_speech(&["in/a.wav", "in/b.wav"]);
    let picture = |file: usize| env.report("out")["files"][file]["picture"].clone();
    env.run("in out --speed 1.5").succeeds();
    assert!(picture(0).is_null());
    env.run("in out --speed 1.5 --report-html page.html --if-exists overwrite")
        .succeeds();
    let made = picture(0);
    assert!(made["before"]["peaks"].as_str().unwrap().len() > 100);
    // A run without a page keeps them, also for the next.
    env.copy_recording("speech-8k-mono", "in/c.wav");
    env.run("in out --speed 1.5")
        .succeeds()
        .says(&["2 up to date"]);
    env.run("in out --speed 1.5")
        .succeeds()
        .says(&["3 up to date"]);
    assert_eq!(picture(0), made);
    assert!(picture(2).is_null());
    env.run("report html out").succeeds();
    let page = String::from_utf8(env.read("out/audiostretchy-report.html")).unwrap();
    assert!(page.contains(made["before"]["peaks"].as_str().unwrap()));
    assert!(page.contains("\"a.wav\""), "links start from the page");
    env.run("report html out -o -")
        .succeeds()
        .prints(&["<!DOCTYPE html>"]);
    env.refuses(
        "report html out/audiostretchy-report.json -o out/audiostretchy-report.json",
        2,
        &["is the report"],
    );
    env.refuses(
        "in in/page --speed 2 --report-html in/a.wav",
        2,
        &["--report-html"],
    );
    env.refuses(
        "- - --speed 2 --format wav --report-html x",
        2,
        &["--report-html does not work with -"],
    );
}

#[test]
fn ten_thousand_files_fit_on_a_page() {
    let env = TestEnv::with_speech(&["in/a.wav"]);
    env.run("in out --speed 1.5 --report-html page.html")
        .succeeds();
    let mut report = env.report("out");
    let file = report["files"][0].clone();
    let files = (0..10_000).map(|number| {
        let mut file = file.clone();
        let name = format!("recordings/of a podcast/episode {number:05}.wav");
        file["input"] = format!("in/{name}").into();
        file["output"] = format!("out/{name}").into();
        file
    });
    report["files"] = files.collect();
    env.write("many.json", report.to_string());
    env.run("report html many.json").succeeds();
    let page = String::from_utf8(env.read("many.html")).unwrap();
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    assert_eq!(page.matches("\"peaks\"").count(), 2 * 200);
    let mut browser = Browser::start();
    browser.open(&env.path("many.html"));
    assert_eq!(names(&mut browser).len(), 10_000);
    // Not `innerText`, for which ten thousand rows are laid out.
    let texts = "[...document.querySelectorAll('main p')].map(p => p.textContent).join(' ')";
    let said = browser.evaluate(texts);
    assert!(
        said.as_str()
            .unwrap()
            .contains("the waveforms of 200 are here")
    );
    assert!(said.as_str().unwrap().contains("made by the script"));
    browser.check_peace();
}
