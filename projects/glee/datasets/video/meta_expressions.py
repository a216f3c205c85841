"""Expressions about videos in the format of Ref-YouTube-VOS's and MeViS's own files."""
from pathlib import Path

from mmdet.registry import DATASETS

from ...structures.row_values import BrokenRow, image_size, string
from ..store.json_file import is_id, load_json, rows_of
from ..store.pictures import picture_size
from .video_dataset import VideoDataset


@DATASETS.register_module()
class MetaExpressionsDataset(VideoDataset):
    """MeViS (with ``mask_file``; without, where the masks are hidden) and Ref-YouTube-VOS valid (hidden).

    ``ann_file`` is ``meta_expressions.json``: ``videos[name]`` with ``frames`` and ``expressions[exp_id]``
    with ``exp``, ``obj_id`` and ``anno_id``. Frames lie at ``{data_prefix['img']}/{name}/{frame}.jpg``. An
    item is a video with K expressions, as of ``ExpressionVideosDataset``. Videos are ``annotated`` if there is a
    ``mask_file`` and every expression has an ``anno_id``. Without ``mask_file`` a video without a folder of frames is
    left out and named: Ref-YouTube-VOS's file of valid has the videos of test, too.

    Args:
        mask_file (str | None): ``mask_dict.json``: per annotation an RLE or null per frame.
        **kwargs: as for ``VideoDataset``.
    """

    def __init__(self, *args, mask_file: str | None = None, **kwargs) -> None:
        self.mask_file = mask_file
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Records of all videos with an expression, in the order of the file."""
        self.adopt_categories([dict(id=1, name='object')])
        masks = {} if self.mask_file is None else load_json(str(Path(self.data_root or '') / self.mask_file))
        videos = load_json(self.ann_file, 'videos')['videos']
        for path, content in ((self.mask_file, masks), (self.ann_file, videos)):
            if not isinstance(content, dict):
                raise ValueError(f'{path} must hold an object by name, not {type(content).__name__}')
        identities = {key: number for number, key in enumerate(masks, 1)}
        records = []
        for name, video in videos.items():
            try:
                said = self._expressions(name, video)
                if not said:
                    raise BrokenRow('video without an expression')
                records.append(self._record(name, video, said, len(records) + 1, masks, identities))
            except BrokenRow as problem:
                self.broken.add(str(problem), f'video {name}')
        return records

    def _expressions(self, name: str, video: dict) -> dict[str, dict]:
        """The expressions of a video that have a sentence, by id."""
        frames = video.get('frames') if isinstance(video, dict) else None
        if not isinstance(frames, list) or not frames or not isinstance(video.get('expressions'), dict):
            raise BrokenRow('video without frames or expressions')
        if not all(map(is_id, frames)):
            raise BrokenRow('video with frames that are no names')
        said = {}
        for exp_id, expression in video['expressions'].items():
            try:
                expression = expression if isinstance(expression, dict) else {}
                said[exp_id] = dict(exp=string(expression.get('exp'), 'expression'), anno_id=read_anno_ids(expression),
                                    info=self.read_expression_info(expression))
            except BrokenRow as problem:
                self.broken.add(str(problem), f'expression {exp_id} of video {name}')
        return said

    def read_expression_info(self, expression: dict) -> dict:
        """What metrics need to know of an expression beside its id and objects.

        Raises:
            BrokenRow: it cannot be used.
        """
        return {}

    def _record(self, name: str, video: dict, said: dict[str, dict], video_id: int, masks: dict,
                identities: dict) -> dict:
        folder = Path(self.data_prefix.get('img', '')) / name
        if not folder.is_dir() and self.mask_file is None:
            raise BrokenRow('video without a folder of frames, as those of the test split in the file of valid')
        anno_ids = [expression['anno_id'] for expression in said.values()]
        annotated = self.mask_file is not None and None not in anno_ids
        keys = anno_ids if annotated else [[]] * len(anno_ids)
        wanted = list(dict.fromkeys(key for group in keys for key in group))
        missing = [key for key in wanted if key not in masks]
        if missing:
            raise ValueError(f'{self.mask_file} lacks anno_id {missing} of video {name}')
        tracks = {key: rows_of(masks[key]) for key in wanted}
        height, width = self._size(folder / f'{video["frames"][0]}.jpg', list(tracks.values()))
        images = [dict(img_path=str(folder / f'{frame}.jpg'), img_id=f'{video_id}_{i}', frame_id=i, height=height,
                       width=width, annotated=annotated, instances=[]) for i, frame in enumerate(video['frames'])]
        for key in wanted:
            if len(tracks[key]) != len(images):
                raise ValueError(f'{self.mask_file}: anno_id {key} has {len(tracks[key])} masks but video {name} '
                                 f'{len(images)} frames')
            for frame, mask in zip(images, tracks[key]):
                if mask is not None:
                    where = f'{self.mask_file}: anno_id {key} in {frame["img_path"]}'
                    self.add_mask(frame, identities[key], 0, mask, where)
        expressions = [dict(exp_id=exp_id, object_ids=[identities[key] for key in group], **said[exp_id]['info'])
                       for exp_id, group in zip(said, keys)]
        return dict(
            video_id=video_id, video_length=len(images), width=width, height=height, images=images,
            text=tuple(expression['exp'] for expression in said.values()),
            video_info=dict(name=name, expressions=expressions,
                            object_numbers={str(identities[key]): n for n, key in enumerate(wanted, 1)}))

    @staticmethod
    def _size(first_frame: Path, tracks: list) -> tuple[int, int]:
        """Height and width, from a mask or else from the first frame's header."""
        for mask in (mask for track in tracks for mask in track):
            size = mask.get('size') if isinstance(mask, dict) else None
            if isinstance(size, list) and len(size) == 2:
                return image_size(dict(zip(('height', 'width'), size)))[::-1]
        try:
            return picture_size(first_frame)
        except OSError as error:
            raise BrokenRow('video whose first frame cannot be read') from error


def read_anno_ids(expression: dict) -> list[str] | None:
    """The annotations that an expression means, as text; None where they are hidden. A single id is a list of one.

    Raises:
        BrokenRow: they are no ids.
    """
    ids = expression.get('anno_id')
    if ids is None:
        return None
    ids = ids if isinstance(ids, list) else [ids]
    if not all(map(is_id, ids)):
        raise BrokenRow('anno_id that is no list of ids')
    return list(map(str, ids))
