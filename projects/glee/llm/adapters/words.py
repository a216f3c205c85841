"""A tokenizer of whole words, for small models with random weights; it needs no file of a released one."""
from pathlib import Path
from typing import Sequence, Union

UNKNOWN, PADDING = '<unk>', '<pad>'


def word_tokenizer(words: Union[str, Path, Sequence[str]], special: Sequence[str]):
    """A transformers tokenizer that splits at blanks and punctuation; unknown words are one token.

    Args:
        words: a file with one word a line, or the words.
        special (Sequence[str]): tokens that are never split.

    Raises:
        FileNotFoundError: there is no such file.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast
    if isinstance(words, (str, Path)):
        words = Path(words).read_text().split()
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys((PADDING, UNKNOWN, *words)))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace()])
    tokenizer.decoder = decoders.WordPiece(prefix='##')  # a blank before every word but punctuation
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=UNKNOWN, pad_token=PADDING)
    fast.add_special_tokens(dict(additional_special_tokens=list(special)), False)
    return fast
