"""Measure prompts that say more together than alone, on pictures of MiniWorld drawn for it.

Example:
    python tools/analysis_tools/composition_report.py configs/glee/glee_mini_stage2.py \\
        work_dirs/quickstart/glee_mini.pth --pictures 100

Prints, as JSON, the share of pictures in which the wanted one of two identical objects is found (IoU above 0.5) by
its name alone, by a click alone and by both; the mean IoU of an object found by another picture of it,
in which place, size and background differ; and the share of objects whose shape is the best of all shapes for the mask
of the ground truth and for the object that the click found.
"""
import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import replace

import numpy as np
from rich.progress import track

from projects.glee.apis import InteractiveSession
from projects.glee.datasets.miniworld.render import render
from projects.glee.datasets.miniworld.scene import Scene, SceneObject, SceneSampler, inside, near, visible_masks
from projects.glee.datasets.miniworld.vocabulary import SHAPES
from projects.glee.engine import init_model


def place(rng: np.random.Generator, obj: SceneObject, scene: Scene, tries: int = 200) -> Scene | None:
    """The scene with ``obj`` as last object at a free place; None if there is none."""
    for _ in range(tries):
        moved = replace(obj, x=float(rng.uniform(0, scene.width)), y=float(rng.uniform(0, scene.height)))
        if inside(moved, scene.height, scene.width) and not near(moved, scene.objects):
            return replace(scene, objects=(*scene.objects, moved))
    return None


def without(scene: Scene, name: str) -> Scene:
    """The scene without objects of a fine name."""
    return replace(scene, objects=tuple(obj for obj in scene.objects if obj.fine_name != name))


def draw_case(rng: np.random.Generator, sampler: SceneSampler) -> tuple[Scene, Scene]:
    """Two scenes that end in the same object: one with it twice, one with it once, of another size."""
    while True:
        obj = sampler(rng).objects[0]
        twice = without(sampler(rng), obj.fine_name)
        resized = replace(obj, size=obj.size * float(rng.uniform(0.75, 1.3)))
        once = place(rng, resized, without(sampler(rng), obj.fine_name))
        for _ in range(2):
            twice = twice and place(rng, obj, twice)
        if twice and once:
            return twice, once


def iou(first: np.ndarray, second: np.ndarray) -> float:
    """Of two masks (H, W)."""
    return float((first & second).sum() / max((first | second).sum(), 1))


def named(session: InteractiveSession, target: int | np.ndarray, shape: str) -> bool:
    """Whether ``shape`` is the best name of an object of the session or of a mask (H, W)."""
    names = session.label(target, SHAPES)  # none for a mask that no query covers
    return bool(names) and names[0][0] == shape


def measure(session: InteractiveSession, pictures: int, seed: int) -> dict[str, float]:
    """The numbers of the report; the model's names are those of MiniWorld."""
    rng, sampler = np.random.default_rng(seed), SceneSampler(counts={3: 0.5, 4: 0.5})
    found = dict(text=[], click=[], both=[])
    reference_ious, labels = [], dict(mask=[], click=[])
    for _ in track(range(pictures), 'pictures'):
        twice, once = draw_case(rng, sampler)
        wanted = visible_masks(twice.objects, twice.height, twice.width)[-1]
        rows, columns = wanted.nonzero()
        pick = rng.integers(len(rows))
        click, text = (float(columns[pick]), float(rows[pick])), twice.objects[-1].fine_name
        session.set_image(render(twice))
        added = {kind: session.add(**prompt) for kind, prompt in dict(
            text=dict(text=text), click=dict(points=[click]), both=dict(text=text, points=[click])).items()}
        for kind, result in added.items():
            found[kind].append(iou(result.mask, wanted) > 0.5)
        for kind, target in dict(mask=wanted, click=added['click'].id).items():
            labels[kind].append(named(session, target, twice.objects[-1].shape))
        reference = session.encode_reference(mask=wanted)
        session.set_image(render(once))
        target = visible_masks(once.objects, once.height, once.width)[-1]
        reference_ious.append(iou(session.add(reference=reference).mask, target))
    return dict({f'composition/{kind}': float(np.mean(hits)) for kind, hits in found.items()},
                **{'reference/mIoU': float(np.mean(reference_ious))},
                **{f'label/{kind}_top1': float(np.mean(hits)) for kind, hits in labels.items()})


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('config', help='a config with a `model` that has a prompter')
    parser.add_argument('checkpoint', help='weights trained on MiniWorld')
    parser.add_argument('--pictures', type=int, default=100, help='pictures of each kind (default: 100)')
    parser.add_argument('--seed', type=int, default=7, help='of the pictures (default: 7)')
    args = parser.parse_args()
    if args.pictures < 1:
        parser.error('--pictures must be at least 1')
    model = init_model(args.config, args.checkpoint)
    numbers = measure(InteractiveSession(model, scale=(10000, 160)), args.pictures, args.seed)
    print(json.dumps({key: round(value, 4) for key, value in numbers.items()}, indent=1))


if __name__ == '__main__':
    main()
