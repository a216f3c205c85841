"""UVO's files with the categories that GLEE was trained with."""
from pathlib import Path

from ..store.json_file import read_categories, rows_of
from .shards import ConversionError, load_json, save_json

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
        dict: nothing is left out.

    Raises:
        ConversionError: the file has neither `images` nor `videos`, or a category is not right.
    """
    content = load_json(uvo_json)
    kind = next((key for key in ('videos', 'images') if isinstance(content, dict) and rows_of(content.get(key))), None)
    if kind is None:
        raise ConversionError(f'{uvo_json} has neither `images` nor `videos`')
    try:
        categories = read_categories(content.get('categories'), str(uvo_json))
    except ValueError as error:
        raise ConversionError(str(error)) from error
    if kind == 'images' if one_category is None else one_category:
        categories = [OBJECT]
        for row in rows_of(content.get('annotations')):
            row['category_id'] = OBJECT['id']
    else:
        categories = [dict(row, name='object') if row['name'] == OTHER else row for row in categories]
    if suffix is not None:
        for row in content[kind]:
            _rename(row, suffix)
    save_json(Path(out), dict(content, categories=categories))
    return {}


def _rename(row: dict, suffix: str) -> None:
    """Give the pictures of an image or a video another suffix."""
    if isinstance(row.get('file_name'), str):
        row['file_name'] = str(Path(row['file_name']).with_suffix(suffix))
    if isinstance(row.get('file_names'), list):
        row['file_names'] = [str(Path(name).with_suffix(suffix)) for name in row['file_names']]
