"""Checks of a COCO file and its pictures."""
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Sequence

from ..image.text_datasets import TextCocoDataset
from ..store.box_layout import TOLERANCE
from ..store.broken_rows import BrokenRows
from .name_check import check_names
from .picture_check import check_pictures


@dataclass
class DataReport:
    """What was found in an annotation file and its pictures.

    Attributes:
        ann_file (str): the file.
        faults (dict): what must be mended, reason -> [count, where the first one is].
        advice (dict): what is worth a look, the same way.
        objects, pictures (Counter): objects of each name, and pictures that show it.
        names (tuple[str, ...]): of the file, in its order.
        folder (str): of its pictures.
        named (list[str]): all pictures that the file names.
        items (list[dict]): those that can be used: ``img_path`` and ``instances`` (xyxy boxes px, labels).
        hashes (dict[str, str]): of each picture that was read, its content -> its path.
    """
    ann_file: str
    faults: dict = field(default_factory=dict)
    advice: dict = field(default_factory=dict)
    objects: Counter = field(default_factory=Counter)
    pictures: Counter = field(default_factory=Counter)
    names: tuple[str, ...] = ()
    folder: str = ''
    named: list[str] = field(default_factory=list)
    items: list[dict] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)


class _CocoRows(TextCocoDataset):
    """A COCO file read once for what is wrong with it, without a word on the console."""

    def read(self) -> tuple[list[dict], BrokenRows]:
        """The items, and what the reader left out or took otherwise than it is written."""
        items, header = self._build(self.ann_file)
        items, found = list(items), BrokenRows()
        self.adopt(header)
        found.reasons, found.notes = header['broken'], header['notes']
        return items, found


def check_coco(ann_file: str | Path, images: str | Path | None = None, quick: bool = False,
               progress=None) -> DataReport:
    """Look for everything that a training would leave out, misread or fail on.

    Args:
        ann_file (str | Path): COCO file, with or without masks.
        images (str | Path | None): folder of its pictures; None takes the file's own folder.
        quick (bool): look at the pictures' sizes alone instead of decoding them and comparing their contents.
        progress (Callable | None): wraps the pictures to show a bar, ``progress(items, description)``.

    Returns:
        DataReport: what was found.

    Raises:
        ValueError: it is no COCO file, or names no category; the file is named.
        FileNotFoundError: it is not there.
    """
    ann_file = Path(ann_file)
    if not ann_file.is_file():
        raise FileNotFoundError(f'annotation file {ann_file} does not exist')
    folder = ann_file.parent if images is None else Path(images)
    if not folder.is_dir():
        raise FileNotFoundError(f'folder of pictures {folder} does not exist')
    rows = _CocoRows(ann_file=str(ann_file), data_prefix=dict(img=str(folder)), pipeline=[], check_files=False,
                     lazy_init=True)
    items, faults = rows.read()
    faults.reasons.update({f'{reason} (understood, but not by every program)': found
                           for reason, found in faults.notes.items()})
    faults.notes, names = {}, rows.metainfo['classes']
    report = DataReport(str(ann_file), faults.reasons, faults.notes, names=names, folder=str(folder),
                        named=[item['img_path'] for item in items])
    check_names(names, faults)
    _check_objects(items, names, report, faults)
    report.items, report.hashes = check_pictures(items, faults, quick, progress)
    return report


def _check_objects(items: Sequence[dict], names: Sequence[str], report: DataReport, found: BrokenRows) -> None:
    """Boxes that leave their picture, objects that are there twice, names and pictures without objects."""
    for item in items:
        objects = [instance for instance in item['instances'] if not instance['ignore_flag']]
        report.objects.update(names[instance['bbox_label']] for instance in objects)
        report.pictures.update({names[instance['bbox_label']] for instance in objects})
        seen = Counter((instance['bbox_label'], *instance['bbox']) for instance in objects)
        found.note('object that is annotated twice, with one name and box', item['img_path'],
                   sum(count - 1 for count in seen.values()))
        found.note('picture without an object', item['img_path'], not objects)
        found.add('box of one pixel', item['img_path'], sum(_is_dot(instance['bbox']) for instance in objects))
        found.add('box that leaves its picture', item['img_path'], sum(_leaves(instance['bbox'], item)
                                                                       for instance in objects))
    for name in names:
        found.note('name without an object', repr(name), not report.objects[name])


def _is_dot(box: Sequence[float]) -> bool:
    x1, y1, x2, y2 = box
    return x2 - x1 <= 1 and y2 - y1 <= 1


def _leaves(box: Sequence[float], item: dict) -> bool:
    x1, y1, x2, y2 = box
    return (x1 < -TOLERANCE or y1 < -TOLERANCE or x2 > item['width'] + TOLERANCE or y2 > item['height'] + TOLERANCE)
