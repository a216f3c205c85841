"""Data set items as lines of JSON behind an offset table: in memory, or memory-mapped from disk."""
import fcntl
import json
import os
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Callable, Iterable, Optional, Tuple

import numpy as np

FORMAT = 2  # raise it when the content of records changes


def write_records(folder: Path, records: Iterable[dict]) -> None:
    """Write ``records.jsonl``, one line each, and their end offsets ``ends.npy`` into a folder."""
    ends, position = [], 0
    with open(folder / 'records.jsonl', 'wb') as file:
        for record in records:
            position += file.write(encode_record(record))
            ends.append(position)
    np.save(folder / 'ends.npy', np.asarray(ends, np.int64), allow_pickle=False)


def encode_record(record: dict) -> bytes:
    """One line of JSON."""
    return json.dumps(record, separators=(',', ':'), ensure_ascii=False).encode() + b'\n'


def records_in_memory(records: Iterable[dict]) -> Tuple[np.ndarray, np.ndarray]:
    """Bytes (uint8) and end offsets (int64) of the records, as ``BaseDataset`` keeps them."""
    content, ends = bytearray(), []
    for record in records:
        content += encode_record(record)
        ends.append(len(content))
    return np.frombuffer(content, np.uint8), np.asarray(ends, np.int64)


def map_records(folder: Path) -> Tuple[np.ndarray, np.ndarray]:
    """The same two arrays, mapped from disk: processes share one copy in the page cache."""
    path = folder / 'records.jsonl'
    content = (np.memmap(path, np.uint8, mode='r') if path.stat().st_size
               else np.zeros(0, np.uint8))
    return content, np.load(folder / 'ends.npy', mmap_mode='r', allow_pickle=False)


def fingerprint(path: str, **settings) -> str:
    """Name of the store of an annotation file: changes with the file and with the settings."""
    stat = os.stat(path)
    parts = [FORMAT, os.path.abspath(path), stat.st_size, stat.st_mtime_ns, settings]
    digest = sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
    return f'{Path(path).stem}-{digest[:16]}'


def open_records(cache_dir: Optional[str], name: str,
                 build: Callable[[], Tuple[Iterable[dict], dict]],
                 valid: Callable[[dict], bool] = lambda header: True
                 ) -> Tuple[np.ndarray, np.ndarray, dict]:
    """Open the store ``name`` below ``cache_dir``, made first if need be.

    Several processes may ask at once: one builds, the others wait for it. A store appears under
    its name only when it is complete.

    Args:
        cache_dir: folder of the stores; None keeps the records in memory instead.
        name: see :func:`fingerprint`.
        build: gives the records and a header, a dict that is filled while the records are taken.
        valid: says of a header whether the store still fits.

    Returns:
        bytes (uint8), end offsets (int64) and header.
    """
    if cache_dir is None:
        records, header = build()
        return (*records_in_memory(records), header)
    root = Path(cache_dir)
    root.mkdir(parents=True, exist_ok=True)
    store = root / name
    with open(root / f'{name}.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        header = _header(store)
        if header is None or not valid(header):
            header = _build(root, store, build)
    return (*map_records(store), header)


def _header(store: Path) -> Optional[dict]:
    path = store / 'header.json'
    return json.loads(path.read_text()) if path.is_file() else None


def _build(root: Path, store: Path, build: Callable) -> dict:
    folder = Path(tempfile.mkdtemp(prefix='.building-', dir=root))
    try:
        records, header = build()
        write_records(folder, records)
        (folder / 'header.json').write_text(json.dumps(header))
        shutil.rmtree(store, ignore_errors=True)
        os.rename(folder, store)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return header
