"""What of a sample is drawn, and under which words."""
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData, PixelData

from projects.glee.visualization import Renderer, TextLocalVisualizer, colour_of
from projects.glee.visualization.renderer import LABELLED, DrawnObject
from projects.glee.visualization.sample_objects import predictions_of, truth_of
from projects.glee.visualization.text_visualizer import GAP

NAMES = ('star', 'ring')


def found(**more):
    return InstanceData(labels=torch.tensor([0, 1, 1]), scores=torch.tensor([0.2, 0.4, 0.9]),
                        bboxes=torch.tensor([[0., 0., 4., 4.], [2., 2., 6., 6.], [1., 0., 8., 3.]]),
                        masks=torch.ones(3, 6, 8, dtype=torch.bool), **more)


def test_predictions_come_best_first_and_above_the_threshold():
    sample = DetDataSample(pred_instances=found())
    assert [item.label for item in predictions_of(sample, NAMES, 0.3)] == ['ring 0.90', 'ring 0.40']
    assert [item.label for item in predictions_of(sample, ['star'], 0.)] == [
        'label 1 0.90', 'label 1 0.40', 'star 0.20']
    first = predictions_of(sample, NAMES, 0.3)[0]
    assert first.key == 1 and first.mask.shape == (6, 8) and list(first.box) == [1, 0, 8, 3]
    assert predictions_of(DetDataSample(), NAMES, 0.3) is None


def test_a_sentence_has_its_best_object_whatever_the_score():
    sample = DetDataSample(metainfo=dict(text_mode='expression'), pred_instances=found())
    assert [item.label for item in predictions_of(sample, NAMES, 0.95)] == ['ring 0.90', 'star 0.20']


def test_tracks_are_coloured_by_identity():
    sample = DetDataSample(pred_track_instances=found(instances_id=torch.tensor([7, 8, 9])))
    items = predictions_of(sample, NAMES, 0.3)
    assert [(item.label, item.key) for item in items] == [('9 ring 0.90', 9), ('8 ring 0.40', 8)]


def test_segments_of_a_panoptic_map():
    codes = torch.zeros(1, 4, 4, dtype=torch.long)
    codes[0, :2], codes[0, 2] = 1000, 1001
    sample = DetDataSample(metainfo=dict(stuff_text=('sky', )), pred_panoptic_seg=PixelData(
        sem_seg=codes, metainfo=dict(segments_info=[dict(id=1000, label=2, is_thing=False),
                                                    dict(id=1001, label=1, is_thing=True)])))
    thing, stuff = predictions_of(sample, NAMES, 0.3)
    assert (thing.label, stuff.label) == ('ring', 'sky') and thing.key != stuff.key
    assert thing.mask.sum() == 4 and stuff.mask.sum() == 8


def test_annotations_of_any_kind_are_drawn():
    assert truth_of(DetDataSample(), NAMES) is None
    sample = DetDataSample(gt_instances=InstanceData(
        labels=torch.tensor([1]), bboxes=HorizontalBoxes(torch.tensor([[1., 2., 3., 4.]])),
        masks=BitmapMasks(np.ones((1, 6, 8), np.uint8), 6, 8)))
    item, = truth_of(sample, NAMES)
    assert item.label == 'ring' and item.mask.dtype == bool and item.mask.all() and list(item.box) == [1, 2, 3, 4]


def test_truth_beside_prediction(tmp_path):
    visualizer = TextLocalVisualizer('beside', min_side=0)
    image = np.full((60, 80, 3), 100, np.uint8)
    sample = DetDataSample(metainfo=dict(text=NAMES), gt_instances=InstanceData(
        labels=torch.tensor([0]), bboxes=torch.tensor([[5., 30., 25., 50.]])),
        pred_instances=InstanceData(labels=torch.tensor([1]), scores=torch.tensor([0.5]),
                                    bboxes=torch.tensor([[5., 30., 25., 50.]])))
    both = visualizer.draw(image, sample)
    assert both.shape == (60, 160 + GAP, 3) and (both[:, 80:80 + GAP] == 255).all()
    assert (both[40, 5] == colour_of(0)).all() and (both[40, 80 + GAP + 5] == colour_of(1)).all()
    assert visualizer.draw(image, sample, draw_gt=False).shape == image.shape
    assert (visualizer.draw(image, DetDataSample()) == image).all()
    visualizer.add_datasample('a', image, sample, out_file=str(tmp_path / 'a.png'))
    assert (tmp_path / 'a.png').stat().st_size > 0
    assert visualizer.get_image().shape == both.shape


def test_small_pictures_are_enlarged():
    assert TextLocalVisualizer('large').draw(np.zeros((16, 20, 3), np.uint8), DetDataSample()).shape == (512, 640, 3)


@pytest.mark.parametrize('count', [1, 60])
def test_letters_shrink_where_many_labels_would_hide_the_picture(count):
    image, rng = np.full((640, 640, 3), 100, np.uint8), np.random.default_rng(0)
    corners = rng.uniform(0, 500, (count, 2))
    objects = [DrawnObject(box=(x, y, x + 40, y + 40), label='a wine glass 0.87', key=3) for x, y in corners]
    drawn = Renderer()(image, objects)
    covered = (drawn == colour_of(3)).all(-1).mean()
    assert 0.002 < covered < (0.02 if count == 1 else 2 * LABELLED)


def test_clicks_are_discs_of_two_colours():
    drawn = Renderer(min_side=0)(np.full((600, 600, 3), 100, np.uint8), [
        DrawnObject(clicks=[(100, 200), (300, 200, -1), (400, 200, True), (500, 200, False)])])
    greens = [bool(int(drawn[200, x, 1]) > int(drawn[200, x, 0])) for x in (100, 300, 400, 500)]
    assert greens == [True, False, True, False] and (drawn[100] == 100).all()


def test_names_cut_out_of_a_caption_are_drawn():
    image, spans = np.full((60, 80, 3), 100, np.uint8), [[[2, 6]], [[18, 22]]]
    drawn = [TextLocalVisualizer(f'caption {number}', min_side=0).draw(image, DetDataSample(
        metainfo=meta, pred_instances=InstanceData(labels=torch.tensor([1]), scores=torch.tensor([0.5]),
                                                   bboxes=torch.tensor([[5., 30., 25., 50.]]))))
        for number, meta in enumerate((dict(text=NAMES), dict(text='a star beside the ring', tokens_positive=spans)))]
    assert np.array_equal(*drawn) and not np.array_equal(drawn[0], image)
