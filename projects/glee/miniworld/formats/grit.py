"""GRIT: captions with coarse boxes, as img2dataset leaves them and as the JSON of the released GLEE."""
from pathlib import Path

from .files import numbered, write_bytes, write_json
from .visual_genome import free_name

SHARD = 1000  # images per folder
FILES = ('grit_30w', 'grit_5m')  # the released subsets; here they hold the same
COARSE = 0.12  # how far a corner is off, as a share of the box


def _key(picture) -> tuple:
    """The folder and the name of a picture in img2dataset's numbering."""
    shard, index = divmod(picture.index, SHARD)
    return f'{shard:05d}', f'{shard:05d}{index:04d}'


def write_grit_image(root: Path, split: str, picture, data: bytes) -> None:
    """Writes GRIT20M/images/{shard}/{key}.jpg and .json."""
    shard, key = _key(picture)
    write_bytes(root / f'GRIT20M/images/{shard}/{key}.jpg', data)
    write_json(root / f'GRIT20M/images/{shard}/{key}.json', _row(picture, key))


def write_grit(root: Path, split: str, pictures) -> None:
    """Writes GRIT20M/grit_{30w,5m}.json."""
    content = numbered([{'id': 0, 'name': 'object'}], [_entry(picture) for picture in pictures])
    for name in FILES:
        write_json(root / f'GRIT20M/{name}.json', content)


def _entry(picture) -> tuple:
    """A picture with its caption, and an annotation per noun phrase."""
    shard, key = _key(picture)
    row, size = _row(picture, key), (picture.scene.width, picture.scene.height)
    annotations = []
    for start, end, *shares, score in row['noun_chunks']:
        left, top, right, bottom = (share * size[index % 2] for index, share in enumerate(shares))
        box = [round(value, 2) for value in (left, top, right - left, bottom - top)]
        annotations.append({'category_id': 0, 'bbox': box, 'area': round(box[2] * box[3], 2), 'iscrowd': 0,
                            'caption': row['caption'][start:end], 'score': score})
    return {'file_name': f'{shard}/{key}.jpg', 'width': size[0], 'height': size[1],
            'caption': row['caption']}, annotations


def _row(picture, key: str) -> dict:
    """A caption of up to three objects, its phrases and their boxes."""
    rng = picture.rng('names')
    seen = [picture.objects[index] for index in rng.permutation(len(picture.objects))[:int(rng.integers(1, 4))]]
    caption, chunks = '', []
    for index, one in enumerate(seen):
        caption += ('' if index == 0 else ' and ' if index == len(seen) - 1 else ', ') + 'a '
        phrase = free_name(rng, one.obj)
        chunks.append([len(caption), len(caption) + len(phrase), *_coarse(rng, one.bbox, picture.scene),
                       round(float(rng.uniform(0.7, 0.95)), 4)])
        caption += phrase
    return {'key': key, 'status': 'success', 'caption': caption, 'url': '', 'width': picture.scene.width,
            'height': picture.scene.height, 'noun_chunks': chunks, 'ref_exps': chunks[:1]}


def _coarse(rng, box: tuple, scene) -> list:
    """Corners that are a little off, as shares of the image."""
    x, y, width, height = box
    corners = (x, y, x + width, y + height) + rng.uniform(-COARSE, COARSE, 4) * (width, height, width, height)
    shares = corners / (scene.width, scene.height, scene.width, scene.height)
    return [round(min(max(float(share), 0.), 1.), 5) for share in shares]
