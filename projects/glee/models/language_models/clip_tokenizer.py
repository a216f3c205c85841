"""CLIP's byte-pair tokenizer, built offline (DESIGN section 5, 'Text encoder')."""
import gzip
import importlib.util
import logging
import os
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from mmengine.logging import print_log
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTokenizer

BPE_FILE = 'bpe_simple_vocab_16e6.txt.gz'
SOS, EOS = '<|startoftext|>', '<|endoftext|>'
VOCAB_SIZE = 49408
CONTEXT_LENGTH = 77


@lru_cache(maxsize=4)
def build_clip_tokenizer(folder: Optional[str] = None) -> CLIPTokenizer:
    """OpenAI CLIP's tokenizer as transformers' ``CLIPTokenizer``; padding id = EOS = 49407.

    Args:
        folder: Local folder of a CLIP model (``tokenizer.json``, or ``vocab.json`` and
            ``merges.txt``). None reads the BPE file inside the package ``open_clip_torch``.

    Returns:
        The tokenizer; the same object for the same ``folder``.

    Raises:
        FileNotFoundError: The folder, its files, or the BPE file are missing.
    """
    # Names are short, so threads gain nothing, and they would make every later fork of a data
    # loader worker print a warning.
    os.environ.setdefault('TOKENIZERS_PARALLELISM', 'false')
    if folder is None:
        vocab, merges = _vocabulary_of(_find_bpe_file())
        return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=CONTEXT_LENGTH)
    path = Path(folder)
    has_files = (path / 'tokenizer.json').is_file() or (
        (path / 'vocab.json').is_file() and (path / 'merges.txt').is_file())
    if not has_files:
        raise FileNotFoundError(
            f"tokenizer='{folder}' is not a folder with tokenizer.json, or vocab.json and "
            'merges.txt; name a local CLIP folder, or leave the key out to use the BPE file of '
            'open_clip_torch')
    return CLIPTokenizer.from_pretrained(str(path), local_files_only=True, pad_token=EOS)


def number_beginnings(tokenizer: CLIPTokenizer, texts: Sequence[str], limit: int) -> List[int]:
    """A number per token of the texts, one after the other, each cut at ``limit``: the same for equal beginnings.

    Causal attention gives equal beginnings equal states.
    """
    numbers: Dict[Tuple[int, ...], int] = {}
    return [numbers.setdefault(tuple(ids[:end]), len(numbers))
            for ids in tokenizer(list(texts), truncation=True, max_length=limit)['input_ids']
            for end in range(1, len(ids) + 1)]


class CutTexts:
    """Says once when a text is longer than what the transformer reads, and once when texts become equal by that."""

    def __init__(self) -> None:
        self._said: set = set()

    def notice(self, tokenizer: CLIPTokenizer, texts: Sequence[str], ids: Sequence[Sequence[int]], limit: int) -> None:
        """Look at the token ids of some texts, cut at ``limit`` (start and end tokens included)."""
        if len(self._said) == 2:
            return
        groups: dict = {}
        for text, tokens in zip(texts, ids):
            if len(tokens) == limit and len(tokenizer.tokenize(text)) + 2 > limit:
                groups.setdefault(tuple(tokens), []).append(text)
        if groups:
            text, = next(iter(groups.values()))[:1]
            self._say('cut', f'a text has more than {limit} tokens and is cut there: {text[:60]!r}... What follows '
                      'does not count, in other texts neither (said once)')
        equal = next((group for group in groups.values() if len(group) > 1), None)
        if equal is not None:
            self._say('equal', f'{len(equal)} texts are equal in their first {limit} tokens, so that their results are '
                      f'the same: {equal[0][:60]!r}... (said once; shorten them to tell them apart)')

    def _say(self, kind: str, message: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            print_log(message, logger='current', level=logging.WARNING)


def _find_bpe_file() -> Path:
    """The BPE file inside ``open_clip_torch``, found without importing that package.

    Importing it would require torchvision, of which no build matches our CPU torch.
    """
    spec = importlib.util.find_spec('open_clip')
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(folder) / BPE_FILE).is_file():
            return Path(folder) / BPE_FILE
    raise FileNotFoundError(
        f'CLIP\'s BPE file {BPE_FILE} was not found. Install the package that ships it with '
        '`pip install --no-deps open_clip_torch`, or name a local CLIP folder with the config '
        "key tokenizer='/path/to/clip'")


def _vocabulary_of(path: Path) -> Tuple[dict, List[Tuple[str, str]]]:
    """Token table and merge rules of OpenAI CLIP's BPE file.

    Ids are: 256 byte symbols, the same at the end of a word, one id per merge, SOS, EOS. The file
    holds more merges than CLIP uses (its first line is a header).
    """
    # Sorted by code point, the byte symbols stand in the order in which CLIP numbers them:
    # printable bytes first, then the remaining ones, which are mapped to code points >= 256.
    symbols = sorted(ByteLevel.alphabet())
    num_merges = VOCAB_SIZE - 2 * len(symbols) - 2
    with gzip.open(path, 'rt', encoding='utf-8') as lines:
        merges = [tuple(line.split()) for line in islice(lines, 1, 1 + num_merges)]
    words = [s + '</w>' for s in symbols] + [''.join(pair) for pair in merges]
    tokens = symbols + words + [SOS, EOS]
    return {token: index for index, token in enumerate(tokens)}, merges
