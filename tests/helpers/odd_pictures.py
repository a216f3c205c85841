"""Two hundred pictures that real folders hold and nobody expects, always the same ones."""
import io
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

MODES = ('1', 'L', 'LA', 'La', 'P', 'PA', 'RGB', 'RGBA', 'RGBa', 'RGBX', 'CMYK', 'YCbCr', 'LAB', 'HSV', 'I', 'F',
         'I;16', 'I;16B')
FORMATS = ('PNG', 'JPEG', 'BMP', 'GIF', 'TIFF', 'WEBP')
SIZES = ((1, 1), (1, 7), (9, 2), (24, 16), (40, 3))


def write_odd_pictures(folder: Path, count: int = 200) -> int:
    """Write ``count`` files with names of pictures; how many of them are pictures, the others are damaged."""
    folder.mkdir(parents=True)
    good = [*_modes(), *_sizes(), *_rotations(), *_animations(), *_depths(), *_names()]
    bad = [*_damaged(), *_lies()]
    good = good[:count - len(bad)]
    for name, content in (*good, *bad):
        (folder / os.fsdecode(name)).write_bytes(content)
    os.symlink(folder / 'nowhere.png', folder / 'broken_link.png')
    (folder / 'folder.jpg').mkdir()
    (folder / '._stray.jpg').write_bytes(b'not seen')
    assert len({name for name, _ in (*good, *bad)}) == len(good) + len(bad) == count
    return len(good)


def pixels(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Noise, RGB."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(picture: Image.Image, form: str, **options) -> bytes:
    """The file of a picture."""
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def picture_of_mode(mode: str, size: tuple[int, int]) -> Image.Image:
    """A picture of any mode of pillow."""
    if mode in ('I;16', 'I;16B'):
        values = np.arange(size[0] * size[1], dtype='>u2' if mode.endswith('B') else '<u2') * 257
        return Image.frombytes(mode, size, values.tobytes())
    rgb = Image.fromarray(pixels(*size))
    steps = {'LA': ['LA'], 'La': ['LA', 'La'], 'PA': ['P', 'PA'], 'RGBa': ['RGBA', 'RGBa'], 'LAB': ['RGB'],
             'F': ['L', 'F'], 'I': ['L', 'I']}.get(mode, [mode])
    if mode == 'LAB':
        return Image.frombytes('LAB', size, rgb.tobytes())
    for step in steps:
        rgb = rgb.convert(step)
    return rgb


def _modes():
    """Every mode in every format that can hold it."""
    for number, mode in enumerate(MODES):
        for place, form in enumerate(FORMATS):
            size = SIZES[(number + place) % len(SIZES)]
            try:
                content = encoded(picture_of_mode(mode, size), form)
                Image.open(io.BytesIO(content)).load()
            except (OSError, KeyError, ValueError):  # this format has no such mode, or pillow cannot read what it wrote
                continue
            yield f'mode_{mode.replace(";", "_")}_{form}_{number}.{form.lower()}', content


def _sizes():
    for width, height in ((8000, 20), (20, 8000), (70000, 1), (1, 3000), (700, 2), (2, 2)):
        yield f'size_{width}x{height}.png', encoded(Image.new('L', (width, height), 90), 'PNG')


def _rotations():
    """EXIF orientations, two that do not exist, and metadata that is none."""
    for turn in (*range(1, 9), 0, 77):
        exif = Image.Exif()
        exif[0x0112] = turn
        yield f'turned_{turn}.jpg', encoded(Image.fromarray(pixels(12, 8)), 'JPEG', exif=exif)
        yield f'turned_{turn}.webp', encoded(Image.fromarray(pixels(12, 8)), 'WEBP', exif=exif)
    yield 'bad_exif.jpg', encoded(Image.fromarray(pixels(12, 8)), 'JPEG', exif=b'Exif\0\0nonsense' * 3)
    yield 'bad_profile.jpg', encoded(Image.fromarray(pixels(12, 8)), 'JPEG', icc_profile=b'no profile' * 9)
    yield 'progressive.jpg', encoded(Image.fromarray(pixels(30, 20)), 'JPEG', progressive=True, quality=5)
    yield 'described.png', encoded(Image.fromarray(pixels(5, 5)), 'PNG', dpi=(1, 99999))


def _animations():
    frames = [Image.fromarray(pixels(16, 9, seed)) for seed in range(3)]
    for form in ('GIF', 'WEBP', 'PNG', 'TIFF'):
        yield f'moving.{form.lower()}', encoded(frames[0], form, save_all=True, append_images=frames[1:])
    yield 'transparent.gif', encoded(frames[0].convert('P'), 'GIF', transparency=3)
    yield 'transparent_p.png', encoded(frames[0].convert('P'), 'PNG', transparency=b'\x00\x80')
    for colours in (2, 4, 16, 200):
        yield f'palette_{colours}.png', encoded(frames[0].quantize(colours), 'PNG', bits=8 if colours > 16 else 4)


def _depths():
    """16 bits, which OpenCV writes in three channels."""
    rgb = pixels(10, 6).astype(np.uint16) * 257
    for name, array in (('rgb16.png', rgb), ('rgba16.png', np.dstack([rgb, rgb[..., 0]])), ('rgb16.tiff', rgb),
                        ('grey16.png', rgb[..., 0])):
        yield name, cv2.imencode(Path(name).suffix, array)[1].tobytes()


def _names():
    """Right files under odd names and under another format's suffix."""
    content = encoded(Image.fromarray(pixels(12, 8)), 'PNG')
    for name in ('with blank.png', 'UPPER.PNG', 'two.dots.png', '#percent%20.png', "quote'.png", '[star].png',
                 '\N{GRINNING FACE}.png', 'a' * 200 + '.png', '-dash.png', b'\xff\xfe.png', 'line\nbreak.png'):
        yield name, content
    yield 'really_png.jpg', content
    yield 'really_gif.png', encoded(Image.fromarray(pixels(12, 8)), 'GIF')
    for number in range(200):
        size = (1 + number % 13, 1 + number % 7)
        yield f'more_{number}.{("png", "jpg", "webp", "bmp")[number % 4]}', encoded(
            Image.fromarray(pixels(*size, number)), ('PNG', 'JPEG', 'WEBP', 'BMP')[number % 4])


def _damaged():
    """Cut, empty, overwritten and of another kind."""
    for form in ('PNG', 'JPEG', 'GIF', 'TIFF', 'WEBP', 'BMP'):
        content = encoded(Image.fromarray(pixels(64, 48)), form)
        for part in (0.02, 0.3):
            yield f'cut_{part}.{form.lower()}', content[:max(int(len(content) * part), 4)]
    png = encoded(Image.fromarray(pixels(64, 48)), 'PNG')
    yield 'float.tiff', cv2.imencode('.tiff', pixels(10, 6).astype(np.float32))[1].tobytes()  # pillow has no such mode
    yield 'empty.jpg', b''
    yield 'text.png', b'this is no picture\n' * 20
    yield 'zeros.jpg', bytes(5000)
    yield 'page.jpg', b'<html><body>404 Not Found</body></html>'
    yield 'overwritten.png', png[:60] + bytes(200) + png[260:]
    yield 'pickle.png', b'\x80\x04\x95\x10\x00\x00\x00.'


def _lies():
    """Headers that promise more than memory holds, or nothing."""
    for name, width, height in (('huge', 60000, 60000), ('endless', 2**31 - 1, 2**31 - 1), ('nothing', 0, 0)):
        header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
        chunks = b''.join(struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
                          for kind, data in ((b'IHDR', header), (b'IDAT', zlib.compress(bytes(99))), (b'IEND', b'')))
        yield f'{name}.png', b'\x89PNG\r\n\x1a\n' + chunks
    yield 'huge.bmp', b'BM' + struct.pack('<IHHIIiiHHIIiiII', 54, 0, 0, 54, 40, 90000, 90000, 1, 24, 0, 0, 0, 0, 0, 0)
    yield 'huge.gif', b'GIF89a' + struct.pack('<HHBBB', 65535, 65535, 0, 0, 0) + b';'
