"""OpenImages v6 detection: the official CSV files, and a COCO file of the same boxes.

Boxes of touching objects of one name that overlap are one group box (`IsGroupOf`).
"""
import csv
import io
from pathlib import Path

from ..world.vocabulary import MINIWORLD_OPENIMAGES_CLASSES
from .files import numbered, write_bytes, write_json

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
    pictures = sorted(pictures, key=_image_name)
    rows = [row for picture in pictures for row in _rows(picture)]
    write_bytes(folder / CSV_NAMES[split], _csv([HEADER, *rows]))
    write_json(root / f'openimages/openimages_v6_{split}_bbox_splitdir.json', _coco(pictures, PATTERNS[split]))


def _rows(picture) -> list:
    """One row per object or group."""
    rows = []
    for name, members in _groups(picture):
        left, top, right, bottom = (f'{share:.6f}' for share in _shares(members, picture.scene))
        occluded = int(any(seen.visible < 0.95 for seen in members))
        rows.append((_image_name(picture), 'xclick', MACHINE_IDS[name], 1, left, right, top, bottom, occluded, 0,
                     int(len(members) > 1), 0, 0))
    return rows


def _coco(pictures, pattern: str) -> dict:
    """The boxes in px, as exactly as the CSV file tells them; groups are crowd regions."""
    ids = {name: index for index, name in enumerate(MACHINE_IDS, 1)}
    entries = []
    for picture in pictures:
        size, annotations = (picture.scene.width, picture.scene.height), []
        for name, members in _groups(picture):
            corners = [share * size[index % 2] for index, share in enumerate(_shares(members, picture.scene))]
            width, height = corners[2] - corners[0], corners[3] - corners[1]
            annotations.append({'category_id': ids[name],
                                'bbox': [round(value, 2) for value in (*corners[:2], width, height)],
                                'area': round(width * height, 2), 'iscrowd': int(len(members) > 1)})
        name = _image_name(picture)
        entries.append(({'file_name': pattern.format(id=name, first=name[0]), 'width': size[0], 'height': size[1]},
                        annotations))
    return numbered([{'id': ids[name], 'name': name, 'freebase_id': machine} for name, machine in MACHINE_IDS.items()],
                    entries)


def _shares(members: list, scene) -> list:
    """left, top, right, bottom around the objects of a group: shares of the image, six decimals as in the CSV."""
    boxes = [seen.bbox for seen in members]
    corners = (min(x for x, _, _, _ in boxes), min(y for _, y, _, _ in boxes),
               max(x + width for x, _, width, _ in boxes), max(y + height for _, y, _, height in boxes))
    return [round(value / side, 6) for value, side in zip(corners, (scene.width, scene.height) * 2)]


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
