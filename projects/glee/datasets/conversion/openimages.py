"""OpenImages v6 detection: the official CSV files as one COCO file."""
import csv
import itertools
from pathlib import Path

from ...structures.row_values import BrokenRow, corners, number
from ..store.pictures import picture_size
from .shards import ConversionError, Shard, Skipped, chunks, convert_shards, fill_pattern

COLUMNS = ('ImageID', 'LabelName', 'XMin', 'XMax', 'YMin', 'YMax', 'IsGroupOf')
IMAGES_PER_SHARD = 10000


def convert_openimages(boxes_csv, names_csv, image_root, out, file_pattern: str = '{id}.jpg',
                       progress=None) -> dict:
    """Writes a COCO file of boxes. A group box (`IsGroupOf`) becomes a crowd region.

    Args:
        boxes_csv (str | Path): e.g. oidv6-train-annotations-bbox.csv; the rows of an image follow
            each other, coordinates are shares of the image.
        names_csv (str | Path): class-descriptions-boxable.csv, rows of (machine id, name) without
            a header; its order gives the category ids, from 1.
        image_root (str | Path): images are opened for their sizes.
        out (str | Path): file to write.
        file_pattern (str): file below `image_root`, with {id} the image id and {first} its first
            character, e.g. 'train_{first}/{id}.jpg'.
        progress (Callable): see `convert_shards`.

    Returns:
        dict: reason -> number of rows or images left out.

    Raises:
        ConversionError: a file or a column is missing, or the rows of an image are scattered.
    """
    for path in (boxes_csv, names_csv):
        if not Path(path).is_file():
            raise ConversionError(f'{path} does not exist')
    names = _read_names(names_csv)
    category_ids = {machine: index for index, (machine, _) in enumerate(names, 1)}
    categories = [{'id': index, 'name': name, 'freebase_id': machine}
                  for index, (machine, name) in enumerate(names, 1)]
    image_root = Path(image_root)

    def convert(groups) -> Shard:
        shard = Shard()
        for image_id, rows in groups:
            if not image_id:
                shard.skipped.add('row without ImageID', f'{boxes_csv}: line {rows[0][0]}', len(rows))
                continue
            name = fill_pattern(file_pattern, id=image_id, first=image_id[0])
            try:
                height, width = picture_size(image_root / name)
            except OSError:
                shard.skipped.add('image missing or unreadable', str(image_root / name))
                continue
            size = width, height
            annotations = [_annotation(row, size, category_ids, shard.skipped, f'{boxes_csv}: line {line}')
                           for line, row in rows]
            shard.add({'file_name': name, 'width': size[0], 'height': size[1]},
                      [entry for entry in annotations if entry is not None])
        return shard

    return convert_shards(out, chunks(_images(Path(boxes_csv)), IMAGES_PER_SHARD), convert, {'categories': categories},
                          arguments={'boxes': str(boxes_csv), 'names': names, 'pattern': file_pattern,
                                     'image_root': str(image_root)},
                          progress=progress)


def _read_names(path) -> list:
    with open(path, newline='', encoding='utf-8-sig') as file:
        reader = csv.reader(file)
        names = {reader.line_num: tuple(row) for row in reader if row}
    seen = set()
    for line, row in names.items():
        if len(row) != 2 or not all(part.strip() for part in row):
            raise ConversionError(f'{path}, line {line}: {",".join(row)!r} is no (machine id, name), of which '
                                  'class-descriptions-boxable.csv has one in every line')
        if row[0] in seen:
            raise ConversionError(f'{path}, line {line}: the machine id {row[0]} is there twice')
        seen.add(row[0])
    names = list(names.values())
    if not names:
        raise ConversionError(f'{path} is empty, not rows of (machine id, name)')
    return names[1:] if names[0] == ('LabelName', 'DisplayName') else names


def _images(path: Path):
    """Yields (image id, its rows as (line of the file, row)) in the order of the file."""
    with open(path, newline='', encoding='utf-8-sig') as file:
        reader = csv.DictReader(file)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise ConversionError(f'{path} lacks the columns {missing}')
        seen = set()
        numbered = ((reader.line_num, row) for row in reader)
        for image_id, rows in itertools.groupby(numbered, key=lambda pair: pair[1]['ImageID']):
            if image_id in seen:
                raise ConversionError(f'{path}: the rows of image {image_id} do not follow each other; '
                                      'sort the file by ImageID')
            seen.add(image_id)
            yield image_id, list(rows)


def _annotation(row: dict, size: tuple, category_ids: dict, skipped: Skipped, where: str):
    if row['LabelName'] not in category_ids:
        skipped.add('label without a name', where)
        return None
    try:
        left, right = (number(row[key], 'box') * size[0] for key in ('XMin', 'XMax'))
        top, bottom = (number(row[key], 'box') * size[1] for key in ('YMin', 'YMax'))
        width, height = right - left, bottom - top
        if not (width > 0 and height > 0):
            raise BrokenRow('box without area')
        corners((left, top, width, height), *size, usable=False)
        crowd = int(number(row['IsGroupOf'], 'IsGroupOf') == 1)
    except BrokenRow as problem:
        skipped.add(str(problem), where)
        return None
    return {'category_id': category_ids[row['LabelName']],
            'bbox': [round(value, 2) for value in (left, top, width, height)],
            'area': round(width * height, 2), 'iscrowd': crowd}
