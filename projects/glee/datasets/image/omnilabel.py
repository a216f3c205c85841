"""OmniLabel: free descriptions, each asked for in images of its own."""
import os.path as osp
from typing import List

from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS

from ...structures.row_values import ANY_SIZE, BrokenRow, corners, string
from ..store.broken_rows import BrokenRows, report
from ..store.omnilabel_file import load_omnilabel
from ..store.rows import size_of


@DATASETS.register_module()
class OmniLabelDataset(BaseDetDataset):
    """The benchmark's own file (``dataset_all_val_v0.1.3.json``).

    ``text`` of an image are the descriptions that are asked for in it, plain names and free descriptions alike, in the
    order of the file; labels are indices into it. An object of several descriptions is there once for each.
    ``OmniLabelMetric`` with the same ``ann_file`` scores it. Images in which nothing is asked for are left out.

    Raises:
        ValueError: ``ann_file`` is not the benchmark's.
    """

    def load_data_list(self) -> List[dict]:
        """One item per image: path, size (px), ``text`` and ``instances`` with xyxy boxes and labels."""
        file, broken, items = load_omnilabel(self.ann_file, self.backend_args), BrokenRows(), []
        for identifier, image in file.images.items():
            asked = file.asked[identifier]
            if not asked:
                continue
            try:
                path = osp.join(self.data_prefix.get('img', ''), string(image.get('file_name'), 'file_name'))
                width, height = size_of(image, path, broken)
            except BrokenRow as problem:
                broken.add(str(problem), image.where)
                continue
            labels = {description.id: label for label, description in enumerate(asked)}
            items.append(dict(
                img_path=path, img_id=identifier, seg_map_path=None, height=height, width=width,
                text=[description.text for description in asked],
                instances=[dict(bbox=corners(row['bbox'], *ANY_SIZE, usable=False), bbox_label=labels[description],
                                ignore_flag=int(row['iscrowd']))
                           for row in file.objects.get(identifier, ()) for description in row['descriptions']]))
        report(broken.reasons, self.ann_file, notes=broken.notes)
        return items
