"""BURST's own annotation files."""
from mmdet.registry import DATASETS
from mmengine.fileio import join_path

from ...structures.row_values import BrokenRow, image_size
from ..store.json_file import label_of, load_json, rows_of
from .video_dataset import VideoDataset

NEEDED = dict(id=(int, str), dataset=str, seq_name=str, annotated_image_paths=list)


@DATASETS.register_module()
class BURSTDataset(VideoDataset):
    """``burst_annotations/{split}/all_classes.json``: sequences with masks of the annotated frames.

    Only the annotated frames are read, as GLEE does; frames lie at
    ``{data_prefix['img']}/{dataset}/{seq_name}/{file}``. Sequences without ``segmentations`` (they are hidden) have
    no frame that is ``annotated``.

    Args:
        **kwargs: as for ``VideoDataset``.
    """

    def load_data_list(self) -> list[dict]:
        """Records of all sequences, in the order of the file."""
        content = load_json(self.ann_file, 'categories', 'sequences')
        labels = self.adopt_categories(content['categories'])
        records, identity = [], 1
        for number, sequence in enumerate(rows_of(content['sequences']), 1):
            missing = [key for key, kind in NEEDED.items()
                       if not isinstance(sequence, dict) or not isinstance(sequence.get(key), kind)]
            if missing:
                self.broken.add(f'sequence without {missing[0]}', f'row {number} of `sequences`')
                continue
            categories = sequence.get('track_category_ids')
            categories = categories if isinstance(categories, dict) else {}
            tracks = sorted((track for track in categories if track.isdecimal()), key=int)
            ids = {track: identity + number for number, track in enumerate(tracks)}
            identity += len(tracks)
            try:
                records.append(self._record(dict(sequence, track_category_ids=categories), ids, labels))
            except BrokenRow as problem:
                self.broken.add(str(problem), f'sequence {sequence["seq_name"]}')
        return records

    def _record(self, sequence: dict, ids: dict[str, int], labels: dict[int, int]) -> dict:
        width, height = image_size(sequence)
        name = f'{sequence["dataset"]}/{sequence["seq_name"]}'
        files, masks = sequence['annotated_image_paths'], sequence.get('segmentations')
        if not files or not all(isinstance(file, str) for file in files):
            raise BrokenRow('sequence without frames')
        if masks is not None and not isinstance(masks, list):
            raise BrokenRow('segmentations that are no list')
        if masks is not None and len(masks) != len(files):
            raise ValueError(f'{self.ann_file}: sequence {name} has {len(masks)} segmentations for {len(files)} '
                             'annotated frames')
        images = []
        for frame, file in enumerate(files):
            images.append(dict(
                img_path=join_path(self.data_prefix.get('img', ''), name, file), img_id=f'{sequence["id"]}_{frame}',
                frame_id=frame, height=height, width=width, annotated=masks is not None, instances=[]))
            shown = masks[frame] if masks is not None and isinstance(masks[frame], dict) else {}
            for track, mask in shown.items():
                self._add(images[-1], track, mask, sequence['track_category_ids'], ids, labels)
        keys = ('dataset', 'seq_name', 'fps', 'neg_category_ids', 'not_exhaustive_category_ids')
        info = {key: sequence[key] for key in keys if key in sequence}
        return dict(video_id=sequence['id'], video_length=len(images), width=width, height=height, images=images,
                    video_info=dict(info, name=name, object_numbers={str(i): int(t) for t, i in ids.items()}))

    def _add(self, frame: dict, track: str, mask: dict, categories: dict, ids: dict[str, int],
             labels: dict[int, int]) -> None:
        """One object of a frame; counted if it is broken."""
        where = f'track {track} in {frame["img_path"]}'
        if track not in ids or not isinstance(mask, dict):
            self.broken.add('mask of an unknown track', where)
            return
        try:
            label = label_of(dict(category_id=categories[track]), labels)
        except BrokenRow as problem:
            self.broken.add(str(problem), where)
            return
        if label is None:  # of a category that nobody asks for
            return
        rle = dict(size=[frame['height'], frame['width']], counts=mask.get('rle'))
        self.add_mask(frame, ids[track], label, rle, where)
