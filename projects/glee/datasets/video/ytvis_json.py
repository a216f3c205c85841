"""Files in the format of YouTube-VIS."""
from mmdet.registry import DATASETS
from mmengine.fileio import join_path

from ...structures.row_values import BrokenRow, flag, number
from ..store.broken_rows import BrokenRows, report
from ..store.json_file import is_id, label_of, load_json, look_up, rows_of
from ..store.rows import Row, group_rows, note_ids, read_owners, read_rows, size_of
from .asked_categories import check_same_names, merged_ids
from .tao_rows import add_boxes
from .track_rows import annotated_frames, read_track
from .video_dataset import VideoDataset, make_instance

INFO_KEYS = ('neg_category_ids', 'not_exhaustive_category_ids', 'fps', 'dataset', 'seq_name')


@DATASETS.register_module()
class YTVISJsonDataset(VideoDataset):
    """One reader for YouTube-VIS 2019 / 2021, OVIS, UVO dense, LV-VIS, BDD100K box and segmentation tracks,
    and TAO, BURST, YouTube-VOS, MOSE and DAVIS in that format: ``videos[].file_names``, and per track lists
    of ``segmentations`` and ``bboxes`` over the frames.

    Names are those of the file, in its order. ``data_prefix=dict(img=...)`` is the folder of the frames. Without
    ``annotations`` (they are hidden) no frame is ``annotated``, in a test neither where the file has each object in one
    frame alone, as UNINEXT's files of YouTube-VOS and MOSE valid do. Of a video with ``annotated_frames`` (positions,
    of ``convert_png_videos``) only those are; training leaves the others out. ``video_info['object_areas']`` has the
    mean of an object's ``areas``, where the file has them.

    Args:
        eval_file (str | None): TAO's own validation.json, which its program reads. Its ``videos`` have the
            ``neg_category_ids`` and ``not_exhaustive_category_ids`` of each video id, where those of ``ann_file``
            lack them. If it has ``annotations``, those are the objects, in its order, in place of ``ann_file``'s.
            Which categories are ``merged`` is taken from the file that says so.
        **kwargs: as for ``VideoDataset``.

    Raises:
        ValueError: there is an ``eval_file``, and neither file says which categories are ``merged`` (TAO's program
            counts them as one), or both have an id with different names.
    """

    def __init__(self, *args, eval_file: str | None = None, **kwargs) -> None:
        self.eval_file = eval_file
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Records of all videos, in the order of the file; rows that cannot be used are left out and counted."""
        content = load_json(self.ann_file, 'videos')
        evaluation = {} if self.eval_file is None else load_json(join_path(self.data_root, self.eval_file), 'videos')
        labels = self.adopt_categories(content.get('categories'), self._merged(content, evaluation))
        broken = BrokenRows()  # of the evaluation file
        federation = read_owners(evaluation, 'videos', str(self.eval_file), broken)
        rows = read_rows(evaluation, 'annotations', str(self.eval_file), broken)
        videos = read_owners(content, 'videos', self.ann_file, self.broken)
        annotations = read_rows(content, 'annotations', self.ann_file, self.broken)  # null where they are hidden
        note_ids(annotations, self.broken)
        tracks = group_rows([] if rows else annotations, videos, 'video_id', self.broken)
        records = []
        for video_id, video in videos.items():
            known = {key: value for key, value in video.items() if value is not None}
            if self.eval_file is not None and not _same(federation, video_id):
                broken.note(f'video of {self.ann_file} that is not there', video.where)
            try:
                records.append(self._record(video.changed(**{**_same(federation, video_id), **known}),
                                            tracks[video_id], labels, annotated=bool(annotations or rows)))
            except BrokenRow as problem:
                self.broken.add(str(problem), video.where)
        if rows:
            add_boxes(records, rows, labels, federation, broken, self.layout)
        elif self.test_mode and give_first_masks_alone(records):
            for frame in (frame for record in records for frame in record['images']):
                frame['annotated'] = False
        report(broken.reasons, str(self.eval_file), notes=broken.notes)
        return records

    def _merged(self, content: dict, evaluation: dict) -> dict:
        """Id of a category -> id that it counts as, from whichever file holds it."""
        check_same_names(content.get('categories'), evaluation.get('categories'), f'{self.ann_file} and '
                         f'{self.eval_file}')
        merged = merged_ids(content.get('categories')) or merged_ids(evaluation.get('categories'))
        if self.eval_file is not None and not any(isinstance(row, dict) and isinstance(row.get('merged'), list)
                                                  for file in (content, evaluation)
                                                  for row in rows_of(file.get('categories'))):
            raise ValueError(f'neither {self.ann_file} nor {self.eval_file} says in `categories` which of them are '
                             "`merged`, as TAO's train.json and validation.json do: without it TETA is wrong")
        return merged

    def _record(self, video: Row, tracks: list[Row], labels: dict, annotated: bool = True) -> dict:
        names = video.get('file_names')
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise BrokenRow('video without file_names')
        image_ids = video.get('image_ids') or [f'{video["id"]}_{frame}' for frame in range(len(names))]
        if not isinstance(image_ids, list) or len(image_ids) != len(names):
            raise BrokenRow('video with another number of image_ids than of file_names')
        if not all(map(is_id, image_ids)) or len(set(image_ids)) < len(image_ids):
            raise BrokenRow('video with image_ids that are not an id of its own for each frame')
        paths = [join_path(self.data_prefix.get('img', ''), name) for name in names]
        (width, height), shown = size_of(video, paths[0], self.broken), annotated_frames(video, len(names))
        images = [
            dict(img_path=path, img_id=image_id, frame_id=frame, height=height, width=width,
                 annotated=annotated and frame in shown, instances=[])
            for frame, (path, image_id) in enumerate(zip(paths, image_ids))
        ]
        for track in tracks:
            self._add_track(images, track.number + 1, track, labels)
        info = self.read_info(video, INFO_KEYS, labels)
        info['name'] = self._name(video, names)
        info['object_numbers'] = {str(track.number + 1): position for position, track in enumerate(tracks, 1)}
        info['object_areas'] = {str(track.number + 1): self._mean_of_areas(track) for track in tracks
                                if self._has_areas(track)}
        if not self.test_mode and not isinstance(shown, range):  # an object would be missing in the other frames
            images = [dict(frame, frame_id=number) for number, frame in enumerate(
                frame for frame in images if frame['frame_id'] in shown)]
        if not images:
            raise BrokenRow('video without an annotated frame')
        return dict(video_id=video['id'], video_length=len(images), width=width, height=height, video_info=info,
                    images=images)

    def _name(self, video: Row, names: list[str]) -> str:
        """Of the video's folder in result files."""
        folder = names[0].rpartition('/')[0]
        if not isinstance(video.get('name') or '', str):
            self.broken.note(f'name that is no text: {folder!r} in its place', video.where)
            return folder
        return video.get('name') or folder

    def _has_areas(self, track: Row) -> bool:
        if not isinstance(track.get('areas'), (list, type(None))):
            self.broken.note('areas that are no list: measured', track.where)
        return isinstance(track.get('areas'), list)

    def _mean_of_areas(self, track: Row) -> float:
        """Size of an object in px as YouTube-VIS's program takes it: the mean of the areas that are not 0 or null."""
        shown = []
        for area in track['areas']:
            try:
                shown += [int(number(area, 'area'))] if area else []
            except BrokenRow as problem:
                self.broken.add(str(problem), track.where)
        return sum(shown) / len(shown) if shown else 0.0

    def _add_track(self, images: list[dict], identity: int, track: Row, labels: dict) -> None:
        size = images[0]['width'], images[0]['height']
        try:
            label = label_of(track, labels)
            if label is None:  # of a category that nobody asks for
                return
            ignore = flag(track.get('iscrowd'), 'iscrowd')
            sights = read_track(track, size, len(images), lambda reason, frame: self.broken.add(
                reason, f'{track.where} in {images[frame]["img_path"]}'), usable=not self.test_mode)
        except BrokenRow as problem:
            self.broken.add(str(problem), track.where)
            return
        is_first = True
        for frame, sight in zip(images, sights):
            if sight is not None:
                self.layout.see(sight.xyxy, *size, track.where)
                frame['instances'].append(dict(make_instance(identity, label, sight.xyxy, sight.mask, ignore),
                                               is_first=is_first))
                is_first = False


def _same(rows: dict, identifier) -> dict:
    """The row of another file with this id; nothing if there is none."""
    try:
        return look_up(rows, identifier, '')
    except BrokenRow:
        return {}


def give_first_masks_alone(records: list[dict]) -> bool:
    """Whether no object of a data set is in a second frame, and none in the last one, although videos have several."""
    videos = [record['images'] for record in records if record['video_length'] > 1]
    sightings = [[instance['instance_id'] for frame in video for instance in frame['instances']] for video in videos]
    return any(sightings) and all(len(ids) == len(set(ids)) for ids in sightings) and not any(
        video[-1]['instances'] for video in videos)
