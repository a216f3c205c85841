"""Conversions that are done shard by shard, so that a stopped one goes on where it was."""
import json
import multiprocessing
import os
import shutil
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..store import json_file
from ..store.broken_rows import BrokenRows


class ConversionError(ValueError):
    """The input cannot be converted as asked."""


class Skipped(Counter):
    """Reason -> number of rows left out.

    Attributes:
        first (dict): reason -> where the first of them is, as far as that is known.
        notes (dict): of rows that were taken, though not as they are written: reason -> [number, where the first is].
    """

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.first, self.notes = {}, {}

    def add(self, reason: str, where: str, count: int = 1) -> None:
        """Count rows that are left out."""
        self[reason] += count
        self.first.setdefault(reason, where)

    def name_file(self, path) -> None:
        """Put a file in front of all places."""
        self.first = {reason: f'{path}: {where}' for reason, where in self.first.items()}

    def summary(self) -> str:
        """All reasons in one line."""
        return '; '.join(f'{reason}: {count}' + (f' (first: {self.first[reason]})' if self.first.get(reason) else '')
                         for reason, count in sorted(self.items()) if count)

    def take(self, broken: BrokenRows, path) -> None:
        """Count what was found in a file as a whole."""
        for reason, (count, where) in broken.reasons.items():
            self.add(reason, f'{path}: {where}', count)
        for reason, (count, where) in broken.notes.items():
            self.notes.setdefault(reason, [0, f'{path}: {where}'])[0] += count


@dataclass
class Shard:
    """A part of a COCO-like file.

    Args:
        items (list[dict]): images or videos. `id` is the position in this shard, from 0.
        annotations (list[dict]): `image_id` or `video_id` is that position; `id` is set when shards
            are put together.
        skipped (Skipped): reason -> number of rows left out for it.
    """
    items: list = field(default_factory=list)
    annotations: list = field(default_factory=list)
    skipped: Skipped = field(default_factory=Skipped)

    def add(self, item: dict, annotations: list) -> None:
        """Appends an image or a video and what lies in it; `id`s are set here."""
        position = len(self.items)
        self.items.append(dict(item, id=position))
        self.annotations += [dict(annotation, owner=position) for annotation in annotations]


def convert_shards(out, shards, convert, head: dict, item: str = 'image', arguments: dict = None,
                   progress=None, total: int = None, workers: int = 0) -> Skipped:
    """Converts shards, keeps each result beside `out` and puts them together at the end.

    Args:
        out (str | Path): the COCO-like JSON file to write. `out`.parts/ exists until it is whole.
        shards (Iterable): what `convert` takes; the order and content must not change on resume.
        convert (Callable): shard -> Shard.
        head (dict): of the file: info, licenses, categories.
        item (str): 'image', or 'video' for YouTube-VIS like files.
        arguments (dict): what decides the result, JSON-able; parts that were made from anything
            else are refused.
        progress (Callable): wraps (iterable, description, total), for a progress bar.
        total (int): number of shards, None if unknown.
        workers (int): processes that convert, 0 for this one. `convert` and the shards must be
            picklable, and all shards fit into memory.

    Returns:
        Skipped: reason -> number of rows left out.

    Raises:
        ConversionError: `out`.parts holds another conversion.
    """
    out = Path(out)
    parts = out.with_name(f'{out.name}.parts')
    _check_parts(parts, arguments or {})
    progress = progress or (lambda iterable, description, total: iterable)
    save = partial(_save_part, convert, parts)
    if workers:
        with multiprocessing.Pool(workers) as pool:
            done = list(progress(pool.imap(save, enumerate(shards)), out.name, total))
    else:
        done = [save(numbered) for numbered in progress(enumerate(shards), out.name, total)]
    skipped = _assemble(out, done, head, item)
    shutil.rmtree(parts)
    return skipped


def _save_part(convert, parts: Path, numbered: tuple) -> Path:
    """Converts a shard unless that has been done, and returns the file of its part."""
    index, shard = numbered
    path = parts / f'{index:07d}.json'
    if not path.is_file():
        part = convert(shard)
        save_json(path, {'items': part.items, 'annotations': part.annotations, 'skipped': part.skipped,
                         'first': part.skipped.first})
    return path


def _check_parts(parts: Path, arguments: dict) -> None:
    path = parts / 'arguments.json'
    # without a part there is nothing that could be of another conversion
    if not path.is_file() or not any(parts.glob('[0-9]*.json')):
        save_json(path, arguments)
    if json.loads(path.read_text()) != json.loads(json.dumps(arguments)):
        raise ConversionError(f'{parts} holds an unfinished conversion with other arguments '
                              f'({path.read_text()}): finish that one, or remove the folder')


def _assemble(out: Path, parts: list, head: dict, item: str) -> Skipped:
    """Streams the parts into one file: never more than one of them is in memory."""
    skipped = Skipped()
    temporary = out.with_name(f'{out.name}.writing')
    with open(temporary, 'w') as file:
        file.write('{' + ''.join(f'{json.dumps(key)}:{_dump(value)},' for key, value in head.items()))
        file.write(f'"{item}s":[')
        written, first_ids = 0, []
        for path in parts:
            part = json.loads(path.read_text())
            for reason, count in part['skipped'].items():
                skipped.add(reason, part['first'].get(reason, ''), count)
            first_ids.append(written + 1)
            for entry in part['items']:
                entry['id'] += first_ids[-1]
                file.write((',' if written else '') + _dump(entry))
                written += 1
        file.write('],"annotations":[')
        count = 0
        for path, first_id in zip(parts, first_ids):
            for entry in json.loads(path.read_text())['annotations']:
                owner = entry.pop('owner') + first_id
                file.write((',' if count else '') + _dump({'id': count + 1, f'{item}_id': owner, **entry}))
                count += 1
        file.write(']}')
    os.replace(temporary, out)
    return skipped


def _dump(content) -> str:
    return json.dumps(content, separators=(',', ':'))


def save_json(path: Path, content) -> None:
    """Writes a JSON file that is either whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'{path.name}.writing')
    temporary.write_text(_dump(content))
    os.replace(temporary, path)


def load_json(path, *keys: str):
    """Reads a JSON file, which must have some keys if any are named.

    Raises:
        ConversionError: it is missing, no JSON or lacks a key.
    """
    try:
        return json_file.load_json(str(path), *keys)
    except FileNotFoundError as error:
        raise ConversionError(f'{path} does not exist') from error
    except ValueError as error:
        raise ConversionError(str(error)) from error


def fill_pattern(pattern: str, **parts: str | int) -> str:
    """The file name that a pattern gives.

    Raises:
        ConversionError: it has other parts in braces.
    """
    try:
        return pattern.format(**parts)
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        raise ConversionError(f'the file pattern {pattern!r} must be made of '
                              f'{", ".join(f"{{{name}}}" for name in parts)} and text: {error}') from error


def chunks(iterable, size: int):
    """Lists of up to `size` elements."""
    batch = []
    for element in iterable:
        batch.append(element)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
