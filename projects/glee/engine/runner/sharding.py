"""Which parts of a model fully sharded training (FSDP) gathers at once."""
from typing import Sequence

from mmengine.registry import FUNCTIONS
from torch import nn

# Repeated, their weights are read nowhere else, and every batch runs them alike. The backbone's blocks run once more
# for templates of prompts, the teacher's layers not for sentences: a process waits for ever where another has none.
LAYERS = ('DeformableEncoderLayer', 'MaskDINODecoderLayer')


@FUNCTIONS.register_module()
def shard_layers(module: nn.Module, recurse: bool, nonwrapped_numel: int, layers: Sequence[str] = LAYERS) -> bool:
    """``auto_wrap_policy`` of mmengine's ``FSDPStrategy`` (docs/training.md): each of ``layers`` is gathered alone.

    Parts of the head read each other's weights (the decoder's norm), so they stay together in the outermost unit.

    Args:
        module (nn.Module): the part that torch asks about.
        recurse (bool): torch asks whether to look into it, not whether to shard it.
        nonwrapped_numel (int): how many of its parameters no inner part holds; not read.
        layers (Sequence[str]): class names.
    """
    return recurse or type(module).__name__ in layers
