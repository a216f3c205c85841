"""The detections of a test beside the truth, matched as pycocotools does."""
import io
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Container, Sequence

import numpy as np
import pycocotools.mask as mask_utils
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ...datasets.store.json_file import load_json
from ..functional.coco_truth import TruthFile

MATCHED = 0.5  # IoU of a detection that is right
DETECTIONS = 100  # of a picture that count


@dataclass(frozen=True)
class PictureDetections:
    """One picture: G objects and D detections, the best first; crowds are left out.

    Attributes:
        image: its row in the annotation file.
        truth_labels, found_labels: (G,) and (D,) positions in ``Detections.names``.
        truth_boxes, found_boxes: (G, 4) and (D, 4) xywh px.
        areas: (G,) px².
        scores: (D,).
        match: (D,) the object that each detection finds at IoU 0.5, or -1.
        ignored: (D,) bool: counts nowhere, since it lies in a crowd or, in LVIS, may show what was not annotated.
        ious: (D, G), of boxes or masks.
    """
    image: dict
    truth_labels: np.ndarray
    truth_boxes: np.ndarray
    areas: np.ndarray
    found_labels: np.ndarray
    found_boxes: np.ndarray
    scores: np.ndarray
    match: np.ndarray
    ignored: np.ndarray
    ious: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """(G,) bool: some detection finds the object."""
        shown = np.zeros(len(self.truth_labels), bool)
        shown[self.match[self.match >= 0]] = True
        return shown


@dataclass(frozen=True)
class Detections:
    """All pictures of a test, the names, and pycocotools' numbers.

    Attributes:
        kind: 'bbox' or 'segm'.
        precision: (T, R, K) of pycocotools, all sizes, 100 detections: T IoUs, R recalls, K names; -1 without objects.
        recall: (T, K).
    """
    kind: str
    names: list[str]
    pictures: list[PictureDetections]
    precision: np.ndarray
    recall: np.ndarray


def read_detections(truth_file: str | Path, result_file: str | Path, kind: str = 'bbox') -> Detections:
    """Match the detections of a COCO result file with the objects of its annotation file.

    Args:
        truth_file: COCO annotations.
        result_file: ``[dict(image_id, category_id, score, bbox, segmentation), ...]``.
        kind: 'bbox' or 'segm': what overlaps are taken of.

    Raises:
        ValueError: a file is none of these, or they do not belong together; it is named.
    """
    content, images, categories = TruthFile(str(truth_file), kind == 'bbox', kind == 'segm').numbered()
    rows = load_json(str(result_file))
    if not isinstance(rows, list) or not all(isinstance(row, dict) and kind_key(kind) in row for row in rows):
        raise ValueError(f'{result_file} is no COCO result file with {kind_key(kind)}')
    for key, known in (('image_id', images), ('category_id', categories)):
        strange = [row.get(key) for row in rows if row.get(key) not in known]
        if strange:
            raise ValueError(f'{result_file} has {key} {strange[0]!r}, which {truth_file} lacks')
    rows = [dict(row, image_id=images[row['image_id']], category_id=categories[row['category_id']]) for row in rows]
    federation = _federation(content, categories)
    rows = [row for row in rows if row['category_id'] in federation.get(row['image_id'], ANY).checked]
    with redirect_stdout(io.StringIO()):  # pycocotools tells what it does
        truth = _indexed(content)
        results = truth.loadRes(rows) if rows else _indexed(dict(content, annotations=[]))
        program = COCOeval(truth, results, kind)
        program.params.maxDets = [1, 10, DETECTIONS]
        program.evaluate()
        for part in filter(None, program.evalImgs):
            if part['category_id'] in federation.get(part['image_id'], ANY).incomplete:
                part['dtIgnore'] |= part['dtMatches'] == 0
        program.accumulate()
    names = [truth.cats[number]['name'] for number in program.params.catIds]
    return Detections(kind, names, _pictures(program, truth, results, kind),
                      program.eval['precision'][..., 0, -1], program.eval['recall'][..., 0, -1])


@dataclass(frozen=True)
class _Federated:
    """Of one picture of LVIS: the categories that were looked for, and those of which not every object is annotated."""
    checked: Container
    incomplete: Container


class _Everything:

    def __contains__(self, category: int) -> bool:
        return True


ANY = _Federated(checked=_Everything(), incomplete=())  # of a file that is not federated


def _federation(content: dict, categories: dict) -> dict[int, _Federated]:
    """By number of the picture: LVIS asks for the names that are annotated there or known to be absent (EVAL.md M2)."""
    if not any(image.get('neg_category_ids') for image in content['images']):
        return {}
    present: dict[int, set] = {}
    for row in content['annotations']:
        present.setdefault(row['image_id'], set()).add(row['category_id'])

    def numbers(image: dict, key: str) -> set:
        return {categories.get(identifier) for identifier in image.get(key) or ()}

    return {image['id']: _Federated(checked=present.get(image['id'], set()) | numbers(image, 'neg_category_ids'),
                                    incomplete=numbers(image, 'not_exhaustive_category_ids'))
            for image in content['images']}


def _indexed(content: dict) -> COCO:
    coco = COCO()
    coco.dataset = content
    coco.createIndex()
    return coco


def kind_key(kind: str) -> str:
    """The field of a result that has the shape."""
    return 'segmentation' if kind == 'segm' else 'bbox'


def _pictures(program: COCOeval, truth: COCO, results: COCO, kind: str) -> list[PictureDetections]:
    labels = {number: label for label, number in enumerate(program.params.catIds)}
    images, areas = program.params.imgIds, len(program.params.areaRng)
    pictures = []
    for position, image_id in enumerate(images):
        # evalImgs goes by category, range of areas (the first is all) and image
        parts = [program.evalImgs[(label * areas) * len(images) + position] for label in range(len(labels))]
        matches, ignored = {}, set()
        for part in filter(None, parts):
            for detection, target, skipped in zip(part['dtIds'], part['dtMatches'][0], part['dtIgnore'][0]):
                matches[detection] = int(target)
                if skipped:
                    ignored.add(detection)
        objects = [row for row in truth.imgToAnns[image_id] if not row.get('ignore', row['iscrowd'])]
        found = sorted((row for row in results.imgToAnns[image_id] if row['id'] in matches),
                       key=lambda row: -row['score'])
        numbers = {row['id']: number for number, row in enumerate(objects)}
        pictures.append(PictureDetections(
            image=truth.imgs[image_id],
            truth_labels=np.array([labels[row['category_id']] for row in objects], int),
            truth_boxes=np.array([row['bbox'] for row in objects], float).reshape(-1, 4),
            areas=np.array([row['area'] for row in objects], float),
            found_labels=np.array([labels[row['category_id']] for row in found], int),
            found_boxes=np.array([row['bbox'] for row in found], float).reshape(-1, 4),
            scores=np.array([row['score'] for row in found], float),
            match=np.array([numbers.get(matches[row['id']], -1) for row in found], int),
            ignored=np.array([row['id'] in ignored for row in found], bool),
            ious=overlaps(found, objects, kind)))
    return pictures


def overlaps(found: Sequence[dict], objects: Sequence[dict], kind: str) -> np.ndarray:
    """IoU (D, G) of two lists of rows."""
    if not found or not objects:
        return np.zeros((len(found), len(objects)))
    shapes = [[row[kind_key(kind)] for row in rows] for rows in (found, objects)]
    if kind == 'bbox':
        shapes = [np.array(rows, float) for rows in shapes]
    return np.asarray(mask_utils.iou(*shapes, [0] * len(objects)), float)
