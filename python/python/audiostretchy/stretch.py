"""The function and the class of the AudioStretchy package."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any, Callable, Optional, Protocol, Union

from . import _audiostretchy

if TYPE_CHECKING:
    import numpy
    import numpy.typing

_Path = Union[str, "os.PathLike[str]"]


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Writable(Protocol):
    def write(self, data: bytes, /) -> Any: ...


class AudioWarning(UserWarning):
    """Something about a file did not go as asked: damage was filled up, tags were left out."""


def _warn(messages: list[str]) -> None:
    for message in messages:
        warnings.warn(message, AudioWarning, stacklevel=3)


def stretch_audio(
    input_path: _Path,
    output_path: _Path,
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
    *,
    progress: Optional[Callable[[int, Optional[int]], object]] = None,
) -> None:
    """Stretches a file to another one, whose extension tells the format.

    `ratio` is the length of the output divided by that of the input, 0.25 to 4; `gap_ratio` that of
    pauses (0 for the same). `upper_freq` and `lower_freq` bound the pitch, in Hz. A pause is at
    least `buffer_ms` long and quieter than `threshold_gap_db`. `sample_rate` is that of the output
    in Hz, 0 for the input's. A file of the output's name is replaced once the whole output is
    there; it may be the input. Tags, pictures and chapters come along.

    `progress(frames, total)` is called now and then with the frames read so far, and their number
    if it is known.

    Raises `FileNotFoundError`; `ValueError` for a parameter, with `parameter`, `value` and `allowed`
    as attributes; `DamagedAudioError`, `UnsupportedAudioError` or another `RuntimeError` for audio
    that cannot be processed; `OSError` for what cannot be read or written.
    """
    parameters = (
        ratio, gap_ratio, upper_freq, lower_freq, buffer_ms, threshold_gap_db,
        double_range, fast_detection, normal_detection, sample_rate,
    )
    _warn(
        _audiostretchy.stretch_audio(
            os.fsdecode(input_path), os.fsdecode(output_path), parameters, progress
        )
    )


class AudioStretch:
    """A piece of audio in memory: opened, stretched as often as wanted, saved."""

    def __init__(self) -> None:
        self._audio: Optional[_audiostretchy.Audio] = None
        # What `samples` has returned, which may have been changed since.
        self._shown: Optional[numpy.typing.NDArray[numpy.float32]] = None

    def open(
        self,
        path: Optional[_Path] = None,
        file: Optional[_Readable] = None,
        format: Optional[str] = None,
    ) -> None:
        """Reads a file, or the rest of a file object, of any format: the content decides, and
        `format` is a hint."""
        if (path is None) == (file is None):
            raise ValueError("give a path or a file to open, one of them")
        if file is not None:
            audio = _audiostretchy.Audio.open_file(file, format)
        else:
            assert path is not None
            audio = _audiostretchy.Audio.open(os.fsdecode(path), format)
        self._audio, self._shown = audio, None
        _warn(audio.warnings())

    def stretch(
        self,
        ratio: float = 1.0,
        gap_ratio: float = 0.0,
        upper_freq: int = 333,
        lower_freq: int = 55,
        buffer_ms: float = 25.0,
        threshold_gap_db: float = -40.0,
        double_range: bool = False,
        fast_detection: bool = False,
        normal_detection: bool = False,
    ) -> None:
        """Stretches the audio; the parameters are those of `stretch_audio`."""
        audio = self._changed()
        audio.stretch(
            (
                ratio, gap_ratio, upper_freq, lower_freq, buffer_ms, threshold_gap_db,
                double_range, fast_detection, normal_detection, 0,
            )
        )
        self._shown = None

    def resample(self, target_framerate: int) -> None:
        """Converts the audio to a sample rate in Hz, 8,000 to 384,000; pitch and speed stay."""
        self._changed().resample(_rate(target_framerate))
        self._shown = None

    def save(
        self,
        path: Optional[_Path] = None,
        file: Optional[_Writable] = None,
        format: Optional[str] = None,
    ) -> None:
        """Writes a file, or to a file object, in the format that is named, else that of the path's
        extension. A file appears whole or not at all, and may be the one that was opened."""
        if (path is None) == (file is None):
            raise ValueError("give a path or a file to save to, one of them")
        audio = self._changed()
        if file is not None:
            _warn(audio.save_file(file, format))
        else:
            assert path is not None
            _warn(audio.save(os.fsdecode(path), format))

    @property
    def samples(self) -> Optional[numpy.typing.NDArray[numpy.float32]]:
        """The samples, channels x frames, full scale at 1.0; `None` before `open`.

        The array may be changed or replaced. Needs numpy.
        """
        if self._audio is None:
            return None
        if self._shown is None:
            self._shown = self._as_array(self._audio)
        return self._shown

    @samples.setter
    def samples(self, samples: Any) -> None:
        numpy = _numpy()
        audio = self._opened()
        array = numpy.array(samples, dtype=numpy.float32, order="C", ndmin=2)
        if array.ndim != 2:
            raise ValueError(f"samples has {array.ndim} dimensions: it must be channels x frames")
        audio.set_samples(array.tobytes(), array.shape[0])
        self._shown = None

    @property
    def samplerate(self) -> Optional[int]:
        """Sample rate in Hz; set, it makes the audio faster and higher, or slower and lower."""
        return None if self._audio is None else self._audio.sample_rate

    @samplerate.setter
    def samplerate(self, rate: int) -> None:
        self._changed().sample_rate = _rate(rate)

    @property
    def num_channels(self) -> Optional[int]:
        """Number of channels, 1 to 8; `None` before `open`."""
        return None if self._audio is None else self._audio.channels

    def _opened(self) -> _audiostretchy.Audio:
        if self._audio is None:
            raise ValueError("no audio was opened: call open() first")
        return self._audio

    def _changed(self) -> _audiostretchy.Audio:
        """Returns the audio, with what was changed in the array that `samples` has returned."""
        audio = self._opened()
        shown, self._shown = self._shown, None
        if shown is not None:
            # What is as it was keeps its 16 bits.
            if not _numpy().array_equal(shown, self._as_array(audio), equal_nan=True):
                self.samples = shown
            self._shown = shown
        return audio

    @staticmethod
    def _as_array(audio: _audiostretchy.Audio) -> numpy.typing.NDArray[numpy.float32]:
        numpy = _numpy()
        array: numpy.typing.NDArray[numpy.float32] = numpy.frombuffer(
            audio.samples(), dtype=numpy.float32
        )
        return array.reshape(audio.channels, -1)


def _rate(rate: int) -> int:
    if not 8_000 <= rate <= 384_000:
        raise ValueError(f"sample_rate is {rate}: it must be from 8000 to 384000 Hz")
    return int(rate)


def _numpy() -> Any:
    try:
        import numpy
    except ImportError as error:
        raise ImportError("samples needs numpy: install it with pip install numpy") from error
    return numpy
