"""ReasonSeg: a picture and a JSON file of polygons per question."""
from pathlib import Path

from ..world.reasoning import ask
from .files import write_bytes, write_json


def write_reason_seg(root: Path, split: str, picture, data: bytes) -> None:
    """Writes ReasonSeg/{split}/{image id}_{question}.{jpg,json}, one pair per question about the picture."""
    for number, question in enumerate(ask(picture)):
        path = root / f'ReasonSeg/{split}/{picture.image_id:06d}_{number}'
        write_bytes(path.with_suffix('.jpg'), data)
        polygons = picture.objects[question.target].segmentation
        shapes = [dict(label='target', labels=['target'], shape_type='polygon', image_name=f'{path.name}.jpg',
                       points=[polygon[at:at + 2] for at in range(0, len(polygon), 2)], group_id=None, group_ids=[None],
                       flags={}) for polygon in polygons]
        write_json(path.with_suffix('.json'), dict(text=[question.text], is_sentence=False, shapes=shapes))
