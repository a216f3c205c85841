"""RefCOCO, RefCOCO+ and RefCOCOg, as REFER pickles and as the JSON of the released GLEE.

testA holds attributes only, testB relations only; the other splits hold both.
"""
import io
import json
import pickle
from dataclasses import dataclass
from pathlib import Path

from ..world.referring import Referral, refer
from .coco import CATEGORY_IDS, instances
from .files import LICENSES, annotation, coco2014_name, image_entry, info, write_bytes, write_json

# data set -> (split_by of the REFER pickle, folder of the GLEE JSON, splits of the val pictures)
DATASETS = {
    'refcoco': ('unc', 'refcoco-unc', ('val', 'testA', 'testB')),
    'refcoco+': ('unc', 'refcocoplus-unc', ('val', 'testA', 'testB')),
    'refcocog': ('umd', 'refcocog-umd', ('val', 'test')),
}
OBJECT = [{'id': 1, 'name': 'object', 'supercategory': 'object'}]
KINDS = {'testA': 'attribute', 'testB': 'relation'}
VAL_SHARE = 4  # every fourth val picture is in split val, the others in the test splits


@dataclass(frozen=True)
class Ref:
    """One entry of a referring data set."""
    ref_id: int
    first_sent_id: int
    split: str
    picture: object
    referral: Referral

    @property
    def ann_id(self) -> int:
        return self.picture.first_ann_id + self.referral.target

    @property
    def seen(self):
        return self.picture.objects[self.referral.target]


def collect_refs(dataset: str, train, val) -> list:
    """All refs of a data set.

    Args:
        dataset (str): a key of `DATASETS`.
        train, val (Sequence[Picture]): the COCO streams; tests come from `val`.

    Returns:
        list[Ref]: ordered by split and picture, ids from 1.
    """
    refs, sent_id = [], 1
    for split in ('train', ) + DATASETS[dataset][2]:
        for picture in _pictures_of(split, train, val):
            for referral in refer(picture, dataset, KINDS.get(split, 'mixed')):
                refs.append(Ref(len(refs) + 1, sent_id, split, picture, referral))
                sent_id += len(referral.sentences)
    return refs


def _pictures_of(split: str, train, val) -> list:
    if split == 'train':
        return train
    return [picture for picture in val if (picture.index % VAL_SHARE == 0) == (split == 'val')]


def refer_entry(ref: Ref) -> dict:
    """A ref as the pickles of REFER hold it."""
    sentences = [{
        'tokens': sentence.split(),
        'raw': sentence,
        'sent': sentence,
        'sent_id': sent_id,
    } for sent_id, sentence in enumerate(ref.referral.sentences, ref.first_sent_id)]
    file_name = coco2014_name(ref.picture).replace('.jpg', f'_{ref.ann_id}.jpg')
    return {
        'ref_id': ref.ref_id,
        'ann_id': ref.ann_id,
        'image_id': ref.picture.image_id,
        'category_id': CATEGORY_IDS[ref.seen.obj.shape],
        'split': ref.split,
        'file_name': file_name,
        'sentences': sentences,
        'sent_ids': [sentence['sent_id'] for sentence in sentences],
    }


def glee_json(dataset: str, refs: list) -> dict:
    """Refs in GLEE's form: one image entry with its expressions and one annotation per ref."""
    images, annotations = [], []
    for index, ref in enumerate(refs, 1):
        image = image_entry(ref.picture, coco2014_name(ref.picture))
        images.append(
            dict(
                image,
                id=index,
                original_id=ref.picture.image_id,
                dataset_name=DATASETS[dataset][1],
                expressions=list(ref.referral.sentences)))
        annotations.append(
            dict(
                annotation(index, ref.picture, ref.seen, 1),
                image_id=index,
                original_id=ref.ann_id,
                iscrowd=0))
    return {'info': info(dataset), 'licenses': LICENSES, 'images': images,
            'annotations': annotations,
            'categories': OBJECT}


def write_refcoco_image(root: Path, picture, data: bytes) -> None:
    """Writes coco/train2014/COCO_train2014_{id}.jpg."""
    write_bytes(root / 'coco/train2014' / coco2014_name(picture), data)


def write_refcoco(root: Path, train, val) -> None:
    """Writes coco/{refcoco,refcoco+,refcocog}/ and annotations/{refcoco-unc,...}/."""
    everything = instances(list(train) + list(val), coco2014_name)
    for dataset, (split_by, folder, val_splits) in DATASETS.items():
        refs = collect_refs(dataset, train, val)
        write_json(root / f'coco/{dataset}/instances.json', everything)
        write_bytes(root / f'coco/{dataset}/refs({split_by}).p',
                    _pickle([refer_entry(ref) for ref in refs]))
        for split in ('train', ) + val_splits:
            write_json(root / f'annotations/{folder}/instances_{split}.json',
                       glee_json(dataset, [ref for ref in refs if ref.split == split]))


def write_refcoco_mixed(root: Path) -> None:
    """Writes annotations/refcoco-mixed/instances_train.json: the entries of the three training files that
    `write_refcoco` left, numbered anew.

    No entry shows an image of a held-out split: those are made of the val pictures, training files of the others.
    """
    entries = []
    for _, folder, _ in DATASETS.values():
        part = json.loads((root / f'annotations/{folder}/instances_train.json').read_text())
        entries += list(zip(part['images'], part['annotations'], strict=True))
    write_json(root / 'annotations/refcoco-mixed/instances_train.json', {
        'images': [dict(image, id=index) for index, (image, _) in enumerate(entries, 1)],
        'annotations': [dict(entry, id=index, image_id=index) for index, (_, entry) in enumerate(entries, 1)],
        'categories': OBJECT})


def _pickle(content) -> bytes:
    """Pickles without the memo, whose bytes depend on which equal strings are one object."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=2)
    pickler.fast = True
    pickler.dump(content)
    return buffer.getvalue()
