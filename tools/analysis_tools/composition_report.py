"""Measure prompts that say more together than alone, on pictures of MiniWorld drawn for it.

Example:
    python tools/analysis_tools/composition_report.py configs/glee/mini/glee_mini_stage2.py \\
        work_dirs/quickstart/glee_mini.pth --pictures 100 --videos 30

Prints, as JSON, the share of pictures in which the wanted one of two identical objects is found (IoU above 0.5) by
its name alone, by a click alone and by both, and of an object whose name is unique by that name; the mean IoU of an
object found by another picture of it, in which place, size and background differ; the share of objects whose shape is
the best of all shapes for the mask of the ground truth and for the object that the click found; and, of objects
followed through videos by such another picture, the mean IoU over the frames that show the object, then over the
videos, without and with memory.
"""
import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import replace

import numpy as np
from rich.progress import track

from projects.glee.apis import InteractiveSession, init_model, track_reference
from projects.glee.apis.reference_video import MEMORIES
from projects.glee.miniworld.world.render import render
from projects.glee.miniworld.world.scene import Scene, SceneObject, SceneSampler, inside, near, visible_masks
from projects.glee.miniworld.world.video import MIN_AREA, frame_scene
from projects.glee.miniworld.world.video_scene import VideoSampler, VideoScene
from projects.glee.miniworld.world.vocabulary import SHAPES


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


def draw_video_case(rng: np.random.Generator, films: VideoSampler,
                    stills: SceneSampler) -> tuple[Scene, VideoScene, int]:
    """A picture that ends in an object, a video in which nothing else has its name, and its position there."""
    while True:
        video = films(rng)
        names = [moving.poses[0].fine_name for moving in video.objects]
        unique = [index for index, name in enumerate(names) if names.count(name) == 1]
        if not unique:
            continue
        wanted = int(rng.choice(unique))
        poses = video.objects[wanted].poses
        pose = poses[len(poses) // 2]  # the size in mid-video: an object may grow or shrink to half of it
        resized = replace(pose, size=pose.size * float(rng.uniform(0.75, 1.3)))
        still = place(rng, resized, without(stills(rng), pose.fine_name))
        if still:
            return still, video, wanted


def film(video: VideoScene, wanted: int) -> tuple[list[Scene], list[np.ndarray]]:
    """The scene of every frame of a video, and what it shows of one object: (H, W) bool, empty where it is absent."""
    scenes, masks = [], []
    for poses in zip(*(moving.poses for moving in video.objects)):
        scene, shown = frame_scene(poses, video.height, video.width, video.background)
        seen = dict(zip(shown, visible_masks(scene.objects, video.height, video.width)))
        scenes.append(scene)
        masks.append(seen.get(wanted, np.zeros((video.height, video.width), bool)))
    return scenes, masks


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
    found, unique = dict(text=[], click=[], both=[]), []
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
        unique.append(iou(session.add(text=text).mask, target) > 0.5)
    return dict({f'composition/{kind}': float(np.mean(hits)) for kind, hits in found.items()},
                **{'text/top1': float(np.mean(unique)), 'reference/mIoU': float(np.mean(reference_ious))},
                **{f'label/{kind}_top1': float(np.mean(hits)) for kind, hits in labels.items()})


def measure_videos(session: InteractiveSession, videos: int, seed: int) -> dict[str, float]:
    """Mean IoU of objects followed by a picture of them; the videos do not depend on how many pictures are drawn."""
    rng, films, stills = np.random.default_rng([seed, 1]), VideoSampler(lengths=(8, 12)), SceneSampler()
    means = {memory: [] for memory in MEMORIES}
    for _ in track(range(videos), 'videos'):
        still, video, wanted = draw_video_case(rng, films, stills)
        scenes, masks = film(video, wanted)
        session.set_image(render(still))
        reference = session.encode_reference(mask=visible_masks(still.objects, still.height, still.width)[-1])
        for memory in MEMORIES:
            found = track_reference(session, map(render, scenes), reference, memory)
            means[memory].append(np.mean([0. if obj is None else iou(obj.mask, mask)
                                          for obj, mask in zip(found, masks) if mask.sum() >= MIN_AREA]))
    return {f'reference_video/{memory}_J': float(np.mean(values)) for memory, values in means.items()}


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('config', help='a config with a `model` that has a prompter')
    parser.add_argument('checkpoint', help='weights trained on MiniWorld')
    parser.add_argument('--pictures', type=int, default=100, help='pictures of each kind (default: 100)')
    parser.add_argument('--videos', type=int, default=30, help='videos of 8 to 12 frames, or 0 (default: 30)')
    parser.add_argument('--seed', type=int, default=7, help='of the pictures and videos (default: 7)')
    args = parser.parse_args()
    if args.pictures < 1:
        parser.error('--pictures must be at least 1')
    if args.videos < 0:
        parser.error('--videos must be at least 0')
    session = InteractiveSession(init_model(args.config, args.checkpoint), scale=(10000, 160))
    numbers = measure(session, args.pictures, args.seed)
    if args.videos:
        numbers.update(measure_videos(session, args.videos, args.seed))
    print(json.dumps({key: round(value, 4) for key, value in numbers.items()}, indent=1))


if __name__ == '__main__':
    main()
