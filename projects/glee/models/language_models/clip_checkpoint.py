"""Loading OpenAI CLIP weights, as transformers stores them, into the text transformer."""
from pathlib import Path
from typing import Dict

from torch import Tensor, nn

from projects.glee.engine.checkpoints.safe_checkpoint import read_checkpoint

# Parts of a whole CLIP file that the text transformer does not have.
_OTHER_PARTS = ('vision_model.', 'visual_projection.', 'text_projection.', 'logit_scale')
_FILE_NAMES = ('model.safetensors', 'pytorch_model.bin')


def load_clip_text_weights(model: nn.Module, path: str) -> None:
    """Load the text transformer of a local CLIP checkpoint into ``model`` (``CLIPTextModel``).

    Args:
        model: The transformer.
        path: File, or folder with model.safetensors or pytorch_model.bin, of CLIP or of its text
            model alone.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is unreadable, or its keys or shapes do not fit; they are named.
    """
    weights = text_weights(read_checkpoint(weights_file(Path(path))))
    try:
        model.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        raise ValueError(f"checkpoint='{path}' does not fit the text transformer: {error}"
                         ) from error


def text_weights(state_dict: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Entries of the text transformer in a CLIP state dict, named as ``CLIPTextModel`` does.

    Every release writes 'text_model.' in front of them but transformers 5; old ones also stored
    the constant ``position_ids``.
    """
    return {
        key.removeprefix('text_model.'): value
        for key, value in state_dict.items()
        if not key.startswith(_OTHER_PARTS) and not key.endswith('embeddings.position_ids')
    }


def weights_file(path: Path) -> Path:
    """``path``, or the weights inside if it is a Hugging Face folder; FileNotFoundError without any."""
    if not path.is_dir():
        return path
    for name in _FILE_NAMES:
        if (path / name).is_file():
            return path / name
    raise FileNotFoundError(f"checkpoint='{path}' is a folder without {' or '.join(_FILE_NAMES)}")
