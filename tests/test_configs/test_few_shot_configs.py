"""A few pictures of each category are chosen as the benchmark does it, and a training on them starts."""
import json
import random

import pytest
from config_runs import SIZES, load, load_mini
from mmdet.registry import DATASETS
from paths import FORMATS

from projects.glee.datasets.image import choose_shots
from projects.glee.engine.runner import run_config


def test_choice_by_hand():
    """The rule written once more, picture by picture; a picture without an object is never taken."""
    labels, ids = [[0, 0, 1], [0], [0], [1], []], [0, 1, 2, 3, 4]
    order = list(range(5))
    random.Random(3).shuffle(order)
    seen, expected = {0: 0, 1: 0}, []
    for position in order:
        if any(seen[name] < 1 for name in labels[position]):
            expected.append(position)
            for name in set(labels[position]):
                seen[name] += 1
    assert choose_shots(ids, labels, 1, 3) == expected
    assert choose_shots(['a', 'b', 'c'], [[0], [0], [0]], 2, 30) == choose_shots(['a', 'b', 'c'], [[0]] * 3, 5, 30)[:2]
    assert sorted(choose_shots(ids, labels, 9, 300)) == [0, 1, 2, 3]


def test_the_order_of_the_file_does_not_matter():
    labels = {7: [0], 3: [1], 5: [0, 1], 9: [2], 1: [2, 0]}
    chosen = [{ids[i] for i in choose_shots(ids, [labels[key] for key in ids], 1, 30)}
              for ids in ([7, 3, 5, 9, 1], [1, 3, 5, 7, 9], [9, 7, 5, 3, 1])]
    assert chosen[0] == chosen[1] == chosen[2]
    assert {label for key in chosen[0] for label in labels[key]} == {0, 1, 2}


@pytest.mark.parametrize('shots', [1, 2, None])
def test_the_data_set_keeps_the_names_of_the_whole_file(world, tmp_path, shots):
    cfg = load('glee_mini_odinw-few-shot', tmp_path, shots=shots)
    config = dict(cfg.train_dataloader.dataset, data_root=f'{world}/bdd100k/',
                  ann_file='labels/det_20/det_train_cocofmt.json', data_prefix=dict(img='images/100k/train/'))
    whole, few = (DATASETS.build(dict(config, shots=count)) for count in (None, shots))
    assert few.metainfo['classes'] == whole.metainfo['classes']
    ids = [whole.get_data_info(i)['img_id'] for i in range(len(whole))]
    labels = [whole.get_cat_ids(i) for i in range(len(whole))]
    chosen = range(len(whole)) if shots is None else choose_shots(ids, labels, shots, config['shot_seed'])
    assert [few.get_data_info(i)['img_id'] for i in range(len(few))] == [ids[i] for i in chosen]
    assert shots != 1 or len(few) < len(whole)


def test_less_than_one_picture_is_refused():
    with pytest.raises(ValueError, match='shots=0 must be a number of pictures from 1'):
        DATASETS.build(dict(type='FewShotCocoDataset', shots=0, ann_file=str(FORMATS / 'coco/plain.json')))


@pytest.mark.parametrize('size', SIZES)
def test_full_size_settings_and_their_options(size, tmp_path):
    cfg = load(f'glee_{size}_odinw-few-shot', tmp_path, shots=10, shot_seed=300, max_iters=600, **{
        'FewShotCocoDataset.data_root': 'data/odinw/dataset/pothole/'})
    train, test = cfg.train_dataloader.dataset, cfg.test_dataloader.dataset
    assert (train.shots, train.shot_seed, cfg.train_cfg.max_iters, cfg.train_dataloader.batch_size) == (10, 300, 600, 4)
    assert 'shots' not in test and train.data_root == test.data_root == 'data/odinw/dataset/pothole/'
    assert cfg.optim_wrapper.optimizer.lr == 1e-4 and cfg.model.panoptic_head.text_encoder.mode == 'frozen'
    assert cfg.default_hooks.checkpoint.save_best == 'coco/bbox_mAP'
    assert json.dumps(cfg.to_dict()['test_dataloader']) == json.dumps(cfg.to_dict()['val_dataloader'])


@pytest.mark.slow
def test_the_small_model_trains_on_a_few_pictures(world, tmp_path):
    cfg = load_mini('glee_mini_odinw-few-shot', world, tmp_path, iterations=2)
    cfg.train_cfg.val_interval = 2
    cfg.val_dataloader.update(num_workers=0)
    run_config.build_runner(cfg).train()
    assert list(tmp_path.glob('best_coco_bbox_mAP*.pth'))
