"""The breakdown of a test by hand, and against pycocotools and supervision on random pictures."""
import json
from pathlib import Path

import numpy as np
import pytest
from image_files import save_image, write_json
from lvis import LVISResults
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from projects.glee.evaluation.analysis import (
    calibration,
    confusion,
    error_shares,
    kinds_of_errors,
    per_class,
    read_detections,
    recall_by_size,
)
from projects.glee.evaluation.analysis.errors import ap50, average_precision
from projects.glee.evaluation.analysis.training_curves import groups_of_losses, read_scalars
from projects.glee.evaluation.metrics.lvis_eval_metric import CurrentNumpyLVISEval, lvis_of
from projects.glee_cli.exits import OK, WRONG_USE
from projects.glee_cli.program import main

CAT, DOG = 'cat', 'dog'


def write_case(folder, pictures, names=(CAT, DOG)):
    """Files of ``[(objects, detections), ...]``: objects (name, box xywh, crowd), detections (name, box, score)."""
    ids = {name: 10 * number for number, name in enumerate(names, 1)}
    images, annotations, results = [], [], []
    for number, (objects, found) in enumerate(pictures, 1):
        images.append(dict(id=number, file_name=f'{number}.png', width=200, height=120))
        for name, box, *crowd in objects:
            annotations.append(dict(id=len(annotations) + 1, image_id=number, category_id=ids[name], bbox=list(box),
                                    area=box[2] * box[3], iscrowd=int(bool(crowd))))
        results += [dict(image_id=number, category_id=ids[name], bbox=list(box), score=score)
                    for name, box, score in found]
    categories = [dict(id=value, name=name) for name, value in ids.items()]
    return (write_json(folder / 'truth.json', dict(images=images, annotations=annotations, categories=categories)),
            write_json(folder / 'results.bbox.json', results))


BY_HAND = [
    ([(CAT, (0, 0, 20, 20)), (DOG, (50, 0, 20, 20)), (DOG, (100, 0, 20, 20)), (CAT, (150, 0, 20, 20)),
      (CAT, (0, 60, 60, 60), 'crowd')],
     [(CAT, (0, 0, 20, 20), .9),  # right
      (CAT, (0, 0, 20, 18), .8),  # the same again
      (CAT, (50, 0, 20, 20), .7),  # a dog
      (DOG, (100, 10, 20, 20), .6),  # IoU 1/3
      (DOG, (150, 10, 20, 20), .5),  # a cat, and IoU 1/3
      (DOG, (80, 80, 20, 20), .4),  # nothing
      (CAT, (10, 70, 20, 20), .3)]),  # in the crowd
    ([(DOG, (0, 0, 20, 20))], [])]


def test_kinds_by_hand(tmp_path):
    detections = read_detections(*write_case(tmp_path, BY_HAND))
    kinds, targets, missed = kinds_of_errors(detections.pictures[0])
    assert kinds == ['', 'duplicate', 'classification', 'localisation', 'both', 'background', '']
    assert targets.tolist() == [-1, -1, 1, 2, -1, -1, -1]
    assert missed.tolist() == [False, False, False, True]  # about the last cat no detection is well placed or named
    assert kinds_of_errors(detections.pictures[1])[2].tolist() == [True]
    assert detections.pictures[0].ignored.tolist() == [False] * 6 + [True]


def test_costs_by_hand(tmp_path):
    """Cats: right at recall 1/2, then two wrong ones; dogs: three objects, nothing right."""
    detections = read_detections(*write_case(tmp_path, BY_HAND))
    found, half, third, two_thirds = error_shares(detections), 51 / 101, 34 / 101, 67 / 101
    assert ap50(detections) == pytest.approx(half / 2) == detections.precision[0].mean()
    cost = {kind: found[kind]['cost'] for kind in found}
    assert cost['duplicate'] == cost['background'] == cost['both'] == 0
    # the first of four dogs by score; before it nothing
    assert cost['classification'] == pytest.approx(third / 2)
    assert cost['localisation'] == pytest.approx(third / 2)  # the best dog, the others are worse
    assert cost['missed'] == pytest.approx((1 - half) / 2)  # one cat of one; two dogs instead of three: still none
    assert {kind: found[kind]['count'] for kind in found} == dict(
        classification=1, localisation=1, both=1, duplicate=1, background=1, missed=2)
    assert two_thirds > third


def test_average_precision_is_that_of_pycocotools(tmp_path):
    rng = np.random.default_rng(0)
    for case in range(12):
        detections = read_detections(*write_case(tmp_path, random_pictures(rng)))
        precision = detections.precision[0]
        expected = precision[:, precision.max(0) >= 0].mean() if (precision >= 0).any() else 0
        assert ap50(detections) == pytest.approx(expected, abs=1e-12), case
        coco = COCO(str(tmp_path / 'truth.json'))
        program = COCOeval(coco, coco.loadRes(str(tmp_path / 'results.bbox.json')), 'bbox')
        program.evaluate(), program.accumulate(), program.summarize()
        rows = per_class(detections, 0.3)
        assert np.mean([row['AP'] for row in rows if row['objects']]) == pytest.approx(program.stats[0], abs=1e-12)
    assert average_precision(np.array([.9, .8]), np.array([False, True]), 1) == 0.5


def random_pictures(rng, names=(CAT, DOG)):
    """Ten pictures whose detections resemble the objects, without crowds."""
    pictures = []
    for _ in range(10):
        objects = [(names[rng.integers(2)], (*rng.integers(0, 100, 2).tolist(), *rng.integers(10, 60, 2).tolist()))
                   for _ in range(rng.integers(1, 6))]
        found = [(name if rng.random() < .8 else names[rng.integers(2)],
                  tuple((np.array(box) + rng.integers(-6, 7, 4)).clip(1).tolist()), float(rng.random()))
                 for name, box in objects for _ in range(rng.integers(0, 3))]
        pictures.append((objects, found or [(CAT, (0, 0, 5, 5), .1)]))
    return pictures


def test_confusion_is_that_of_supervision(tmp_path):
    supervision = pytest.importorskip('supervision')
    rng = np.random.default_rng(1)
    for _ in range(12):
        # objects far apart: where one detection lies on two objects the two programs choose differently
        pictures = []
        for _ in range(10):
            objects = [(str(rng.choice([CAT, DOG])), (60 * place, 0, 40, 40)) for place in range(3)]
            found = [(str(rng.choice([CAT, DOG])), (60 * place + int(rng.integers(0, 30)), 0, 40, 40),
                      float(rng.random())) for place in range(3)]
            pictures.append((objects, found))
        detections = read_detections(*write_case(tmp_path, pictures))
        own = confusion(detections, 0.4)

        def as_detections(labels, boxes, **more):
            boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
            return supervision.Detections(xyxy=boxes, class_id=labels, **more)

        theirs = supervision.ConfusionMatrix.from_detections(
            [as_detections(p.found_labels, p.found_boxes, confidence=p.scores) for p in detections.pictures],
            [as_detections(p.truth_labels, p.truth_boxes) for p in detections.pictures],
            [CAT, DOG], conf_threshold=0.4, iou_threshold=0.5 - 1e-9)
        assert own.tolist() == theirs.matrix.astype(int).tolist()


def test_names_that_lvis_did_not_look_for_are_no_errors(tmp_path):
    """Federated: against the lvis package, at IoU 0.5 and over all thresholds."""
    rng, names = np.random.default_rng(4), (CAT, DOG, 'owl', 'newt')

    def strays():
        return [(str(rng.choice(names)), (*rng.integers(0, 80, 2).tolist(), 20, 20), float(rng.random()))
                for _ in range(6)]

    pictures = [(objects, found + strays()) for objects, found in random_pictures(rng)]
    truth, found = write_case(tmp_path, pictures, names)
    content, rows = json.loads(Path(truth).read_text()), json.loads(Path(found).read_text())
    without_rules = ap50(read_detections(truth, found))
    for image in content['images']:
        image.update(neg_category_ids=rng.choice([10, 20, 30, 40], 2, replace=False).tolist(),
                     not_exhaustive_category_ids=rng.choice([10, 20, 30, 40], 1).tolist())
        present = {row['category_id'] for row in content['annotations'] if row['image_id'] == image['id']}
        image['neg_category_ids'] = [key for key in image['neg_category_ids'] if key not in present]
    for category in content['categories']:
        category['frequency'] = 'f'
    write_json(Path(truth), content)
    lvis = lvis_of(content, {key: key for key in (10, 20, 30, 40)})
    program = CurrentNumpyLVISEval(lvis, LVISResults(lvis, rows), 'bbox')
    program.run()
    detections = read_detections(truth, found)
    precision = detections.precision
    assert precision[precision > -1].mean() == pytest.approx(program.get_results()['AP'])
    assert ap50(detections) == pytest.approx(program.get_results()['AP50'])
    assert ap50(detections) > without_rules + 0.05
    kinds = [kind for picture in detections.pictures for kind in kinds_of_errors(picture)[0]]
    assert kinds.count('background') > 0


def test_scores_and_sizes_by_hand(tmp_path):
    detections = read_detections(*write_case(tmp_path, BY_HAND))
    means, shares, counts, error = calibration(detections)
    assert counts.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1] and shares[9] == 1 and means[9] == pytest.approx(.9)
    assert error == pytest.approx((.1 + .8 + .7 + .6 + .5 + .4) / 6)
    sizes = {(row['low'], row['high']): (row['objects'], row['found']) for row in recall_by_size(detections)}
    assert sizes[16, 32] == (5, 1 / 5) and sizes[0, 16] == (0, None)
    rows = {row['name']: row for row in per_class(detections, 0.65)}
    assert (rows[CAT]['precision'], rows[CAT]['recall'], rows[DOG]['precision']) == (1 / 3, 1 / 2, None)


def test_files_that_do_not_belong_together_are_named(tmp_path):
    truth, _ = write_case(tmp_path, BY_HAND)
    with pytest.raises(ValueError, match='image_id 77, which .*truth.json lacks'):
        read_detections(truth, write_json(tmp_path / 'r.json', [dict(image_id=77, category_id=10, bbox=[0, 0, 1, 1],
                                                                     score=1)]))
    with pytest.raises(ValueError, match='r.json is no COCO result file with segmentation'):
        read_detections(truth, tmp_path / 'r.json', 'segm')


def test_losses_are_grouped_by_kind_and_source(tmp_path):
    lines = [dict(loss=3., loss_cls=1., step=1), dict(loss=2., step=2, **{'coco/loss_cls': .5})]
    (tmp_path / 'a/vis_data').mkdir(parents=True)
    (tmp_path / 'a/vis_data/scalars.json').write_text('\n'.join(map(json.dumps, lines)) + '\n{"loss": 1')
    curves = read_scalars(tmp_path)
    assert curves['loss'] == [(1, 3.), (2, 2.)] and curves['loss_cls'] == [(1, 1.)]
    assert groups_of_losses([*curves, 'dn.d0.loss_cls', 'lr']) == {
        'all losses': ['loss'], 'cls': ['loss_cls', 'dn.d0.loss_cls'], 'coco': ['coco/loss_cls']}


def test_the_page_needs_no_other_file(tmp_path, capsys):
    work = tmp_path / 'test <b>'
    truth, results = write_case(work, BY_HAND)
    for number in (1, 2):
        save_image(tmp_path / f'pics/{number}.png', 200, 120, number)
    (work / 'mine.py').write_text(
        f"load_from = 'w.pth'\ntest_dataloader = dict(dataset=dict(data_root='{work}', ann_file='truth.json', "
        f"data_prefix=dict(img='../pics')))\ntest_evaluator = dict(type='CocoEvalMetric', ann_file='{truth}', "
        f"outfile_prefix='{work}/results')\n")
    write_json(work / '20260101_000000/20260101_000000.json', {'coco/bbox_mAP': 0.123, 'time': 1.0})
    assert main(['analyse', str(work)]) == OK
    assert capsys.readouterr().out.strip() == str(work / 'report.html')
    page = (work / 'report.html').read_text()
    assert 'test &lt;b&gt;' in page and '0.123' in page and 'classification</b>: another name' in page
    assert page.count('<figure>') == 2 and '1.png: 8 errors' in page and 'src="http' not in page
    (tmp_path / 'pics/1.png').unlink()
    assert main(['analyse', str(work)]) == OK and '1.png does not exist' in (work / 'report.html').read_text()
    assert main(['analyse', str(tmp_path / 'pics')]) == WRONG_USE
    assert main(['analyse', str(work), '--training', str(tmp_path / 'nowhere')]) == WRONG_USE
    assert 'is no work folder of a test' in capsys.readouterr().err
