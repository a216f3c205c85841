"""What a user may name as pictures: every form, in order, and clear errors for the rest."""
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from projects.glee.apis.picture_source import find_pictures

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    for name in ('f10.png', 'f2.png', 'below/f1.png'):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(PIXELS).save(path)
    (tmp_path / 'notes.txt').write_text('none')
    return tmp_path


def names(images):
    return [Path(source.path).name for source in find_pictures(images)]


def test_files_folders_and_globs_in_natural_order(folder):
    assert names(folder) == names(str(folder)) == ['f2.png', 'f10.png']
    assert names(f'{folder}/*.png') == ['f2.png', 'f10.png']
    assert names(f'{folder}/**/*.png') == ['f1.png', 'f2.png', 'f10.png']
    assert names([folder / 'f10.png', str(folder / 'below')]) == ['f10.png', 'f1.png']


@pytest.mark.parametrize('content', [
    PIXELS, Image.fromarray(PIXELS), torch.from_numpy(PIXELS), torch.from_numpy(PIXELS).permute(2, 0, 1),
    torch.from_numpy(PIXELS).permute(2, 0, 1)[None].float() / 255, np.dstack([PIXELS, np.zeros_like(PIXELS[..., :1])])])
def test_pictures_from_memory(content):
    source, = find_pictures(content)
    np.testing.assert_array_equal(source.read(), PIXELS)
    assert source.path is None


def test_a_generator_is_read_as_it_goes():
    read = []

    def pictures():
        for number in range(3):
            read.append(number)
            yield PIXELS

    sources = find_pictures(pictures())
    assert next(sources).name == 'picture 0 of the list' and read == [0]


@pytest.mark.parametrize('images, error, message', [
    ('missing.jpg', FileNotFoundError, 'picture missing.jpg does not exist'),
    ('missing_*.jpg', FileNotFoundError, 'no picture matches missing_'), (3, TypeError, 'got int'),
    ({}, TypeError, 'got dict'), (None, TypeError, 'got NoneType')])
def test_what_is_none_is_said(images, error, message):
    with pytest.raises(error, match=message):
        list(find_pictures(images))


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no picture'):
        find_pictures(tmp_path)


def test_an_array_that_is_no_picture_is_named():
    sources = find_pictures([PIXELS, np.zeros((2, 2, 7))])
    next(sources).read()
    with pytest.raises(ValueError, match='picture 1 of the list: a picture is an array'):
        next(sources).read()
