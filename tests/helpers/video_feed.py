"""Videos with tracks as the test loop hands them to a metric."""
from mmdet.structures import DetDataSample, TrackDataSample

from projects.glee.evaluation.functional.video_record import VideoRecord, frame_record

META = dict(classes=('class 0', 'class 1', 'class 2'), category_ids=(3, 7, 9))


def windows(video, size):
    """The video as the detector returns it, in windows."""
    length = len(video.frames)
    for start in range(0, length, size):
        clip = TrackDataSample()
        clip.video_data_samples = [
            DetDataSample(metainfo=dict(frame, ori_shape=tuple(frame['ori_shape']), video_id=video.video_id,
                                        ori_video_length=length, video_info=video.info, text=video.text))
            for frame in video.frames[start:start + size]]
        if start + size >= length:
            clip.pred_tracks = video.tracks
        yield clip.to_dict()


def feed(metric, videos, size=2, meta=META):
    """Give a metric some ``VideoRecord``s, window by window."""
    metric.dataset_meta = meta
    for video in videos:
        for clip in windows(video, size):
            metric.process({}, [clip])


def read_videos(dataset):
    """The videos of a data set as a metric records them, still without tracks."""
    videos = []
    for index in range(len(dataset)):
        record = dataset.get_data_info(index)
        frames = dataset.frames_of(record, range(record['video_length']))
        samples = [DetDataSample(metainfo=dict(frame, ori_shape=(frame['height'], frame['width']))) for frame in frames]
        videos.append(VideoRecord(dict(record['video_info'], video_id=record['video_id']), frames[0]['text'],
                                  [frame_record(sample) for sample in samples], []))
    return videos
