"""TAO and BURST over the same frames, of which every third is annotated.

Videos are annotated federatedly: a category of a video is positive, verified to be absent
(`neg_category_ids`), or unknown; `not_exhaustive_category_ids` have tracks without annotation.
"""
from dataclasses import dataclass
from pathlib import Path

from ..world.vocabulary import MINIWORLD_LVIS_CLASSES
from .files import LICENSES, info, write_json
from .ytvis import track_entry, video_entry

STEP = 3  # frames from one annotated frame to the next
CATEGORY_IDS = {name: index for index, name in enumerate(MINIWORLD_LVIS_CLASSES, 1)}
MERGED = (MINIWORLD_LVIS_CLASSES[0], MINIWORLD_LVIS_CLASSES[1])  # the second counts as the first
NEGATIVES = 8
NOT_EXHAUSTIVE_PROB = 0.15  # of a category with several tracks in a video
FOLDER = 'MiniWorld'  # the data set that videos come from, as in TAO's paths
LONG_SPLITS = {'train': 'train', 'val': 'validation'}


def frame_tao(video, frame: int) -> str:
    """'{FOLDER}/{video}/frame0001.jpg'."""
    return f'{FOLDER}/{video.name}/frame{frame + 1:04d}.jpg'


@dataclass(frozen=True)
class Federation:
    """What is annotated in a video: tracks, and category ids as in the file."""
    tracks: tuple
    neg_category_ids: list
    not_exhaustive_category_ids: list


def annotated_frames(video) -> range:
    return range(0, video.length, STEP)


def federate(video) -> Federation:
    """Decides what is known about a video."""
    rng = video.rng('federation')
    present = {}
    for track in video.tracks:
        if any(track.glimpses[frame] for frame in annotated_frames(video)):
            present.setdefault(CATEGORY_IDS[track.obj.fine_name], []).append(track)
    tracks, not_exhaustive = [], []
    for category in sorted(present):
        incomplete = rng.random() < NOT_EXHAUSTIVE_PROB and len(present[category]) > 1
        tracks += present[category][1:] if incomplete else present[category]
        not_exhaustive += [category] if incomplete else []
    absent = [category for category in CATEGORY_IDS.values() if category not in present]
    negatives = rng.choice(absent, NEGATIVES, replace=False).tolist()
    return Federation(tuple(sorted(tracks, key=lambda track: track.ann_id)), sorted(negatives), not_exhaustive)


def write_tao_burst(root: Path, split: str, videos) -> None:
    """Writes TAO/TAO_annotations/{train,validation}.json and ..._ytvisfmt.json, and
    burst_annotations/{split}/ and TAO_{split}_withlabel_ytvisformat.json."""
    federations = [federate(video) for video in videos]
    pairs = list(zip(videos, federations))
    folder = root / 'TAO/TAO_annotations'
    tao = tao_content(pairs, split)
    write_json(folder / f'{LONG_SPLITS[split]}.json', tao)
    write_json(folder / f'{LONG_SPLITS[split]}_ytvisfmt.json', _ytvis_content(pairs, split, tao, masks=''))
    folder = root / 'burst_annotations'
    write_json(folder / f'{split}/{"all_classes" if split == "val" else split}.json', burst_content(pairs, split))
    write_json(folder / f'TAO_{split}_withlabel_ytvisformat.json', _ytvis_content(pairs, split, tao, masks='rle'))


def tao_categories() -> list:
    entries = []
    for name, index in CATEGORY_IDS.items():
        entry = {'id': index, 'name': name, 'synset': f'{name.replace(" ", "_")}.n.01', 'synonyms': [name],
                 'def': name, 'frequency': 'fcr'[index % 3]}
        if name == MERGED[0]:
            entry['merged'] = [{'id': CATEGORY_IDS[MERGED[1]], 'name': MERGED[1]}]
        entries.append(entry)
    return entries


def tao_content(pairs: list, split: str) -> dict:
    """videos, images, tracks and annotations; boxes, whose corners are also the `segmentation`."""
    entries, images, tracks, annotations = [], [], [], []
    for video, federation in pairs:
        name = f'{split}/{FOLDER}/{video.name}'
        entries.append({'id': video.video_id, 'name': name, 'height': video.height, 'width': video.width,
                        'neg_category_ids': federation.neg_category_ids,
                        'not_exhaustive_category_ids': federation.not_exhaustive_category_ids,
                        'metadata': {'dataset': FOLDER}})
        first = len(images) + 1
        tracks += [{'id': track.ann_id, 'category_id': CATEGORY_IDS[track.obj.fine_name], 'video_id': video.video_id}
                   for track in federation.tracks]
        for number, frame in enumerate(annotated_frames(video)):
            images.append({'id': first + number, 'video': name, 'video_id': video.video_id, 'frame_index': frame,
                           'file_name': f'{split}/{frame_tao(video, frame)}', 'height': video.height,
                           'width': video.width, 'license': 1})
            for track in federation.tracks:
                if track.glimpses[frame]:
                    annotations.append(_box(len(annotations) + 1, first + number, video, track, frame))
    return {'info': info('TAO'), 'licenses': LICENSES, 'videos': entries, 'images': images, 'tracks': tracks,
            'annotations': annotations, 'categories': tao_categories()}


def _box(ann_id: int, image_id: int, video, track, frame: int) -> dict:
    x, y, width, height = (float(value) for value in track.glimpses[frame].bbox)
    corners = [x, y, x + width, y, x + width, y + height, x, y + height]
    return {'id': ann_id, 'image_id': image_id, 'video_id': video.video_id, 'track_id': track.ann_id,
            'category_id': CATEGORY_IDS[track.obj.fine_name], 'bbox': [x, y, width, height],
            'area': width * height, 'segmentation': [corners], 'iscrowd': 0}


def _ytvis_content(pairs: list, split: str, tao: dict, masks: str) -> dict:
    """The annotated frames in the YouTube-VIS format; `image_ids` are those of TAO."""
    image_ids = {}
    for image in tao['images']:
        image_ids.setdefault(image['video_id'], []).append(image['id'])
    entries, annotations = [], []
    for video, federation in pairs:
        frames = annotated_frames(video)
        names = [f'{split}/{frame_tao(video, frame)}' for frame in frames]
        entries.append(dict(video_entry(video, names), image_ids=image_ids[video.video_id],
                            neg_category_ids=federation.neg_category_ids,
                            not_exhaustive_category_ids=federation.not_exhaustive_category_ids))
        annotations += [track_entry(video, track, CATEGORY_IDS[track.obj.fine_name], frames, masks)
                        for track in federation.tracks]
    return {'info': info('TAO'), 'licenses': LICENSES, 'videos': entries, 'annotations': annotations,
            'categories': tao['categories']}


def burst_content(pairs: list, split: str) -> dict:
    """BURST's sequences: masks per annotated frame and track, tracks numbered from 1."""
    sequences = []
    for video, federation in pairs:
        names = [Path(frame_tao(video, frame)).name for frame in range(video.length)]
        segmentations = []
        for frame in annotated_frames(video):
            segmentations.append({
                str(number): {'rle': track.glimpses[frame].rle['counts'], 'is_gt': True}
                for number, track in enumerate(federation.tracks, 1) if track.glimpses[frame]})
        sequences.append({
            'id': video.video_id, 'width': video.width, 'height': video.height, 'dataset': FOLDER,
            'seq_name': video.name, 'fps': 6, 'all_image_paths': names, 'annotated_image_paths': names[::STEP],
            'neg_category_ids': federation.neg_category_ids,
            'not_exhaustive_category_ids': federation.not_exhaustive_category_ids,
            'track_category_ids': {str(number): CATEGORY_IDS[track.obj.fine_name]
                                   for number, track in enumerate(federation.tracks, 1)},
            'segmentations': segmentations})
    return {'sequences': sequences, 'split': split,
            'categories': [{'id': index, 'name': name} for name, index in CATEGORY_IDS.items()]}
