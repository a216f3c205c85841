"""Video object segmentation: palette PNG trees, and the YouTube-VIS like files made of them."""
import io
from pathlib import Path

import numpy as np
from PIL import Image

from .files import write_bytes, write_json
from .ytvis import OBJECT, frame_00000, instances

UNSEEN = ('crescent', 'hourglass')  # shapes of YouTube-VOS that only val annotates


def davis_palette() -> list:
    """The colours of DAVIS and YouTube-VOS: the bits of an index, spread over RGB; 768 values."""
    palette = np.zeros((256, 3), int)
    for index in range(256):
        bits = index
        for shift in range(7, -1, -1):
            palette[index] |= [(bits >> channel & 1) << shift for channel in range(3)]
            bits >>= 3
    return palette.ravel().tolist()


PALETTE = davis_palette()


def encode_ids(ids: np.ndarray) -> bytes:
    """A palette PNG of uint8 (H, W) object ids, 0 for background."""
    image = Image.fromarray(ids)
    image.putpalette(PALETTE)  # makes it a palette image
    data = io.BytesIO()
    image.save(data, 'PNG')
    return data.getvalue()


def id_map(video, frame: int, tracks) -> np.ndarray:
    """Object ids of a frame, from 1 in the order of `tracks`, uint8 (H, W)."""
    ids = np.zeros((video.height, video.width), np.uint8)
    for number, track in enumerate(tracks, 1):
        if track.glimpses[frame]:
            ids[track.glimpses[frame].mask] = number
    return ids


def write_masks(folder: Path, video, tracks, frame_name=frame_00000) -> None:
    """Writes the id maps of all frames to `folder`/{video}/{frame}.png."""
    for frame in range(video.length):
        path = (folder / frame_name(video, frame)).with_suffix('.png')
        write_bytes(path, encode_ids(id_map(video, frame, tracks)))


def frame_davis(video, frame: int) -> str:
    return f'{video.name}/{frame:05d}.jpg'


def _seen(video) -> list:
    return [track for track in video.tracks if any(track.glimpses)]


def write_ytvos(root: Path, split: str, videos) -> None:
    """Writes ytbvos18/{split}/: {split}.json, Annotations/, meta.json (categories are shapes).

    In val, annotations are complete although the real ones end with the first frame of an object.
    """
    folder = root / f'ytbvos18/{split}'
    meta, kept = {}, {}
    for video in videos:
        kept[video.video_id] = [track for track in _seen(video) if split == 'val' or track.obj.shape not in UNSEEN]
        write_masks(folder / 'Annotations', video, kept[video.video_id])
        meta[video.name] = {'objects': {
            str(number): {'category': track.obj.shape, 'frames': [
                f'{5 * frame:05d}' for frame, glimpse in enumerate(track.glimpses) if glimpse]}
            for number, track in enumerate(kept[video.video_id], 1)}}
    write_json(folder / 'meta.json', {'videos': meta})
    ids = {track.ann_id for tracks in kept.values() for track in tracks}
    write_json(folder / f'{split}.json',
               instances(videos, frame_00000, lambda track: 1 if track.ann_id in ids else None, OBJECT,
                         title='YouTube-VOS'))


def write_mose(root: Path, split: str, videos) -> None:
    """Writes mose/{split}/: {split}.json and Annotations/."""
    folder = root / f'mose/{split}'
    for video in videos:
        write_masks(folder / 'Annotations', video, _seen(video), frame_davis)
    write_json(folder / f'{split}.json', instances(videos, frame_davis, lambda track: 1, OBJECT, title='MOSE'))


def write_davis(root: Path, split: str, videos) -> None:
    """Writes DAVIS/Annotations/480p/, DAVIS/ImageSets/2017/{split}.txt and DAVIS/2017_{split}.json."""
    for video in videos:
        write_masks(root / 'DAVIS/Annotations/480p', video, _seen(video), frame_davis)
    write_bytes(root / f'DAVIS/ImageSets/2017/{split}.txt', ''.join(f'{video.name}\n' for video in videos).encode())
    write_json(root / f'DAVIS/2017_{split}.json',
               instances(videos, frame_davis, lambda track: 1, OBJECT, title='DAVIS 2017'))
