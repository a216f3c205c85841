"""LVIS minival out of LVIS val."""
from pathlib import Path

from ..store.json_file import is_id, rows_of
from .shards import ConversionError, load_json, save_json

MINIVAL = 'val2017'  # minival are the images of LVIS val that are in COCO's val2017


def convert_lvis_minival(val_json, out) -> dict:
    """Writes LVIS minival: the images of lvis_v1_val.json that are in COCO's val2017, with their `file_name`.

    Ids, categories, `neg_category_ids` and `not_exhaustive_category_ids` stay.

    Args:
        val_json (str | Path): lvis_v1_val.json as released.
        out (str | Path): file to write, e.g. lvis_v1_minival_inserted_image_name.json.

    Returns:
        dict: 'kept' and the number of images of other splits.

    Raises:
        ConversionError: the file has no image of val2017 with a `coco_url`.
    """
    content = load_json(val_json)
    content = content if isinstance(content, dict) else {}
    rows = [row for row in rows_of(content.get('images')) if isinstance(row, dict) and is_id(row.get('id'))]
    images = [dict(row, file_name=row['coco_url'].rpartition('/')[2]) for row in rows
              if str(row.get('coco_url')).split('/')[-2:-1] == [MINIVAL]]
    if not images:
        raise ConversionError(f'{val_json} has no image with a coco_url in {MINIVAL}: give lvis_v1_val.json')
    ids = {image['id'] for image in images}
    annotations = [row for row in rows_of(content.get('annotations')) if isinstance(row, dict) and
                   row.get('image_id') in ids]
    save_json(Path(out), dict(content, images=images, annotations=annotations))
    return {'images kept': len(images), 'images of other splits': len(rows) - len(images)}
