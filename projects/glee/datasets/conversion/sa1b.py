"""SA-1B: one index of all images, without the masks of parts."""
import os
from functools import partial
from pathlib import Path

import numpy as np

from ...structures.masks import areas, shares, to_rle, usable_mask
from ...structures.row_values import BrokenRow, corners, image_size, number, string
from ..store.broken_rows import BrokenRows
from ..store.pictures import in_order, is_stray
from ..store.rows import Row, read_rows
from .shards import ConversionError, Shard, Skipped, chunks, convert_shards, load_json, save_json

IMAGES_PER_SHARD = 1000


def thin_masks(rles: list, threshold: float = 0.5) -> list:
    """Which masks stay when parts are removed: non-maximum suppression with the area as score.

    Two masks A and B overlap by max(IoU, |A∩B| / |A|, |A∩B| / |B|), so a part of a larger mask
    goes however small it is.

    Args:
        rles (list[dict]): compressed COCO RLE of N masks of one size.
        threshold (float): the most that masks which both stay overlap.

    Returns:
        list[int]: indices of the masks that stay, ascending. Of equally large ones the first stays.
    """
    if not rles:
        return []
    share = shares(rles, rles)
    overlap = np.maximum(share, share.T)  # the share of the smaller mask is the largest of the three ratios
    kept = []
    for index in np.argsort(-areas(rles), kind='stable'):
        if not kept or overlap[index, kept].max() <= threshold:
            kept.append(int(index))
    return sorted(kept)


def convert_sa1b(image_dir, json_dir, out, threshold: float = 0.5, max_images: int = None,
                 progress=None, workers: int = 0) -> dict:
    """Writes thinned copies of the JSON files and the index of them.

    The annotations of an image have the same order and number in the index and in its JSON; masks
    are in the JSON only.

    Args:
        image_dir (str | Path): folder of sa_1.json, ... as released, or of one such folder per
            unpacked tar (sa_000000/sa_1.json).
        json_dir (str | Path): where the thinned JSON files go, in the same folders; not `image_dir`.
        out (str | Path): the index, COCO with the one category 'object'. An image's `file_name` is
            its own (sa_1.jpg) with its folder (sa_000000/sa_1.jpg), its thinned file is called alike.
        threshold (float): see `thin_masks`.
        max_images (int): the first so many images, by folder and number, None for all.
        progress (Callable), workers (int): see `convert_shards`.

    Returns:
        dict: reason -> number of annotations or images left out.

    Raises:
        ConversionError: there is no JSON file, or `json_dir` is `image_dir`.
    """
    image_dir, json_dir = Path(image_dir), Path(json_dir)
    if image_dir.resolve() == json_dir.resolve():
        raise ConversionError(f'json_dir={json_dir} is image_dir: the released files would be overwritten')
    paths = _released_files(image_dir, json_dir)[:max_images]
    if not paths:
        raise ConversionError(f'image_dir={image_dir} holds no .json files')

    total = -(-len(paths) // IMAGES_PER_SHARD)
    arguments = {'first': str(paths[0]), 'last': str(paths[-1]), 'images': len(paths), 'threshold': threshold,
                 'json_dir': str(json_dir)}
    return convert_shards(out, chunks(paths, IMAGES_PER_SHARD), partial(_convert_batch, image_dir, json_dir, threshold),
                          {'categories': [{'id': 1, 'name': 'object'}]}, arguments=arguments, progress=progress,
                          total=total, workers=workers)


def _released_files(image_dir: Path, json_dir: Path) -> list:
    """The JSON files of a folder and of those below it, as paths from there, by folder and number."""
    paths = []
    for folder, below, names in os.walk(image_dir):
        folder = Path(folder)
        below[:] = in_order(name for name in below if not is_stray(name) and (folder / name) != json_dir)
        files = (name for name in names if name.endswith('.json') and not is_stray(name))
        paths += [folder.relative_to(image_dir) / name for name in sorted(files, key=lambda name: (len(name), name))]
    return paths


def _convert_batch(image_dir: Path, json_dir: Path, threshold: float, paths: list) -> Shard:
    shard = Shard()
    for path in paths:
        _convert_image(image_dir, path, json_dir / path, threshold, shard)
    return shard


def _convert_image(image_dir: Path, path: Path, target: Path, threshold: float, shard: Shard) -> None:
    try:
        content = load_json(image_dir / path)
        image = content.get('image') if isinstance(content, dict) else None
        if not isinstance(image, dict):
            raise BrokenRow('no `image`')
        (width, height), broken = image_size(image), BrokenRows()
        string(image.get('file_name'), 'file_name')
        annotations = read_rows(content, 'annotations', str(path), broken)
    except ValueError as problem:
        shard.skipped.add('JSON without image and annotations', f'{path}: {problem}')
        return
    shard.skipped.take(broken, path)
    valid = [entry for entry in annotations if _is_valid(entry, [height, width], path, shard.skipped)]
    masks = [to_rle(entry['segmentation'], height, width) for entry in valid]
    kept = [valid[index] for index in thin_masks(masks, threshold)]
    if len(kept) < len(valid):
        shard.skipped.add('part of a larger mask', str(path), len(valid) - len(kept))
    if not kept:
        shard.skipped.add('image without a mask', str(path))
        return
    save_json(target, {'image': image, 'annotations': kept})
    shard.add({'file_name': str(path.parent / image['file_name']), 'width': width, 'height': height},
              [{'category_id': 1, 'bbox': entry['bbox'], 'area': entry['area'], 'iscrowd': 0} for entry in kept])


def _is_valid(entry: Row, size: list, path: Path, skipped: Skipped) -> bool:
    try:
        usable_mask(entry.get('segmentation'), *size)
        corners(entry.get('bbox'), *size[::-1])
        number(entry.get('area'), 'area')
        return True
    except BrokenRow as problem:
        skipped.add(str(problem), f'{path}: {entry.where}')
        return False
