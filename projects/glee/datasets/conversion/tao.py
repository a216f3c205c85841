"""TAO's own files in the layout of YouTube-VIS."""
from pathlib import Path

from ...structures.row_values import BrokenRow, corners, flag, image_size, integer, number, string
from ..store.broken_rows import BrokenRows
from ..store.json_file import label_of, look_up, read_categories
from ..store.rows import Row, read_owners, read_rows
from ..video.asked_categories import merged_ids
from .shards import ConversionError, Skipped, load_json, save_json

VIDEO_KEYS = ('name', 'neg_category_ids', 'not_exhaustive_category_ids', 'metadata')


def convert_tao(tao_json, out) -> dict:
    """Writes a file with a track of boxes per annotation and, per video, its annotated images in order.

    Ids of videos, images, tracks and categories stay, as do `neg_category_ids`,
    `not_exhaustive_category_ids` and which categories are `merged`. TAO has no masks: its
    `segmentation` is the box once more.

    Args:
        tao_json (str | Path): train.json or validation.json as released, or the file of test, which
            has no annotations.
        out (str | Path): file to write, e.g. validation_ytvisfmt.json.

    Returns:
        dict: reason -> number of rows left out.

    Raises:
        ConversionError: the file lacks a list, or no category says what is merged into it.
        ValueError: nobody knows which row an id means.
    """
    content, broken = load_json(tao_json, 'videos', 'images', 'categories'), BrokenRows()
    categories = read_categories(content['categories'], str(tao_json))
    if not merged_ids(content['categories']):
        raise ConversionError(f'{tao_json}: no category has `merged`, as in the files of TAO: without it TETA is wrong')
    rows, images, owners = (read_owners(content, key, str(tao_json), broken) for key in ('videos', 'images', 'tracks'))
    videos = _videos(rows, images, broken)
    known = {category['id']: category['id'] for category in categories}
    tracks = _tracks(read_rows(content, 'annotations', str(tao_json), broken), owners, videos, known, broken)
    save_json(Path(out), {'videos': list(videos.values()), 'annotations': list(tracks.values()),
                          'categories': categories})
    skipped = Skipped()
    skipped.take(broken, tao_json)
    return skipped


def _videos(rows: dict, image_rows: dict, broken: BrokenRows) -> dict:
    """The videos with an image, by id."""
    images = {}
    for identifier, image in image_rows.items():
        try:
            video = look_up(rows, image.get('video_id'), 'image of an unknown video')
            entry = (integer(image.get('frame_index'), 'frame_index'), identifier,
                     string(image.get('file_name'), 'file_name'))
            images.setdefault(video['id'], []).append(entry)
        except BrokenRow as problem:
            broken.add(str(problem), image.where)
    videos = {}
    for identifier, row in rows.items():
        try:
            width, height = image_size(row)
            if identifier not in images:
                raise BrokenRow('video without images')
        except BrokenRow as problem:
            broken.add(str(problem), row.where)
            continue
        ordered = sorted(images[identifier], key=lambda image: image[0])
        videos[identifier] = {'id': identifier, 'width': width, 'height': height, 'length': len(ordered),
                              'file_names': [name for _, _, name in ordered],
                              'image_ids': [image_id for _, image_id, _ in ordered],
                              **{key: row[key] for key in VIDEO_KEYS if key in row}}
    return videos


def _tracks(rows: list[Row], owners: dict, videos: dict, known: dict, broken: BrokenRows) -> dict:
    """The tracks with a box, by id, in the order of their first rows."""
    tracks, frames = {}, {video['id']: {image_id: position for position, image_id in enumerate(video['image_ids'])}
                          for video in videos.values()}
    for row in rows:
        try:
            owner = look_up(owners, row.get('track_id'), 'annotation of an unknown track')
            video = look_up(videos, owner.get('video_id'), 'track of an unknown video')
            frame = look_up(frames[video['id']], row.get('image_id'), 'annotation of an unknown image')
            corners(row.get('bbox'), video['width'], video['height'], usable=False)
            box, crowd = [number(side, 'box') for side in row['bbox']], int(flag(row.get('iscrowd'), 'iscrowd'))
            category = label_of(owner if owner.get('category_id') is not None else row, known)
            if owner['id'] in tracks and tracks[owner['id']]['bboxes'][frame] is not None:
                raise BrokenRow('track that is twice in one image')
        except BrokenRow as problem:
            broken.add(str(problem), row.where)
            continue
        track = tracks.setdefault(owner['id'], {
            'id': owner['id'], 'video_id': video['id'], 'category_id': category,
            'iscrowd': 0, 'width': video['width'], 'height': video['height'], 'length': video['length'],
            'bboxes': [None] * video['length'], 'areas': [None] * video['length']})
        track['iscrowd'] |= crowd
        track['bboxes'][frame], track['areas'][frame] = box, box[2] * box[3]
    return tracks
