"""Reading, model and writing of a video at the same time: in order, with the errors of each."""
from threading import Event

import numpy as np
import pytest

from projects.glee.apis.frame_reader import VideoFrames
from projects.glee.apis.image_result import ImageResult
from projects.glee.apis.overlapping import read_ahead, writing_behind
from projects.glee.apis.tracked_video import TrackedVideo

WAIT = 20  # seconds, after which something that should have happened meanwhile did not


def test_frames_are_read_and_written_while_the_model_works(monkeypatch, tmp_path):
    """Each step waits for what it should overlap with, so that a program in one thread would fail."""
    read, stepped, written = ([Event() for _ in range(4)] for _ in range(3))

    def source():
        for number in range(4):
            read[number].set()
            yield number, np.zeros((4, 6, 3), np.uint8)

    class Follower:

        def step(self, image, frame):
            assert read[min(frame + 1, 3)].wait(WAIT), 'the next frame is not read meanwhile'
            assert not written[frame].is_set()
            stepped[frame].set()
            return ImageResult(path=None, shape=(4, 6), names=[], boxes=np.zeros((0, 4), np.float32),
                               scores=np.zeros(0, np.float32), rles=[], ids=np.zeros(0, int), frame=frame, image=image)

    class Writer:
        frames = []

        def __init__(self, path):
            pass

        def write(self, result):
            assert stepped[min(result.frame + 1, 3)].wait(WAIT), 'the model does not work meanwhile'
            self.frames.append(result.frame)
            written[result.frame].set()

        def close(self):
            self.frames.append('closed')

    monkeypatch.setattr('projects.glee.apis.tracked_video.JsonTracks', Writer)
    TrackedVideo(VideoFrames(source(), 25., 4), [Follower()]).save(json=tmp_path / 'a.json', show_progress=False)
    assert Writer.frames == [0, 1, 2, 3, 'closed']


def test_an_error_of_reading_comes_in_its_place():

    def source():
        yield from range(3)
        raise OSError('the disk is gone')

    found = []
    with pytest.raises(OSError, match='the disk is gone'):
        for item in read_ahead(source()):
            found.append(item)
    assert found == [0, 1, 2] and list(read_ahead([])) == [] and list(read_ahead(range(9))) == list(range(9))


def test_after_an_error_of_writing_nothing_is_written():
    found = []

    def write(number):
        if number == 2:
            raise OSError('the disk is full')
        found.append(number)

    with pytest.raises(OSError, match='the disk is full'):
        with writing_behind() as behind:
            for number in range(9):
                behind(write, number)
    assert found == [0, 1]
    with pytest.raises(KeyError), writing_behind() as behind:  # one of the loop comes through
        behind(write, 5)
        raise KeyError
