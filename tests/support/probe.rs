//! What ffprobe tells.

use std::path::Path;
use std::process::Command;

/// Returns what ffprobe reports of a file: codec, sample rate in Hz, seconds.
pub(crate) fn probe(path: &Path) -> (String, u32, f64) {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries"])
        .args(["stream=codec_name,sample_rate:format=duration", "-of"])
        .arg("default=noprint_wrappers=1:nokey=1")
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let [codec, rate, seconds] = lines[..] else {
        panic!("ffprobe cannot read {}: {text}", path.display());
    };
    let number = |text: &str| text.parse::<f64>().unwrap();
    (codec.into(), number(rate) as u32, number(seconds))
}
