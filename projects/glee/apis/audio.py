"""Spoken expressions to text."""
from pathlib import Path
from typing import NamedTuple, Optional, Union

import numpy as np
import torch

Audio = Union[str, Path, tuple]
RATE = 16000


def mono_16k(samples: np.ndarray, rate: int) -> np.ndarray:
    """Float samples (n,) at 16 kHz of (n,) or (n, channels) at any rate; integers are scaled to -1..1."""
    samples = np.asarray(samples)
    if not samples.size or rate <= 0:
        raise ValueError(f'audio has {samples.size} samples at {rate} Hz: there is nothing to hear')
    scale = np.iinfo(samples.dtype).max if np.issubdtype(samples.dtype, np.integer) else 1
    wave = samples.astype(np.float32) / scale
    if wave.ndim == 2:
        wave = wave.mean(1)
    if rate == RATE:
        return wave
    count = max(int(round(len(wave) * RATE / rate)), 1)
    # positions of samples in seconds; slower rates are averaged over a new sample's time before
    if rate > RATE:
        width = int(round(rate / RATE))
        wave = np.convolve(wave, np.full(width, 1 / width, dtype=np.float32), mode='same')
    return np.interp(np.arange(count) / RATE, np.arange(len(wave)) / rate, wave).astype(np.float32)


class Transcript(NamedTuple):
    """What was heard: words, and the code of the language ('en') or None where the model knows only one."""
    text: str
    language: Optional[str] = None


class WhisperTranscriber:
    """Whisper of ``transformers`` from a local folder, for ``InteractiveSession(transcriber=...)``.

    Args:
        path (str): folder of a Whisper model with its processor, e.g. of whisper-base; nothing is downloaded.
        device (str | None): where it runs.

    Raises:
        ImportError: transformers cannot be imported.
        FileNotFoundError: there is no such folder.
    """

    def __init__(self, path: str, device: Optional[str] = None) -> None:
        if not Path(path).is_dir():
            raise FileNotFoundError(f'there is no folder {path}: name a local copy of a Whisper model')
        try:
            from transformers import WhisperForConditionalGeneration, WhisperProcessor
        except ImportError as error:
            raise ImportError('audio prompts need transformers with Whisper: in the checkout run '
                              'pip install -e ".[audio]" or pip install -r requirements/audio.txt') from error
        self.processor = WhisperProcessor.from_pretrained(path, local_files_only=True)
        self.model = WhisperForConditionalGeneration.from_pretrained(path, local_files_only=True).eval()
        if device is not None:
            self.model.to(device)

    @torch.no_grad()
    def __call__(self, audio: Audio) -> Transcript:
        """Words of a .wav file or of (samples (n,) or (n, channels), rate), without the final period, and language.

        Raises:
            ValueError: nothing was understood, or the file is no .wav.
        """
        wave = mono_16k(*(read_wav(audio) if isinstance(audio, (str, Path)) else audio))
        features = self.processor(wave, sampling_rate=RATE, return_tensors='pt').input_features.to(self.model.device)
        language = self._language(features)
        tokens = self.model.generate(features, **({} if language is None else dict(language=language)))
        words = self.processor.batch_decode(tokens, skip_special_tokens=True)[0]
        return Transcript(clean_transcript(words, audio), language)

    def _language(self, features: torch.Tensor) -> Optional[str]:
        """Code of the most probable language of log-mel ``features`` (1, 80, 3000); None of a one-language model."""
        config = self.model.generation_config
        if not getattr(config, 'is_multilingual', False):
            return None
        found = int(self.model.detect_language(input_features=features)[0])
        return next(token for token, index in config.lang_to_id.items() if index == found).strip('<|>')


def clean_transcript(text: str, audio: Audio) -> str:
    """``text`` stripped of blanks and a final period."""
    text = text.strip().rstrip('.').strip()
    if not text:
        raise ValueError(f'no words were understood in {audio if isinstance(audio, (str, Path)) else "the audio"}')
    return text


def read_wav(path: Union[str, Path]) -> tuple[np.ndarray, int]:
    """Samples (n,) or (n, channels) and rate of a .wav file."""
    from scipy.io import wavfile
    try:
        rate, samples = wavfile.read(path)
    except ValueError as error:
        raise ValueError(f'{path} is no .wav file: convert it, or pass (samples, rate)') from error
    return samples, rate
