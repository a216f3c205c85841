"""Which files are pictures, in which order they come, and what their pixels are: one rule for the whole project."""
import io
import re
from pathlib import Path
from typing import Iterable, Sequence, Union

import numpy as np
from PIL import Image, ImageOps

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.gif')
STRAY_FOLDERS = ('.ipynb_checkpoints', '__MACOSX', '@eaDir')
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)  # what pillow raises
_ORIENTATION = 0x0112  # EXIF tag; values 5 to 8 exchange width and height


def is_stray(path: Union[str, Path]) -> bool:
    """Whether an operating system or a notebook left this file or folder behind (``._a.jpg``, ``Thumbs.db``)."""
    path = Path(path)
    return path.name.startswith('.') or any(part in STRAY_FOLDERS for part in path.parts)


def is_picture(path: Union[str, Path], suffixes: Sequence[str] = SUFFIXES) -> bool:
    """Whether a name is that of a picture: one of ``suffixes`` in any case, and no stray file."""
    path = Path(path)
    return path.suffix.lower() in suffixes and not is_stray(path.name)


def natural_key(path: Union[str, Path]) -> list:
    """Sorting by it puts ``frame2`` before ``frame10``; equal numbers are told apart by the text itself."""
    text = str(path)
    parts = re.split(r'([0-9]+)', text)  # numbers stand at the odd places
    return [[(int(part), '') if index % 2 else (-1, part) for index, part in enumerate(parts)], text]


def in_order(paths: Iterable[Union[str, Path]]) -> list:
    """Paths in natural order."""
    return sorted(paths, key=natural_key)


def list_pictures(folder: Union[str, Path], suffixes: Sequence[str] = SUFFIXES, recursive: bool = False) -> list[Path]:
    """The pictures of a folder in natural order.

    Args:
        folder: where to look.
        suffixes: of the files, in lower case.
        recursive: also in the folders below, without those that notebooks and archives leave.
    """
    folder = Path(folder)
    found = folder.rglob('*') if recursive else folder.iterdir()
    return in_order(path for path in found if is_picture(path, suffixes) and path.is_file()
                    and not any(is_stray(parent) for parent in path.relative_to(folder).parents if parent.name))


def list_folders(root: Union[str, Path]) -> list[str]:
    """The names of the folders below ``root`` in natural order, without stray ones."""
    return in_order(path.name for path in Path(root).iterdir() if path.is_dir() and not is_stray(path.name))


def read_name_list(path: Union[str, Path]) -> list[str]:
    """The lines of a list of picture or video names (VOC's, SBD's and DAVIS's ImageSets); names may hold blanks."""
    return [line.strip() for line in Path(path).read_text(encoding='utf-8-sig').splitlines() if line.strip()]


def picture_size(path: Union[str, Path]) -> tuple[int, int]:
    """(height, width) of a picture as it is shown, that is after its EXIF rotation; pixels are not decoded.

    Raises:
        OSError: it is missing, no picture, or one of more pixels than pillow opens; it is named.
    """
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            turned = picture.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    except FileNotFoundError:
        raise
    except _UNREADABLE as error:
        raise OSError(f'{path} cannot be read as a picture: {type(error).__name__}: {error}') from error
    return (width, height) if turned else (height, width)


def read_picture(source: Union[str, Path, bytes]) -> np.ndarray:
    """A picture file, or its bytes, as RGB uint8 (H, W, 3); see ``to_rgb``.

    EXIF rotation is applied. Of an animation it is the first frame.

    Raises:
        ValueError: it is no picture, or damaged, or truncated; the file is named.
        FileNotFoundError: there is no such file.
    """
    name = 'the picture' if isinstance(source, bytes) else str(source)
    if not isinstance(source, bytes) and not Path(source).is_file():
        raise FileNotFoundError(f'picture {name} does not exist')
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
            return to_rgb(picture)
    except _UNREADABLE as error:
        raise ValueError(f'{name} cannot be read as a picture: {type(error).__name__}: {error}') from error


def to_rgb(picture: Union[Image.Image, np.ndarray]) -> np.ndarray:
    """Pixels as RGB uint8 (H, W, 3).

    16-bit values are divided by 257; floating-point values are shares of 1 if none is above 1, else of 255; truth
    values are black and white. Transparency is left out: the colours below it stay.

    Args:
        picture: a pillow image of any mode, or an array (H, W), (H, W, 1), (H, W, 2) grey and alpha, (H, W, 3) RGB or
            (H, W, 4) RGBA.

    Raises:
        ValueError: the array has another shape or type, no pixel, or values that are no numbers.
    """
    if isinstance(picture, Image.Image):
        return _of_image(picture)
    array = np.asarray(picture)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4) or not array.size:
        raise ValueError(f'a picture is an array (H, W), (H, W, 1..4) with pixels, got {array.shape}')
    array = _to_uint8(array[..., :1] if array.shape[2] < 3 else array[..., :3])
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)))


def _of_image(picture: Image.Image) -> np.ndarray:
    picture = ImageOps.exif_transpose(picture)
    if picture.mode == 'RGB':
        return np.array(picture)
    if picture.mode == 'F' or picture.mode.startswith('I'):
        values = np.array(picture)
        # mode I has 32 bits; more than 8 of them in use mean a 16-bit source
        if picture.mode == 'I' and 0 <= values.min() and values.max() <= 65535:
            values = values.astype(np.uint8 if values.max() <= 255 else np.uint16)
        return to_rgb(values)
    if picture.mode in ('LA', 'La', 'PA') or isinstance(picture.info.get('transparency'), bytes):
        picture = picture.convert('RGBA')
    return np.array(picture.convert('RGB'))


def _to_uint8(values: np.ndarray) -> np.ndarray:
    values = values.astype(values.dtype.newbyteorder('='), copy=False)
    if values.dtype == np.uint8:
        return values
    if values.dtype == bool:
        return values.astype(np.uint8) * 255
    if values.dtype == np.uint16:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if np.issubdtype(values.dtype, np.floating):
        if not np.isfinite(values).all():
            raise ValueError('a picture has values that are no finite numbers')
        scale = 255. if values.max() <= 1 else 1.
        return (values.clip(0, 1 if scale == 255. else 255) * scale).round().astype(np.uint8)
    if np.issubdtype(values.dtype, np.integer) and values.min() >= 0 and values.max() <= 255:
        return values.astype(np.uint8)
    raise ValueError(f'a picture of type {values.dtype} with values {values.min()}..{values.max()} is not understood: '
                     'give uint8, uint16, or floating point in 0..1')
