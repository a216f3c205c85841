"""REFER's files (RefCOCO, RefCOCO+, RefCOCOg) in the layout of the released GLEE."""
from collections import defaultdict
from pathlib import Path

from ...structures.masks import usable_mask
from ...structures.row_values import BrokenRow, corners, image_size, number, string
from ..store.broken_rows import BrokenRows
from ..store.json_file import look_up, rows_of
from ..store.refer_pickle import load_refs
from ..store.rows import read_owners
from .shards import ConversionError, Skipped, load_json, save_json


def convert_refer(refs_file, instances_json, out_folder, dataset_name: str) -> dict:
    """Writes instances_{split}.json for every split of a `refs(*).p`.

    There, an image entry holds the `expressions` of one referred object (REFER's raw sentences), the
    COCO image as `original_id` and the name of the data set; one annotation belongs to it.

    Args:
        refs_file (str | Path): refs(unc).p, refs(umd).p, ... as released.
        instances_json (str | Path): instances.json beside it.
        out_folder (str | Path): e.g. annotations/refcoco-unc.
        dataset_name (str): `dataset_name` of the entries: refcoco, refcoco+ or refcocog.

    Returns:
        dict: per split the number of entries written, and reason -> number of objects left out.

    Raises:
        ConversionError: a file is missing or something else, or no object can be used.
        ValueError: nobody knows which image or annotation an id means.
    """
    try:
        refs = load_refs(str(refs_file))
    except FileNotFoundError as error:
        raise ConversionError(f'{refs_file} does not exist') from error
    except ValueError as error:
        raise ConversionError(str(error)) from error
    content, broken = load_json(instances_json, 'images', 'annotations'), BrokenRows()
    images, annotations = (read_owners(content, key, str(instances_json), broken) for key in ('images', 'annotations'))
    splits, skipped = defaultdict(lambda: {'images': [], 'annotations': []}), Skipped()
    skipped.take(broken, instances_json)
    for position, ref in enumerate(refs):
        try:
            split = string(ref.get('split'), 'split')
            entry, annotation = _entry(ref, images, annotations)
        except BrokenRow as problem:
            skipped.add(str(problem), f'{refs_file}: ref {position}, ref_id {ref.get("ref_id")}')
            continue
        number_ = len(splits[split]['images']) + 1
        splits[split]['images'].append(dict(entry, id=number_, dataset_name=dataset_name))
        splits[split]['annotations'].append(dict(annotation, id=number_, image_id=number_))
    if not splits:
        raise ConversionError(f'{refs_file}: no object can be used: {skipped.summary()}')
    for split, rows in splits.items():
        save_json(Path(out_folder) / f'instances_{split}.json', dict(
            rows, categories=[{'id': 1, 'name': 'object', 'supercategory': 'object'}]))
    skipped.update({f'{split}: objects': len(rows['images']) for split, rows in splits.items()})
    return skipped


def _entry(ref: dict, images: dict, annotations: dict) -> tuple[dict, dict]:
    """An image entry and its annotation, without ids.

    Raises:
        BrokenRow: the object cannot be used.
    """
    annotation = look_up(annotations, ref.get('ann_id'), 'ref of an unknown annotation')
    image = look_up(images, ref.get('image_id'), 'ref of an unknown image')
    look_up({image['id']: image}, annotation.get('image_id'), 'ref of an annotation of another image')
    width, height = image_size(image)
    said = [sentence.get('raw') for sentence in rows_of(ref.get('sentences')) if isinstance(sentence, dict)]
    said = [text for text in said if isinstance(text, str) and text.strip()]
    if not said:
        raise BrokenRow('no expression')
    mask = usable_mask(annotation.get('segmentation'), height, width)
    corners(annotation.get('bbox'), width, height)
    box = [number(side, 'box') for side in annotation['bbox']]
    area = annotation.get('area')
    return ({'file_name': string(image.get('file_name'), 'file_name'), 'width': width, 'height': height,
             'original_id': image['id'], 'expressions': said},
            {'category_id': 1, 'bbox': box, 'area': box[2] * box[3] if area is None else number(area, 'area'),
             'iscrowd': 0, 'segmentation': mask, 'original_id': annotation['id']})
