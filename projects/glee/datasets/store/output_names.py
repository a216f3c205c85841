"""Names of files that are written one per picture: no two pictures share one."""
import os
from pathlib import Path, PurePosixPath
from typing import Iterable, List, Sequence


def names_of_pictures(file_names: Iterable[str]) -> List[str]:
    """A name without suffix for each picture, with its folders, so that maps can be called alike.

    Where two pictures would share one, the later has its suffix, or else its position (from 1), at the end.

    Args:
        file_names: of the pictures, below their common folder.
    """
    names, taken = [], set()
    for position, file_name in enumerate(file_names, 1):
        path = PurePosixPath(file_name)
        parts = [part for part in path.with_suffix('').parts if part not in ('/', '.', '..')]
        name = '/'.join(parts)
        if name in taken:
            name += path.suffix
        if name in taken:
            name = f'{"/".join(parts)}_{position}'
        taken.add(name)
        names.append(name)
    return names


def below(path: str, roots: Sequence[str]) -> str:
    """A path from the folder that all ``roots`` have in common; its last part alone where it is not in there."""
    if roots:
        common = os.path.commonpath([os.path.abspath(root) for root in roots])
        relative = os.path.relpath(os.path.abspath(path), common)
        if not relative.startswith(os.pardir):
            return relative
    return os.path.basename(path)


def claim(path: Path) -> Path:
    """An empty file of this name, or with a number before the suffix if there is one already, also of another process.

    Returns:
        Path: the file, to be written over.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    number, target = 1, path
    while True:
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            return target
        except FileExistsError:
            number += 1
            target = path.with_stem(f'{path.stem}_{number}')
