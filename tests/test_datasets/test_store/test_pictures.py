"""Pixels of every kind of picture against values computed by hand; order and strays of files."""
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from projects.glee.datasets.store.pictures import (
    in_order,
    is_picture,
    list_pictures,
    picture_size,
    read_picture,
    to_rgb,
)

RAMP = np.arange(64, dtype=np.uint16)[None].repeat(2, 0) * 1024  # 64 greys of 16 bits


def saved(picture, path, **options):
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(path, **options)
    return path


def test_a_ramp_of_64_greys_of_16_bits_keeps_its_64_levels(tmp_path):
    expected = np.round(RAMP / 257).astype(np.uint8)[..., None].repeat(3, 2)
    assert len(np.unique(expected)) == 64
    for suffix in ('png', 'tif'):
        np.testing.assert_array_equal(read_picture(saved(RAMP, tmp_path / f'ramp.{suffix}')), expected)
    np.testing.assert_array_equal(to_rgb(RAMP), expected)
    np.testing.assert_array_equal(to_rgb(RAMP[..., None]), expected)


@pytest.mark.parametrize('mode, value, expected', [
    ('RGB', (10, 20, 30), (10, 20, 30)), ('L', 77, (77, 77, 77)), ('1', 1, (255, 255, 255)),
    ('RGBA', (10, 20, 30, 0), (10, 20, 30)), ('LA', (77, 0), (77, 77, 77)), ('CMYK', (0, 0, 0, 255), (0, 0, 0)),
    ('F', 0.5, (128, 128, 128)), ('I', 65535, (255, 255, 255)), ('I', 200, (200, 200, 200))])
def test_every_mode(mode, value, expected):
    picture = Image.new(mode, (3, 2), value)
    np.testing.assert_array_equal(to_rgb(picture), np.broadcast_to(np.uint8(expected), (2, 3, 3)))


def test_palette_with_transparency(tmp_path):
    picture = Image.new('P', (3, 2), 1)
    picture.putpalette([0, 0, 0, 9, 8, 7])
    path = saved(picture, tmp_path / 'palette.png', transparency=1)
    np.testing.assert_array_equal(read_picture(path), np.broadcast_to(np.uint8((9, 8, 7)), (2, 3, 3)))


@pytest.mark.parametrize('array, expected', [
    (np.full((2, 3), True), 255), (np.full((2, 3, 3), 1.0), 255), (np.full((2, 3, 3), 0.2), 51),
    (np.full((2, 3, 3), 200.4), 200), (np.full((2, 3, 2), 5, np.uint8), 5), (np.full((2, 3, 4), 5, np.int64), 5)])
def test_arrays(array, expected):
    np.testing.assert_array_equal(to_rgb(array), np.full((2, 3, 3), expected, np.uint8))


@pytest.mark.parametrize('array', [
    np.zeros((0, 3, 3), np.uint8), np.zeros((2, 3, 5), np.uint8), np.zeros(4, np.uint8), np.full((2, 3, 3), np.nan),
    np.full((2, 3, 3), -1), np.full((2, 3, 3), 300)])
def test_what_is_no_picture_is_refused(array):
    with pytest.raises(ValueError, match='picture'):
        to_rgb(array)


def test_exif_rotation_turns_pixels_and_size_alike(tmp_path):
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[0, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn to the right
    path = saved(pixels, tmp_path / 'turned.png', exif=exif)
    shown = read_picture(path)
    assert shown.shape[:2] == picture_size(path) == (6, 4)
    assert shown[0, 3].tolist() == [255] * 3 and shown.sum() == 765
    assert picture_size(saved(pixels, tmp_path / 'plain.png')) == (4, 6)


def test_an_animation_is_its_first_frame(tmp_path):
    frames = [Image.new('L', (3, 2), value) for value in (50, 200)]
    frames[0].save(tmp_path / 'two.gif', save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_picture(tmp_path / 'two.gif'), np.full((2, 3, 3), 50))


def test_damaged_files_are_named(tmp_path):
    content = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(content, 'JPEG')
    for name, data in (('cut.jpg', content.getvalue()[:-900]), ('empty.png', b''), ('text.png', b'no picture')):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=f'{name} cannot be read as a picture'):
            read_picture(tmp_path / name)
    with pytest.raises(FileNotFoundError, match='missing.jpg does not exist'):
        read_picture(tmp_path / 'missing.jpg')


def test_natural_order_and_strays(tmp_path):
    names = ['f10.JPG', 'f2.jpg', 'F1.png', '._f2.jpg', 'Thumbs.db', '.hidden.png', 'notes.txt', 'a/1.png',
             '.ipynb_checkpoints/f2-checkpoint.jpg', 'f02.jpg']
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b'')
    assert [path.name for path in list_pictures(tmp_path)] == ['F1.png', 'f02.jpg', 'f2.jpg', 'f10.JPG']
    found = list_pictures(tmp_path, recursive=True)
    assert [str(path.relative_to(tmp_path)) for path in found] == ['F1.png', 'a/1.png', 'f02.jpg', 'f2.jpg', 'f10.JPG']
    assert in_order(['10', '9', 'a2b10', 'a2b9']) == ['9', '10', 'a2b9', 'a2b10']
    assert is_picture(Path('x/y.WebP')) and not is_picture('x/y.WebP', ('.jpg', )) and not is_picture('._y.png')
