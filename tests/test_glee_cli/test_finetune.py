"""glee finetune on a file of masks and on one of boxes alone; its mistakes are found before the model is built."""
import json

import pytest
import torch
from paths import ROOT

from projects.glee.apis import GLEEInferencer, init_model
from projects.glee.datasets.checking import check_coco
from projects.glee.engine.checkpoints import read_checkpoint
from projects.glee.models.extensions.fine_tuning import read_learned
from projects.glee_cli.exits import OK, WRONG_USE
from projects.glee_cli.finetune import MODELS, coco_file, make_config
from projects.glee_cli.program import main, make_parser


@pytest.fixture(scope='module')
def start(tmp_path_factory):
    """A checkpoint of the small model with random weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('start') / 'glee_mini.pth'
    model = init_model(str(ROOT / 'configs/glee/mini/glee_mini_coco.py'))
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


@pytest.fixture
def files(world, tmp_path):
    """Own files: training pictures of MiniWorld, with boxes alone."""
    content = json.loads((world / 'coco/annotations/instances_train2017.json').read_text())
    for row in content['annotations']:
        row.pop('segmentation')
    (tmp_path / 'boxes.json').write_text(json.dumps(content))
    return tmp_path


def words(world, file, start, work_dir, **options):
    return ['finetune', '--train', str(file), '--val', str(file), '--images', str(world / 'coco/train2017'),
            '--weights', str(start), '--model', 'glee_mini', '--work-dir', str(work_dir), '--iterations', '2',
            '--val-interval', '1', '--batch-size', '2',
            *(word for name, value in options.items() for word in (f'--{name}', str(value)))]


@pytest.mark.parametrize('with_masks', [True, False])
def test_a_file_is_learned_and_the_best_checkpoint_named(world, files, start, capsys, with_masks):
    train = world / 'coco/annotations/instances_train2017.json' if with_masks else files / 'boxes.json'
    assert main(words(world, train, start, files / 'out')) == OK
    out = capsys.readouterr().out
    best, = (files / 'out').glob('best_coco_bbox_mAP_iter_*.pth')
    assert f'best checkpoint: {best}' in out and ('segm_mAP' in out) == with_masks
    assert ('objects without masks' in out) != with_masks
    before, after = (read_checkpoint(path)['state_dict'] for path in (start, files / 'out/iter_2.pth'))
    changed = {key.split('.')[1] for key in before if not torch.equal(before[key], after[key])}
    learned = read_learned(read_checkpoint(best)['state_dict'])
    assert set(learned) <= {row['name'] for row in json.loads(train.read_text())['categories']}
    frozen = {key for key in before if 'text_encoder.text_model' in key and not torch.equal(before[key], after[key])}
    assert 'decoder' in changed and 'pixel_decoder' in changed and not frozen
    inferencer = GLEEInferencer(files / 'out/glee_mini_finetune.py', best)
    result, = inferencer(sorted((world / 'coco/train2017').iterdir())[:1], names=learned, score_thr=0.)
    assert len(result) and (result.masks is not None) == with_masks
    assert all(('mask' in found) == with_masks for found in result.to_dict()['objects'])
    assert all(('segmentation' in row) == with_masks for row in result.to_coco(1, dict(star=1, ring=2)))
    assert result.plot().ndim == 3 and len(result[:1]) == 1
    assert (result.to_supervision().mask is not None) == with_masks
    # the same command again has nothing left to do
    assert main(words(world, train, start, files / 'out')) == OK


@pytest.mark.parametrize('mode', ['head', 'lora'])
def test_the_other_modes_train_less(world, files, start, mode):
    """Names of the file are learned, and the weights of the start are those of the checkpoint."""
    assert main(words(world, files / 'boxes.json', start, files / mode, mode=mode)) == OK
    before, after = (read_checkpoint(path)['state_dict'] for path in (start, files / mode / 'iter_2.pth'))
    model = init_model(str(files / mode / 'glee_mini_finetune.py'), str(files / mode / 'iter_2.pth'))
    assert model.learned_names and model.learned_names <= {row['name'] for row in json.loads(
        (files / 'boxes.json').read_text())['categories']}
    assert all(torch.equal(value, before[key]) for key, value in model.start.state_dict().items() if key in before)
    backbone = {key for key, value in after.items() if key.startswith('backbone') and 'parametrizations' not in key}
    assert all(torch.equal(before[key], after[key]) for key in backbone) == (mode == 'head')


def test_rehearsal_is_half_of_the_batches(world, files, start):
    others = world / 'coco/annotations/instances_train2017.json'
    assert main(words(world, files / 'boxes.json', start, files / 'out') + [
        '--rehearse', str(others), str(world / 'coco/train2017')]) == OK
    saved = read_checkpoint(files / 'out/iter_2.pth')
    assert not any(key.startswith('start.') for key in saved['state_dict'])


def test_sentences_are_learned(world, files, start, capsys):
    train = world / 'annotations/refcoco-unc/instances_train.json'
    arguments = words(world, train, start, files / 'out')
    arguments[arguments.index('--images') + 1] = str(world / 'coco/train2014')
    assert main(arguments) == OK
    assert list((files / 'out').glob('best_referring_P@0.5_iter_*.pth'))
    before, after = (read_checkpoint(path)['state_dict'] for path in (start, files / 'out/iter_2.pth'))
    assert not torch.equal(before['panoptic_head.mask_head.layers.0.weight'],
                           after['panoptic_head.mask_head.layers.0.weight'])
    assert main(words(world, train, start, files / 'other', val=files / 'boxes.json')) == WRONG_USE
    assert '--val needs them, too' in capsys.readouterr().err


@pytest.mark.parametrize('model', MODELS)
def test_the_config_of_every_size(model):
    args = make_parser().parse_args(['finetune', '--train', 'a.json', '--val', 'b.json', '--images', 'pics',
                                     '--val-images', 'others', '--weights', 'w.pth', '--model', model,
                                     '--iterations', '100', '--batch-size', '3'])
    cfg = make_config(args, with_masks=False)
    train, val = cfg.train_dataloader, cfg.val_dataloader
    assert train.dataset.ann_file.endswith('/a.json') and train.dataset.data_prefix.img.endswith('/pics')
    assert val.dataset.ann_file.endswith('/b.json') and val.dataset.data_prefix.img.endswith('/others')
    assert cfg.val_evaluator.ann_file == val.dataset.ann_file and cfg.val_evaluator.metric == ['bbox']
    assert not cfg.model.panoptic_fusion_head.with_masks
    assert [step.with_mask for step in train.dataset.pipeline if step.type == 'LoadInstances'] == [False]
    assert cfg.model.panoptic_head.text_encoder.mode == 'frozen'
    assert cfg.auto_scale_lr == dict(enable=True, base_batch_size=4) and train.batch_size == 3
    assert cfg.train_cfg.max_iters == 100 == cfg.train_cfg.val_interval and cfg.param_scheduler[0].end == 25
    # Pro needs its square, the others no padding
    steps = json.dumps(val.dataset.pipeline)
    assert ('PadSquare' in steps) == (model == 'glee_eva02-l')


def test_an_odvg_file_is_the_coco_file_it_was_made_of(world, files):
    content = json.loads((files / 'boxes.json').read_text())
    names = {row['id']: row['name'] for row in content['categories']}
    lines = [dict(filename=image['file_name'], height=image['height'], width=image['width'], detection=dict(instances=[
        dict(bbox=[x, y, x + w, y + h], label=row['category_id'], category=names[row['category_id']])
        for row in content['annotations'] if row['image_id'] == image['id'] for x, y, w, h in [row['bbox']]]))
        for image in content['images']]
    (files / 'boxes.jsonl').write_text('\n'.join(map(json.dumps, lines)))
    written, same = (check_coco(path, str(world / 'coco/train2017'), quick=True)
                     for path in (coco_file(str(files / 'boxes.jsonl'), files / 'out.json'), str(files / 'boxes.json')))
    assert written.objects == same.objects and len(written.items) == len(same.items) > 0
    assert coco_file('a/train.json', files / 'out.json') == 'a/train.json'


def test_a_small_gpu_takes_the_same_step_in_parts_and_keeps_less():
    words = ['finetune', '--train', 'a.json', '--val', 'b.json', '--images', 'pics', '--weights', 'w.pth',
             '--batch-size', '2', '--accumulate', '4', '--checkpointing', '--model']
    cfg = make_config(make_parser().parse_args([*words, 'glee_mini-lite0']), with_masks=True)
    assert cfg.optim_wrapper.accumulative_counts == 4 and cfg.model.backbone.with_cp
    # 8 pictures make a step, where the recipe has 4
    assert cfg.train_dataloader.batch_size / cfg.auto_scale_lr.base_batch_size == 2
    with pytest.raises(ValueError, match='CSPDarknet has no with_cp'):
        make_config(make_parser().parse_args([*words, 'glee_mini']), with_masks=True)


@pytest.mark.parametrize('options, message', [
    (dict(train='nowhere.json'), 'annotation file nowhere.json does not exist'),
    (dict(images='nowhere'), 'folder of pictures nowhere does not exist'),
    (dict(weights='nowhere.pth'), 'checkpoint nowhere.pth does not exist'),
    (dict(model='glee_r51'), "model 'glee_r51' is neither one of glee_r50"),
    (dict(iterations=0), '--iterations, --batch-size, --val-interval and --accumulate are 1 or more')])
def test_a_mistake_is_one_line(world, files, start, capsys, options, message):
    assert main(words(world, files / 'boxes.json', start, files / 'out', **options)) == WRONG_USE
    assert message in capsys.readouterr().err and not (files / 'out').exists()


def test_a_second_fine_tune_on_other_names_is_refused(world, files, start, capsys):
    weights = read_checkpoint(start)['state_dict']
    weights['_extra_state'] = torch.tensor(list(b'{"names": ["circle", "raccoon"], "kinds": []}'), dtype=torch.uint8)
    torch.save(dict(state_dict=weights), files / 'tuned.pth')
    assert main(words(world, files / 'boxes.json', files / 'tuned.pth', files / 'out')) == WRONG_USE
    assert "lacks and would forget them: ['raccoon']" in capsys.readouterr().err


def test_boxes_that_are_corners_and_unknown_names_are_refused(world, files, start, capsys):
    content = json.loads((files / 'boxes.json').read_text())
    for row in content['annotations']:
        x, y, w, h = row['bbox']
        row['bbox'] = [x, y, x + w, y + h]
    (files / 'corners.json').write_text(json.dumps(content))
    assert main(words(world, files / 'corners.json', start, files / 'out')) == WRONG_USE
    assert 'write sizes in place of corners' in capsys.readouterr().err
    content = json.loads((files / 'boxes.json').read_text())
    content['categories'][0]['name'] = 'unicorn'
    (files / 'other.json').write_text(json.dumps(content))
    assert main(words(world, files / 'boxes.json', start, files / 'out', val=files / 'other.json')) == WRONG_USE
    assert "has names that" in capsys.readouterr().err
