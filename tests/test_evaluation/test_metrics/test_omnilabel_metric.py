"""OmniLabel: the official program's numbers, and those of pycocotools where each pair is an image of its own."""
import json

import numpy as np
import pytest
import torch
from logs import captured_log
from mmdet.registry import DATASETS
from mmdet.structures import DetDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from paths import FORMATS, METRIC_CASES
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from projects.glee.evaluation.metrics import OmniLabelMetric

EXAMPLE = FORMATS / 'omnilabel/dataset_all_val.json'
CASES = json.loads((METRIC_CASES / 'omnilabel_case.json').read_text())
GROUPS = {
    'AP-categ': lambda text, kind, found: kind == 'object_category',
    'AP-descr': lambda text, kind, found: kind != 'object_category',
    'AP-descr-pos': lambda text, kind, found: kind != 'object_category' and found,
    'AP-descr-S': lambda text, kind, found: kind != 'object_category' and len(text.split()) <= 3,
    'AP-descr-M': lambda text, kind, found: kind != 'object_category' and 3 < len(text.split()) <= 8,
    'AP-descr-L': lambda text, kind, found: kind != 'object_category' and len(text.split()) > 8,
}


def spaces(truth):
    """Ids of the descriptions of each image."""
    return {image['id']: [row['id'] for row in truth['descriptions'] if image['id'] in row['image_ids']]
            for image in truth['images']}


def samples(truth, results):
    """Data samples of the rows of a result file."""
    for image_id, space in spaces(truth).items():
        rows = [(row['bbox'], space.index(name), score) for row in results if row['image_id'] == image_id
                for name, score in zip(row['description_ids'], row['scores']) if name in space]
        boxes = torch.tensor([box for box, _, _ in rows], dtype=torch.float64).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        yield DetDataSample(metainfo=dict(img_id=image_id), pred_instances=InstanceData(
            bboxes=boxes, labels=torch.tensor([label for _, label, _ in rows], dtype=torch.long),
            scores=torch.tensor([score for _, _, score in rows], dtype=torch.float64)))


def score(path, data_samples, **options):
    evaluator = Evaluator([OmniLabelMetric(str(path), **options)])
    data_samples = list(data_samples)
    for sample in data_samples:
        evaluator.process([sample])
    return {name.removeprefix('omnilabel/'): value for name, value in evaluator.evaluate(len(data_samples)).items()}


def pycocotools_numbers(truth, results):
    """Each column as COCO AP of one category, in which every pair of image and description is an image."""
    numbers = {}
    for column, belongs in GROUPS.items():
        images, objects, found = [], [], []
        for image_id, space in sorted(spaces(truth).items()):
            for description in (row for row in truth['descriptions'] if row['id'] in space):
                name = description['id']
                truths = [row for row in truth['annotations']
                          if row['image_id'] == image_id and name in row['description_ids']]
                if not belongs(description['text'], description['anno_info']['type'], bool(truths)):
                    continue
                images.append(dict(id=len(images) + 1))
                objects += [dict(id=len(objects) + i, image_id=len(images), category_id=1, bbox=row['bbox'],
                                 area=row['bbox'][2] * row['bbox'][3], iscrowd=row['iscrowd'])
                            for i, row in enumerate(truths, 1)]
                found += [dict(image_id=len(images), category_id=1, bbox=row['bbox'], score=value)
                          for row in results if row['image_id'] == image_id
                          for key, value in zip(row['description_ids'], row['scores']) if key == name]
        api = COCO()
        api.dataset = dict(images=images, annotations=objects, categories=[dict(id=1, name='a')])
        api.createIndex()
        evaluation = COCOeval(api, api.loadRes(found), 'bbox')
        evaluation.evaluate()
        evaluation.accumulate()
        numbers[column] = evaluation.eval['precision'][:, :, 0, 0, 2].mean()
    return numbers


def random_case(seed):
    """Few scores, so that there are ties; crowds, several boxes of a description, several descriptions of a box."""
    rng = np.random.default_rng(seed)
    texts = ['dog', 'cat', 'the red dog', 'a dog near the tall tree', ' '.join(['very'] * 9), 'blue cat of a man']
    images = [dict(id=number, file_name=f'{number}.jpg', width=100, height=100) for number in (5, 2, 9)]
    truth = dict(images=images, descriptions=[
        dict(id=30 - i, text=text, image_ids=[5, 2, 9] if i % 2 else [9, 5],
             anno_info=dict(type='object_category' if i < 2 else 'object_description'))
        for i, text in enumerate(texts)], annotations=[])
    results = []
    for image_id, space in spaces(truth).items():
        for _ in range(6):
            box = [float(v) for v in [*rng.integers(0, 50, 2), *rng.integers(5, 50, 2)]]
            names = [int(n) for n in rng.choice(space, 2, replace=False)]
            truth['annotations'].append(dict(
                id=len(truth['annotations']) + 1, image_id=image_id, bbox=box, description_ids=names,
                iscrowd=int(rng.random() < 0.15)))
            for _ in range(2):
                near = [v + float(d) for v, d in zip(box, rng.integers(0, 4, 4))]
                results.append(dict(image_id=image_id, bbox=near, description_ids=names,
                                    scores=[float(v) for v in rng.integers(1, 4, 2) / 4]))
    return truth, results


@pytest.mark.parametrize('number', range(len(CASES['cases'])))
def test_numbers_of_the_official_program(number, tmp_path):
    case = CASES['cases'][number]
    (tmp_path / 'truth.json').write_text(json.dumps(case['ground_truth']))
    numbers = score(tmp_path / 'truth.json', samples(case['ground_truth'], case['results']))
    assert list(numbers) == CASES['columns']
    assert numbers == pytest.approx(case['expected'], abs=1e-12)


@pytest.mark.parametrize('seed', range(8))
def test_ties_and_crowds_as_in_pycocotools(seed, tmp_path):
    truth, results = random_case(seed)
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    numbers = score(tmp_path / 'truth.json', samples(truth, results))
    expected = pycocotools_numbers(truth, results)
    whole = 2 * expected['AP-categ'] * expected['AP-descr'] / (expected['AP-categ'] + expected['AP-descr'] + 1e-5)
    assert numbers == pytest.approx(dict(expected, AP=whole), abs=1e-12)


def changed(path, change):
    """The example with ``change(content)`` applied, as another file."""
    content = json.loads(EXAMPLE.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def perfect(dataset):
    """What is annotated, as detections."""
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        yield DetDataSample(metainfo=dict(img_id=info['img_id']), pred_instances=InstanceData(
            bboxes=torch.tensor([row['bbox'] for row in info['instances']]).reshape(-1, 4),
            labels=torch.tensor([row['bbox_label'] for row in info['instances']], dtype=torch.long),
            scores=torch.full((len(info['instances']), ), 0.5)))


def example(path=EXAMPLE, **options):
    return DATASETS.build(dict(type='OmniLabelDataset', ann_file=str(path), data_prefix=dict(img='images/'),
                               test_mode=True, pipeline=[], **options))


def test_the_reader_gives_each_image_its_own_descriptions():
    data = example()
    assert [data.get_data_info(i)['img_id'] for i in range(len(data))] == [7, 3]  # nothing is asked for in 9
    info = data.get_data_info(0)
    assert info['img_path'] == 'images/coco/000000000139.jpg' and (info['width'], info['height']) == (40, 30)
    assert info['text'] == ['person', 'The cup that is on the left side of the table', 'Red cup']
    assert [(row['bbox'], row['bbox_label']) for row in info['instances']] == [
        ([2, 3, 12, 15], 0), ([20, 4, 28, 12.5], 1), ([20, 4, 28, 12.5], 2)]
    assert data.get_data_info(1)['text'] == ['person', 'Red cup', 'Person in a blue coat']


def test_perfect_detections_score_one_and_groups_without_an_object_are_left_out(tmp_path):
    """The harmonic mean of two ones is 2 / (2 + 1e-5)."""
    numbers = score(EXAMPLE, perfect(example()))
    assert numbers == pytest.approx(dict.fromkeys(GROUPS, 1.0) | dict(AP=2 / (2 + 1e-5)), abs=1e-12)
    path = changed(tmp_path / 'a.json', lambda content: content['descriptions'].pop(1))
    with captured_log() as messages:
        numbers = score(path, perfect(example(path)))
    assert [len(example(path).get_data_info(i)['instances']) for i in range(2)] == [2, 2]
    assert 'AP-descr-L' not in numbers and numbers['AP-descr'] == pytest.approx(1)
    assert any('nothing was scored for AP-descr-L' in message for message in messages)
    assert any('annotation of an unknown description' in message for message in messages)


def test_nothing_found_is_zero_and_a_test_set_only_gets_its_file(tmp_path):
    nothing = [DetDataSample(metainfo=dict(img_id=number), pred_instances=InstanceData(
        bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long), scores=torch.zeros(0))) for number in (7, 3)]
    numbers = score(EXAMPLE, nothing)
    assert list(numbers) == CASES['columns'] and set(numbers.values()) == {0.0}
    path = changed(tmp_path / 'test.json', lambda content: content.pop('annotations'))
    with captured_log() as messages:
        assert score(path, nothing) == {}
    assert any('nothing was scored' in message for message in messages)
    assert score(EXAMPLE, perfect(example()), format_only=True, outfile_prefix=str(tmp_path / 'found')) == {}
    assert json.loads((tmp_path / 'found.json').read_text())[1] == dict(
        image_id=7, bbox=[20, 4, 8, 8.5], description_ids=[11], scores=[0.5])
    with pytest.raises(ValueError, match='format_only=True needs outfile_prefix'):
        OmniLabelMetric(str(EXAMPLE), format_only=True)


def test_pictures_and_labels_of_another_file_are_refused():
    found = dict(bboxes=torch.zeros(1, 4), scores=torch.zeros(1))
    for image_id, label, message in ((8, 0, 'no image with the id 8'), (7, 3, 'has 3 descriptions, a detection the')):
        sample = DetDataSample(metainfo=dict(img_id=image_id), pred_instances=InstanceData(
            labels=torch.tensor([label]), **found))
        with pytest.raises(ValueError, match=f'dataset_all_val.json.*{message}'):
            score(EXAMPLE, [sample])
