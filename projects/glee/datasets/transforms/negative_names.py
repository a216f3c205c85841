"""Names to tell an image's phrases from, for sources without a vocabulary."""
import functools
from pathlib import Path
from typing import Tuple

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS


@functools.lru_cache(maxsize=8)
def read_names(path: str) -> Tuple[str, ...]:
    """Names of a text file, one per line, without duplicates.

    Raises:
        FileNotFoundError: it is missing, saying how to make it.
        ValueError: it holds no name.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no list of names {path}; make it with '
                                'tools/dataset_converters/visual_genome_names.py')
    lines = Path(path).read_text(encoding='utf-8').split('\n')
    names = tuple(dict.fromkeys(line for line in lines if line.strip()))
    if not names:
        raise ValueError(f'{path} holds no name')
    return names


@TRANSFORMS.register_module()
class AddNegativeNames(BaseTransform):
    """Adds random names of a list to ``text``, up to a number, and shuffles it.

    Comes before the objects are loaded. Names that the image has already are not added, so equal
    phrases share an index (DESIGN section 8, "Text"). The preprocessor joins the texts of a batch.

    Args:
        names_file (str): text file with one name per line.
        vocabulary_size (int): how many names ``text`` has afterwards (200 for Visual Genome, 100
            for GRIT); less if the list is short, more if the image itself has more.
    """

    def __init__(self, names_file: str, vocabulary_size: int = 200) -> None:
        self.names_file, self.vocabulary_size = names_file, vocabulary_size

    def transform(self, results: dict) -> dict:
        """Replace ``text`` and, along with it, ``bbox_label`` of the ``instances``."""
        text = list(results['text'])
        own = set(text)
        missing = self.vocabulary_size - len(text)
        if missing > 0:
            names = read_names(self.names_file)
            # enough to find `missing` other ones after the image's own names are taken out
            drawn = np.random.choice(len(names), min(len(names), missing + len(own)), replace=False)
            text += [names[i] for i in drawn if names[i] not in own][:missing]
        order = np.random.permutation(len(text))
        position = np.argsort(order)
        results['text'] = [text[i] for i in order]
        results['instances'] = [
            dict(instance, bbox_label=int(position[instance['bbox_label']]))
            for instance in results['instances']]
        return results
