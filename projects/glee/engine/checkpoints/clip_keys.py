"""Names of CLIP's text transformer in released files and in ours."""
from functools import cache

from torch import Tensor

from .key_table import Drop, KeyTable, Rename

POSITION_IDS = Drop(r'embeddings\.position_ids$', 'derived: positions 0..76, written by old transformers')
_LINEAR = '{weight,bias}'
_THEIRS = 'text_model.'
_OURS = 'panoptic_head.text_encoder.text_model.'


def clip_text_names(num_layers: int = 12) -> list[str]:
    """Patterns of all entries of the text transformer."""
    layer = f'encoder.layers.{{0..{num_layers - 1}}}'
    return [
        'embeddings.{token_embedding,position_embedding}.weight',
        f'{layer}.self_attn.{{k_proj,v_proj,q_proj,out_proj}}.{_LINEAR}',
        f'{layer}.{{layer_norm1,layer_norm2,mlp.fc1,mlp.fc2}}.{_LINEAR}',
        f'final_layer_norm.{_LINEAR}',
    ]


@cache
def clip_text_table() -> KeyTable:
    """Hugging Face's CLIP ViT-B/32 or B/16 to the text transformer alone (names as ``CLIPTextModel``)."""
    return KeyTable(
        'the text model of CLIP ViT-B/32',
        tuple(Rename(_THEIRS + name, name) for name in clip_text_names()),
        drops=(POSITION_IDS,
               Drop(r'^(vision_model|visual_projection)\.', 'image side of CLIP'),
               Drop(r'^(text_projection\.|logit_scale$)', "CLIP's own text projection and temperature")),
        shapes={f'{_THEIRS}embeddings.token_embedding.weight': (49408, 512)})


def normalize_clip_names(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """``state_dict`` with 'text_model.' in front of the text model's names, as transformers 4 writes them."""
    if any(name.startswith(_THEIRS) for name in state_dict):
        return state_dict
    return {_THEIRS + name: value for name, value in state_dict.items()}


def text_transformer_of(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """The text transformer's entries of a whole GLEE model; a transformer alone is returned as it is."""
    inside = {name.removeprefix(_OURS): value for name, value in state_dict.items() if name.startswith(_OURS)}
    return inside or state_dict
