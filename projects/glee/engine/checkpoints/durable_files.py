"""Files that are complete or not there, whenever the program or the machine stops."""
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import torch

_NUMBERED = re.compile(r'(?:iter|epoch)_(\d+)\.pth$')
_PART = '.part'


@contextmanager
def replacing(path: str | Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of ``path`` once it is safe on the disk.

    It is written beside ``path``, as ``.<name>.part``; if the block fails it is removed, and ``path`` is untouched.
    """
    path = Path(path)
    part = path.with_name(f'.{path.name}{_PART}')
    try:
        with open(part, 'wb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # some network file systems cannot flush a folder
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def write_checkpoint(content: dict, path: str | Path) -> None:
    """Write ``content`` as torch file ``path``, streamed tensor by tensor, by ``replacing``.

    Raises:
        OSError: it cannot be written, for instance because the disk is full; an earlier ``path`` is untouched.
    """
    with replacing(path) as file:
        try:
            torch.save(content, file)
        except RuntimeError as error:  # torch closes its archive in spite of the error, and tells only of that
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def remove_parts(folder: str | Path) -> None:
    """Remove what killed programs left of ``replacing`` a checkpoint in ``folder``."""
    for part in Path(folder).glob(f'.*.pth{_PART}'):
        part.unlink(missing_ok=True)


def is_complete(path: str | Path) -> bool:
    """Whether a torch file is whole: every part of it has the checksum it was written with."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return False


def number_of(path: str | Path) -> int | None:
    """The iteration or epoch in the name of a checkpoint (``iter_20.pth``, ``best_x_iter_20.pth``), or None."""
    found = _NUMBERED.search(Path(path).name)
    return int(found.group(1)) if found else None


def list_checkpoints(folder: str | Path) -> list[Path]:
    """The checkpoints of a training in its work folder, newest first.

    Those named ``iter_N.pth`` or ``epoch_N.pth``, in the folder and beside the one that ``last_checkpoint`` names:
    training may write them elsewhere. ``last_checkpoint`` may be missing, empty or out of date.
    """
    folder = Path(folder)
    folders = [folder]
    with suppress(OSError, UnicodeDecodeError):
        named = folder / (folder / 'last_checkpoint').read_text().strip()
        if named.parent.resolve() != folder.resolve():
            folders.append(named.parent)
    found = [path for place in folders for path in place.glob('*.pth') if _NUMBERED.match(path.name)]
    return sorted(found, key=number_of, reverse=True)
