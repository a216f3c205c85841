"""GRIT: captions whose phrases are grounded by coarse boxes, from the files that img2dataset leaves."""
import json
import tarfile
from pathlib import Path

from ...structures.row_values import BrokenRow, image_size, number, string
from ..store.json_file import is_id
from .shards import ConversionError, Shard, Skipped, convert_shards, fill_pattern

PHRASES = ('noun_chunks', 'ref_exps')
ROWS_AT_ONCE = 4096


def convert_grit(source, out, phrases: tuple = ('noun_chunks', ), min_score: float = 0.,
                 file_pattern: str = '{shard}/{key}.jpg', progress=None) -> dict:
    """Writes a COCO-like file with a `caption` per annotation.

    Args:
        source (str | Path): folder with, per shard of img2dataset, `00000.parquet` (needs pyarrow),
            or a webdataset `00000.tar`, or a folder `00000/` of JSON files; the first kind that is
            there is read.
        out (str | Path): file to write.
        phrases (tuple[str]): which of 'noun_chunks' and 'ref_exps' become annotations. Rows of
            them are (start, end, x1, y1, x2, y2, score): characters of the caption, corners as
            shares of the image.
        min_score (float): phrases below are left out.
        file_pattern (str): `file_name` of an image, with {shard} and {key}.
        progress (Callable): see `convert_shards`.

    Returns:
        dict: reason -> number of rows left out.

    Raises:
        ConversionError: no shard is found, or `phrases` names another column.
    """
    unknown = [name for name in phrases if name not in PHRASES]
    if unknown or not phrases:
        raise ConversionError(f'phrases must be some of {PHRASES}, got {tuple(phrases)}')
    paths, read = find_shards(Path(source))

    def convert(path: Path) -> Shard:
        shard = Shard()
        for position, row in enumerate(read(path)):
            _add_row(shard, row, path, phrases, min_score, file_pattern, f'{path}: row {position}')
        return shard

    head = {'categories': [{'id': 0, 'name': 'object'}]}
    arguments = {'shards': [str(path) for path in paths], 'phrases': list(phrases), 'min_score': min_score,
                 'pattern': file_pattern}
    return convert_shards(out, paths, convert, head, arguments=arguments, progress=progress, total=len(paths))


def find_shards(source: Path) -> tuple:
    """The shards below a folder and the function that reads the rows of one."""
    for pattern, read in (('*.parquet', read_parquet), ('*.tar', read_tar), ('*/', read_folder)):
        paths = sorted(source.glob(pattern))
        if paths:
            return paths, read
    raise ConversionError(f'{source} holds neither .parquet nor .tar files nor folders of JSON files')


def read_parquet(path: Path):
    """Yields the rows of a parquet file as dicts, a batch in memory at a time."""
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ConversionError(f'{path}: reading parquet needs pyarrow, '
                              'pip install -r requirements/converters.txt') from error
    for batch in parquet.ParquetFile(path).iter_batches(ROWS_AT_ONCE):
        yield from batch.to_pylist()


def read_tar(path: Path):
    """Yields the JSON members of a webdataset tar."""
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith('.json'):
                yield _parse(archive.extractfile(member).read())


def read_folder(path: Path):
    """Yields the JSON files of a folder."""
    for file in sorted(path.glob('*.json')):
        yield _parse(file.read_bytes())


def _parse(content: bytes):
    try:
        return json.loads(content)
    except ValueError:
        return None


def _add_row(shard: Shard, row, path: Path, phrases: tuple, min_score: float, file_pattern: str, where: str) -> None:
    needed = ('key', 'caption', 'width', 'height')
    failed = isinstance(row, dict) and (row.get('status', 'success') != 'success' or row.get('error_message'))
    if failed:
        shard.skipped.add('image that was not downloaded', where)
        return
    if not isinstance(row, dict) or any(row.get(key) in (None, '') for key in needed) or (
            not is_id(row['key'])):
        shard.skipped.add('row without key, caption or size', where)
        return
    grounded = []
    try:
        size, caption = image_size(row), string(row['caption'], 'caption')
        for column in phrases:
            for position, value in enumerate(_phrases(row.get(column))):
                grounded.append(_annotation(caption, size, value, min_score, shard.skipped,
                                            f'{where}, {column} {position}'))
    except BrokenRow as problem:
        shard.skipped.add(str(problem), where)
        return
    grounded = [entry for entry in grounded if entry is not None]
    if not grounded:
        shard.skipped.add('image without a phrase', where)
        return
    name = fill_pattern(file_pattern, shard=path.stem, key=str(row['key']))
    shard.add({'file_name': name, 'width': size[0], 'height': size[1], 'caption': caption}, grounded)


def _phrases(values) -> list:
    """The rows of a column, which may be the text of a JSON list.

    Raises:
        BrokenRow: they are no list.
    """
    try:
        values = json.loads(values) if isinstance(values, str) and values else values or []
    except ValueError as error:
        raise BrokenRow('phrases that are no JSON') from error
    if not isinstance(values, list):
        raise BrokenRow('phrases that are no list')
    return values


def _annotation(caption: str, size: tuple, value, min_score: float, skipped: Skipped, where: str):
    if not isinstance(value, (list, tuple)) or len(value) != 7:
        skipped.add('phrase that is not (start, end, x1, y1, x2, y2, score)', where)
        return None
    try:
        start, end, left, top, right, bottom, score = (number(part, 'phrase') for part in value)
    except BrokenRow as problem:
        skipped.add(str(problem), where)
        return None
    phrase = caption[int(start):int(end)].strip()
    left, right = (min(max(x, 0.), 1.) * size[0] for x in (left, right))
    top, bottom = (min(max(y, 0.), 1.) * size[1] for y in (top, bottom))
    if score < min_score:
        skipped.add('phrase below min_score', where)
    elif not phrase:
        skipped.add('phrase without words', where)
    elif not (right > left and bottom > top):
        skipped.add('box without area', where)
    else:
        box = [round(number, 2) for number in (left, top, right - left, bottom - top)]
        return {'category_id': 0, 'bbox': box, 'area': round(box[2] * box[3], 2), 'iscrowd': 0, 'caption': phrase,
                'score': round(float(score), 4)}
    return None
