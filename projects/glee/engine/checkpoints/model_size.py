"""Which size of the model some weights are, by their names."""
from .official_keys import guess_size, strip_wrapper
from .safe_checkpoint import read_checkpoint

_SIZES = dict(lite='r50', plus='swin-l', pro='eva02-l')
_MINI = 'backbone.stem.'  # its backbone alone has one


def guess_model_size(checkpoint: str) -> str | None:
    """'r50', 'swin-l', 'eva02-l' or 'mini' for a checkpoint of ours, or a released one; None if it is neither.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is refused, see ``read_checkpoint``.
    """
    content = read_checkpoint(checkpoint, 'meta')
    weights = content.get('state_dict', content.get('model', content))
    weights = {name.removeprefix('module.'): value for name, value in weights.items()}
    if any(name.startswith(_MINI) for name in weights) and 'backbone.stem.conv1.weight' not in weights:
        return 'mini'
    size = guess_size(weights, ours=True) or guess_size(strip_wrapper(weights))
    return _SIZES.get(size)
