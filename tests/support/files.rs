//! Test files made by FFmpeg and the usual encoders, and their audio as FFmpeg decodes it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use audiostretchy_media::decode::{AudioInfo, Damage, DecodeError, Decoder};
use tempfile::TempDir;

/// A folder of generated files, which is removed at the end of the test.
pub(crate) struct Files {
    folder: TempDir,
}

/// The result of decoding a whole file.
#[allow(dead_code, reason = "each test binary uses some of these")]
pub(crate) struct Decoded {
    pub info: AudioInfo,
    /// Interleaved.
    pub samples: Vec<f32>,
    pub frames: u64,
    pub damage: Damage,
}

#[allow(dead_code, reason = "each test binary uses some of these")]
impl Files {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Makes a 32-bit float WAV file with a different rising tone in each channel.
    pub(crate) fn source(&self, rate: u32, channels: usize, seconds: f64) -> PathBuf {
        let path = self.path(&format!("source-{rate}-{channels}-{seconds}.wav"));
        if path.exists() {
            return path;
        }
        let tones: Vec<String> = (1..=channels)
            .map(|n| format!("0.3*sin(2*PI*({}+400*t)*t)*(0.6+0.4*sin(3*t+{n}))", 150 * n))
            .collect();
        let layout = match channels {
            1 => "mono",
            2 => "stereo",
            3 => "3.0",
            6 => "5.1",
            8 => "7.1",
            _ => unreachable!(),
        };
        let input = format!(
            "aevalsrc={}:s={rate}:d={seconds}:c={layout}",
            tones.join("|")
        );
        generate(&input, &["-c:a", "pcm_f32le"], &path);
        path
    }

    /// Encodes a file with FFmpeg.
    pub(crate) fn encode(&self, source: &Path, name: &str, options: &[&str]) -> PathBuf {
        self.encode_all(source, &[(name.to_owned(), options.to_vec())])
            .remove(0)
    }

    /// Encodes a file to several others with one run of FFmpeg.
    pub(crate) fn encode_all(
        &self,
        source: &Path,
        outputs: &[(String, Vec<&str>)],
    ) -> Vec<PathBuf> {
        let paths: Vec<PathBuf> = outputs.iter().map(|(name, _)| self.path(name)).collect();
        let mut arguments = vec!["-v", "error", "-y", "-i", source.to_str().unwrap()];
        for ((_, options), path) in outputs.iter().zip(&paths) {
            arguments.extend(options);
            arguments.push(path.to_str().unwrap());
        }
        run("ffmpeg", &arguments);
        paths
    }

    /// Decodes files with FFmpeg and returns their samples, interleaved in WAVE order.
    pub(crate) fn ffmpeg_decode(&self, paths: &[PathBuf]) -> Vec<Vec<f32>> {
        let mut arguments: Vec<String> = ["-v", "error", "-y"].map(str::to_owned).into();
        for path in paths {
            arguments.extend(["-i".to_owned(), path.to_str().unwrap().to_owned()]);
        }
        let outputs: Vec<PathBuf> = (0..paths.len())
            .map(|index| self.path(&format!("{index}.f32")))
            .collect();
        for (index, output) in outputs.iter().enumerate() {
            let map = format!("{index}:a");
            let output = output.to_str().unwrap();
            arguments.extend(["-map", &map, "-f", "f32le", output].map(str::to_owned));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run("ffmpeg", &arguments);
        outputs.iter().map(|path| read_samples(path)).collect()
    }
}

fn read_samples(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    let (samples, _) = bytes.as_chunks::<4>();
    samples.iter().map(|&s| f32::from_le_bytes(s)).collect()
}

/// Makes a file from one of FFmpeg's own sources.
pub(crate) fn generate(source: &str, options: &[&str], output: &Path) {
    let input = ["-v", "error", "-f", "lavfi", "-i", source];
    let output = [output.to_str().unwrap()];
    run("ffmpeg", &[&input[..], options, &output].concat());
}

/// Runs a program that must succeed, and returns its standard output.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("the tests need {program}: {error}"));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {message}"
    );
    output.stdout
}

/// Decodes a whole file.
#[allow(dead_code, reason = "each test binary uses some of these")]
pub(crate) fn decode(path: &Path) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder::open(path)?;
    let mut samples = Vec::new();
    let mut block: Vec<f32> = Vec::new();
    while decoder.next_block(&mut block)? {
        samples.extend_from_slice(&block);
    }
    Ok(Decoded {
        info: decoder.info().clone(),
        samples,
        frames: decoder.frames(),
        damage: decoder.damage(),
    })
}

/// Returns the RMS of the difference relative to that of the reference, over their common length.
#[allow(dead_code, reason = "each test binary uses some of these")]
pub(crate) fn difference(samples: &[f32], reference: &[f32]) -> f64 {
    let power = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let pairs = samples.iter().zip(reference);
    let difference = power(&mut pairs.map(|(&a, &b)| f64::from(a) - f64::from(b)));
    let whole = power(&mut reference.iter().map(|&sample| f64::from(sample)));
    (difference / whole.max(1e-9)).sqrt()
}
