"""Expressions about videos in a file of the YouTube-VIS format."""
from mmdet.registry import DATASETS

from ...structures.row_values import BrokenRow, string
from ...structures.sample_text import as_names
from ..store.broken_rows import BrokenRows
from ..store.json_file import is_id, load_json
from ..store.rows import Row, group_rows, read_owners, read_rows
from .ytvis_json import YTVISJsonDataset


@DATASETS.register_module()
class ExpressionVideosDataset(YTVISJsonDataset):
    """Ref-YouTube-VOS as GLEE keeps it: an entry per video and expression.

    Entries have ``video`` (name), ``expressions`` (one sentence), ``exp_id`` and ``obj_id``, and one track
    each. They are put together: an item is a video with K expressions, ``text``, and each object once;
    ``video_info['expressions']`` tells the objects of every expression. Without ``annotations`` (those of valid are
    hidden) no frame is ``annotated``.

    Args:
        ann_files (Sequence[str] | None): several files instead of ``ann_file``, each of which gives items of its own.
        **kwargs: as for ``VideoDataset``.
    """

    def __init__(self, *args, ann_files=None, **kwargs) -> None:
        self.ann_files = ann_files
        super().__init__(*args, **kwargs)

    def _join_prefix(self) -> None:
        if self.ann_files is not None:
            self.ann_files = [f'{self.data_root}{name}' if self.data_root else name for name in self.ann_files]
        super()._join_prefix()

    @property
    def _source(self) -> str:
        """The files, for messages."""
        return ', '.join(self.ann_files or [self.ann_file])

    def load_data_list(self) -> list[dict]:
        """Records of all videos of all files."""
        records, objects = [], {}
        for annotator, path in enumerate(self.ann_files or [self.ann_file]):
            content = load_json(path, 'videos')
            self.adopt_categories(content.get('categories') or [dict(id=1, name='object')])
            broken, videos = BrokenRows(), {}
            rows = read_owners(content, 'videos', path, broken)
            tracks = self._tracks(read_rows(content, 'annotations', path, broken), rows, broken)
            for reason, (count, where) in broken.reasons.items():
                self.broken.add(reason, f'{path}: {where}', count)
            for entry in rows.values():
                try:
                    if not said_of(entry):
                        raise BrokenRow('no expression of its own (RefDavisDataset reads entries with several)')
                    videos.setdefault(string(entry.get('video'), 'video name'), []).append(entry)
                except BrokenRow as problem:
                    self.broken.add(str(problem), f'{path}: {entry.where}')
            for name, entries in videos.items():
                try:
                    records.append(self._group(name, entries, tracks, objects, annotator, len(records) + 1))
                except BrokenRow as problem:
                    self.broken.add(str(problem), f'{path}: video {name}, {entries[0].where}')
        return records

    @staticmethod
    def _tracks(annotations: list[Row], entries: dict, broken: BrokenRows) -> dict:
        """The track of each entry that has one."""
        tracks = {}
        for entry, group in group_rows(annotations, entries, 'video_id', broken).items():
            if group:
                tracks[entry] = group[-1]
            for row in group[:-1]:
                broken.add('track beside another one of its expression', row.where)
        return tracks

    def _exp_id(self, entry: Row, position: int) -> str:
        """Of an expression; its position among those of its video where it has none."""
        if not is_id(entry.get('exp_id')):
            if entry.get('exp_id') is not None:
                self.broken.note('exp_id that is no id: the position in its place', entry.where)
            return str(position)
        return str(entry['exp_id'])

    def _group(self, name: str, entries: list[Row], tracks: dict, objects: dict, annotator: int,
               video_id: int) -> dict:
        record = self._record(entries[0].changed(id=video_id, name=name), [], {}, annotated=bool(tracks))
        expressions, numbers = [], {}
        for position, entry in enumerate(entries):
            track, ids = tracks.get(entry['id']), []
            if track is not None:
                key = (video_id, str(entry.get('obj_id', entry['id'])))
                identity = objects.setdefault(key, len(objects) + 1)
                ids = [identity]
                if identity not in numbers:
                    numbers[identity] = len(numbers) + 1
                    self._add_track(record['images'], identity, track.changed(category_id=0), {0: 0})
            expressions.append(dict(exp_id=self._exp_id(entry, position), object_ids=ids))
        record['text'] = tuple(said_of(entry)[0] for entry in entries)
        record['video_info'].update(expressions=expressions, annotator=annotator,
                                    object_numbers={str(i): number for i, number in numbers.items()})
        return record


def said_of(entry: dict) -> list[str]:
    """The sentences of a video entry that are not blank."""
    said = entry.get('expressions')
    return [text for text in as_names(said) if isinstance(text, str) and text.strip()] if (
        isinstance(said, (str, list))) else []
