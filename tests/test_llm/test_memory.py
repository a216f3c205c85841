"""What the memory of masks is for: which of two that look alike is meant."""
import numpy as np
import torch
from toy_video_llm import toy_video

import projects.glee.llm  # noqa: F401
from projects.glee.llm.object_encoder import PictureObjects
from projects.glee.llm.video import MemoryBank, VideoMemory

CODES = torch.nn.functional.normalize(torch.randn(2, 8, generator=torch.Generator().manual_seed(0)), dim=1)


def film(rng):
    """Pixel embeddings (8, 24, 24) of five frames, and the mask of the square that goes right."""
    flip, top, frames = rng.random() < 0.5, int(rng.integers(0, 7)), []
    for t in range(5):
        masks = torch.zeros(2, 24, 24, dtype=torch.bool)
        masks[0, top:top + 7, 1 + 4 * t:7 + 4 * t] = True
        masks[1, top + 9:top + 16, 17 - 4 * t:23 - 4 * t] = True
        masks = masks.flip(1) if flip else masks
        frames.append((torch.where(masks.any(0), CODES[0][:, None, None], CODES[1][:, None, None]), masks[0]))
    return frames


def follow(frames, bank, embed):
    """Mask logits and truth of the later frames, after the true mask of the first."""
    memory, found = VideoMemory(bank, stride=1), []
    memory.write(frames[0][0], 20. * frames[0][1] - 10)
    for pixels, truth in frames[1:]:
        found.append((torch.einsum('c,chw->hw', embed, memory.read(pixels)), truth))
        memory.write(pixels, found[-1][0])
    return found


def test_it_learns_which_of_two_alike_is_meant():
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    bank, embed = MemoryBank(8, 32, 1, 2), torch.nn.Parameter(4 * (CODES[0] - CODES[1]))
    others = [value for value in bank.parameters() if value is not bank.gate]
    optimizer = torch.optim.Adam([dict(params=[*others, embed]), dict(params=[bank.gate], lr=6e-2)], 3e-3)
    for _ in range(100):
        loss = torch.stack([torch.nn.functional.binary_cross_entropy_with_logits(mask, truth.float())
                            for mask, truth in follow(film(rng), bank, embed)]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    films = [film(rng) for _ in range(8)]
    with torch.no_grad():
        scores = [np.mean([float(((mask > 0) & truth).sum() / ((mask > 0) | truth).sum())
                           for frames in films for mask, truth in follow(frames, used, embed)])
                  for used in (bank, None)]
    assert scores[0] > 0.75 and scores[0] > scores[1] + 0.2, scores


def test_the_memory_votes_for_objects():
    """With the read-out of objects the change of the pixels counts in the mask of each."""
    model = toy_video(readout='objects', loss_weights=dict(text=1., objects=1.))
    channels = model.glee.channels
    pixels = torch.zeros(channels, 4, 4)
    pixels[0, :2], pixels[1, 2:] = 1., 1.
    mask_embeds = torch.eye(channels)[:2] - torch.eye(channels)[[1, 0]]
    found = PictureObjects(torch.zeros(2, channels), torch.zeros(2, 4), torch.ones(2), torch.zeros(2).long(),
                           mask_embeds, pixels, (1., 1.), (16, 16))
    embed, change = torch.zeros(channels), torch.zeros(channels, 4, 4)
    embed[5], change[5, 0], change[5, 2:] = 2., 3., -1.
    with torch.no_grad():
        before = model.scores_now(embed, found, torch.zeros_like(change))
        scores = model.scores_now(embed, found, change)
    # of the first object's two rows one has 2 * 3 and the other nothing; of the second's both have 2 * -1
    torch.testing.assert_close(scores - before, torch.tensor([3., -2.]))
    memory = VideoMemory(None)
    model.object_readout.project.bias.data.zero_()
    model.object_readout.project.bias.data[5] = 1.
    with torch.no_grad():
        assert torch.equal(model.next_mask(embed, found, memory) > 0, torch.ones(4, 4) > 0)  # both
        assert not (model.next_mask(-embed, found, memory) > 0).any() and memory.frame == 2  # none
