"""Base of the readers: annotation files are streamed once into a store of ready items."""
import json
import os
from typing import Iterator, List, Optional, Tuple

from mmengine.fileio import get_local_path

from ...structures.row_values import BrokenRow
from .box_layout import BoxLayout
from .broken_rows import Folders, report, summarize, unchanged
from .json_groups import JsonGroups
from .record_store import fingerprint, open_records
from .rows import Row


class StreamedRecords:
    """Mixin for data sets of mmdet whose items come from rows grouped by image (or video).

    The annotation file is read as a stream, so that its size does not matter, and each item is
    kept as a line of JSON: in memory, or with ``cache_dir`` in a memory-mapped file that all
    processes share and the next run finds again. A store is made anew when the annotation file,
    the folders of the pictures or the settings of the reader have changed.

    Rows that cannot be used (no or zero-area box, empty mask, missing picture ...) are left out, counted, and named in
    one warning; another one tells what was understood otherwise than it is written.

    Subclasses turn one group into item(s) in ``parse_data_info``, which gets ``raw_img_info`` (row of the owner) and
    ``raw_ann_info`` (its rows).

    Args:
        cache_dir (str, optional): folder of the stores; None keeps items in memory.
        check_files (bool, optional): leave out pictures whose file is missing. By default in
            training, when pictures are ordinary files.

    Raises:
        FileNotFoundError: not one picture is there.
        ValueError: not one image or video is left.
    """

    owners, owner_id = 'images', 'image_id'

    def __init__(self, *args, cache_dir: Optional[str] = None, check_files: Optional[bool] = None,
                 **kwargs) -> None:
        self.cache_dir, self.check_files = cache_dir, check_files
        super().__init__(*args, **kwargs)

    def full_init(self) -> None:
        """Open the store, which is made first if need be."""
        if self._fully_initialized:
            return
        self.serialize_data = True
        if self.check_files is None:
            self.check_files = not self.test_mode and getattr(self, 'backend_args', None) is None
        with get_local_path(self.ann_file, backend_args=self.backend_args) as path:
            self.data_bytes, self.data_address, header = open_records(
                self.cache_dir, fingerprint(path, **self.settings()), lambda: self._build(path),
                valid=lambda header: unchanged(header['folders']))
        self.adopt(header)
        report(header['broken'], self.ann_file, notes=header['notes'])
        self._fully_initialized = True
        if self._indices is not None:
            self.data_bytes, self.data_address = self._get_serialized_subset(self._indices)

    def __getstate__(self) -> dict:
        state = dict(self.__dict__)
        if self._fully_initialized and self.cache_dir is not None:
            # a process that is not forked maps the store again instead of copying it
            del state['data_bytes'], state['data_address']
            state['_fully_initialized'] = False
        return state

    def settings(self) -> dict:
        """What the items depend on beside the file."""
        return dict(reader=type(self).__qualname__, data_prefix=self.data_prefix,
                    filter_cfg=self.filter_cfg, test_mode=self.test_mode,
                    check_files=self.check_files)

    def adopt(self, header: dict) -> None:
        """Take over what the header of the store says beside the items."""

    def open_groups(self, path: str) -> JsonGroups:
        """The groups of the annotation file."""
        return JsonGroups(path, self.owners, self.owner_id)

    def _build(self, path: str) -> Tuple[Iterator[dict], dict]:
        header = dict(broken={}, notes={}, folders={})
        return self._items(path, header), header

    def _items(self, path: str, header: dict) -> Iterator[dict]:
        folders, found, kept = Folders(), False, False
        groups = self.open_groups(path)
        self._broken, self._layout = groups.broken, BoxLayout()
        self.prepare(groups, header)
        for owner, annotations in groups:
            for item in self._parse(owner, annotations):
                if self.check_files and not folders.has(item['img_path']):
                    self._broken.add('missing file', item['img_path'])
                    continue
                found = True
                if self.keep(item):
                    kept = True
                    yield item
        if not found and 'missing file' in self._broken.reasons:
            example = self._broken.reasons['missing file'][1]
            archive = os.path.dirname(example) + '.tar'
            raise FileNotFoundError(
                f'none of the pictures of {self.ann_file} exists, for example {example}; ' + (
                    f'unpack {archive} and the others, each into a folder of its name' if os.path.isfile(archive) else
                    'check data_root and data_prefix'))
        if not kept:
            raise ValueError(summarize(self._broken.reasons, self.ann_file, 'left out, so that nothing is left') or (
                f'{self.ann_file}: filter_cfg={self.filter_cfg} leaves none of {len(groups)} {self.owners}'
                if found else f'{self.ann_file} has no {self.owners[:-1]}'))
        self._layout.judge(self._broken)
        header.update(broken=self._broken.reasons, notes=self._broken.notes, folders=folders.state())

    def _parse(self, owner: Row, annotations: List[Row]) -> List[dict]:
        try:
            item = self.parse_data_info(dict(raw_img_info=owner, raw_ann_info=annotations))
        except BrokenRow as problem:
            self._broken.add(str(problem), owner.where)
            return []
        return item if isinstance(item, list) else [] if item is None else [item]

    def prepare(self, groups: JsonGroups, header: dict) -> None:
        """Look at the rest of the file before the first item."""

    def keep(self, item: dict) -> bool:
        """Filtering by ``filter_cfg`` in training: ``min_size`` (px) and ``filter_empty_gt``,
        which drops images that hold nothing but crowd regions."""
        if self.test_mode or not self.filter_cfg:
            return True
        if min(item['width'], item['height']) < self.filter_cfg.get('min_size', 0):
            return False
        return not self.filter_cfg.get('filter_empty_gt', False) or any(
            not instance['ignore_flag'] for instance in item['instances'])

    def get_data_info(self, idx: int) -> dict:
        """One item, decoded from the store."""
        self.full_init()
        position = idx if idx >= 0 else len(self) + idx
        start = self.data_address[position - 1] if position else 0
        info = json.loads(self.data_bytes[start:self.data_address[position]].tobytes())
        info['sample_idx'] = position
        return info
