"""Files in the format of YouTube-VIS."""
from mmdet.registry import DATASETS
from mmengine.fileio import join_path, load

from .video_dataset import VideoDataset, make_instance

INFO_KEYS = ('neg_category_ids', 'not_exhaustive_category_ids', 'fps', 'dataset', 'seq_name')


@DATASETS.register_module()
class YTVISJsonDataset(VideoDataset):
    """One reader for YouTube-VIS 2019 / 2021, OVIS, UVO dense, LV-VIS, BDD100K box and segmentation tracks,
    and TAO, BURST, YouTube-VOS, MOSE and DAVIS in that format: ``videos[].file_names``, and per track lists
    of ``segmentations`` and ``bboxes`` over the frames.

    Names are those of the file, in its order. ``data_prefix=dict(img=...)`` is the folder of the frames.

    Args:
        eval_file (str | None): file whose ``videos`` have the ``neg_category_ids`` and
            ``not_exhaustive_category_ids`` of each video id (TAO's validation.json), where those of
            ``ann_file`` lack them.
        **kwargs: as for ``VideoDataset``.
    """

    def __init__(self, *args, eval_file: str | None = None, **kwargs) -> None:
        self.eval_file = eval_file
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Records of all videos, in the order of the file."""
        content = load(self.ann_file)
        labels = self.adopt_categories(content.get('categories', []))
        federation = {}
        if self.eval_file is not None:
            federation = {video['id']: video for video in load(join_path(self.data_root, self.eval_file))['videos']}
        tracks = {video['id']: [] for video in content['videos']}
        # null in files without public annotations
        for number, track in enumerate(content.get('annotations') or (), 1):
            if track['video_id'] not in tracks:
                raise ValueError(f'{self.ann_file}: track {track["id"]} belongs to video {track["video_id"]}, which '
                                 'is not in `videos`')
            tracks[track['video_id']].append((number, track))
        return [self._record({**federation.get(video['id'], {}), **video}, tracks[video['id']], labels)
                for video in content['videos']]

    def _record(self, video: dict, tracks: list[tuple[int, dict]], labels: dict[int, int]) -> dict:
        names = video['file_names']
        image_ids = video.get('image_ids', [f'{video["id"]}_{frame}' for frame in range(len(names))])
        images = [
            dict(img_path=join_path(self.data_prefix.get('img', ''), name), img_id=image_id, frame_id=frame,
                 height=video['height'], width=video['width'], annotated=True, instances=[])
            for frame, (name, image_id) in enumerate(zip(names, image_ids))
        ]
        for identity, track in tracks:
            self._add_track(images, identity, track, labels, video)
        info = {key: video[key] for key in INFO_KEYS if key in video}
        info['name'] = video.get('name', names[0].rpartition('/')[0] if names else str(video['id']))
        info['object_numbers'] = {str(identity): number for number, (identity, _) in enumerate(tracks, 1)}
        return dict(video_id=video['id'], video_length=len(names), width=video['width'], height=video['height'],
                    video_info=info, images=images)

    def _add_track(self, images: list[dict], identity: int, track: dict, labels: dict[int, int],
                   video: dict) -> None:
        boxes, masks = track.get('bboxes'), track.get('segmentations')
        for name, values in (('bboxes', boxes), ('segmentations', masks)):
            if values is not None and len(values) != len(images):
                raise ValueError(f'{self.ann_file}: track {track["id"]} has {len(values)} {name} but video '
                                 f'{video["id"]} has {len(images)} frames')
        absent, is_first = [None] * len(images), True
        for frame, box, mask in zip(images, boxes or absent, masks or absent):
            if box is None and mask is None:
                continue
            if masks is not None and mask is None:
                continue  # a box without its mask is no annotation of a file with masks
            frame['instances'].append(make_instance(
                identity, labels[track['category_id']], box, mask, bool(track.get('iscrowd', 0))))
            frame['instances'][-1]['is_first'] = is_first
            is_first = False
