"""ReasonVOS: sentences to reason about, and an object's masks as PNG files of its own."""
from pathlib import Path

from mmdet.registry import DATASETS

from ...structures.masks import encode
from ...structures.row_values import BrokenRow, string
from ..store.index_maps import read_index_map
from ..store.json_file import is_id, load_json
from ..store.pictures import picture_size
from .video_dataset import VideoDataset, make_instance


@DATASETS.register_module()
class ReasonVOSDataset(VideoDataset):
    """ReasonVOS: ``{img}/{video}/{frame}.jpg`` and ``{ann}/{source}_{video}_{obj_id}/{frame}.png``.

    ``ann_file`` is ``meta_expressions.json``: ``videos[name]`` with ``source``, ``frames`` and ``expressions``, a list
    of ``exp_id``, ``exp_text``, ``obj_id`` and ``is_sent`` (or the same by id). An item is a video with K expressions,
    as of ``ExpressionVideosDataset``. What is not 0 in a PNG file is the object; a frame without one does not show it.
    PNG files are read when a window needs them. Of expressions with one id in a video the later ones get a new id.

    Args:
        **kwargs: as for ``VideoDataset``; ``data_prefix=dict(img=..., ann=...)``.
    """

    def load_data_list(self) -> list[dict]:
        """Records of all videos with an expression, in the order of the file; ``instances`` come later."""
        self.adopt_categories([dict(id=1, name='object')])
        videos = load_json(self.ann_file, 'videos')['videos']
        if not isinstance(videos, dict):
            raise ValueError(f'{self.ann_file}: `videos` must be an object by name, not {type(videos).__name__}')
        records, first = [], 1
        for name, video in videos.items():
            try:
                records.append(self._record(name, video, len(records) + 1, first))
                first += len(records[-1]['object_folders'])
            except BrokenRow as problem:
                self.broken.add(str(problem), f'video {name}')
        return records

    def _record(self, name: str, video: dict, video_id: int, first: int) -> dict:
        frames = video.get('frames') if isinstance(video, dict) else None
        if not isinstance(frames, list) or not frames or not all(map(is_id, frames)):
            raise BrokenRow('video without frames that are names')
        source, said = string(video.get('source'), 'source').lower(), self._expressions(name, video.get('expressions'))
        objects = {key: number for number, key in enumerate(dict.fromkeys(row['obj_id'] for row in said), first)}
        folder = Path(self.data_prefix.get('img', '')) / name
        try:
            height, width = picture_size(folder / f'{frames[0]}.jpg')
        except OSError as error:
            raise BrokenRow('video whose first frame cannot be read') from error
        images = [dict(img_path=str(folder / f'{frame}.jpg'), img_id=f'{video_id}_{i}', frame_id=i, height=height,
                       width=width, annotated=True, instances=[]) for i, frame in enumerate(frames)]
        folders = {identity: self._folder(source, name, key) for key, identity in objects.items()}
        expressions = [dict(exp_id=row['exp_id'], object_ids=[objects[row['obj_id']]]) for row in said]
        return dict(video_id=video_id, video_length=len(images), width=width, height=height, images=images,
                    text=tuple(row['text'] for row in said), object_folders=folders,
                    video_info=dict(name=name, source=source, expressions=expressions, object_numbers={
                        str(identity): number for number, identity in enumerate(objects.values(), 1)}))

    def _expressions(self, name: str, rows) -> list[dict]:
        """The expressions of a video that can be used: ``exp_id``, ``obj_id`` and ``text``.

        Raises:
            BrokenRow: there is none.
        """
        if isinstance(rows, dict):
            rows = [dict(exp_id=key, **row) for key, row in rows.items() if isinstance(row, dict)]
        found: list[dict] = []
        for position, row in enumerate(rows if isinstance(rows, list) else ()):
            try:
                if not isinstance(row, dict) or not is_id(row.get('obj_id')):
                    raise BrokenRow('expression without the object it means')
                text = string(row.get('exp_text', row.get('exp')), 'expression')
            except BrokenRow as problem:
                self.broken.add(str(problem), f'expression {position} of video {name}')
                continue
            found.append(dict(exp_id=str(row.get('exp_id', position)), obj_id=str(row['obj_id']), text=text))
        if not found:
            raise BrokenRow('video without an expression')
        taken: set[str] = set()
        for row in found:
            while row['exp_id'] in taken:
                row['exp_id'] += '_again'
            taken.add(row['exp_id'])
        return found

    def _folder(self, source: str, name: str, key: str) -> str:
        folder = Path(self.data_prefix.get('ann', '')) / f'{source}_{name}_{key}'
        if not folder.is_dir():
            raise BrokenRow(f'video without the masks of an object, e.g. {folder}')
        return str(folder)

    def expand_frame(self, record: dict, frame: dict) -> dict:
        """Read the PNG files of a frame."""
        frame = dict(super().expand_frame(record, frame), instances=[])
        for identity, folder in record['object_folders'].items():
            path = Path(folder, Path(frame['img_path']).stem + '.png')
            if path.is_file() and (mask := read_index_map(path).numbers > 0).any():
                frame['instances'].append(make_instance(identity, 0, None, encode(mask)))
        return frame

    def has_objects(self, record: dict) -> bool:
        """Every expression means one."""
        return True
