"""A small language model of videos over a GLEE that is made up."""
import torch
from mmdet.registry import MODELS
from toy_llm import LLAVA, ColourEncoder, picture_of

FILM = [picture_of(('red', 2 * t, 4), ('blue', 30 - 2 * t, 18)) for t in range(8)]


def toy_video(language_model=LLAVA, seed=0, **settings):
    torch.manual_seed(seed)
    return MODELS.build(dict(dict(type='VideoReasoningSegmentor', glee=ColourEncoder(), num_objects=3, memory=dict(
        width=16, layers=1, heads=2), language_model=language_model), **settings)).eval()


def talkative(model):
    """The same model, which says [SEG] whatever it sees."""
    table = model.language_model.core.get_output_embeddings().weight
    with torch.no_grad():
        table.zero_()
    original = model.language_model.logits
    model.language_model.logits = lambda states: original(states).index_fill(
        -1, torch.tensor(model.language_model.seg_id), 1.)
    return model


def open_gate(model):
    with torch.no_grad():
        model.memory.gate.fill_(1.)
    return model
