"""Spoken prompts: resampling, cleaning, and Whisper of a tiny random model."""
import configparser
import json
import sys

import numpy as np
import pytest
import torch
from paths import ROOT
from scipy.io import wavfile

from projects.glee.apis import Transcript, WhisperTranscriber
from projects.glee.apis.audio import clean_transcript, mono_16k, read_wav


@pytest.mark.parametrize('rate', [8000, 16000, 48000])
@pytest.mark.parametrize('channels', [1, 2])
def test_any_rate_and_channels_become_mono_16k(rate, channels):
    """A tone of 200 Hz stays one of 200 Hz, half a second long."""
    time = np.arange(rate // 2) / rate
    tone = np.sin(2 * np.pi * 200 * time)
    samples = np.stack([tone] * channels, 1) if channels > 1 else tone
    wave = mono_16k((samples * 32767).astype(np.int16), rate)
    assert wave.shape == (8000, ) and wave.dtype == np.float32
    spectrum = np.abs(np.fft.rfft(wave))
    assert spectrum.argmax() == 100 and np.abs(wave).max() == pytest.approx(1, abs=0.05)


def test_channels_are_averaged():
    samples = np.stack([np.ones(100), -np.ones(100)], 1)
    assert not mono_16k(samples, 16000).any()


def test_transcripts_are_cleaned():
    assert clean_transcript('  The red star. ', 'a') == 'The red star'
    with pytest.raises(ValueError, match='no words were understood in voice.wav'):
        clean_transcript(' . ', 'voice.wav')
    with pytest.raises(ValueError, match='nothing to hear'):
        mono_16k(np.zeros(0), 16000)


def test_wav_files(tmp_path):
    wavfile.write(tmp_path / 'a.wav', 8000, np.arange(50, dtype=np.int16))
    samples, rate = read_wav(tmp_path / 'a.wav')
    assert rate == 8000 and samples.tolist() == list(range(50))
    (tmp_path / 'b.wav').write_text('no sound')
    with pytest.raises(ValueError, match='b.wav is no .wav file'):
        read_wav(tmp_path / 'b.wav')


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='local copy of a Whisper model'):
        WhisperTranscriber(str(tmp_path / 'absent'))


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    """Importing the apis needs no transformers of its own; the error says what to install, and that exists."""
    monkeypatch.setitem(sys.modules, 'transformers', None)
    with pytest.raises(ImportError, match=r'pip install -e "\.\[audio\]" or .*-r requirements/audio.txt'):
        WhisperTranscriber(str(tmp_path))
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    assert setup['options.extras_require']['audio'] == 'file: requirements/audio.txt'
    pins = [(ROOT / f'requirements/{name}.txt').read_text().splitlines() for name in ('audio', 'runtime')]
    assert {line for line in pins[0] if not line.startswith('#')} <= set(pins[1])  # one version of each


LANGUAGES = ('<|en|>', '<|de|>', '<|fr|>')


@pytest.fixture
def tiny_whisper(tmp_path):
    """Folder of a random Whisper that knows ten letters."""
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )
    special = ['<|endoftext|>', '<|startoftranscript|>', *LANGUAGES, '<|transcribe|>', '<|notimestamps|>']
    vocabulary = {token: index for index, token in enumerate([*'abcdefghij', *special])}
    (tmp_path / 'vocab.json').write_text(json.dumps(vocabulary))
    (tmp_path / 'merges.txt').write_text('#version: 0.2\n')
    tokenizer = WhisperTokenizer(str(tmp_path / 'vocab.json'), str(tmp_path / 'merges.txt'))
    folder = tmp_path / 'model'
    WhisperProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(folder)
    config = WhisperConfig(
        vocab_size=max(len(tokenizer), 18), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_target_positions=12,
        decoder_start_token_id=11, eos_token_id=10, bos_token_id=10, pad_token_id=10, suppress_tokens=None,
        begin_suppress_tokens=None)
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(config)
    model.generation_config.max_length = 8
    vars(model.generation_config).update(
        _from_model_config=False, is_multilingual=True,
        lang_to_id={token: vocabulary[token] for token in LANGUAGES},
        task_to_id=dict(transcribe=vocabulary['<|transcribe|>']), no_timestamps_token_id=vocabulary['<|notimestamps|>'])
    model.save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_tiny_whisper_runs_from_a_local_folder(tiny_whisper):
    """Plumbing only: a random model says something or nothing, from a stereo tone at 8 kHz, in some language."""
    transcriber = WhisperTranscriber(str(tiny_whisper))
    noise = np.random.default_rng(0).normal(size=(4000, 2)), 8000
    features = transcriber.processor(mono_16k(*noise), sampling_rate=16000, return_tensors='pt').input_features
    assert features.shape == (1, 80, 3000)
    # by hand: of the languages the one with the highest logit after the start token
    logits = transcriber.model(features, decoder_input_ids=torch.tensor([[11]])).logits[0, -1]
    likeliest = LANGUAGES[int(logits[12:15].argmax())]
    transcriber.processor.batch_decode = lambda tokens, skip_special_tokens: [' A ring. ']
    assert transcriber(noise) == Transcript('A ring', likeliest[2:4])
    transcriber.processor.batch_decode = lambda tokens, skip_special_tokens: [' ']
    with pytest.raises(ValueError, match='no words'):
        transcriber(noise)
    transcriber.model.generation_config.is_multilingual = False
    assert transcriber._language(features) is None
