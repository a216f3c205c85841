"""BDD100K detection and instance segmentation: Scalabel labels, and COCO files of the same objects."""
from pathlib import Path

from ..world.vocabulary import MINIWORLD_BDD_DET_CLASSES, MINIWORLD_BDD_INST_CLASSES
from .files import numbered, write_bytes, write_json
from .masks import polygons_to_mask

IMAGE_FOLDERS = {'bdd_det': 'images/100k', 'bdd_inst': 'images/10k'}


def _image_name(picture) -> str:
    return f'{picture.image_id:08x}-{picture.index:08x}.jpg'


def write_bdd_image(source: str):
    """The function that writes bdd100k/images/{100k or 10k}/{split}/ for a source."""

    def write(root: Path, split: str, picture, data: bytes) -> None:
        write_bytes(root / 'bdd100k' / IMAGE_FOLDERS[source] / split / _image_name(picture), data)

    return write


def write_bdd_det(root: Path, split: str, pictures) -> None:
    """Writes bdd100k/labels/det_20/det_{split}.json and det_{split}_cocofmt.json (boxes)."""
    folder = root / 'bdd100k/labels/det_20'
    write_json(folder / f'det_{split}.json', [_frame(picture, box_label) for picture in pictures])
    write_json(folder / f'det_{split}_cocofmt.json', _coco(pictures, MINIWORLD_BDD_DET_CLASSES, box_annotation))


def write_bdd_inst(root: Path, split: str, pictures) -> None:
    """Writes bdd100k/labels/ins_seg/polygons/ins_seg_{split}.json and ..._cocoformat.json."""
    folder = root / 'bdd100k/labels/ins_seg/polygons'
    write_json(folder / f'ins_seg_{split}.json', [_frame(picture, polygon_label) for picture in pictures])
    write_json(folder / f'ins_seg_{split}_cocoformat.json',
               _coco(pictures, MINIWORLD_BDD_INST_CLASSES, polygon_annotation))


def _frame(picture, label) -> dict:
    return {'name': _image_name(picture), 'attributes': {'weather': 'clear', 'scene': 'miniworld',
                                                         'timeofday': 'daytime'},
            'timestamp': 10000, 'size': {'width': picture.scene.width, 'height': picture.scene.height},
            'labels': [label(ann_id, seen) for ann_id, seen in picture.annotations]}


def _coco(pictures, classes: tuple, annotate) -> dict:
    """The objects of some shapes. `annotate` gives what an annotation has beside category and `iscrowd`."""
    ids = bdd_ids(classes)
    entries = []
    for picture in pictures:
        scene = picture.scene
        entries.append(({'file_name': _image_name(picture), 'width': scene.width, 'height': scene.height},
                        [{'category_id': ids[seen.obj.shape], 'iscrowd': 0, **annotate(seen, scene)}
                         for seen in picture.objects if seen.obj.shape in ids]))
    return numbered(bdd_categories(classes), entries)


def bdd_ids(classes: tuple) -> dict:
    """Category ids by name."""
    return {name: index for index, name in enumerate(classes, 1)}


def bdd_categories(classes: tuple) -> list:
    return [{'id': index, 'name': name} for name, index in bdd_ids(classes).items()]


def box_annotation(seen, scene) -> dict:
    x, y, width, height = (float(value) for value in seen.bbox)
    return {'bbox': [x, y, width, height], 'area': width * height}


def polygon_annotation(seen, scene) -> dict:
    """The box is that of the corners, the area that of the filled polygons in px."""
    pixels = polygons_to_mask(seen.segmentation, scene.height, scene.width).sum()
    return {'segmentation': seen.segmentation, 'bbox': box_of_rings(seen.segmentation), 'area': int(pixels)}


def box_of_rings(rings: list) -> list:
    """x, y, width, height around the corners of rings [x, y, x, y, ...]; px, two decimals."""
    xs, ys = (sorted(value for ring in rings for value in ring[axis::2]) for axis in (0, 1))
    return [round(value, 2) for value in (xs[0], ys[0], xs[-1] - xs[0], ys[-1] - ys[0])]


def _label(label_id: int, seen) -> dict:
    return {'id': f'{label_id:08d}', 'category': seen.obj.shape,
            'attributes': {'occluded': seen.visible < 0.95, 'truncated': False, 'crowd': False}}


def box_label(label_id: int, seen) -> dict:
    """A Scalabel label with a box; its corners are pixels inside of the box."""
    x, y, width, height = (float(value) for value in seen.bbox)
    return dict(_label(label_id, seen), box2d={'x1': x, 'y1': y, 'x2': x + width - 1, 'y2': y + height - 1})


def polygon_label(label_id: int, seen) -> dict:
    """A Scalabel label with the polygons of the visible region."""
    rings = []
    for ring in seen.segmentation:
        vertices = [list(pair) for pair in zip(ring[::2], ring[1::2])]
        rings.append({'vertices': vertices, 'types': 'L' * len(vertices), 'closed': True})
    return dict(_label(label_id, seen), poly2d=rings)
