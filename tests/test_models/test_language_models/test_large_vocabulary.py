"""A 1,203-name vocabulary runs on a 640 x 640 image within 6 GB; two layers of text, for the time it takes."""
import pytest

SCRIPT = """
import resource
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
import projects.glee
init_default_scope('mmdet')
cfg = Config.fromfile('configs/glee/_base_/models/glee_r50.py').model
cfg.panoptic_head.text_encoder.update(mode='unfrozen', num_hidden_layers=2)
cfg.test_cfg.max_per_img = 300
model = MODELS.build(cfg).eval()
names = tuple(f'some long name of thing number {i}' for i in range(1203))
sample = DetDataSample(metainfo=dict(text=names, batch_input_shape=(640, 640), img_shape=(640, 640),
                                     ori_shape=(640, 640)))
with torch.no_grad():
    out = model(torch.randn(1, 3, 640, 640), [sample], mode='predict')[0].pred_instances
print('rows', len(out.scores), 'peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_peak_memory(fork_server, tmp_path):
    (tmp_path / 'peak.py').write_text(SCRIPT)
    words = fork_server.run(tmp_path / 'peak.py').split()
    assert int(words[words.index('rows') + 1]) == 300
    missing = 10 * 12 * 512**2 * 4 / 2**10  # KiB of the weights of ten layers more; one layer works at a time
    assert int(words[words.index('peak') + 1]) + missing < 6 * 2**20
