"""Visual Genome's own files of objects and of regions as COCO-like files of phrases."""
from pathlib import Path

from ...structures.row_values import BrokenRow, corners, image_size, integer, number, string
from ..store.json_file import rows_of
from ..store.json_groups import iterate_list
from .shards import ConversionError, Shard, Skipped, chunks, convert_shards, fill_pattern

IMAGES_PER_SHARD = 5000
# list in the row of an image -> key of an annotation for its phrases, and keys of the box
KINDS = {'objects': ('object_name', ('x', 'y', 'w', 'h')), 'regions': ('caption', ('x', 'y', 'width', 'height'))}


def convert_visual_genome(phrases_json, image_data_json, out, file_pattern: str = '{id}.jpg', progress=None) -> dict:
    """Writes train_from_objects.json out of objects.json, or train.json out of region_descriptions.json.

    Every object or region becomes an annotation with its box and its own phrase: `object_name` (the
    first of an object's `names`) or `caption`. Phrases stay as they are.

    Args:
        phrases_json (str | Path): objects.json or region_descriptions.json as released.
        image_data_json (str | Path): image_data.json as released, which has the sizes of the images.
        out (str | Path): file to write.
        file_pattern (str): `file_name` of an image, with {id} its number and {folder} the last folder
            of its address (VG_100K or VG_100K_2, as the two archives unpack).
        progress (Callable): see `convert_shards`.

    Returns:
        dict: reason -> number of objects, regions or images left out.

    Raises:
        ConversionError: a file is missing or something else.
    """
    sizes = _read_images(image_data_json)

    def convert(rows: list) -> Shard:
        shard = Shard()
        for position, row in rows:
            where = f'{phrases_json}: row {position}'
            try:
                _add_image(shard, row, sizes, file_pattern, where)
            except BrokenRow as problem:
                shard.skipped.add(str(problem), where)
        return shard

    return convert_shards(
        out, chunks(enumerate(_rows(phrases_json)), IMAGES_PER_SHARD), convert,
        {'categories': [{'id': 0, 'name': 'object'}]},
        arguments={'phrases': str(phrases_json), 'images': str(image_data_json), 'pattern': file_pattern},
        progress=progress, total=-(-len(sizes) // IMAGES_PER_SHARD))


def _rows(path):
    """The rows of a file that is a list.

    Raises:
        ConversionError: it is missing or no such file.
    """
    if not Path(path).is_file():
        raise ConversionError(f'{path} does not exist')
    try:
        yield from iterate_list(str(path))
    except ValueError as error:
        raise ConversionError(str(error)) from error


def _read_images(path) -> dict:
    """Image id -> its row of image_data.json."""
    images = {}
    for position, row in enumerate(_rows(path)):
        if isinstance(row, dict) and _is_number(row.get('image_id')):
            if images.setdefault(row['image_id'], row) != row:
                raise ConversionError(f'{path}: row {position} is another image with the image_id {row["image_id"]}')
    if not images:
        raise ConversionError(f'{path} has no row with an image_id: give image_data.json of Visual Genome')
    return images


def _is_number(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _add_image(shard: Shard, row, sizes: dict, file_pattern: str, where: str) -> None:
    kind = next((kind for kind in KINDS if isinstance(row, dict) and isinstance(row.get(kind), list)), None)
    if kind is None:
        raise BrokenRow('row without `objects` or `regions`')
    identifier = integer(row['image_id'] if 'image_id' in row else row.get('id'), 'image_id')
    if identifier not in sizes:
        raise BrokenRow('image that image_data.json lacks')
    image = sizes[identifier]
    width, height = image_size(image)
    annotations = [_annotation(entry, kind, (width, height), shard.skipped, f'{where}, {kind} {position}')
                   for position, entry in enumerate(row[kind])]
    annotations = [annotation for annotation in annotations if annotation is not None]
    if not annotations:
        raise BrokenRow('image without a phrase')
    folder = str(image.get('url', '')).rpartition('/')[0].rpartition('/')[2]
    name = fill_pattern(file_pattern, id=identifier, folder=folder)
    shard.add({'file_name': name, 'width': width, 'height': height, 'original_id': identifier}, annotations)


def _annotation(entry, kind: str, size: tuple, skipped: Skipped, where: str):
    """One object or region; None if it cannot be used, which is counted."""
    key, sides = KINDS[kind]
    try:
        if not isinstance(entry, dict):
            raise BrokenRow(f'entry of `{kind}` that is no row')
        if kind == 'regions':
            phrase = entry.get('phrase')
        else:
            phrase = (rows_of(entry.get('names')) or [entry.get('name')])[0]
        box = [number(entry.get(side), 'box') for side in sides]
        corners(box, *size)
        return {'category_id': 0, 'bbox': box, 'area': box[2] * box[3], 'iscrowd': 0,
                key: string(phrase, 'phrase').strip()}
    except BrokenRow as problem:
        skipped.add(str(problem), where)
        return None
