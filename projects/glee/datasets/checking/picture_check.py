"""Pictures of an annotation file: there, readable, as large as the file says, and not twice."""
import hashlib
from pathlib import Path
from typing import Iterable, Sequence

from ..store.broken_rows import BrokenRows
from ..store.pictures import list_pictures, picture_size, read_picture


def check_pictures(items: Sequence[dict], found: BrokenRows, quick: bool = False,
                   progress=None) -> tuple[list[dict], dict[str, str]]:
    """Open every picture.

    Args:
        items: with ``img_path``, ``height`` and ``width``, px.
        found: gets what is wrong.
        quick: do not decode pixels.
        progress: see ``check_coco``.

    Returns:
        tuple: the items whose picture can be used, and content -> path of each picture, empty if ``quick``.
    """
    usable, hashes = [], {}
    for item in progress(items, 'pictures') if progress else items:
        path = Path(item['img_path'])
        if not path.is_file():
            found.add('picture that is missing', str(path))
            continue
        try:
            content = None if quick else path.read_bytes()
            size = picture_size(path) if quick else read_picture(content).shape[:2]
        except (ValueError, OSError):
            found.add('picture that cannot be read', str(path))
            continue
        said = item['height'], item['width']
        if size != said:
            how = ': turned by its EXIF orientation' if size == said[::-1] else ''
            found.add(f'picture of another size than the file says{how}', f'{path}: {size[1]} x {size[0]} px, not '
                      f'{said[1]} x {said[0]}')
            continue
        usable.append(item)
        if not quick:
            first = hashes.setdefault(hashlib.sha256(content).hexdigest(), str(path))
            if first != str(path):
                found.note('picture that is there twice', f'{first} and {path}')
    return usable, hashes


def unnamed_pictures(folder: str | Path, named: Iterable[str]) -> list[Path]:
    """Pictures of a folder that no annotation file names."""
    known = {Path(path).resolve() for path in named}
    return [path for path in list_pictures(folder) if path.resolve() not in known]


def shared_pictures(train: dict[str, str], val: dict[str, str]) -> list[tuple[str, str]]:
    """Pictures of equal content in training and validation, which make a validation worthless.

    Args:
        train, val: the ``hashes`` of two reports.

    Returns:
        list[tuple[str, str]]: paths of each pair.
    """
    return [(train[content], path) for content, path in val.items() if content in train]
