"""BURST's own annotation files."""
from mmdet.registry import DATASETS
from mmengine.fileio import join_path, load

from .video_dataset import VideoDataset, make_instance


@DATASETS.register_module()
class BURSTDataset(VideoDataset):
    """``burst_annotations/{split}/all_classes.json``: sequences with masks of the annotated frames.

    Only the annotated frames are read, as GLEE does; frames lie at
    ``{data_prefix['img']}/{dataset}/{seq_name}/{file}``.

    Args:
        **kwargs: as for ``VideoDataset``.
    """

    def load_data_list(self) -> list[dict]:
        """Records of all sequences, in the order of the file."""
        content = load(self.ann_file)
        labels = self.adopt_categories(content['categories'])
        records, identity = [], 1
        for sequence in content['sequences']:
            tracks = sorted(sequence.get('track_category_ids', {}), key=int)
            ids = {track: identity + number for number, track in enumerate(tracks)}
            identity += len(tracks)
            records.append(self._record(sequence, ids, labels))
        return records

    def _record(self, sequence: dict, ids: dict[str, int], labels: dict[int, int]) -> dict:
        height, width = sequence['height'], sequence['width']
        name = f'{sequence["dataset"]}/{sequence["seq_name"]}'
        files, masks = sequence['annotated_image_paths'], sequence.get('segmentations')
        if masks is not None and len(masks) != len(files):
            raise ValueError(f'{self.ann_file}: sequence {name} has {len(masks)} segmentations for {len(files)} '
                             'annotated frames')
        images = []
        for frame, file in enumerate(files):
            instances = [
                make_instance(ids[track], labels[sequence['track_category_ids'][track]], None,
                              dict(size=[height, width], counts=mask['rle']))
                for track, mask in (masks[frame] if masks is not None else {}).items()
            ]
            images.append(dict(
                img_path=join_path(self.data_prefix.get('img', ''), name, file), img_id=f'{sequence["id"]}_{frame}',
                frame_id=frame, height=height, width=width, annotated=True, instances=instances))
        keys = ('dataset', 'seq_name', 'fps', 'neg_category_ids', 'not_exhaustive_category_ids')
        info = {key: sequence[key] for key in keys if key in sequence}
        return dict(video_id=sequence['id'], video_length=len(images), width=width, height=height, images=images,
                    video_info=dict(info, name=name, object_numbers={str(i): int(t) for t, i in ids.items()}))
