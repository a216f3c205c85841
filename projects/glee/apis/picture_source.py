"""The pictures that a user names: files, folders, globs, arrays, and lists of them."""
import glob
from pathlib import Path
from typing import Iterator, NamedTuple, Optional, Sequence, Union

import numpy as np
import torch
from PIL import Image

from ..datasets.store.pictures import in_order, is_picture, list_pictures, read_picture, to_rgb

Picture = Union[str, Path, np.ndarray, Image.Image, torch.Tensor]


class PictureSource(NamedTuple):
    """One picture that has not been read yet: ``path`` of a file, or ``content`` from memory; ``name`` for messages."""
    name: str
    path: Optional[str]
    content: Optional[object]

    def read(self) -> np.ndarray:
        """RGB uint8 (H, W, 3).

        Raises:
            ValueError: it is no picture, or damaged; it is named.
            FileNotFoundError: there is no such file.
        """
        if self.path is not None:
            return read_picture(self.path)
        try:
            return to_rgb(_channels_last(self.content) if isinstance(self.content, torch.Tensor) else self.content)
        except ValueError as error:
            raise ValueError(f'{self.name}: {error}') from error


def find_pictures(images: Union[Picture, Sequence[Picture], Iterator[Picture]]) -> Iterator[PictureSource]:
    """Every picture that ``images`` stands for, in order; nothing is read.

    Args:
        images: a file, a folder (its pictures in natural order, without folders below), a glob (``'*.jpg'``,
            ``'**/*.png'``), an array RGB (H, W, 3), grey (H, W) or RGBA, a pillow image, a tensor (3, H, W) or
            (H, W, 3), or a list or generator of these.

    Raises:
        FileNotFoundError: a file or folder does not exist, a folder holds no picture, or a glob matches none.
        TypeError: something else was given.
    """
    if isinstance(images, (str, Path)):
        return iter([PictureSource(str(path), str(path), None) for path in _files(images)])
    if isinstance(images, (np.ndarray, Image.Image, torch.Tensor)):
        return iter([PictureSource('the picture', None, images)])
    if isinstance(images, dict) or not hasattr(images, '__iter__'):
        raise TypeError('pictures are files, folders, globs, arrays, pillow images, tensors or a list of these, got '
                        f'{type(images).__name__}')
    return _each(images)


def _each(images) -> Iterator[PictureSource]:
    for number, image in enumerate(images):
        for source in find_pictures(image):
            yield source if source.path else source._replace(name=f'picture {number} of the list')


def _files(name: Union[str, Path]) -> list[Path]:
    path = Path(name).expanduser()
    if path.is_dir():
        found = list_pictures(path)
        if not found:
            raise FileNotFoundError(f'folder {name} holds no picture (.jpg, .png, .webp, ...)')
        return found
    if path.exists() or not glob.has_magic(str(name)):
        if not path.exists():
            raise FileNotFoundError(f'picture {name} does not exist')
        return [path]
    found = in_order(Path(match) for match in glob.glob(str(path), recursive=True) if is_picture(match))
    if not found:
        raise FileNotFoundError(f'no picture matches {name}')
    return found


def _channels_last(tensor: torch.Tensor) -> np.ndarray:
    array = tensor.detach().cpu()
    array = array.float() if array.dtype in (torch.bfloat16, torch.float16) else array
    if array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4):
        array = array.permute(1, 2, 0)
    return array.numpy()
