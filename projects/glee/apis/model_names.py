"""Names of models instead of config files: those of ``configs/glee/metafile.yml``."""
from pathlib import Path
from typing import Union

import yaml
from mmengine.config import Config

# As OpenMMLab's packages have it: model-index.yml and configs/, in a checkout links to those of its root.
MIM = Path(__file__).resolve().parents[1] / '.mim'
METAFILE = (MIM / 'configs/glee/metafile.yml').resolve()
ROOT = METAFILE.parents[2]


def read_models() -> list[dict]:
    """The models of the metafile; none where a package was made without ``configs/``."""
    return yaml.safe_load(METAFILE.read_text(encoding='utf-8'))['Models'] if METAFILE.is_file() else []


def names_of(known: dict) -> list[str]:
    """Name and alias of a model of the metafile."""
    return [known[key] for key in ('Name', 'Alias') if key in known]


def is_name(model: str) -> bool:
    """Whether the metafile has a model of this name or alias."""
    return any(model in names_of(known) for known in read_models())


def config_of(model: Union[str, Path, Config]) -> Config:
    """The config of a model's name or alias, of a config file, or a config itself.

    Raises:
        FileNotFoundError: it is neither a name nor a file.
    """
    if isinstance(model, Config):
        return model
    models = read_models()
    for known in models:
        if str(model) in names_of(known):
            return Config.fromfile(ROOT / known['Config'])
    path = Path(model).expanduser()
    if not path.is_file():
        names = ', '.join(known['Alias'] for known in models if 'Alias' in known)
        raise FileNotFoundError(f'model {str(model)!r} is ' + (
            f'neither a config file nor one of the names {names} and those of {METAFILE.relative_to(ROOT)}'
            if models else 'no config file'))
    return Config.fromfile(path)
