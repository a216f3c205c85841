"""ODVG, the JSON lines of Grounding DINO and of mmdet's ``ODVGDataset``, as one COCO file of boxes."""
import json
from pathlib import Path

from ...structures.row_values import BrokenRow, image_size, number, string
from .shards import ConversionError, Skipped, save_json


def convert_odvg(path, out, label_map=None) -> Skipped:
    """Writes a COCO file of boxes.

    A line is a picture with ``detection`` (objects of categories) or ``grounding`` (regions of a caption; what a phrase
    says is then the name of its objects, in lower case). Boxes are corners, px.

    Args:
        path (str | Path): file of JSON lines.
        out (str | Path): file to write; names of pictures stay as they are.
        label_map (str | Path | None): JSON file of label -> name, for objects that have a label alone. Its names come
            first and in its order, the others follow by the alphabet.

    Returns:
        Skipped: reason -> number of pictures or objects left out.

    Raises:
        ConversionError: the file is missing, a line is no JSON object, or there is no object.
    """
    path, skipped, names = Path(path), Skipped(), _read_labels(label_map)
    images, annotations = [], []
    for where, row in _rows(path):
        try:
            width, height = image_size(row)
            image = dict(id=len(images) + 1, file_name=string(row.get('filename'), 'filename'), width=width,
                         height=height)
            found = _boxes(row, names)
        except BrokenRow as problem:
            skipped.add(str(problem), where)
            continue
        images.append(image)
        for name, box in found:
            try:
                annotations.append(dict(image_id=image['id'], name=_name(name), **_box(box, width, height)))
            except BrokenRow as problem:
                skipped.add(str(problem), where)
    if not annotations:
        raise ConversionError(f'{path} has no object that can be used' + (
            f': {", ".join(skipped)}' if skipped else ''))
    order = list(dict.fromkeys([*names.values(), *sorted({found['name'] for found in annotations})]))
    rows = [dict(id=position, category_id=order.index(found.pop('name')) + 1, **found)
            for position, found in enumerate(annotations, 1)]
    save_json(Path(out), dict(images=images, annotations=rows, categories=[
        dict(id=position, name=name) for position, name in enumerate(order, 1)]))
    return skipped


def _read_labels(path) -> dict[str, str]:
    """Names by label, in the order of the labels."""
    if path is None:
        return {}
    try:
        labels = json.loads(Path(path).read_text('utf-8'))
        return {label: string(labels[label], 'name').strip() for label in sorted(labels, key=int)}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ConversionError(f'{path} is no JSON file of label -> name, such as {{"0": "cat"}}: {error}') from None


def _rows(path: Path):
    """(where, row) of every line that is not blank."""
    if not path.is_file():
        raise ConversionError(f'{path} does not exist')
    with open(path, encoding='utf-8') as file:
        for line_number, line in enumerate(file, 1):
            if line.strip():
                where = f'{path}: line {line_number}'
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise ConversionError(f'{where} is no JSON: {error}') from None
                if not isinstance(row, dict):
                    raise ConversionError(f'{where} is no object but {str(row)[:40]!r}')
                yield where, row


def _boxes(row: dict, names: dict[str, str]) -> list[tuple]:
    """(name, corners) of every object of a line."""
    detection, grounding = row.get('detection'), row.get('grounding')
    if isinstance(detection, dict):
        return [(_category(found, names), found.get('bbox')) for found in detection.get('instances') or ()]
    if not isinstance(grounding, dict):
        raise BrokenRow('picture with neither detection nor grounding')
    boxes = []
    for region in grounding.get('regions') or ():
        phrase, several = _phrase(region, grounding.get('caption')), region.get('bbox')
        if not several or not isinstance(several[0], list):
            several = [several]
        boxes += [(phrase, box) for box in several]
    return boxes


def _category(found: dict, names: dict[str, str]) -> str | None:
    return found.get('category') or names.get(str(found.get('label')))


def _phrase(region: dict, caption) -> str:
    """What is said of a region: its phrase, else the characters of the caption that it points at."""
    phrase = region.get('phrase')
    if not phrase and isinstance(caption, str):
        phrase = [caption[first:last] for first, last in region.get('tokens_positive') or ()]
    return (' '.join(phrase) if isinstance(phrase, list) else phrase or '').lower()


def _name(name) -> str:
    if not isinstance(name, str) or not name.strip():
        raise BrokenRow('object without a name: give --label-map, a file of label -> name')
    return name.strip()


def _box(box, width: int, height: int) -> dict:
    """A box of corners as COCO has it, cut at the edges of the picture."""
    if not isinstance(box, list) or len(box) != 4:
        raise BrokenRow('box that is not four numbers')
    x1, y1, x2, y2 = (number(value, 'bbox') for value in box)
    x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
    if x2 - x1 < 1 or y2 - y1 < 1:
        raise BrokenRow('box of less than a pixel inside the picture')
    return dict(bbox=[x1, y1, x2 - x1, y2 - y1], area=(x2 - x1) * (y2 - y1), iscrowd=0)
