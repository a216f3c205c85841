"""Names of models instead of config files."""
from pathlib import Path
from typing import Union

from mmengine.config import Config

CONFIGS = Path(__file__).resolve().parents[3] / 'configs/glee'
# The configs of joint training also test: they know the size of pictures that the released weights want.
MODELS_BY_NAME = {
    'glee_r50': 'glee_r50_stage3.py',
    'glee_swin-l': 'glee_swin-l_stage3.py',
    'glee_eva02-l': 'glee_eva02-l_stage3.py',
    'glee_mini': 'mini/glee_mini_coco.py',
}


def config_of(model: Union[str, Path, Config]) -> Config:
    """The config of a model's name, of a config file, or a config itself.

    Raises:
        FileNotFoundError: it is neither a name nor a file.
    """
    if isinstance(model, Config):
        return model
    path = CONFIGS / MODELS_BY_NAME[model] if model in MODELS_BY_NAME else Path(model).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'model {model!r} is neither a config file nor one of the names '
                                f'{", ".join(MODELS_BY_NAME)}')
    return Config.fromfile(path)
