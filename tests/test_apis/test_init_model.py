"""A model of a config with a checkpoint's weights."""
from pathlib import Path

import pytest
import torch
from image_files import write_coco
from mmdet.apis import init_detector
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.runner import Runner
from paths import CONFIGS, ROOT
from pipelines import category_pipeline
from tool_runner import run_tool

from projects.glee.apis import init_model
from projects.glee.engine.checkpoints import read_checkpoint

CONFIG = ROOT / 'configs/glee/_base_/models/glee_mini.py'


def test_weights_are_those_of_the_checkpoint_and_all_of_them(tmp_path):
    """In a training's checkpoint or bare; a missing one is named."""
    torch.manual_seed(0)
    weights = {key: value + 1 for key, value in init_model(CONFIG).state_dict().items()}
    torch.save(dict(state_dict=weights), tmp_path / 'whole.pth')
    torch.save(weights, tmp_path / 'bare.pth')
    for name in ('whole.pth', 'bare.pth'):
        model = init_model(CONFIG, str(tmp_path / name))
        assert not model.training
        assert all(torch.equal(value, weights[key]) for key, value in model.state_dict().items())
    missing = next(iter(weights))
    del weights[missing]
    torch.save(weights, tmp_path / 'bare.pth')
    with pytest.raises(ValueError, match=missing):
        init_model(CONFIG, str(tmp_path / 'bare.pth'))


def narrow(**changes) -> Config:
    """A config of the mini model that trains with a teacher."""
    cfg = Config.fromfile(CONFIG)
    cfg.model.panoptic_head.text_encoder.mode = 'distill'
    cfg.merge_from_dict(changes)
    return cfg


def test_no_teacher_is_built_and_its_checkpoint_fits(tmp_path):
    """The text encoder of the training config keeps it; what is predicted is the same."""
    cfg = narrow()
    torch.manual_seed(0)
    trained = MODELS.build(cfg.model)
    trained.init_weights()
    encoder = trained.panoptic_head.text_encoder
    with torch.no_grad():
        for parameter in encoder.teacher.parameters():
            parameter.add_(1)
    torch.save(dict(state_dict=trained.state_dict()), tmp_path / 'trained.pth')
    model = init_model(cfg, str(tmp_path / 'trained.pth'))
    assert model.panoptic_head.text_encoder.teacher is None and cfg.model.panoptic_head.text_encoder.mode == 'distill'
    missing = {key for key in trained.state_dict() if key not in model.state_dict()}
    assert missing and all('.teacher.' in key for key in missing)
    with torch.no_grad():
        torch.testing.assert_close(model.panoptic_head.text_encoder(['a ring']).pooled,
                                   encoder.eval()(['a ring']).pooled)


@pytest.mark.parametrize('folder', ['video', 'interactive'])
def test_configs_of_models_that_only_predict_text_have_no_teacher(folder):
    """Nor have those that train on clips, where text is frozen; the training on clicks goes on with stage 2's."""
    files = [file for file in (CONFIGS / folder).glob('glee_r50_*.py') if file.stem != 'glee_r50_rollout']
    assert len(files) > 2
    for file in files:
        assert Config.fromfile(file).model.panoptic_head.text_encoder.mode == 'frozen', file


def test_config_and_classes_come_along(tmp_path):
    """As with init_detector: the training's classes in lower-case keys, else COCO's; the config as it was built."""
    weights = init_model(CONFIG).state_dict()
    torch.save(dict(state_dict=weights, meta=dict(dataset_meta=dict(CLASSES=('star', 'ring')))), tmp_path / 'a.pth')
    # of a training on a mixture, before checkpoints had one dict
    torch.save(dict(state_dict=weights, meta=dict(dataset_meta=[dict(classes=('star', ))])), tmp_path / 'b.pth')
    model = init_model(CONFIG, str(tmp_path / 'a.pth'))
    assert model.dataset_meta == dict(classes=('star', 'ring'), palette='random')
    assert model.cfg.model.type == 'GLEE'
    assert len(init_model(CONFIG, str(tmp_path / 'b.pth')).dataset_meta['classes']) == 80
    cfg = narrow(default_scope='mmdet', data_root='data/')
    model = init_model(cfg)
    assert model.cfg is not cfg and model.cfg.data_root == 'data/'
    assert model.cfg.model.panoptic_head.text_encoder.mode != 'distill'


def test_a_model_made_in_inference_mode_can_be_trained():
    with torch.inference_mode():
        model = init_model(CONFIG)
    assert not any(value.is_inference() for value in (*model.parameters(), *model.buffers()))


def test_stock_mmdet_loads_a_trained_checkpoint(tmp_path):
    """From a runner on a mixture of two vocabularies, as ``init_detector`` and torch's safe reader want it."""
    sources = [tmp_path / 'a', tmp_path / 'b']
    for folder, names in zip(sources, (('star', 'ring'), ('ring', 'cat'))):
        write_coco(folder, names, [[(0, (4, 3, 30, 40))]] * 2)
    train = [dict(type='TextCocoDataset', data_root=str(folder), pipeline=category_pipeline(),
                  ann_file='annotations/instances_train2017.json', data_prefix=dict(img='train2017/'))
             for folder in sources]
    cfg = narrow(
        default_scope='mmdet', work_dir=str(tmp_path / 'run'), custom_imports=dict(imports=['projects.glee']),
        train_dataloader=dict(batch_size=1, num_workers=0, dataset=dict(type='MixtureDataset', datasets=train),
                              sampler=dict(type='DefaultSampler', shuffle=False)),
        test_dataloader=dict(batch_size=1, num_workers=0, dataset=dict(train[0], test_mode=True),
                             sampler=dict(type='DefaultSampler', shuffle=False)),
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=1), optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.)),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=1)))
    runner = Runner.from_cfg(Config(dict(cfg, test_dataloader=None)))
    runner.model.panoptic_head.denoising.label_tables['coco'].weight.data += 1
    runner.train()
    file = str(tmp_path / 'run/iter_1.pth')
    assert read_checkpoint(file)['meta']['dataset_meta'] == dict(classes=('star', 'ring', 'cat'))
    run_tool('model_converters/publish.py', file, str(tmp_path / 'small.pth'))
    published = torch.load(tmp_path / 'small.pth', weights_only=True)
    assert set(published) == {'meta', 'state_dict'}
    assert Path(tmp_path / 'small.pth').stat().st_size < 0.5 * Path(file).stat().st_size
    for path in (file, str(tmp_path / 'small.pth')):
        for model in (init_detector(cfg, path, device='cpu'), init_model(cfg, path)):
            assert model.dataset_meta['classes'] == ('star', 'ring', 'cat')
            state = model.state_dict()
            assert all(torch.equal(state[key], value) for key, value in published['state_dict'].items() if key in state)
