"""Pictures and videos with bytes changed, cut off, moved or lied about; always the same ones for a seed."""
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

PICTURES = ('PNG', 'JPEG', 'GIF', 'WEBP', 'TIFF', 'BMP')
VIDEOS = (('mp4', 'mp4v'), ('avi', 'MJPG'), ('avi', 'XVID'))


def sound_files(folder: Path) -> list[Path]:
    """One small file per kind, animations too."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    frames = [cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (32, 24)) for _ in range(6)]
    files = []
    for form in PICTURES:
        files.append(folder / f'picture.{form.lower()}')
        several = dict(save_all=True, append_images=[Image.fromarray(frame) for frame in frames[1:3]])
        Image.fromarray(frames[0]).save(files[-1], form, **(several if form in ('GIF', 'WEBP', 'TIFF') else {}))
    for suffix, code in VIDEOS:
        files.append(folder / f'{code}.{suffix}')
        writer = cv2.VideoWriter(str(files[-1]), cv2.VideoWriter_fourcc(*code), 10, (32, 24))
        for frame in frames:
            writer.write(frame)
        writer.release()
    return files


def mutate(content: bytes, rng: np.random.Generator) -> bytes:
    """One to three faults of different kinds."""
    faults = (_flip, _cut, _lie, _drop, _repeat, _zero)
    for number in rng.choice(len(faults), rng.integers(1, 4), replace=False):
        content = faults[number](content, rng) if len(content) > 16 else content
    return content


def _flip(content: bytes, rng: np.random.Generator) -> bytes:
    changed = np.frombuffer(content, np.uint8).copy()
    places = rng.integers(0, len(changed), rng.integers(1, max(2, len(changed) // 50)))
    changed[places] = rng.integers(0, 256, len(places))
    return changed.tobytes()


def _cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[:rng.integers(1, len(content))]


def _lie(content: bytes, rng: np.random.Generator) -> bytes:
    """A size, count or offset in the header, or in any header of an mp4 or avi, that is far too large."""
    marks = [content.find(mark) for mark in (b'IHDR', b'stsz', b'stts', b'stco', b'tkhd', b'avih', b'strh', b'idx1',
                                             b'VP8', b'\xff\xc0', b'mvhd', b'strf')]
    starts = [0, 4, 8, *(mark for mark in marks if mark >= 0)]
    place = int(rng.choice(starts) + rng.integers(0, 40))
    value = [b'\xff\xff\xff\xff', b'\x7f\xff\xff\xff', b'\xff\xff\xff\x7f', b'\x00\x00\xff\xff', b'\x00\x00\x00\x00',
             b'\x00\xff\xff\x00'][rng.integers(6)]
    return content[:place] + value + content[place + 4:]


def _drop(content: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(0, len(content)))
    return content[:start] + content[start + int(rng.integers(1, 64)):]


def _repeat(content: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(0, len(content)))
    return content[:start] + content[start:start + int(rng.integers(1, 256))] * 3 + content[start:]


def _zero(content: bytes, rng: np.random.Generator) -> bytes:
    start, length = int(rng.integers(0, len(content))), int(rng.integers(1, 256))
    return content[:start] + bytes(min(length, len(content) - start)) + content[start + length:]

