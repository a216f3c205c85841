"""Sentences: cleaning, picking one, keeping them true under flips and crops."""
import re
from typing import List, Optional, Sequence, Union

import numpy as np
from mmcv.transforms import BaseTransform, Compose
from mmdet.registry import TRANSFORMS

from ...structures.sample_text import as_names

ORDINALS = ('first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth',
            'tenth')
SIDES = (('left', 'right'), ('leftmost', 'rightmost'))


def clean_expression(sentence: str, remove: str = '.,\'!?"()*#:;', to_space: str = '-/') -> str:
    """Lower case, without punctuation, single spaces (DESIGN section 8, "Text").

    A sentence that is nothing but punctuation stays as it was.
    """
    table = str.maketrans(to_space, ' ' * len(to_space), remove)
    cleaned = ' '.join(sentence.lower().translate(table).split())
    return cleaned or sentence.strip()


@TRANSFORMS.register_module()
class CleanExpressions(BaseTransform):
    """Cleans every sentence in ``text``; see :func:`clean_expression`.

    Args:
        remove (str): characters to drop.
        to_space (str): characters that become spaces.

    Raises:
        ValueError: a sentence is blank, naming image and position.
    """

    def __init__(self, remove: str = '.,\'!?"()*#:;', to_space: str = '-/') -> None:
        self.remove, self.to_space = remove, to_space

    def transform(self, results: dict) -> dict:
        """Replace ``text`` (K sentences, or a caption that holds them), if there is one, by its cleaned form."""
        if 'text' not in results:
            return results
        cleaned = [clean_expression(s, self.remove, self.to_space) for s in as_names(results['text'])]
        if not all(cleaned):
            raise ValueError(f'expression {cleaned.index("")} of image {results["img_path"]} is '
                             'empty; remove it from the annotation file')
        results['text'] = cleaned
        return results


@TRANSFORMS.register_module()
class PickExpression(BaseTransform):
    """Keeps one random sentence and its object, as training wants (DESIGN section 8).

    Needs ``instances`` parallel to ``text`` (RefCocoJsonDataset, ReferDataset, or the stock
    RefCocoDataset with ``text_mode='original'``) and comes before the masks are loaded.

    Raises:
        ValueError: ``text`` and ``instances`` are not parallel or there is no sentence.
    """

    def transform(self, results: dict) -> dict:
        """Reduce to one sentence; its object gets label 0."""
        text, instances = results['text'], results['instances']
        if not text or len(text) != len(instances):
            raise ValueError(f'image {results["img_path"]} has {len(text)} expressions for '
                             f'{len(instances)} objects, one object per expression is needed')
        chosen = np.random.randint(len(text))
        results['text'] = [text[chosen]]
        results['instances'] = [dict(instances[chosen], bbox_label=0)]
        if 'candidates' in results:
            results['candidates'] = [results['candidates'][chosen]]
        return results


@TRANSFORMS.register_module()
class SwapSidesOnFlip(BaseTransform):
    """After a horizontal flip, "left" means right: swaps the words in ``text``.

    Whole words only ("bright" stays bright; the original swaps substrings).

    Args:
        pairs (Sequence[tuple[str, str]]): words to exchange.
    """

    def __init__(self, pairs: Sequence[Sequence[str]] = SIDES) -> None:
        self.other = {a: b for left, right in pairs for a, b in ((left, right), (right, left))}
        self.pattern = re.compile(r'\b(' + '|'.join(self.other) + r')\b', re.IGNORECASE)

    def swap(self, sentence: str) -> str:
        """Exchange the words of one sentence; exchanged words become lower case."""
        return self.pattern.sub(lambda match: self.other[match[0].lower()], sentence)

    def transform(self, results: dict) -> dict:
        """Swap when ``flip`` was horizontal or diagonal."""
        if results.get('flip') and results['flip_direction'] in ('horizontal', 'diagonal'):
            results['text'] = [self.swap(sentence) for sentence in results['text']]
        return results


@TRANSFORMS.register_module()
class UnlessOrdinal(BaseTransform):
    """Runs its transforms unless the text counts objects ("the second from the left").

    Wrap the random crop of expression data with it: a crop changes what is first or second. It leaves a
    note (``keep_whole``) for transforms further down that might crop.

    Args:
        transforms (list[dict | callable]): e.g. a stock ``RandomApply`` around resize and crop.
        words (Sequence[str]): words that forbid them, first … tenth by default.
    """

    def __init__(self, transforms: List[Union[dict, callable]],
                 words: Sequence[str] = ORDINALS) -> None:
        self.transforms = Compose(transforms)
        self.pattern = re.compile(r'\b(' + '|'.join(words) + r')\b', re.IGNORECASE)

    def transform(self, results: dict) -> Optional[dict]:
        """The transformed results, the results untouched, or None from within."""
        if any(self.pattern.search(sentence) for sentence in results['text']):
            results['keep_whole'] = True
            return results
        return self.transforms(results)
