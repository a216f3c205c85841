"""Videos with sentences to reason about: ReVOS and ReasonVOS.

What an object looks like can be read off a frame, what it does has to be concluded from all of them: sentences of the
second kind stand for those that need reasoning.
"""
from collections import namedtuple
from typing import Callable

import numpy as np

from ..world.video_expressions import refer_to_tracks
from ..world.vocabulary import SHAPES
from .files import write_bytes, write_json
from .masks import mask_to_rle
from .vos import encode_ids, frame_davis

MOST = 4  # sentences of each kind in a video
SOURCES = ('MOSE', 'MeViS', 'BURST')  # of ReasonVOS's videos, by turns
REFERRING, REASONING, NOTHING = 0, 1, 2  # type_id of ReVOS

Said = namedtuple('Said', 'targets reasoned sentence')


def write_revos(plan, sampler) -> None:
    """Writes ReVOS/: JPEGImages/, meta_expressions_{train,valid}_.json, mask_dict.json, mask_dict_foreground.json.

    Both splits share folder and masks. One sentence of each video is about a shape that is not in it.
    """
    masks, foregrounds = {}, {}
    for split, called in (('train', 'train'), ('val', 'valid')):
        videos = plan.film('revos', split, _frame_path('ReVOS'), sampler)
        metas = {video.name: _revos_meta(video, masks) for video in videos}
        foregrounds.update({video.name: dict(masks_rle=_foreground(video)) for video in videos})
        write_json(plan.root / f'ReVOS/meta_expressions_{called}_.json', {'videos': metas})
    write_json(plan.root / 'ReVOS/mask_dict.json', masks)
    write_json(plan.root / 'ReVOS/mask_dict_foreground.json', foregrounds)


def write_reason_vos(plan, sampler) -> None:
    """Writes ReasonVOS/, which is a test set alone: JPEGImages/, meta_expressions.json and, in Annotations/, a folder
    of PNG files for each object that a sentence is about."""
    videos = plan.film('reason_vos', 'val', _frame_path('ReasonVOS'), sampler)
    metas = {}
    for number, video in enumerate(videos):
        source = SOURCES[number % len(SOURCES)]
        said = [row for row in _said(video) if len(row.targets) == 1]
        expressions = [dict(exp_id=index, exp_text=row.sentence, obj_id=row.targets[0] + 1, is_sent=int(row.reasoned))
                       for index, row in enumerate(said)]
        if expressions:
            metas[video.name] = dict(source=source, frames=_frames(video), expressions=expressions)
        for target in {row.targets[0] for row in said}:
            folder = plan.root / f'ReasonVOS/Annotations/{source.lower()}_{video.name}_{target + 1}'
            for frame, glimpse in zip(_frames(video), video.tracks[target].glimpses):
                if glimpse:
                    write_bytes(folder / f'{frame}.png', encode_ids(glimpse.mask * np.uint8(255)))
    write_json(plan.root / 'ReasonVOS/meta_expressions.json', {'videos': metas})


def _frame_path(folder: str) -> Callable:
    """(video, frame) -> path below the world."""
    return lambda video, frame: f'{folder}/JPEGImages/{frame_davis(video, frame)}'


def _said(video) -> list:
    """Up to ``MOST`` sentences about looks and as many about motion, in a fixed random order each."""
    rng = video.rng('expressions')
    found = []
    for kind in ('look', 'motion'):
        rows = [Said(referral.targets, kind == 'motion', sentence) for referral in refer_to_tracks(video, plurals=True)
                if referral.kind == kind for sentence in referral.sentences]
        found += [rows[index] for index in sorted(rng.permutation(len(rows))[:MOST].tolist())]
    return found


def _revos_meta(video, masks: dict) -> dict:
    """A video of meta_expressions; ``masks`` gains the masks of all its objects, over all frames."""
    first = len(masks)
    tracks = [index for index, track in enumerate(video.tracks) if any(track.glimpses)]
    for number, index in enumerate(tracks, first):
        masks[str(number)] = [glimpse and glimpse.rle for glimpse in video.tracks[index].glimpses]
    rows = []
    for row in _said(video):
        objects = [tracks.index(target) for target in row.targets]
        rows.append(dict(exp=row.sentence, obj_id=objects, anno_id=[first + number for number in objects],
                         type_id=REASONING if row.reasoned else REFERRING,
                         tp='reasoning' if row.reasoned else 'category'))
    absent = [shape for shape in SHAPES if shape not in {video.tracks[index].obj.shape for index in tracks}]
    if absent:
        rows.append(dict(exp=f'the {absent[0]}', obj_id=[], anno_id=[], type_id=NOTHING, tp='hallucination'))
    return dict(vid_id=video.video_id, height=video.height, width=video.width, frames=_frames(video),
                expressions={str(number): row for number, row in enumerate(rows)})


def _foreground(video) -> list:
    """RLE of all objects of each frame together."""
    result = []
    for frame in range(video.length):
        mask = np.zeros((video.height, video.width), bool)
        for track in video.tracks:
            if track.glimpses[frame]:
                mask |= track.glimpses[frame].mask
        result.append(mask_to_rle(mask))
    return result


def _frames(video) -> list:
    return [f'{frame:05d}' for frame in range(video.length)]
