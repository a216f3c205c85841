"""ReVOS: sentences that describe objects of a video, or tell what one has to reason about."""
from pathlib import Path

from mmdet.registry import DATASETS

from ...structures.masks import read_mask
from ...structures.row_values import BrokenRow, integer
from ..store.json_file import load_json
from .meta_expressions import MetaExpressionsDataset


@DATASETS.register_module()
class ReVOSDataset(MetaExpressionsDataset):
    """``MetaExpressionsDataset`` of ReVOS's files, ``meta_expressions_{train,valid}_.json`` beside ``mask_dict.json``.

    Every expression has a ``type_id`` (0 refers, 1 reasons, 2 means nothing in the video, with no ``anno_id``), which
    ``video_info['expressions']`` tells. Frames have ``foreground``, an RLE of all objects, which the metric's R is
    relative to.

    Args:
        foreground_file (str | None): ``mask_dict_foreground.json``: per video its ``masks_rle``; without it the
            foreground of a frame is all its objects together, from which ReVOS's program makes that file.
        **kwargs: as for ``MetaExpressionsDataset``.
    """

    def __init__(self, *args, foreground_file: str | None = None, **kwargs) -> None:
        self.foreground_file = foreground_file
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Records of all videos with an expression, in the order of the file."""
        records = super().load_data_list()
        if self.foreground_file is not None:
            path = str(Path(self.data_root or '') / self.foreground_file)
            foregrounds = load_json(path)
            for record in records:
                self._add_foreground(record, foregrounds, path)
        return records

    def read_expression_info(self, expression: dict) -> dict:
        """Its ``type_id``."""
        return dict(type_id=integer(expression.get('type_id'), 'type_id'))

    def _add_foreground(self, record: dict, foregrounds: dict, path: str) -> None:
        name, images = record['video_info']['name'], record['images']
        entry = foregrounds.get(name)
        masks = entry.get('masks_rle') if isinstance(entry, dict) else None
        if not isinstance(masks, list) or len(masks) != len(images):
            self.broken.add('video without a foreground for each frame: that of its objects', f'{path}: video {name}')
            return
        for frame, mask in zip(images, masks):
            try:
                frame['foreground'] = read_mask(mask, frame['height'], frame['width'])
            except BrokenRow as problem:
                self.broken.add(str(problem), f'{path}: foreground of {frame["img_path"]}')
