"""UVO's files with the categories that GLEE was trained with."""
from pathlib import Path

from ..store.broken_rows import BrokenRows
from ..store.json_file import read_categories, rows_of
from ..store.rows import read_rows
from .shards import ConversionError, Skipped, load_json, save_json

OBJECT = {'id': 1, 'name': 'object', 'supercategory': 'object'}
OTHER = 'other'  # UVO's name for what fits no category of COCO, or what nobody was sure of


def convert_uvo(uvo_json, out, one_category: bool | None = None, suffix: str | None = None) -> dict:
    """Writes a file of UVO with the categories that GLEE was trained with.

    Frames (UVO_frame_{train,val}.json) have the one category 'object' (`..._onecate.json`). Dense
    videos (UVO_video_{train,val}_dense_with_label.json) keep COCO's names, and 'other' is called 'object'
    (`..._dense_objectlabel.json`).

    Args:
        uvo_json (str | Path): file as released.
        out (str | Path): file to write.
        one_category (bool): all categories are 'object'; None is what the kind of file asks for.
        suffix (str): of the pictures, e.g. '.jpg', where they are not stored as UVO names them.

    Returns:
        dict: reason -> number of rows left out.

    Raises:
        ConversionError: the file has neither `images` nor `videos`.
        ValueError: a category is not right.
    """
    content = load_json(uvo_json)
    kind = next((key for key in ('videos', 'images') if isinstance(content, dict) and rows_of(content.get(key))), None)
    if kind is None:
        raise ConversionError(f'{uvo_json} has neither `images` nor `videos`')
    categories, broken = read_categories(content.get('categories'), str(uvo_json)), BrokenRows()
    owners, rows = (read_rows(content, key, str(uvo_json), broken) for key in (kind, 'annotations'))
    if kind == 'images' if one_category is None else one_category:
        categories = [OBJECT]
        rows = [dict(row, category_id=OBJECT['id']) for row in rows]
    else:
        categories = [dict(row, name='object') if row['name'] == OTHER else row for row in categories]
    if suffix is not None:
        for owner in owners:
            _rename(owner, suffix)
    save_json(Path(out), {**content, kind: owners, 'annotations': rows, 'categories': categories})
    skipped = Skipped()
    skipped.take(broken, uvo_json)
    return skipped


def _rename(row: dict, suffix: str) -> None:
    """Give the pictures of an image or a video another suffix."""
    if isinstance(row.get('file_name'), str):
        row['file_name'] = _with_suffix(row['file_name'], suffix)
    if isinstance(row.get('file_names'), list):
        row['file_names'] = [_with_suffix(name, suffix) if isinstance(name, str) else name
                             for name in row['file_names']]


def _with_suffix(name: str, suffix: str) -> str:
    return str(Path(name).with_suffix(suffix)) if Path(name).name else name
