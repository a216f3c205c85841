"""What all readers of videos have in common."""
from typing import Any, NamedTuple, Sequence

from mmdet.datasets import BaseVideoDataset

from ...structures.masks import bounding_box, read_mask
from ...structures.row_values import BrokenRow
from ...structures.sample_text import read_names
from ..store.box_layout import BoxLayout
from ..store.broken_rows import BrokenRows, report, summarize
from ..store.json_file import read_categories
from ..store.rows import Row, read_id_list
from ..vocabularies import load_vocabulary
from .asked_categories import ask_for, merged_ids

FEDERATION = ('neg_category_ids', 'not_exhaustive_category_ids')


class FrameWindow(NamedTuple):
    """Index of consecutive frames of a video: ``start`` up to, not including, ``stop``."""
    video: int
    start: int
    stop: int


class VideoDataset(BaseVideoDataset):
    """Videos in the records of mmdet's ``BaseVideoDataset``, read from raw annotation files.

    A record has ``video_id``, ``video_length``, ``width``, ``height``, ``video_info`` (plain data for
    metrics, with ``name``) and ``images``, one per frame: ``img_path``, ``img_id``, ``frame_id``, sizes,
    ``annotated`` and ``instances`` (``bbox`` xyxy, ``bbox_label``, ``mask``, ``ignore_flag`` and an
    ``instance_id`` that is unique over the whole data set and starts at 1: mmdet's own metric is wrong
    with others). Videos with expressions have a ``text`` of their own, others that of the data set.

    In training the pipeline gets the record and picks frames itself (``SampleClip``). At test it gets
    ``frames``, a list of frame records: those of a ``FrameWindow``, which ``WindowSampler`` draws, or the
    whole video for a plain index.

    Args:
        text (Sequence[str] | None): names to use instead of the file's, one for each in its order; a single one stands
            for all categories, which then are one (UVO's 81 where 'object' is asked).
        vocabulary (str | None): spell the file's names as this vocabulary of the released checkpoints does
            (``respell``: name by name, never by position); ``metainfo['classes']`` keeps the file's.
        classes (str | Sequence[str] | None): ask for these names of the file alone, or for those of a vocabulary (TAO:
            the 302 of 'tao'); objects of other categories are left out, but for those that are ``merged`` into one.
        **kwargs: as for ``BaseDataset``; ``filter_cfg=dict(filter_empty_gt=True, min_frames=1)`` drops, in
            training, videos without an object and shorter ones.

    Raises:
        ValueError: the annotation file lacks what the reader needs, or a name in ``classes``; file and video are named.
            There is no such vocabulary, or ``text`` has another number of names than the file.
    """

    def __init__(self, *args, text=None, vocabulary: str | None = None, classes=None, **kwargs) -> None:
        for name in (vocabulary, classes if isinstance(classes, str) else None):
            if name is not None:
                load_vocabulary(name)
        self._asked_text = None if text is None else read_names(text, 'text')
        self._text, self._vocabulary, self._classes = self._asked_text, vocabulary, classes
        self.broken, self.layout = BrokenRows(), BoxLayout()
        super().__init__(*args, **kwargs)

    def full_init(self) -> None:
        """Read the files, and name what of them cannot be used, or was understood otherwise than it is written."""
        if self._fully_initialized:
            return
        self.broken, self.layout = BrokenRows(), BoxLayout()
        super().full_init()
        self.layout.judge(self.broken)
        report(self.broken.reasons, self._source, notes=self.broken.notes)

    @property
    def _source(self) -> str:
        """What the annotations are read from, for messages."""
        return self.ann_file or self.data_prefix.get('img', '')

    def adopt_categories(self, categories: list[dict], merged: dict | None = None) -> dict:
        """Take the names that are asked for: label by category id, None for one that nobody asks for.

        Args:
            categories: of the file.
            merged: id -> id that it counts as, where another file says so; None reads it from ``categories``.
        """
        categories = read_categories(categories, self.ann_file)
        asked = ask_for(categories, self.ann_file, self._asked_text, self._vocabulary, self._classes,
                        merged_ids(categories) if merged is None else merged)
        self._text = asked.text
        self._metainfo.update(classes=asked.classes, category_ids=asked.ids, palette='random',
                              merged_labels=asked.merged_labels)
        if all('partition' in row for row in asked.rows):
            self._metainfo['partition'] = tuple(row['partition'] for row in asked.rows)
        return asked.labels

    def expand_frame(self, record: dict, frame: dict) -> dict:
        """A frame as the pipeline gets it; readers that load lazily add ``instances`` here."""
        return dict(
            frame,
            text=record.get('text', self._text),
            video_id=record['video_id'],
            video_info=record['video_info'],
            video_length=record['video_length'],
            ori_video_length=record['video_length'])

    def frames_of(self, record: dict, positions) -> list[dict]:
        """Expanded frames of a record."""
        return [self.expand_frame(record, record['images'][position]) for position in positions]

    def prepare_data(self, idx: int | FrameWindow) -> Any:
        """A clip (training), a window or a whole video (test) through the pipeline."""
        if isinstance(idx, FrameWindow):
            record = self.get_data_info(idx.video)
            return self.pipeline(dict(frames=self.frames_of(record, range(idx.start, idx.stop))))
        record = self.get_data_info(idx)
        if self.test_mode:
            return self.pipeline(dict(frames=self.frames_of(record, range(record['video_length']))))
        return self.pipeline(dict(record, expand=self.frames_of))

    def read_info(self, row: Row, keys: Sequence[str], labels: dict) -> dict:
        """What metrics need to know of a video beside its frames: of ``keys`` those that its row has.

        Args:
            row: of the video.
            keys: ``neg_category_ids`` and ``not_exhaustive_category_ids`` become ids as the file spells them.
            labels: by category id.
        """
        info = {key: row[key] for key in keys if row.get(key) is not None}
        for key in FEDERATION:
            if key in info:
                try:
                    info[key] = read_id_list(row, key, labels)
                except BrokenRow as problem:
                    self.broken.add(str(problem), row.where)
                    del info[key]
        return info

    def add_mask(self, frame: dict, identity: int, label: int, mask, where: str) -> None:
        """Put an object with a mask, as the file has it, into a frame of a record; count it if it is broken."""
        try:
            rle = read_mask(mask, frame['height'], frame['width'])
            if not isinstance(rle, dict):
                raise BrokenRow('mask that is no RLE')
        except BrokenRow as problem:
            self.broken.add(str(problem), where)
            return
        frame['instances'].append(make_instance(identity, label, None, rle))

    def filter_data(self) -> list[dict]:
        """Drop, in training, videos that cannot train anything.

        Raises:
            ValueError: there was no video to begin with, or none is left.
        """
        if not self.data_list:
            raise ValueError(summarize(self.broken.reasons, self._source) or f'{self._source} has no video')
        if self.test_mode or not self.filter_cfg:
            return self.data_list
        kept = [record for record in self.data_list
                if record['video_length'] >= self.filter_cfg.get('min_frames', 1)
                and (not self.filter_cfg.get('filter_empty_gt', False) or self.has_objects(record))]
        if not kept:
            raise ValueError(
                f'{self._source}: filter_cfg={self.filter_cfg} leaves none of {len(self.data_list)} videos')
        return kept

    def has_objects(self, record: dict) -> bool:
        """Whether an object is annotated in some frame."""
        return any(not instance['ignore_flag'] for frame in record['images'] for instance in frame['instances'])

    def get_cat_ids(self, idx: int) -> list[int]:
        """Labels of the objects of a video."""
        return sorted({instance['bbox_label'] for frame in self.get_data_info(idx)['images']
                       for instance in frame['instances']})


def make_instance(identity: int, label: int, box: list[float] | None, mask, ignore: bool = False) -> dict:
    """An object of a frame; either box (xyxy, px) or mask may be None, a missing box is that of the mask, an RLE."""
    if box is None:
        x, y, width, height = bounding_box(mask)
        box = [x, y, x + width, y + height]
    instance = dict(instance_id=identity, bbox_label=label, bbox=[float(side) for side in box], ignore_flag=int(ignore))
    if mask is not None:
        instance['mask'] = mask
    return instance
