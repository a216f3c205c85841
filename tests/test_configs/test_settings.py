"""Settings without which every config still runs, only worse: folders, drop path, the threshold of BDD100K."""
from pathlib import Path

import numpy as np
import pytest
import torch
from config_runs import SIZES, SMALL_BACKBONES
from mini_video import track_video, video_model
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from paths import CONFIGS, config_file

from projects.glee_cli.configs.config_file import replace_prefix


def entries(file, data_root):
    """The data sets of a file of ``_base_/datasets``, by name."""
    cfg = Config.fromfile(CONFIGS / f'_base_/datasets/{file}.py')
    for name, value in replace_prefix(cfg._cfg_dict, 'data/', f'{data_root}/').items():
        for number, entry in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(entry, dict) and str(entry.get('type')).endswith('Dataset'):
                entry.pop('cache_dir', None)
                entry.pop('classes', None)  # of TAO: MiniWorld has names of its own
                yield f'{name}[{number}]', dict(entry, pipeline=[])


def pictures(dataset):
    """Paths of all pictures of images or videos."""
    for index in range(len(dataset)):
        record = dataset.get_data_info(index)
        for image in record.get('images', [record]):
            yield image['img_path']


@pytest.mark.parametrize('file', ['image_sources', 'joint_sources', 'video_frame_sources', 'video_train', 'vis_test',
                                  'track_test', 'vos_test', 'rvos_test', 'pseudo_clips'])
def test_every_picture_of_every_source_is_where_its_config_looks(file, world):
    """An unreadable picture ends neither training nor test, so that a wrong folder would show in the numbers alone."""
    found = {name: list(pictures(DATASETS.build(entry))) for name, entry in entries(file, world)}
    assert found and all(found.values()), [name for name, paths in found.items() if not paths]
    missing = [(name, path) for name, paths in found.items() for path in paths if not Path(path).is_file()]
    assert not missing, missing[:3]


@pytest.mark.parametrize('stage', [1, 2, 3])
@pytest.mark.parametrize('size, rate', [('r50', None), ('swin-l', 0.3), ('eva02-l', 0.4)])
def test_drop_path_rises_to_its_rate(size, rate, stage):
    """Swin-L's from DESIGN section 4; EVA-02's is the one it uses for detection."""
    config = Config.fromfile(config_file(f'glee_{size}_stage{stage}')).model.backbone
    backbone = MODELS.build(dict(config, **SMALL_BACKBONES[size]))
    rates = [module.drop_prob for module in backbone.modules() if type(module).__name__ == 'DropPath']
    if rate is None:
        assert not rates
        return
    assert np.unique(rates) == pytest.approx(np.linspace(0, rate, len(np.unique(rates)))) and max(rates) > 0


@pytest.mark.parametrize('benchmark', ['bdd_mot', 'bdd_mots'])
def test_tracks_of_bdd_have_a_score_of_at_least_three_tenths(benchmark):
    """There false tracks count; average precision wants them all."""
    config = Config.fromfile(config_file(f'glee_mini_{benchmark}')).model.tracker
    tracker = dict(config, max_candidates=12, in_memory_frames=2, frame_nms=None, min_mask_pixels=0)
    scores = torch.tensor([track.score for track in track_video(video_model(dict(tracker, min_score=0.0)), 2, 2)])
    model = video_model(tracker)
    with torch.no_grad():  # half of them reach the threshold
        model.panoptic_head.align_bias += torch.tensor(0.3).logit() - scores.logit().quantile(0.5)
    kept = [track.score for track in track_video(model, 2, 2)]
    assert len(scores) // 2 == len(kept) > 1 and min(kept) >= 0.3
    for size in SIZES:
        assert Config.fromfile(config_file(f'glee_{size}_{benchmark}')).model.tracker.min_score == config.min_score
    for other in ('tao', 'burst', 'ytvis', 'ovis', 'lvvis'):
        assert MODELS.build(Config.fromfile(config_file(f'glee_mini_{other}')).model.tracker).min_score == 0
