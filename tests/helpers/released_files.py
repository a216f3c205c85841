"""Files as other projects release them, by the names on pages: all entries of the originals, with narrow tensors."""
import re
from pathlib import Path

import torch
from golden_recipe import is_derived
from goldens import manifest
from torch import Tensor

from projects.glee.engine.checkpoints.mask_dino_keys import mask_dino_table
from projects.glee.engine.checkpoints.official_keys import SIZES, official_table

WIDTH = 8
OURS_ALONE = 'vl_layers|category_embed|confidence|label_enc|bdd_'  # entries that Mask DINO does not have


def narrow(size: str) -> dict[str, Tensor]:
    """Names of the released GLEE of a size; zeros of at most ``WIDTH`` along an axis where the converter allows it."""
    whole = {**official_table(size).shapes, **{
        key.removeprefix('sem_seg_head.'): shape for key, shape in mask_dino_table().shapes.items()}}
    return {key: torch.zeros(whole.get(key) or [min(side, WIDTH) for side in entry['shape']])
            for key, entry in manifest(size)['keys'].items() if not is_derived(key)}


def as_mask_dino(lite: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """The file of a Mask DINO that GLEE-Lite would have been started from."""
    parts = ('backbone.', 'pixel_decoder.', 'predictor.')
    weights = {key if key.startswith('backbone.') else f'sem_seg_head.{key}': value for key, value in lite.items()
               if key.startswith(parts) and not re.search(OURS_ALONE, key)}
    return dict(model={**weights, 'sem_seg_head.predictor.class_embed.weight': torch.ones(80, 256)})


def part_of(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The entries of a part by their names in it."""
    return {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}


def write_released(folder: Path) -> None:
    """What docs/checkpoints.md converts."""
    models = {size: narrow(size) for size in SIZES}
    for size, weights in models.items():
        torch.save(weights, folder / f'GLEE_{size.title()}_joint.pth')
    torch.save(as_mask_dino(models['lite']), folder / 'maskdino_r50.pth')
    torch.save(dict(model=part_of(models['plus'], 'backbone.')), folder / 'swin_large_384_22k.pth')
    torch.save(dict(module=part_of(models['pro'], 'backbone.net.')), folder / 'eva02_L_p14to16.pt')
    shapes = {key: entry['shape'] for key, entry in manifest('lite')['keys'].items()}
    text = {key: torch.zeros((), dtype=torch.uint8).expand(shape) for key, shape in shapes.items()}  # a small file
    (folder / 'clip-vit-base-patch32').mkdir()
    torch.save(part_of(text, 'text_encoder.'), folder / 'clip-vit-base-patch32/pytorch_model.bin')
