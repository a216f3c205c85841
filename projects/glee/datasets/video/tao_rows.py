"""Boxes of videos as TAO's own files have them, one row per box."""
from ...structures.row_values import BrokenRow, corners, flag
from ..store.broken_rows import BrokenRows
from ..store.json_file import is_id, label_of, look_up
from .video_dataset import make_instance


def add_boxes(records: list[dict], rows: list[dict], labels: dict[int, int], broken: BrokenRows) -> None:
    """Put the ``annotations`` of a validation.json into the frames of their images, in the order of the rows.

    Args:
        records (list[dict]): of the videos, whose frames have the file's image ids as ``img_id``. Rows of other videos
            are passed over.
        rows (list[dict]): with ``video_id``, ``image_id``, ``track_id``, ``category_id`` and ``bbox`` (xywh, px).
        labels (dict[int, int]): label by category id, None for one that nobody asks for.
        broken (BrokenRows): gets the rows that cannot be used.
    """
    frames = {record['video_id']: {frame['img_id']: frame for frame in record['images']} for record in records}
    identities: dict[int, int] = {}
    for position, row in enumerate(rows):
        try:
            if not isinstance(row, dict) or not is_id(row.get('video_id')) or not is_id(row.get('track_id')):
                raise BrokenRow('annotation without video_id or track_id')
            images, label = frames.get(row['video_id']), label_of(row, labels)
            if images is None or label is None:  # None: of a category that nobody asks for
                continue
            frame = look_up(images, row.get('image_id'),
                            "annotation of an image that is not among its video's image_ids")
            box = corners(row.get('bbox'), frame['width'], frame['height'], usable=False)
            identity = identities.setdefault(row['track_id'], len(identities) + 1)
            frame['instances'].append(make_instance(identity, label, box, None,
                                                    flag(row.get('iscrowd'), 'iscrowd')))
        except BrokenRow as problem:
            broken.add(str(problem), f'row {position} of `annotations` of the evaluation file')
