"""ReasonSeg: questions about pictures that name no object, with polygons of what is meant."""
import json
from pathlib import Path

import cv2
import numpy as np
from mmdet.registry import DATASETS
from mmengine.dataset import BaseDataset

from ...datasets.store.broken_rows import BrokenRows, report

IGNORED = 255  # pixels that do not count


@DATASETS.register_module()
class ReasonSegDataset(BaseDataset):
    """A folder of pictures, each with a JSON file: ``text`` (the first question is used), ``is_sentence`` and
    ``shapes``, polygons whose label is 'target', contains 'ignore', or is 'flag', which is left out.

    An item is ``img_path`` and ``questions``, each with ``text``, ``is_sentence``, ``answer`` (an explanation, or None)
    and ``shapes``.

    Args:
        same_picture (bool): files whose names agree up to the last '_' show the same picture and are one item.
        ann_file (str): a JSON list of explanations, dict(image, query, outputs), which comes with the training
            pictures; '' has none.
        data_root (str): its folder.
        data_prefix (dict): ``img``, the folder of pictures below it.
        **kwargs: of mmengine's ``BaseDataset``.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: no file of it can be used.
    """

    METAINFO = dict(classes=('object', ), palette='random')

    def __init__(self, *args, same_picture: bool = False, **kwargs) -> None:
        self.same_picture = same_picture
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """All questions in the order of the file names."""
        folder = Path(self.data_prefix['img'])
        if not folder.is_dir():
            raise FileNotFoundError(f'{folder}: no such folder of ReasonSeg, which holds pictures and a JSON file each')
        explained = {}
        if self.ann_file:
            explained = {row['image']: row['outputs'] for row in json.loads(Path(self.ann_file).read_text())}
        self.broken, items = BrokenRows(), {}
        for path in sorted(folder.glob('*.json')):
            try:
                question = read_question(path, explained)
                key = path.stem.rpartition('_')[0] if self.same_picture else path.stem
                item = items.setdefault(key, dict(img_path=str(path.with_suffix('.jpg')), questions=[]))
                item['questions'].append(question)
            except (ValueError, KeyError, TypeError, OSError) as error:
                self.broken.add(f'{type(error).__name__}: {error}', path.name)
        report(self.broken.reasons, str(folder))
        if not items:
            raise ValueError(f'{folder} has no JSON file with a question and a picture')
        return list(items.values())


def read_question(path: Path, explained: dict[str, str]) -> dict:
    """The question of one JSON file; the real ones are in two encodings."""
    content = path.read_bytes()
    try:
        row = json.loads(content.decode())
    except UnicodeDecodeError:
        row = json.loads(content.decode('cp1252'))
    picture = path.with_suffix('.jpg')
    if not picture.is_file():
        raise FileNotFoundError(f'no picture {picture.name}')
    shapes = [dict(label=str(shape['label']).lower(), points=[[float(x), float(y)] for x, y in shape['points']])
              for shape in row['shapes']]
    return dict(text=str(row['text'][0]), is_sentence=bool(row['is_sentence']),
                answer=explained.get(picture.name), shapes=shapes)


def draw_shapes(shapes: list[dict], height: int, width: int) -> np.ndarray:
    """(H, W) uint8: 1 what is meant, ``IGNORED`` what does not count; large polygons first, as LISA draws them."""

    def area(points: np.ndarray) -> int:
        mask = np.zeros((height, width), np.uint8)
        return int(_draw(mask, points, 1).sum())

    polygons = [(np.array(shape['points'], np.int32)[None], IGNORED if 'ignore' in shape['label'] else 1)
                for shape in shapes if 'flag' not in shape['label']]
    mask = np.zeros((height, width), np.uint8)
    for points, value in sorted(polygons, key=lambda entry: -area(entry[0])):
        _draw(mask, points, value)
    return mask


def _draw(mask: np.ndarray, points: np.ndarray, value: int) -> np.ndarray:
    cv2.polylines(mask, points, True, value, 1)
    cv2.fillPoly(mask, points, value)
    return mask
