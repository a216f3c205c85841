"""BURST's own annotation files."""
from mmdet.registry import DATASETS
from mmengine.fileio import join_path

from ...structures.row_values import BrokenRow
from ..store.json_file import is_id, label_of, load_json
from ..store.rows import Row, note_ids, read_rows, size_of
from .video_dataset import FEDERATION, VideoDataset

NEEDED = dict(dataset=str, seq_name=str, annotated_image_paths=list)


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
        records, identity, names = [], 1, {}
        rows = read_rows(content, 'sequences', self.ann_file, self.broken)
        note_ids(rows, self.broken)
        own_ids = len({row['id'] for row in rows if is_id(row.get('id'))}) == len(rows)
        for row in rows:
            categories = row.get('track_category_ids')
            categories = categories if isinstance(categories, dict) else {}
            tracks = sorted((track for track in categories if track.isdecimal() and len(track) < 19), key=int)
            ids = {track: identity + number for number, track in enumerate(tracks)}
            identity += len(tracks)
            sequence = row.changed(id=row['id'] if own_ids else row.number + 1, track_category_ids=categories)
            try:
                records.append(self._record(sequence, ids, labels))
                first = names.setdefault(records[-1]['video_info']['name'], row)
                if first is not row:
                    raise ValueError(f'{self.ann_file}: {first.where} and {row.where} have one dataset and seq_name; '
                                     'give every sequence a name of its own')
            except BrokenRow as problem:
                self.broken.add(str(problem), row.where)
        return records

    def _record(self, sequence: Row, ids: dict[str, int], labels: dict[int, int]) -> dict:
        missing = [key for key, kind in NEEDED.items() if not isinstance(sequence.get(key), kind)]
        if missing:
            raise BrokenRow(f'sequence without {missing[0]}')
        name = f'{sequence["dataset"]}/{sequence["seq_name"]}'
        files, masks = sequence['annotated_image_paths'], sequence.get('segmentations')
        if not files or not all(isinstance(file, str) for file in files):
            raise BrokenRow('sequence without frames')
        if masks is not None and not isinstance(masks, list):
            raise BrokenRow('segmentations that are no list')
        if masks is not None and len(masks) != len(files):
            raise BrokenRow('sequence with another number of segmentations than of annotated frames')
        folder = join_path(self.data_prefix.get('img', ''), name)
        (width, height), images = size_of(sequence, join_path(folder, files[0]), self.broken), []
        for frame, file in enumerate(files):
            images.append(dict(
                img_path=join_path(folder, file), img_id=f'{sequence["id"]}_{frame}',
                frame_id=frame, height=height, width=width, annotated=masks is not None, instances=[]))
            shown = masks[frame] if masks is not None else {}
            if not isinstance(shown, dict):
                self.broken.add('frame whose segmentations are no object', f'{sequence.where} in {file}')
                shown = {}
            for track, mask in shown.items():
                self._add(images[-1], track, mask, sequence['track_category_ids'], ids, labels)
        info = self.read_info(sequence, ('dataset', 'seq_name', 'fps', *FEDERATION), labels)
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
