"""The pickles of REFER, read without running what they ask for."""
import io
import pickle
from typing import Any

from mmengine.fileio import get


class _PlainUnpickler(pickle.Unpickler):
    """Builds containers, numbers and text, which are all that REFER's files hold."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f'it asks for {module}.{name}')


def load_refs(path: str) -> list[dict]:
    """The referred objects of a ``refs(*).p``.

    Raises:
        ValueError: the file is damaged, asks for anything but plain data, or is no list of objects; it is named.
    """
    try:
        # written by Python 2, whose strings are bytes
        refs = _PlainUnpickler(io.BytesIO(get(path)), encoding='utf-8', errors='replace').load()
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged stream ends in many kinds
        raise ValueError(f'{path} is no pickle of plain data, as those of REFER are, and nothing of it was run: '
                         f'{type(error).__name__}: {error}') from error
    if not isinstance(refs, list) or not all(isinstance(ref, dict) for ref in refs):
        raise ValueError(f'{path} must hold a list of referred objects, as the refs(*).p of REFER do')
    return refs
