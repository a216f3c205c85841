"""What users send: limits, and lines about it that name no folder."""
from argparse import ArgumentParser

import numpy as np
import pytest
from odd_pictures import write_odd_pictures
from PIL import Image

from projects.glee.datasets.store.pictures import read_picture
from projects.glee_cli.serving.limits import Limits
from projects.glee_cli.serving.uploads import ShortVideo, read_upload


def test_pictures(tmp_path):
    """Every odd picture is read as everywhere or refused in a line, by the name the user gave it."""
    count, refused = write_odd_pictures(tmp_path / 'odd'), 0
    paths = [path for path in (tmp_path / 'odd').iterdir() if path.is_file()]
    for path in paths:
        try:
            assert np.array_equal(read_upload(path, Limits(), 'mine'), read_picture(path))
        except ValueError as error:
            refused += 1
            assert str(tmp_path) not in str(error) and 'mine' in str(error) and '\n' not in str(error)
    assert len(paths) - refused == count
    odd = tmp_path / 'odd' / 'a\nb.png'
    odd.write_bytes(b'no picture')
    with pytest.raises(ValueError, match=r'^a b\.png cannot be read') as caught:
        read_upload(odd, Limits())
    assert str(tmp_path) not in str(caught.value)


def test_limits(tmp_path):
    path = tmp_path / 'a.png'
    Image.new('L', (300, 200)).save(path)
    assert read_upload(path, Limits(megapixels=0.06)).shape == (200, 300, 3)
    with pytest.raises(ValueError, match=r'^a\.png has 300 x 200 px, more than the 0\.05 megapixels'):
        read_upload(path, Limits(megapixels=0.05))
    with pytest.raises(ValueError, match=r'^b has 0 MB, more than the 1e-05 MB'):
        read_upload(path, Limits(megabytes=0.00001), 'b')
    with pytest.raises(ValueError, match=r'^b has 0 MB'):
        ShortVideo(path, Limits(megabytes=0.00001), 'b')


def test_arguments():
    parser = ArgumentParser()
    Limits.add_arguments(parser)
    assert Limits.of_arguments(parser.parse_args([])) == Limits()
    assert Limits.of_arguments(parser.parse_args(['--max-seconds', '9'])) == Limits(seconds=9.)
    with pytest.raises(ValueError, match='--max-waiting must be above 0'):
        Limits.of_arguments(parser.parse_args(['--max-waiting', '0']))


def test_long_and_large_videos_are_cut_and_shrunk(tmp_path):
    """Of five frames of 40 x 60 px the first three, at 20 x 30."""
    for number in range(5):
        Image.fromarray(np.full((40, 60, 3), 50 + number, np.uint8)).save(tmp_path / f'{number}.png')
    video = ShortVideo(tmp_path, Limits(frames=3, side=30))
    assert (len(video), video.left_out, video.fps) == (3, 2, 25)
    assert [frame.tolist() for frame in video] == [np.full((20, 30, 3), 50 + i).tolist() for i in range(3)]
    assert video.note == '3 frames, 0.1 s; the last 2 were left out'
    assert len(ShortVideo(tmp_path, Limits(seconds=0.08))) == 2 and 'left' not in ShortVideo(tmp_path, Limits()).note
    (tmp_path / '1.png').write_bytes(b'no picture')
    with pytest.raises(ValueError, match='^frame 1, mine/1.png, cannot be read'):
        ShortVideo(tmp_path, Limits(), 'mine')[1]


@pytest.mark.parametrize('name, message', [('x.mp4', 'x.mp4 has no frame'), ('nowhere.mp4', 'does not exist'),
                                           ('empty', 'empty has no frame')])
def test_files_that_are_no_videos(tmp_path, name, message):
    (tmp_path / 'x.mp4').write_bytes(b'nothing')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match=message) as caught:
        ShortVideo(tmp_path / name, Limits())
    assert str(tmp_path) not in str(caught.value)
