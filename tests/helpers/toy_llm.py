"""A small language model over a GLEE that is made up: objects are coloured squares, pixels are their colours."""
import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from paths import CONFIGS

from projects.glee.llm.dialogue import Turn
from projects.glee.llm.object_encoder import ObjectEncoder, PictureObjects
from projects.glee.llm.picture_cache import PictureCache

CHANNELS = 16
COLOURS = {'red': (230, 30, 30), 'green': (30, 200, 40), 'blue': (30, 60, 230), 'white': (250, 250, 250)}
WORDS = ('USER ASSISTANT : . , ? Can you segment the in this image frame Sure it is It result segmentation red green '
         'blue white square and left one of').split()
LLAVA = dict(
    type='LlavaAdapter', words=WORDS,
    config=dict(
        vision_config=dict(image_size=28, patch_size=14, hidden_size=16, intermediate_size=16, num_hidden_layers=2,
                           num_attention_heads=2, projection_dim=16),
        text_config=dict(hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=4, max_position_embeddings=2048)))
QWEN = dict(
    type='QwenVLAdapter', max_pixels=28 * 28 * 4,
    words=['user', 'assistant', '<|im_start|>', '<|vision_start|>', '<|vision_end|>', *WORDS[2:]],
    config=dict(
        vision_config=dict(depth=2, hidden_size=32, intermediate_size=32, num_heads=2, out_hidden_size=64,
                           patch_size=14, fullatt_block_indexes=[1], window_size=56),
        text_config=dict(hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, max_position_embeddings=2048,
                         rope_parameters=dict(rope_type='default', mrope_section=[2, 3, 3], rope_theta=10000.))))


class ColourEncoder(ObjectEncoder):
    """GLEE's interface: an object per colour of a picture, whose query and mask embedding are the colour's code."""

    def __init__(self, seed: int = 0) -> None:
        self.prompt, self.names, self.max_objects = 'object', ('object', ), 8
        self.config, self.checkpoint = 'toy', None
        self.cache, self.fingerprint, self.channels = PictureCache(8), f'fingerprint {seed}', CHANNELS
        self.codes = torch.nn.functional.normalize(torch.randn(
            len(COLOURS) + 1, CHANNELS, generator=torch.Generator().manual_seed(seed)), dim=1)  # the last: nothing

    def to(self, device):
        return self

    def encode(self, picture, expression=''):
        height, width = picture.shape[:2]
        maps = [(picture == colour).all(-1) for colour in COLOURS.values()]
        maps.append(~np.any(maps, 0))
        pixels = sum(code[:, None, None] * torch.from_numpy(one[::4, ::4]) for code, one in zip(self.codes, maps))
        seen = [number for number, one in enumerate(maps[:-1]) if one.any()]
        boxes = [box_of(maps[number]) for number in seen]
        return PictureObjects(
            queries=self.codes[seen], boxes=torch.tensor(boxes).reshape(-1, 4), scores=torch.ones(len(seen)),
            labels=torch.zeros(len(seen), dtype=torch.long), mask_embeds=10 * (self.codes[seen] - self.codes[-1]),
            pixels=pixels.float(), valid=(1., 1.), shape=(height, width))


def box_of(mask):
    """cxcywh in 0..1."""
    ys, xs = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
    height, width = mask.shape
    return [(xs[0] + xs[-1] + 1) / 2 / width, (ys[0] + ys[-1] + 1) / 2 / height,
            (xs[-1] + 1 - xs[0]) / width, (ys[-1] + 1 - ys[0]) / height]


def picture_of(*squares, size=(32, 48)):
    """RGB uint8 picture with 12 px squares (colour, x, y)."""
    picture = np.full((*size, 3), 90, np.uint8)
    for colour, x, y in squares:
        picture[y:y + 12, x:x + 12] = COLOURS[colour]
    return picture


PICTURES = [picture_of(('red', 4, 4), ('blue', 28, 16)), picture_of(('green', 8, 16), ('white', 32, 4))]


def toy_segmentor(language_model=LLAVA, seed=0, **settings):
    """A ``ReasoningSegmentor`` with random weights of ``seed``."""
    torch.manual_seed(seed)
    return MODELS.build(dict(dict(
        type='ReasoningSegmentor', glee=ColourEncoder(), language_model=language_model, num_objects=4), **settings))


def sample_of(picture, *pairs, answer='Sure , it is [SEG] .'):
    """A dialogue of turns about colours, one [SEG] each, with the masks of those colours."""
    sample = DetDataSample(metainfo=dict(
        turns=[Turn(((0, ) if number == 0 else ()) + (f'Can you segment the {colour} square in this image ?', ), answer)
               for number, colour in enumerate(pairs)],
        gt_masks=[(picture == COLOURS[colour]).all(-1) for colour in pairs], seg_pictures=[0] * len(pairs)))
    return sample


def load_llm(name):
    """A config of configs/glee/llm."""
    return Config.fromfile(CONFIGS / f'llm/{name}.py')
