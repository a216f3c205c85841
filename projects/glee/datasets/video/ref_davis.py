"""Ref-DAVIS17: sentences of four annotators about the videos of DAVIS 2017."""
from pathlib import Path

from mmdet.registry import DATASETS

from ...structures.row_values import BrokenRow, string
from ..store.broken_rows import BrokenRows
from ..store.json_file import load_json
from ..store.rows import read_owners
from .png_tree import PNGTreeDataset

ANNOTATORS = 4  # each is a run of its own, with one sentence per object


@DATASETS.register_module()
class RefDavisDataset(PNGTreeDataset):
    """The videos of DAVIS 2017 once per annotator; objects and void pixels are those of DAVIS's palette PNG files.

    ``ann_file`` is ``meta_expressions/valid/meta_expressions.json``, in which sentence 4k + a of a video is annotator
    a's about object k + 1. ``ann_files`` are in its place ``valid_{0..3}.json``, one per annotator, with
    ``expressions=[[sentence, ...]]`` in each video entry. ``data_prefix=dict(img=..., ann=...)``; without ``ann`` that
    is the folder ``Annotations_unsupervised`` beside ``JPEGImages``.

    An item is a video with the K sentences of an annotator, ``text``; ``video_info`` has the ``annotator`` and
    ``expressions``, of each its ``exp_id`` (4k + a) and ``object_ids``.

    Args:
        ann_files (Sequence[str] | None): several files instead of ``ann_file``.
        **kwargs: as for ``PNGTreeDataset``.

    Raises:
        ValueError: a video lacks a sentence, or there is no ``JPEGImages`` to find the annotations beside.
    """

    def __init__(self, *args, ann_files=None, data_prefix: dict = dict(img='DAVIS/JPEGImages/480p/'), **kwargs) -> None:
        self.ann_files = ann_files
        if 'ann' not in data_prefix:
            data_prefix = dict(data_prefix, ann=beside_pictures(data_prefix['img']))
        super().__init__(*args, data_prefix=data_prefix, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Records of all videos of the first annotator, then of the second, ..."""
        self.adopt_categories([dict(id=1, name='object')])
        if self.ann_files is not None:
            root = Path(self.data_root or '')
            runs = [self._run_of_file(str(root / path)) for path in self.ann_files]
        else:
            runs = self._runs_of_meta()
        records = []
        for annotator, run in enumerate(runs):
            for name, sentences in run.items():
                try:
                    records.append(self._sentences(name, sentences, annotator, len(records)))
                except BrokenRow as problem:
                    self.broken.add(str(problem), f'video {name}')
        return records

    def _runs_of_meta(self) -> list[dict[str, list[str]]]:
        """Sentences by video of each annotator, from meta_expressions.json."""
        runs = [{} for _ in range(ANNOTATORS)]
        videos = load_json(self.ann_file, 'videos')['videos']
        if not isinstance(videos, dict):
            raise ValueError(f'{self.ann_file}: `videos` must be an object by name, not {type(videos).__name__}')
        for name, video in videos.items():
            said = video.get('expressions') if isinstance(video, dict) else None
            if not isinstance(said, dict):
                raise ValueError(f'{self.ann_file}: video {name} has no `expressions` by number')
            for annotator, run in enumerate(runs):
                keys = [str(key) for key in range(annotator, max(len(said), 1), ANNOTATORS)]
                missing = [key for key in keys if not _sentence(said.get(key))]
                if missing or len(said) % ANNOTATORS:
                    raise ValueError(f'{self.ann_file}: video {name} has {len(said)} expressions'
                                     f'{f", of which {missing} have no sentence" if missing else ""}; Ref-DAVIS17 has '
                                     f'{ANNOTATORS} per object, numbered from 0')
                run[name] = [said[key]['exp'] for key in keys]
        return runs

    def _run_of_file(self, path: str) -> dict[str, list[str]]:
        """Sentences by video, from the file of one annotator."""
        run, broken = {}, BrokenRows()
        for entry in read_owners(load_json(path, 'videos'), 'videos', path, broken).values():
            said = entry.get('expressions')
            if not (isinstance(said, list) and len(said) == 1 and isinstance(said[0], list) and said[0]
                    and all(_sentence(dict(exp=text)) for text in said[0])):
                raise ValueError(f'{path}: {entry.where} needs expressions=[[sentence, ...]], one sentence '
                                 'per object; a file with one sentence per entry is ExpressionVideosDataset\'s')
            try:
                name = string(entry.get('video'), 'video name')
                if name in run:
                    raise ValueError(f'{path}: {entry.where} is another entry of the video {name}')
                run[name] = said[0]
            except BrokenRow as problem:
                broken.add(str(problem), entry.where)
        for reason, (count, where) in broken.reasons.items():
            self.broken.add(reason, f'{path}: {where}', count)
        return run

    def _sentences(self, name: str, sentences: list[str], annotator: int, number: int) -> dict:
        record = self._record(name, number, {})
        record['text'] = tuple(sentences)
        record['video_info'].update(annotator=annotator, expressions=[
            dict(exp_id=str(ANNOTATORS * position + annotator), object_ids=[record['first_identity'] + position + 1])
            for position in range(len(sentences))])
        return record


def _sentence(expression) -> bool:
    text = expression.get('exp') if isinstance(expression, dict) else None
    return isinstance(text, str) and bool(text.strip())


def beside_pictures(folder: str) -> str:
    """``.../Annotations_unsupervised/...`` for ``.../JPEGImages/...``.

    Raises:
        ValueError: the path has no such part.
    """
    parts = folder.split('/')
    if 'JPEGImages' not in parts:
        raise ValueError(f"RefDavisDataset needs data_prefix['ann'], the folder of the palette PNG files, since "
                         f"{folder!r} has no part 'JPEGImages' beside which Annotations_unsupervised could lie")
    return '/'.join('Annotations_unsupervised' if part == 'JPEGImages' else part for part in parts)
