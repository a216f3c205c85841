"""What is left out of a comparison is not spoken of."""
import warnings

import torch
from mmengine.config import ConfigDict

from projects.glee.engine.checkpoints.check_fit import build_skeleton, check_fit


def test_counters_of_batch_norms_that_are_left_out_give_no_warning(tmp_path):
    model = ConfigDict(type='EfficientNetLite0', out_indices=(1, ))
    weights = {name: torch.zeros(value.shape) for name, value in build_skeleton(model).state_dict().items()
               if not name.startswith('layers.0')}
    torch.save(dict(state_dict=weights), tmp_path / 'part.pth')
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        check_fit(model, str(tmp_path / 'part.pth'), [r'^layers\.0'])
