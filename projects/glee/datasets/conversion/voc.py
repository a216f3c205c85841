"""Pascal VOC's XML files, one per picture, as one COCO file of boxes."""
from pathlib import Path
from xml.etree import ElementTree

from ...structures.row_values import BrokenRow, flag, integer, number, string
from ..store.pictures import in_order, picture_size, read_name_list
from .shards import ConversionError, Skipped, save_json

NAMES = ('xmin', 'ymin', 'xmax', 'ymax')


def convert_voc(root, out, split: str | None = None, names: tuple[str, ...] = ()) -> Skipped:
    """Writes a COCO file of boxes.

    VOC counts pixels from 1 and both ends belong to the box: (1, 1, 3, 2) is x 0, y 0, width 3, height 2. Objects that
    are marked ``difficult`` become crowd regions, which neither train nor count.

    Args:
        root (str | Path): folder with ``Annotations``, ``JPEGImages`` and ``ImageSets/Main``.
        out (str | Path): file to write; pictures are named below ``JPEGImages``.
        split (str | None): ``ImageSets/Main/<split>.txt`` lists the pictures; None takes every XML file.
        names (tuple[str, ...]): the categories, in order; by default those of the split, by the alphabet.

    Returns:
        Skipped: reason -> number of pictures or objects left out.

    Raises:
        ConversionError: a folder or list is missing, or there is no object.
    """
    root, skipped = Path(root), Skipped()
    images, annotations = [], []
    for path in _files(root, split):
        try:
            image, objects = _read(path, root / 'JPEGImages', skipped)
        except BrokenRow as problem:
            skipped.add(str(problem), str(path))
            continue
        images.append(dict(image, id=len(images) + 1))
        annotations += [dict(found, image_id=len(images)) for found in objects]
    found_names = {found['name'] for found in annotations}
    order = list(names) or sorted(found_names)
    if not found_names:
        raise ConversionError(f'{root / "Annotations"} has no object' + (f' for the split {split}' if split else ''))
    if missing := sorted(found_names - set(order)):
        raise ConversionError(f'objects are called {missing}, which the given names {order} lack')
    rows = [dict(id=number, category_id=order.index(found.pop('name')) + 1, **found)
            for number, found in enumerate(annotations, 1)]
    save_json(Path(out), dict(images=images, annotations=rows, categories=[
        dict(id=number, name=name) for number, name in enumerate(order, 1)]))
    return skipped


def _files(root: Path, split: str | None) -> list[Path]:
    folder = root / 'Annotations'
    if not folder.is_dir():
        raise ConversionError(f'{folder} does not exist: {root} must hold Annotations, JPEGImages and ImageSets/Main')
    if split is None:
        return in_order(folder.glob('*.xml'))
    listing = root / 'ImageSets' / 'Main' / f'{split}.txt'
    if not listing.is_file():
        known = sorted(path.stem for path in listing.parent.glob('*.txt'))
        raise ConversionError(f'{listing} does not exist; there are {known}')
    return [folder / f'{name}.xml' for name in read_name_list(listing)]


def _read(path: Path, pictures: Path, skipped: Skipped) -> tuple[dict, list[dict]]:
    """An image row and its objects, with names instead of categories."""
    try:
        tree = ElementTree.parse(path).getroot()
    except FileNotFoundError:
        raise BrokenRow('XML file that is missing') from None
    except ElementTree.ParseError:
        raise BrokenRow('file that is no XML') from None
    # some tools write the folder or another suffix into <filename>: the picture lies beside by the XML's name then
    file_name = Path((tree.findtext('filename') or path.stem).replace('\\', '/')).name
    if not (pictures / file_name).is_file():
        file_name = next((file_name.name for file_name in in_order(pictures.glob(f'{path.stem}.*'))), file_name)
    try:
        height, width = picture_size(pictures / file_name)
    except OSError:
        raise BrokenRow('picture that is missing or unreadable') from None
    objects = []
    for position, element in enumerate(tree.findall('object')):
        try:
            objects.append(_object(element))
        except BrokenRow as problem:
            skipped.add(str(problem), f'{path}: object {position}')
    return dict(file_name=file_name, width=width, height=height), objects


def _object(element: ElementTree.Element) -> dict:
    name = string(element.findtext('name'), 'name').strip()
    box = element.find('bndbox')
    if box is None:
        raise BrokenRow('no box')
    x1, y1, x2, y2 = (number(box.findtext(side), side) for side in NAMES)
    width, height = x2 - x1 + 1, y2 - y1 + 1
    if width <= 0 or height <= 0:
        raise BrokenRow('box whose second corner lies before the first')
    crowd = int(flag(integer(element.findtext('difficult') or '0', 'difficult'), 'difficult'))
    return dict(name=name, bbox=[x1 - 1, y1 - 1, width, height], area=width * height, iscrowd=crowd)
