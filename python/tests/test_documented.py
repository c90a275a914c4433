"""What the documentation of the AudioStretchy package shows, done with this one."""

import gc
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import pytest
from audiostretchy.stretch import AudioStretch, stretch_audio

EXTENSIONS = {".mp3", ".wav", ".flac", ".ogg", ".m4a"}


@pytest.mark.parametrize(
    "output, parameters",
    [
        ("plain.wav", {"ratio": 1.2}),
        ("speech.wav", {"ratio": 1.3, "upper_freq": 300, "lower_freq": 80}),
        ("music.wav", {"ratio": 1.5, "upper_freq": 400, "lower_freq": 50, "normal_detection": True}),
        ("fast.mp3", {"ratio": 0.8, "fast_detection": True}),
        ("all.flac", {"ratio": 0.6, "double_range": True, "sample_rate": 22050}),
    ],
)
def test_the_function_with_its_parameters(talk, tmp_path, seconds, output, parameters):
    assert stretch_audio(str(talk), str(tmp_path / output), **parameters) is None
    ratio = seconds(tmp_path / output) / seconds(talk)
    assert ratio == pytest.approx(parameters["ratio"], rel=0.03)


def test_every_parameter_acts(talk, tmp_path):
    def made(**parameters):
        stretch_audio(talk, tmp_path / "out.wav", 1.3, **parameters)
        return (tmp_path / "out.wav").read_bytes()

    plain = made()
    # double_range acts on ratios below 0.5 and above 2, for which it is on anyway.
    assert made(double_range=True) == plain
    pauses = made(gap_ratio=0.5, threshold_gap_db=-30.0, buffer_ms=30.0)
    outputs = [
        plain,
        pauses,
        made(gap_ratio=0.5, threshold_gap_db=-30.0, buffer_ms=15.0),
        made(gap_ratio=0.5, threshold_gap_db=-40.0, buffer_ms=30.0),
        made(upper_freq=250),
        made(lower_freq=80),
        made(fast_detection=True),
        made(sample_rate=16000),
    ]
    assert len(set(outputs)) == len(outputs)
    # Twice as many samples a second as are searched at once by default.
    stretch_audio(talk, tmp_path / "high.wav", sample_rate=44100)
    ends = []
    for detection in ({}, {"normal_detection": True}):
        stretch_audio(tmp_path / "high.wav", tmp_path / "out.wav", 1.3, **detection)
        ends.append((tmp_path / "out.wav").read_bytes())
    assert ends[0] != ends[1]


def test_the_class(recordings, tmp_path, seconds):
    source = recordings / "evening.flac"
    processor = AudioStretch()
    processor.open(str(source))
    processor.stretch(ratio=1.1, upper_freq=350, lower_freq=60, double_range=True)
    processor.resample(target_framerate=48000)
    assert processor.samplerate == 48000
    for name in ("out.wav", "out.mp3", "out.flac"):
        processor.save(str(tmp_path / name))
        assert seconds(tmp_path / name) == pytest.approx(1.1 * seconds(source), rel=0.03)
    processor.save(str(tmp_path / "output_file"), format="ogg")
    assert (tmp_path / "output_file").read_bytes()[:4] == b"OggS"


def test_a_format_that_the_name_does_not_tell(recordings, tmp_path):
    plain = tmp_path / "audio_file"
    plain.write_bytes((recordings / "sea.wav").read_bytes())
    processor = AudioStretch()
    processor.open(str(plain), format="wav")
    assert processor.num_channels in (1, 2)


def test_files_in_memory(talk):
    given, made = io.BytesIO(talk.read_bytes()), io.BytesIO()
    processor = AudioStretch()
    processor.open(file=given, format="mp3")
    processor.stretch(ratio=1.2)
    processor.save(file=made, format="wav")
    assert made.getvalue()[:4] == b"RIFF"


def test_streams(recordings, tmp_path):
    def process(input_stream, output_stream, ratio=1.0):
        processor = AudioStretch()
        processor.open(file=input_stream, format="wav")
        processor.stretch(ratio=ratio)
        processor.save(file=output_stream, format="wav")
        return output_stream

    with open(recordings / "sea.wav", "rb") as source, open(tmp_path / "a.wav", "wb") as target:
        assert process(source, target, 0.5) is target
    # A pipe can be read once, and not sought.
    pipe = subprocess.Popen(["cat", recordings / "sea.wav"], stdout=subprocess.PIPE)
    assert process(pipe.stdout, io.BytesIO(), 0.5).getvalue() == (tmp_path / "a.wav").read_bytes()
    pipe.wait()


def test_the_errors_that_are_caught(talk, tmp_path):
    def outcome(path, **parameters):
        try:
            stretch_audio(path, str(tmp_path / "out.wav"), **parameters)
        except FileNotFoundError:
            return "not found"
        except ValueError as error:
            return f"invalid: {error}"
        except RuntimeError as error:
            return f"processing: {error}"
        return "done"

    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"no audio at all" * 100)
    assert outcome("nothing.mp3") == "not found"
    assert outcome(str(talk), ratio=9) == "invalid: ratio is 9: it must be from 0.25 to 4"
    assert outcome(str(broken)).startswith(f"processing: {broken}: ")
    assert outcome(str(talk), ratio=1.2) == "done"


def test_robust_handling_leaves_nothing_partial(talk, tmp_path):
    def safe(source, target, **parameters):
        if not Path(source).exists():
            raise FileNotFoundError(source)
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        processor = AudioStretch()
        try:
            processor.open(source)
            processor.stretch(**parameters)
            processor.save(target)
            return True
        except Exception as error:
            assert not Path(target).exists()
            raise RuntimeError(f"failed: {error}")

    target = tmp_path / "deep/er/out.wav"
    with pytest.raises(RuntimeError, match="failed: ratio is 0.1"):
        safe(str(talk), str(target), ratio=0.1)
    assert safe(str(talk), str(target), ratio=1.2)


@pytest.mark.parametrize("workers", [1, 4])
def test_batches(recordings, tmp_path, workers):
    files = [path for path in recordings.iterdir() if path.suffix.lower() in EXTENSIONS]
    outputs = tmp_path / "out"
    outputs.mkdir()

    def one(source):
        target = outputs / f"{source.stem}_stretched{source.suffix}"
        stretch_audio(str(source), str(target), ratio=1.2, upper_freq=300)
        return target

    with ThreadPoolExecutor(max_workers=workers) as executor:
        futures = [executor.submit(one, path) for path in files]
        made = [future.result() for future in as_completed(futures)]
    assert len(made) == len(files) >= 5
    assert all(path.stat().st_size > 1000 for path in made)


def test_a_command_of_ones_own(talk, tmp_path):
    script = tmp_path / "command.py"
    script.write_text(
        "import argparse, sys\n"
        "from audiostretchy.stretch import stretch_audio\n"
        "presets = {'speech': dict(upper_freq=300, lower_freq=80, normal_detection=True),\n"
        "           'music': dict(upper_freq=400, lower_freq=50, normal_detection=True),\n"
        "           'fast': dict(fast_detection=True)}\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.add_argument('input')\n"
        "parser.add_argument('output')\n"
        "parser.add_argument('--ratio', type=float, default=1.0)\n"
        "parser.add_argument('--preset', choices=presets)\n"
        "args = parser.parse_args()\n"
        "try:\n"
        "    stretch_audio(args.input, args.output, ratio=args.ratio, **presets.get(args.preset, {}))\n"
        "except Exception as error:\n"
        "    sys.exit(f'Error: {error}')\n"
    )
    for preset in ("speech", "music", "fast"):
        target = tmp_path / f"{preset}.wav"
        command = [sys.executable, script, talk, target, "--ratio", "1.2", "--preset", preset]
        subprocess.run(command, check=True)
        assert target.exists()
    failed = subprocess.run([sys.executable, script, "no.wav", "x.wav"], capture_output=True, text=True)
    assert failed.returncode == 1 and "no.wav" in failed.stderr


def test_memory_is_given_back(recordings, tmp_path):
    def resident():
        fields = Path("/proc/self/statm").read_text().split()
        return int(fields[1]) * 4096

    def process():
        processor = AudioStretch()
        try:
            processor.open(recordings / "sea.wav")
            processor.stretch(ratio=2.0)
            processor.save(tmp_path / "out.wav")
        finally:
            del processor
            gc.collect()

    for _ in range(5):
        process()
    before = resident()
    for _ in range(30):
        process()
    assert resident() - before < 20_000_000


def test_an_estimate_from_the_size_of_a_file_and_a_better_one(recordings):
    import audiostretchy

    path = recordings / "sea.wav"
    rough = path.stat().st_size / (1024 * 1024) * 0.1 * (abs(1.5 - 1.0) * 2 + 1)
    assert rough > 0
    estimate = audiostretchy.estimate(path, ratio=0.5)
    assert (estimate.input_seconds, estimate.output_seconds) == (6.0, 3.0)
    assert estimate.processing_seconds > 0
