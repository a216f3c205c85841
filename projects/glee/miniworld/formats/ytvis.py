"""The YouTube-VIS format: one annotation per track, with a list over the frames per key."""
from pathlib import Path

from ..world.vocabulary import MINIWORLD_COCO_CLASSES, MINIWORLD_LVIS_CLASSES, MINIWORLD_UVO_CLASSES
from .files import DATE, LICENSES, info, numbered, write_json
from .masks import mask_to_counts

SHAPE_IDS = {name: index for index, name in enumerate(MINIWORLD_COCO_CLASSES, 1)}
SHAPES = [{'id': index, 'name': name, 'supercategory': 'object'} for name, index in SHAPE_IDS.items()]
OBJECT = [{'id': 1, 'name': 'object', 'supercategory': 'object'}]
NAMELESS = ('arrow', 'hourglass')  # UVO knows these as 'object'
OCCLUSIONS = ((0.05, 'no_occlusion'), (0.5, 'slight_occlusion'), (1., 'severe_occlusion'))


def shape_id(track) -> int:
    return SHAPE_IDS[track.obj.shape]


def video_entry(video, file_names: list, video_id: int = None) -> dict:
    """An element of `videos`."""
    return {'id': video_id or video.video_id, 'file_names': file_names, 'height': video.height, 'width': video.width,
            'length': len(file_names), 'license': 1, 'date_captured': DATE, 'coco_url': '', 'flickr_url': ''}


def track_entry(video, track, category_id: int, frames=None, masks: str = 'rle') -> dict:
    """An element of `annotations`.

    Args:
        video (Video), track (Track): what to write.
        category_id (int): of the track.
        frames (Sequence[int]): of the video that are written, None for all.
        masks (str): 'rle', 'counts' (uncompressed), or '' for none.
    """
    frames = range(video.length) if frames is None else frames
    seen = [track.glimpses[frame] for frame in frames]
    entry = {'id': track.ann_id, 'video_id': video.video_id, 'category_id': category_id, 'iscrowd': 0,
             'height': video.height, 'width': video.width, 'length': len(seen),
             'bboxes': [glimpse and [float(value) for value in glimpse.bbox] for glimpse in seen],
             'areas': [glimpse and float(glimpse.area) for glimpse in seen]}
    if masks:
        forms = {'rle': lambda glimpse: glimpse.rle, 'counts': lambda glimpse: mask_to_counts(glimpse.mask)}
        entry['segmentations'] = [glimpse and forms[masks](glimpse) for glimpse in seen]
    return entry


def occlusion_levels(track) -> list:
    """OVIS's words per frame, None where the object is absent."""
    return [glimpse and next(word for most, word in OCCLUSIONS if share <= most)
            for glimpse, share in zip(track.glimpses, track.hidden)]


def instances(videos, frame_name, category_of, categories: list, masks: str = 'rle', extra=None,
              title: str = 'videos') -> dict:
    """The content of a file. Tracks that `category_of` gives None are left out, and so are videos
    without a track.

    Args:
        videos (Sequence[Video]): of a split.
        frame_name (Callable): (video, frame) -> file name below the folder of the split.
        category_of (Callable): track -> category id or None.
        categories (list[dict]): of the file.
        masks (str): see `track_entry`.
        extra (Callable): track -> further keys of its annotation.
        title (str): of the data set.
    """
    entries, annotations = [], []
    for video in videos:
        tracks = [track for track in video.tracks if any(track.glimpses) and category_of(track) is not None]
        if not tracks:
            continue
        entries.append(video_entry(video, [frame_name(video, frame) for frame in range(video.length)]))
        for track in tracks:
            annotations.append(track_entry(video, track, category_of(track), masks=masks))
            annotations[-1].update(extra(track) if extra else {})
    return {'info': info(title), 'licenses': LICENSES, 'videos': entries, 'annotations': annotations,
            'categories': categories}


def occluded(content: dict, videos) -> dict:
    """The part of a file that belongs to the occlusion split: the same ids, fewer videos."""
    ids = {video.video_id for video in videos if video.occluded}
    return dict(content, videos=[video for video in content['videos'] if video['id'] in ids],
                annotations=[entry for entry in content['annotations'] if entry['video_id'] in ids])


def frames_as_images(content: dict) -> dict:
    """The COCO file of a content of `instances`: every frame is an image, a track its `instance_id`."""
    entries = []
    for video in content['videos']:
        tracks = [track for track in content['annotations'] if track['video_id'] == video['id']]
        for frame, name in enumerate(video['file_names']):
            image = {'file_name': name, 'width': video['width'], 'height': video['height'], 'video_id': video['id'],
                     'frame_id': frame}
            entries.append((image, [
                {'category_id': track['category_id'], 'bbox': track['bboxes'][frame], 'iscrowd': 0,
                 'instance_id': track['id'], 'area': track['areas'][frame],
                 'segmentation': track['segmentations'][frame]} for track in tracks if track['bboxes'][frame]]))
    return numbered(content['categories'], entries)


def frame_00000(video, frame: int) -> str:
    """'{video}/00005.jpg': every fifth frame of the original, as in YouTube-VIS and YouTube-VOS."""
    return f'{video.name}/{5 * frame:05d}.jpg'


def frame_img_0000001(video, frame: int) -> str:
    return f'{video.name}/img_{frame + 1:07d}.jpg'


def frame_png(video, frame: int) -> str:
    return f'{video.name}/{frame}.png'


def write_ytvis(year: int):
    """The function that writes ytvis_{year}/annotations/ for the versions 2019 and 2021."""

    def write(root: Path, split: str, videos) -> None:
        folder = root / f'ytvis_{year}/annotations'
        content = instances(videos, frame_00000, shape_id, SHAPES, 'counts', title=f'YouTube-VIS {year}')
        write_json(folder / f'instances_{split}_sub.json', content)
        if split == 'val':
            write_json(folder / f'instances_{split}_sub_occlusion.json', occluded(content, videos))
        else:
            write_json(folder / f'ytvis{year % 100}_cocofmt.json', frames_as_images(content))

    return write


def write_ovis(root: Path, split: str, videos) -> None:
    """Writes ovis/annotations_{train,valid}.json, annotations_valid_occlusion.json, ovis_cocofmt.json."""
    content = instances(videos, frame_img_0000001, shape_id, SHAPES, title='OVIS',
                        extra=lambda track: {'occlusion': occlusion_levels(track)})
    if split == 'val':
        write_json(root / 'ovis/annotations_valid.json', content)
        write_json(root / 'ovis/annotations_valid_occlusion.json', occluded(content, videos))
    else:
        write_json(root / 'ovis/annotations_train.json', content)
        write_json(root / 'ovis/ovis_cocofmt.json', frames_as_images(content))


def write_uvo_video(root: Path, split: str, videos) -> None:
    """Writes UVO/annotations/VideoDenseSet/UVO_video_{split}_dense_objectlabel.json."""
    names = {name: index for index, name in enumerate(MINIWORLD_UVO_CLASSES, 1)}

    def category(track):
        return names['object' if track.obj.shape in NAMELESS else f'{track.obj.shape}, object']

    categories = [{'id': index, 'name': name, 'supercategory': 'object'} for name, index in names.items()]
    write_json(root / f'UVO/annotations/VideoDenseSet/UVO_video_{split}_dense_objectlabel.json',
               instances(videos, frame_png, category, categories, title='UVO dense video'))


def write_lvvis(root: Path, split: str, videos) -> None:
    """Writes lvvis/{split}_instances.json: every fifth category is novel, only in val.

    `partition` is 0 or 1 for base and 2 or 3 for novel categories.
    """
    ids = {name: index for index, name in enumerate(MINIWORLD_LVIS_CLASSES, 1)}
    partition = {name: 2 + index // 5 % 2 if index % 5 == 0 else index % 2 for name, index in ids.items()}
    categories = [{'id': index, 'name': name, 'partition': partition[name]} for name, index in ids.items()]

    def category(track):
        name = track.obj.fine_name
        return None if split == 'train' and partition[name] > 1 else ids[name]

    write_json(root / f'lvvis/{split}_instances.json',
               instances(videos, frame_00000, category, categories, title='LV-VIS'))
