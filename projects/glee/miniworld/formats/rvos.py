"""Videos with sentences: Ref-YouTube-VOS, Ref-DAVIS17 and MeViS."""
from pathlib import Path

from ..world.video_expressions import refer_to_tracks
from .files import LICENSES, info, numbered, write_json
from .vos import frame_davis, write_masks
from .ytvis import OBJECT, frame_00000, track_entry, video_entry

ANNOTATORS = 4  # of Ref-DAVIS17, each with a sentence of its own per object
MOST_PER_OBJECT = 2  # sentences of Ref-YouTube-VOS
MOST_PER_VIDEO = 8  # sentences of MeViS


def write_ref_ytvos(root: Path, split: str, videos) -> None:
    """Writes ref-youtube-vos/: {train,valid}.json, their Annotations/ and meta_expressions/, and
    RVOS_refcocofmt.json. In valid, masks are there although the real ones are hidden."""
    folder = root / 'ref-youtube-vos'
    split = {'val': 'valid'}.get(split, split)
    spoken = {video.video_id: _per_object(video, MOST_PER_OBJECT) for video in videos}
    for video in videos:
        write_masks(folder / split / 'Annotations', video, _numbered(video))
    write_json(folder / f'{split}.json', _expression_videos(videos, spoken, frame_00000, 'Ref-YouTube-VOS'))
    write_json(folder / f'meta_expressions/{split}/meta_expressions.json',
               {'videos': {video.name: _meta(video, spoken[video.video_id], frame_00000) for video in videos}})
    if split == 'train':
        write_json(folder / 'RVOS_refcocofmt.json', _frames_of_objects(videos, spoken))


def _frames_of_objects(videos, spoken: dict) -> dict:
    """The frames in the layout of RefCOCO: an image entry, and its one annotation, per frame that shows an object.

    All sentences about an object are the `expressions` of its entries.
    """
    entries = []
    for video in videos:
        for position in dict.fromkeys(position for position, _ in spoken[video.video_id]):
            sentences = [sentence for other, sentence in spoken[video.video_id] if other == position]
            for frame, glimpse in enumerate(video.tracks[position].glimpses):
                if glimpse:
                    image = {'file_name': frame_00000(video, frame), 'width': video.width, 'height': video.height,
                             'expressions': sentences, 'dataset_name': 'ref-youtube-vos', 'video': video.name,
                             'frame_id': frame}
                    entries.append((image, [{
                        'category_id': 1, 'segmentation': glimpse.rle, 'bbox': [float(value) for value in glimpse.bbox],
                        'area': float(glimpse.area), 'iscrowd': 0}]))
    return numbered(OBJECT, entries)


def write_ref_davis(root: Path, split: str, videos) -> None:
    """Writes ref-davis/: DAVIS/Annotations_unsupervised/, meta_expressions/ and, of valid, mask_dict.json and
    valid_{0..3}.json, one per annotator. Only objects that a sentence can name are annotated."""
    folder = root / 'ref-davis'
    split = {'val': 'valid'}.get(split, split)
    spoken = {video.video_id: _per_object(video, ANNOTATORS, at_least=ANNOTATORS) for video in videos}
    masks, metas = {}, {}
    for video in videos:
        said = {position for position, _ in spoken[video.video_id]}
        write_masks(folder / 'DAVIS/Annotations_unsupervised/480p', video,
                    [track for position, track in enumerate(video.tracks) if position in said], frame_davis)
        metas[video.name] = _meta(video, spoken[video.video_id], frame_davis, masks)
    write_json(folder / f'meta_expressions/{split}/meta_expressions.json', {'videos': metas})
    if split == 'valid':
        write_json(folder / 'mask_dict.json', masks)
        for annotator in range(ANNOTATORS):
            entries = [_annotator_entry(video, number, spoken[video.video_id][annotator::ANNOTATORS])
                       for number, video in enumerate(videos, 1)]
            write_json(folder / f'{split}_{annotator}.json', {'videos': entries, 'categories': OBJECT})


def _annotator_entry(video, number: int, pairs: list) -> dict:
    """A video with all sentences of one annotator of Ref-DAVIS17, one per object, in a list of their own."""
    names = [frame_davis(video, frame) for frame in range(video.length)]
    return dict(video_entry(video, names, number), video=video.name, expressions=[[sentence for _, sentence in pairs]])


def write_mevis(root: Path, split: str, videos, name: str = 'mevis', refer=None) -> None:
    """Writes {name}/{train,valid_u}/: meta_expressions.json and mask_dict.json.

    Args:
        root (Path), split (str), videos: as of the other writers.
        name (str): of the folder.
        refer (Callable): video -> ``VideoReferral``s, all of whose sentences are written; None writes sentences about
            motion, which may refer to several objects, up to ``MOST_PER_VIDEO`` per video.
    """
    folder = root / name / {'val': 'valid_u'}.get(split, split)
    masks, metas = {}, {}
    for video in videos:
        first = len(masks)
        tracks = [track for track in video.tracks if any(track.glimpses)]
        masks.update({str(first + number): _masks(track) for number, track in enumerate(tracks)})
        numbers = {video.tracks.index(track): number for number, track in enumerate(tracks)}
        spoken = _motions(video) if refer is None else [
            (referral, sentence) for referral in refer(video) for sentence in referral.sentences]
        expressions = {}
        for referral, sentence in spoken:
            targets = [numbers[target] for target in referral.targets]
            expressions[str(len(expressions))] = {'exp': sentence, 'obj_id': targets,
                                                  'anno_id': [first + target for target in targets]}
        if expressions:
            metas[video.name] = {'expressions': expressions, 'vid_id': video.video_id,
                                 'frames': _frame_names(video, frame_davis)}
    write_json(folder / 'meta_expressions.json', {'videos': metas})
    write_json(folder / 'mask_dict.json', masks)


def _motions(video) -> list:
    """(referral, sentence) of up to `MOST_PER_VIDEO` sentences, motions before looks."""
    rng = video.rng('expressions')
    referrals = [referral for referral in refer_to_tracks(video, plurals=True) if referral.kind == 'motion']
    chosen = sorted(rng.permutation(len(referrals))[:MOST_PER_VIDEO].tolist())
    return [(referrals[index], referrals[index].sentences[int(rng.integers(len(referrals[index].sentences)))])
            for index in chosen]


def _per_object(video, most: int, at_least: int = 1) -> list:
    """(position of the track, sentence): up to `most` per object, motions and looks by turns."""
    rng = video.rng('expressions')
    pools = {}
    for referral in refer_to_tracks(video):
        pools.setdefault(referral.targets[0], {}).setdefault(referral.kind, []).extend(referral.sentences)
    spoken = []
    for position in sorted(pools):
        kinds = [rng.permutation(pools[position][kind]).tolist() for kind in sorted(pools[position], reverse=True)]
        turns = [sentences[turn] for turn in range(max(map(len, kinds)))
                 for sentences in kinds if turn < len(sentences)]
        turns = list(dict.fromkeys(turns))[:most]
        # An annotator repeats what another one said rather than nothing.
        turns += [turns[turn % len(turns)] for turn in range(at_least - len(turns))]
        spoken += [(position, sentence) for sentence in turns]
    return spoken


def _numbered(video) -> list:
    """The tracks whose position, from 1, is their id in the PNG files."""
    return [track for track in video.tracks if any(track.glimpses)]


def _frame_names(video, frame_name) -> list:
    return [Path(frame_name(video, frame)).stem for frame in range(video.length)]


def _masks(track) -> list:
    return [glimpse and glimpse.rle for glimpse in track.glimpses]


def _meta(video, pairs: list, frame_name, masks: dict = None) -> dict:
    """A video of meta_expressions.json; with `masks`, that dict gains the masks of `anno_id`."""
    ids = _object_ids(video, pairs, only_said=masks is not None)
    entry = {'expressions': {}, 'frames': _frame_names(video, frame_name)}
    annotations = {}
    for position, sentence in pairs:
        expression = {'exp': sentence, 'obj_id': str(ids[position])}
        if masks is not None:
            if position not in annotations:
                annotations[position] = str(len(masks))
                masks[annotations[position]] = _masks(video.tracks[position])
            expression['anno_id'] = [int(annotations[position])]
        entry['expressions'][str(len(entry['expressions']))] = expression
    return entry


def _object_ids(video, pairs: list, only_said: bool) -> dict:
    """Position of a track -> id in the PNG files of the data set."""
    said = {position for position, _ in pairs}
    positions = [position for position, track in enumerate(video.tracks)
                 if any(track.glimpses) and (position in said or not only_said)]
    return {position: number for number, position in enumerate(positions, 1)}


def _expression_videos(videos, spoken: dict, frame_name, title: str) -> dict:
    """A YouTube-VIS like file with a video entry and one annotation per sentence."""
    entries, annotations = [], []
    for video in videos:
        names = [frame_name(video, frame) for frame in range(video.length)]
        ids = _object_ids(video, spoken[video.video_id], only_said=False)
        for number, (position, sentence) in enumerate(spoken[video.video_id]):
            index = len(entries) + 1
            entries.append(dict(video_entry(video, names, index), video=video.name, expressions=[sentence],
                                exp_id=str(number), obj_id=ids[position]))
            annotations.append(dict(track_entry(video, video.tracks[position], 1), id=index, video_id=index))
    return {'info': info(title), 'licenses': LICENSES, 'videos': entries, 'annotations': annotations,
            'categories': OBJECT}
