"""Change the speed of audio, one piece or whole folders of files, without changing its pitch."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any, Callable, Iterable, NamedTuple, Optional, Union

from ._audiostretchy import (
    DamagedAudioError,
    UnsupportedAudioError,
    __version__,
)
from . import _audiostretchy
from .stretch import AudioStretch, AudioWarning, stretch_audio

__all__ = [
    "AudioStretch",
    "AudioWarning",
    "DamagedAudioError",
    "Estimate",
    "UnsupportedAudioError",
    "__version__",
    "batch",
    "estimate",
    "stretch_audio",
]

_Path = Union[str, "os.PathLike[str]"]


class Estimate(NamedTuple):
    """Lengths of a file and of what becomes of it, and the time that takes, in seconds."""

    input_seconds: float
    output_seconds: float
    processing_seconds: float


def estimate(
    input_path: _Path,
    ratio: float = 1.0,
    gap_ratio: float = 0.0,
    upper_freq: int = 333,
    lower_freq: int = 55,
    buffer_ms: float = 25.0,
    threshold_gap_db: float = -40.0,
    double_range: bool = False,
    fast_detection: bool = False,
    normal_detection: bool = False,
    sample_rate: int = 0,
) -> Estimate:
    """Measures this machine on parts of a file, for about a third of a second.

    Raises the same exceptions as `stretch_audio`.
    """
    parameters = (
        ratio, gap_ratio, upper_freq, lower_freq, buffer_ms, threshold_gap_db,
        double_range, fast_detection, normal_detection, sample_rate,
    )
    return Estimate(*_audiostretchy.estimate(os.fsdecode(input_path), parameters))


def batch(
    inputs: Union[_Path, Iterable[_Path]],
    output: _Path,
    preset: Optional[_Path] = None,
    jobs: int = 0,
    on_event: Optional[Callable[[dict[str, Any]], object]] = None,
    if_exists: str = "resume",
    **settings: Union[bool, int, float, str],
) -> dict[str, Any]:
    """Stretches files and folders on all processors and returns the report as a dictionary.

    `preset` is the name of a preset or a TOML file; `settings` are keys of presets, such as
    `ratio`, `speed` and `format`, and go before it. `jobs` files are worked on at a time, 0 for one
    a processor. `on_event` is called, on this thread, with a dictionary for each event, such as
    `{"event": "file-finished", ...}`. What an earlier run has made and is up to date is skipped,
    unless `if_exists` is `skip`, `overwrite` or `error`.

    A file that fails does not stop the others: see `report["counts"]` and `report["files"]`.

    Raises `ValueError` for settings and plans that are wrong, `FileNotFoundError` for an input that
    is missing, and `BlockingIOError` where another run is writing to the output folder.
    """
    if isinstance(inputs, (str, bytes, os.PathLike)):
        inputs = [inputs]
    if jobs < 0:
        raise ValueError(f"jobs is {jobs}: it must be 0 for one a processor, or more")
    told = None
    if on_event is not None:
        listener = on_event

        def told(line: bytes) -> None:
            listener(json.loads(line))

    report: dict[str, Any] = json.loads(
        _audiostretchy.batch(
            [os.fsdecode(path) for path in inputs],
            os.fsdecode(output),
            None if preset is None else os.fsdecode(preset),
            jobs,
            told,
            if_exists,
            settings,
        )
    )
    return report


def _main() -> int:
    """The program, as the command `audiostretchy`."""
    # It handles signals itself, as it does without Python around it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _audiostretchy.main(sys.argv)
