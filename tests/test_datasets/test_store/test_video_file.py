"""Frames by number, in any order, also of a file that lies."""
import struct

import cv2
import numpy as np
import pytest

from projects.glee.apis.frame_reader import MOST_LOST, FrameReader, open_frames
from projects.glee.datasets.store.video_file import VideoFile


@pytest.fixture(params=[('avi', 'MJPG'), ('mp4', 'mp4v'), ('webm', 'VP80')], ids=lambda kind: kind[1])
def video(request, tmp_path):
    """Path and frames, RGB as decoded from front to back, of 30 frames whose brightness tells them apart."""
    suffix, code = request.param
    path = tmp_path / f'video.{suffix}'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), 12, (32, 24))
    for number in range(30):
        writer.write(np.full((24, 32, 3), 8 * number, np.uint8))
    writer.release()
    capture, frames = cv2.VideoCapture(str(path)), []
    while (frame := capture.read())[0]:
        frames.append(frame[1][..., ::-1])
    assert len(frames) == 30
    return path, frames


def test_frames_in_any_order_are_those_of_the_sequence(video):
    path, frames = video
    file = VideoFile(path)
    assert len(file) == 30 and file.fps == pytest.approx(12)
    order = np.random.default_rng(0).permutation(30).tolist()
    for number in [*order, *range(30), *range(29, -1, -1), 5, 5]:
        assert abs(file[number].astype(int) - frames[number]).mean() < 1, number


def test_a_count_that_cannot_be_is_counted(tmp_path):
    path = tmp_path / 'video.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 12, (32, 24))
    for number in range(5):
        writer.write(np.full((24, 32, 3), 40 * number, np.uint8))
    writer.release()
    content = bytearray(path.read_bytes())
    for mark, place in ((b'avih', 24), (b'strh', 40)):  # dwTotalFrames of the file and dwLength of the stream
        start = content.find(mark) + place
        assert struct.unpack_from('<I', content, start)[0] == 5
        struct.pack_into('<I', content, start, 2**30)
    index = content.find(b'idx1')
    path.write_bytes(content[:index])  # OpenCV would count its entries
    assert len(FrameReader(path)) == 5
    assert [frame.shape for _, frame in open_frames(path).frames] == [(24, 32, 3)] * 5


def test_a_file_of_which_nothing_comes_any_more_is_left(video, monkeypatch):
    path, _ = video
    monkeypatch.setattr(VideoFile, '__len__', lambda self: 10000)
    frames = list(open_frames(path).frames)
    assert len(frames) == 30 + MOST_LOST
    assert all(isinstance(frame, np.ndarray) for _, frame in frames[:30])
    assert f'like {MOST_LOST - 1} before it: the rest is not tried' in str(frames[-1][1])
