"""The network of a detector as compiled graphs."""
from torch import nn

MODES = ('default', 'reduce-overhead', 'max-autotune')


def compile_network(model: nn.Module, mode: str = 'default', backend: str = 'inductor') -> nn.Module:
    """Compile backbone, pixel decoder and decoder in place, each as one graph (``torch.compile``, fullgraph).

    The first call of each input size, batch and number of names compiles, for minutes. Text, prompts and
    post-processing stay as they are; parameters and their names do not change. 'reduce-overhead' keeps CUDA graphs: a
    call overwrites what the call before returned, so it serves whole predictions (``predict``), not sessions, which
    keep maps of pictures. It is not yet tried on a GPU.

    Args:
        model (GLEE): in eval mode.
        mode (str): of ``torch.compile``; one of ``MODES``.
        backend (str): of ``torch.compile``.

    Returns:
        nn.Module: the model.

    Raises:
        ValueError: another mode.
    """
    if mode not in MODES:
        raise ValueError(f'compile mode {mode!r} is unknown; choose from {MODES}')
    head = model.panoptic_head
    for part in (model.backbone, head.pixel_decoder, head.decoder):
        part.compile(fullgraph=True, backend=backend, **(dict(mode=mode) if backend == 'inductor' else {}))
    return model
