"""COCO-like files whose category names are the text prompt."""
import os.path as osp
from typing import List, Optional, Sequence, Union

from mmdet.datasets import CocoDataset, Objects365V2Dataset
from mmdet.datasets.objects365 import objv2_ignore_list
from mmdet.registry import DATASETS

from ...structures.masks import usable_mask
from ...structures.row_values import BrokenRow, corners, flag, string
from ...structures.sample_text import as_names
from ..store.json_file import label_of, read_categories
from ..store.json_groups import JsonGroups
from ..store.rows import Row, size_of
from ..store.streamed import StreamedRecords
from ..vocabularies import load_vocabulary, name_key, names_of, rename, respell

MASKS = ('optional', 'required', 'ignored')


class TextFromCategories(StreamedRecords):
    """Mixin for COCO-like data sets: every item carries ``text``, the full tuple of names.

    Names are those of the annotation file, raw and in the file's order, unless ``metainfo`` names
    a subset of them; so one class reads any file and a config differs only in its paths. Stock
    data sets with ``return_classes=True`` give the same ``text`` when their built-in names equal
    the file's, but store it once per image (gigabytes for LVIS or Objects365) and shift labels
    silently when a name is missing from the file.

    With ``filter_cfg=dict(filter_empty_gt=True)`` images that hold nothing but crowd regions or
    invalid boxes are dropped too (DESIGN section 8, "Images, boxes, masks").

    Args:
        vocabulary (str, optional): spell the names in ``text`` as this vocabulary of the released
            checkpoints does (:func:`respell`); ``metainfo['classes']`` keeps the file's names,
            which metrics look up.
        prompts (str | Sequence[str], optional): use the names of this vocabulary, or these names, instead of the
            file's, one by one (:func:`rename`). One of a single name ('object') makes all categories that one, also for
            ``CocoEvalMetric`` (``metainfo['one_category']``).
        masks (str): 'optional' takes them where they are, 'required' leaves out objects without
            one, 'ignored' neither reads nor checks them.

    Raises:
        ValueError: the file names no category, ``metainfo['classes']`` has a name that the file
            lacks, or an argument is unknown.
    """

    def __init__(self, *args, metainfo: Optional[dict] = None, vocabulary: Optional[str] = None,
                 prompts: Optional[Union[str, Sequence[str]]] = None, masks: str = 'optional', **kwargs) -> None:
        if masks not in MASKS:
            raise ValueError(f'masks={masks!r} must be one of {MASKS}')
        if vocabulary:
            load_vocabulary(vocabulary)
        self.vocabulary, self.prompts, self.masks = vocabulary, prompts, masks
        names = names_of(prompts) if prompts else ()
        self._one_name = names[0] if len(names) == 1 else None
        wanted = (metainfo or {}).get('classes')
        self._wanted = None if wanted is None else as_names(wanted)
        super().__init__(*args, metainfo=metainfo, **kwargs)

    def settings(self) -> dict:
        """What the items depend on beside the file."""
        return dict(super().settings(), classes=self._wanted, masks=self.masks, one_name=self._one_name)

    def prepare(self, groups: JsonGroups, header: dict) -> None:
        """Choose the categories."""
        categories = read_categories(groups.rest.get('categories'), self.ann_file)
        names = [category['name'] for category in categories]
        if self._wanted is not None:
            missing = sorted(set(self._wanted) - set(names))
            if missing:
                raise ValueError(
                    f'metainfo["classes"] names {missing}, which {self.ann_file} lacks; '
                    'leave metainfo out to take the names of the file')
        chosen = [category for category in categories
                  if self._wanted is None or category['name'] in self._wanted]
        labels = {category['id']: i for i, category in enumerate(chosen)}
        if self._one_name is not None and len(chosen) > 1:
            one = next((row for row in chosen if name_key(row['name']) == name_key(self._one_name)), chosen[0])
            labels, chosen = dict.fromkeys(labels, 0), [dict(one, name=self._one_name)]
            header['one_category'] = True
        header['categories'] = [[category['id'], category['name']] for category in chosen]
        self._labels = {category['id']: labels.get(category['id']) for category in categories}

    def adopt(self, header: dict) -> None:
        """Take over names and category ids."""
        names = tuple(name for _, name in header['categories'])
        self.cat_ids = [cat_id for cat_id, _ in header['categories']]
        self.cat2label = {cat_id: i for i, cat_id in enumerate(self.cat_ids)}
        if tuple(self.METAINFO.get('classes', ())) != names:
            # the built-in palette belongs to the built-in names
            self._metainfo['palette'] = 'random'
        self._metainfo['classes'] = names
        if header.get('one_category'):
            self._metainfo['one_category'] = True
        self._text = respell(names, self.vocabulary) if self.vocabulary else names
        if self.prompts:
            self._text = rename(names, self.prompts)

    def parse_data_info(self, raw_data_info: dict) -> Optional[dict]:
        """One image: paths, size (px) and ``instances`` with xyxy boxes, labels and masks."""
        image = raw_data_info['raw_img_info']
        path = osp.join(self.data_prefix.get('img', ''), string(image.get('file_name'), 'file_name'))
        width, height = size_of(image, path, self._broken)
        item = dict(
            img_path=path, img_id=image['id'], seg_map_path=None, height=height, width=width, instances=[])
        for annotation in raw_data_info['raw_ann_info']:
            instance = self.parse_instance(
                annotation, annotation.get('bbox'), annotation.get('segmentation'), width, height)
            if instance is not None:
                item['instances'].append(instance)
        return item

    def parse_instance(self, annotation: Row, box, mask, width: int, height: int
                       ) -> Optional[dict]:
        """One object; None when it is not wanted, or broken, which is counted.

        In a test an object whose mask is broken stays, without a mask: its box and name still count.

        Args:
            annotation: its row, for category and flags.
            box: xywh, px.
            mask: polygons, RLE or None.
            width, height: size of the image, px.
        """
        instance = None
        try:
            label = self.label_of(annotation)
            if label is None:
                return None
            found = dict(ignore_flag=int(flag(annotation.get('iscrowd'), 'iscrowd')),
                         bbox=corners(box, width, height), bbox_label=label)
            self._layout.see(found['bbox'], width, height, annotation.where)
            instance = found if self.test_mode else None
            # a crowd region is left out of the targets, whatever its mask is like
            if self.masks != 'ignored' and not found['ignore_flag']:
                if mask not in (None, []):
                    found['mask'] = usable_mask(mask, height, width)
                elif self.masks == 'required':
                    raise BrokenRow('no mask')
            return found
        except BrokenRow as problem:
            self._broken.add(str(problem), annotation.where)
            return instance

    def label_of(self, annotation: dict) -> Optional[int]:
        """The label of a row; None where it is not wanted: an ignored row, or a category that nobody asks for.

        Raises:
            BrokenRow: the file has no such category.
        """
        if flag(annotation.get('ignore'), 'ignore'):
            return None
        return label_of(annotation, self._labels)

    def get_data_info(self, idx: int) -> dict:
        """One item with ``text``: a tuple of C names that ``bbox_label`` indexes."""
        info = super().get_data_info(idx)
        info['text'] = self._text
        return info

    def get_cat_ids(self, idx: int) -> List[int]:
        """Labels of one image, for repeat factors."""
        return [instance['bbox_label'] for instance in self.get_data_info(idx)['instances']]


@DATASETS.register_module()
class TextCocoDataset(TextFromCategories, CocoDataset):
    """Any COCO instances file; see :class:`TextFromCategories`."""


@DATASETS.register_module()
class TextLVISDataset(TextCocoDataset):
    """LVIS v1: images are named by the end of ``coco_url`` (``train2017/000000391895.jpg``).

    Files that give only ``file_name`` (minival with inserted names) are read as they are.
    ``data_prefix`` is the COCO root, as for the stock ``LVISV1Dataset``.
    """

    def parse_data_info(self, raw_data_info: dict) -> Optional[dict]:
        """Put the split folder into ``file_name`` and parse as COCO."""
        image = raw_data_info['raw_img_info']
        if image.get('coco_url') not in (None, ''):
            image['file_name'] = '/'.join(string(image['coco_url'], 'coco_url').rsplit('/', 2)[-2:])
        return super().parse_data_info(raw_data_info)


@DATASETS.register_module()
class TextObjects365Dataset(TextFromCategories, Objects365V2Dataset):
    """Objects365 v2, ``patchX/name.jpg`` below ``data_prefix``; see :class:`TextFromCategories`.

    The three pictures that the release lacks are left out, as by the stock data set.
    """

    def parse_data_info(self, raw_data_info: dict) -> Optional[dict]:
        """Keep the last folder of ``file_name`` and parse as COCO."""
        image = raw_data_info['raw_img_info']
        image['file_name'] = '/'.join(string(image.get('file_name'), 'file_name').rsplit('/', 2)[-2:])
        if image['file_name'] in objv2_ignore_list:
            return None
        return super().parse_data_info(raw_data_info)
