"""OpenImages v6 detection: the official CSV files and the COCO file converted from them.

Boxes of touching objects of one name that overlap are one group box (`IsGroupOf`).
"""
import csv
import io
from pathlib import Path

from ...datasets.conversion.openimages import convert_openimages
from ..world.vocabulary import MINIWORLD_OPENIMAGES_CLASSES
from .files import write_bytes

MACHINE_IDS = {name: f'/m/0{index:04x}' for index, name in enumerate(MINIWORLD_OPENIMAGES_CLASSES, 1)}
CSV_NAMES = {'train': 'oidv6-train-annotations-bbox.csv', 'val': 'validation-annotations-bbox.csv'}
PATTERNS = {'train': 'train_{first}/{id}.jpg', 'val': 'validation/{id}.jpg'}
HEADER = ('ImageID', 'Source', 'LabelName', 'Confidence', 'XMin', 'XMax', 'YMin', 'YMax', 'IsOccluded', 'IsTruncated',
          'IsGroupOf', 'IsDepiction', 'IsInside')


def _image_name(picture) -> str:
    """16 hexadecimal digits that begin with any of them: the official folders go by the first."""
    return f'{picture.image_id * 0x9e3779b97f4a7c15 % 2**64:016x}'


def write_openimages_image(root: Path, split: str, picture, data: bytes) -> None:
    """Writes openimages/detection/train_{first digit}/{id}.jpg or .../validation/{id}.jpg."""
    name = _image_name(picture)
    write_bytes(root / 'openimages/detection' / PATTERNS[split].format(id=name, first=name[0]), data)


def write_openimages(root: Path, split: str, pictures) -> None:
    """Writes openimages/annotations/*.csv and openimages/openimages_v6_{split}_bbox_splitdir.json."""
    folder = root / 'openimages/annotations'
    names_csv = folder / 'class-descriptions-boxable.csv'
    write_bytes(names_csv, _csv((machine, name) for name, machine in MACHINE_IDS.items()))
    rows = [row for picture in sorted(pictures, key=_image_name) for row in _rows(picture)]
    boxes_csv = folder / CSV_NAMES[split]
    write_bytes(boxes_csv, _csv([HEADER, *rows]))
    convert_openimages(boxes_csv, names_csv, root / 'openimages/detection',
                       root / f'openimages/openimages_v6_{split}_bbox_splitdir.json', PATTERNS[split])


def _rows(picture) -> list:
    """One row per object or group, corners as shares of the image."""
    size = picture.scene.width, picture.scene.height
    rows = []
    for name, boxes in _groups(picture):
        corners = [(x, y, x + width, y + height) for x, y, width, height in (seen.bbox for seen in boxes)]
        low = [min(corner[axis] for corner in corners) / size[axis] for axis in (0, 1)]
        high = [max(corner[axis + 2] for corner in corners) / size[axis] for axis in (0, 1)]
        occluded = int(any(seen.visible < 0.95 for seen in boxes))
        rows.append((_image_name(picture), 'xclick', MACHINE_IDS[name], 1, f'{low[0]:.6f}', f'{high[0]:.6f}',
                     f'{low[1]:.6f}', f'{high[1]:.6f}', occluded, 0, int(len(boxes) > 1), 0, 0))
    return rows


def _groups(picture) -> list:
    """(name, objects): objects of one name whose boxes overlap are together."""
    groups = []
    for seen in picture.objects:
        name = f'{seen.obj.fill} {seen.obj.shape}'
        joined = [group for group in groups if group[0] == name
                  and any(_overlap(seen.bbox, other.bbox) for other in group[1])]
        groups = [group for group in groups if group not in joined]
        groups.append((name, [other for group in joined for other in group[1]] + [seen]))
    return groups


def _overlap(a: tuple, b: tuple) -> bool:
    return all(a[axis] < b[axis] + b[axis + 2] and b[axis] < a[axis] + a[axis + 2] for axis in (0, 1))


def _csv(rows) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows(rows)
    return text.getvalue().encode()
