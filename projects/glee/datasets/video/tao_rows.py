"""Boxes of videos as TAO's own files have them, one row per box."""
from ...structures.row_values import BrokenRow, corners, flag
from ..store.box_layout import BoxLayout
from ..store.broken_rows import BrokenRows
from ..store.json_file import is_id, label_of, look_up, other_spelling
from ..store.rows import Row
from .video_dataset import make_instance


def add_boxes(records: list[dict], rows: list[Row], labels: dict, videos: dict, broken: BrokenRows,
              layout: BoxLayout) -> None:
    """Put the ``annotations`` of a validation.json into the frames of their images, in the order of the rows.

    Args:
        records (list[dict]): of the videos, whose frames have the file's image ids as ``img_id``. Rows of other videos
            are passed over.
        rows (list[Row]): with ``video_id``, ``image_id``, ``track_id``, ``category_id`` and ``bbox`` (xywh, px).
        labels (dict): label by category id, None for one that nobody asks for.
        videos (dict): all that the file has, by id.
        broken (BrokenRows): gets the rows that cannot be used.
        layout (BoxLayout): sees all boxes.
    """
    frames = {record['video_id']: {frame['img_id']: frame for frame in record['images']} for record in records}
    tracks: dict[tuple, tuple[int, int]] = {}  # (video, track) -> identity, label
    shown = set()
    for row in rows:
        try:
            if not is_id(row.get('video_id')) or not is_id(row.get('track_id')):
                raise BrokenRow('annotation without video_id or track_id')
            look_up(videos, row['video_id'], 'annotation of an unknown video')
            label = label_of(row, labels)
            video_id = next((key for key in (row['video_id'], other_spelling(row['video_id'])) if key in frames), None)
            if video_id is None or label is None:  # of another file, or of a category that nobody asks for
                continue
            images = frames[video_id]
            frame = look_up(images, row.get('image_id'),
                            "annotation of an image that is not among its video's image_ids")
            box = corners(row.get('bbox'), frame['width'], frame['height'], usable=False)
            ignore, key = flag(row.get('iscrowd'), 'iscrowd'), (video_id, row['track_id'])
            identity, named = tracks.get(key, (len(tracks) + 1, label))
            if named != label:
                raise BrokenRow('track of two categories')
            if (identity, frame['img_id']) in shown:
                raise BrokenRow('track that is twice in one image')
            tracks[key] = identity, label
            shown.add((identity, frame['img_id']))
            layout.see(box, frame['width'], frame['height'], row.where)
            frame['instances'].append(make_instance(identity, label, box, None, ignore))
        except BrokenRow as problem:
            broken.add(str(problem), row.where)
