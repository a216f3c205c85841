"""LVIS minival out of LVIS val."""
from pathlib import Path

from ...structures.row_values import BrokenRow
from ..store.broken_rows import BrokenRows
from ..store.json_file import look_up
from ..store.rows import read_owners, read_rows
from .shards import ConversionError, Skipped, load_json, save_json

MINIVAL = 'val2017'  # minival are the images of LVIS val that are in COCO's val2017


def convert_lvis_minival(val_json, out) -> dict:
    """Writes LVIS minival: the images of lvis_v1_val.json that are in COCO's val2017, with their `file_name`.

    Ids, categories, `neg_category_ids` and `not_exhaustive_category_ids` stay.

    Args:
        val_json (str | Path): lvis_v1_val.json as released.
        out (str | Path): file to write, e.g. lvis_v1_minival_inserted_image_name.json.

    Returns:
        dict: the numbers of images kept and of other splits, and reason -> number of rows left out.

    Raises:
        ConversionError: the file has no image of val2017 with a `coco_url`.
        ValueError: nobody knows which image an id means.
    """
    content, broken = load_json(val_json, 'images', 'annotations'), BrokenRows()
    rows = read_owners(content, 'images', str(val_json), broken)
    images = {}
    for identifier, row in rows.items():
        if not isinstance(row.get('coco_url'), str):
            broken.add('image without a coco_url', row.where)
        elif row['coco_url'].split('/')[-2:-1] == [MINIVAL]:
            images[identifier] = dict(row, file_name=row['coco_url'].rpartition('/')[2])
    if not images:
        raise ConversionError(f'{val_json} has no image with a coco_url in {MINIVAL}: give lvis_v1_val.json')
    annotations = []
    for row in read_rows(content, 'annotations', str(val_json), broken):
        try:
            if look_up(rows, row.get('image_id'), 'annotation of an unknown image')['id'] in images:
                annotations.append(row)
        except BrokenRow as problem:
            broken.add(str(problem), row.where)
    save_json(Path(out), dict(content, images=list(images.values()), annotations=annotations))
    counts = Skipped({'images kept': len(images), 'images of other splits': len(rows) - len(images)})
    counts.take(broken, val_json)
    return counts
