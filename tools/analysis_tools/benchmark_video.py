"""Stream a long video through a video model: frames per second and memory on the way.

Examples:
    python tools/analysis_tools/benchmark_video.py configs/glee/mini/glee_mini_ytvis.py \\
        --checkpoint work_dirs/quickstart/glee_mini.pth --frames 2000
    python tools/analysis_tools/benchmark_video.py configs/glee/mini/glee_mini_vos.py --objects 3 --frames 2000

The frames (bright squares that wander over noise) are made one window at a time and never kept. They pass the
data preprocessor, the whole network and the tracker of the config as in a test: named, given by their first
masks, or described, as the tracker wants it. After every --every frames a line says the frames per second since
the last line and the resident memory of the process; the last lines give the growth from the first to the last of
them, and what the results of the video take on top. Parts of the tracks that lie on disk are not counted. With a
GPU its memory is in a line of its own.
"""
import sys
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

import numpy as np
import psutil
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData

from projects.glee.apis import init_model
from projects.glee.datasets import load_vocabulary
from projects.glee.models.detectors import GLEEVideo
from projects.glee.models.trackers import ExpressionTracker, PromptTracker

MB = 1 << 20


class WanderingSquares:
    """A video without end: squares with sides of a sixth of the frame on noise.

    Args:
        size (tuple[int, int]): height and width, px.
        num_objects (int): squares.
        seed (int): of colours, noise and ways.
    """

    def __init__(self, size: tuple[int, int], num_objects: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.size, self.side = size, max(1, min(size) // 6)
        self.noise = rng.integers(0, 80, (3, *size), dtype=np.uint8)
        self.colours = rng.integers(120, 256, (num_objects, 3, 1, 1), dtype=np.uint8)
        self.phases = rng.uniform(0, 2 * np.pi, (num_objects, 2))
        self.speeds = rng.uniform(0.02, 0.06, (num_objects, 2))

    def corner(self, number: int, frame: int) -> tuple[int, int]:
        """Upper left corner (y, x) of a square."""
        share = (1 + np.sin(self.phases[number] + self.speeds[number] * frame)) / 2
        y, x = (share * (np.array(self.size) - self.side)).astype(int).tolist()
        return y, x

    def frame(self, index: int) -> np.ndarray:
        """uint8 BGR (3, H, W); later squares hide earlier ones."""
        picture = np.roll(self.noise, index, 2)
        for number, colour in enumerate(self.colours):
            y, x = self.corner(number, index)
            picture[:, y:y + self.side, x:x + self.side] = colour
        return picture

    def masks(self, index: int) -> torch.Tensor:
        """Bool (objects, H, W), whether hidden or not."""
        masks = torch.zeros(len(self.colours), *self.size, dtype=torch.bool)
        for number in range(len(masks)):
            y, x = self.corner(number, index)
            masks[number, y:y + self.side, x:x + self.side] = True
        return masks


def window_of(video: WanderingSquares, frames: range, length: int, text: dict, prompted: bool) -> dict:
    """Consecutive frames as a loader gives them; with ``prompted`` frame 0 points at every square."""
    clip = TrackDataSample()
    clip.video_data_samples = [
        DetDataSample(metainfo=dict(
            video_id=1, frame_id=frame, ori_video_length=length, img_shape=video.size, ori_shape=video.size, **text))
        for frame in frames]
    if prompted and frames[0] == 0:
        masks = video.masks(0)
        clip[0].prompts = InstanceData(
            masks=masks, neg_masks=torch.zeros_like(masks), kinds=['mask'] * len(masks),
            object_ids=torch.arange(len(masks)), instance_ids=torch.arange(1, len(masks) + 1))
    inputs = torch.from_numpy(np.stack([video.frame(frame) for frame in frames]))
    return dict(inputs=[inputs], data_samples=[clip])


def text_for(tracker, names: list[str] | None) -> dict:
    """What is asked for."""
    if isinstance(tracker, ExpressionTracker):
        return dict(text=tuple(names or ['the square that moves left']), text_mode='expression')
    usual = ['object'] if isinstance(tracker, PromptTracker) else load_vocabulary('ytvis_2019')
    return dict(text=tuple(names or usual), text_mode='category')


@torch.no_grad()
def stream(model: GLEEVideo, args: Namespace) -> list[float]:
    """Run the video, print the lines, and return the memory (MB) at each of them and at the end."""
    process, text = psutil.Process(), text_for(model.tracker, args.names)
    video = WanderingSquares(tuple(args.size), args.objects)
    prompted, resident = isinstance(model.tracker, PromptTracker), []
    print(f'{args.frames} frames of {args.size[0]} x {args.size[1]} px, windows of {args.window}, '
          f'{type(model.tracker).__name__}, {len(text["text"])} names, {torch.get_num_threads()} threads, '
          f'{args.device}')
    print('frames   frames/s   resident MB   change MB')
    start, last = time.perf_counter(), 0
    for first in range(0, args.frames, args.window):
        frames = range(first, min(first + args.window, args.frames))
        # One frame more than there is: the video ends below, so that its results are measured apart.
        batch = model.data_preprocessor(window_of(video, frames, args.frames + 1, text, prompted), False)
        model.predict(batch['inputs'], batch['data_samples'])
        done = frames.stop
        if done // args.every > last // args.every or done == args.frames:
            now = time.perf_counter()
            resident.append(process.memory_info().rss / MB)
            print(f'{done:6d}   {(done - last) / (now - start):8.2f}   {resident[-1]:11.1f}   '
                  f'{resident[-1] - resident[max(len(resident) - 2, 0)]:+9.1f}', flush=True)
            start, last = now, done
    if torch.cuda.is_initialized():
        print(f'most memory of the GPU: {torch.cuda.max_memory_allocated() / MB:.0f} MB')
    print(f'from the first to the last line: {resident[-1] - resident[0]:+.1f} MB')
    start = time.perf_counter()
    tracks = model.tracker.finish(model)
    resident.append(process.memory_info().rss / MB)
    print(f'results: {len(tracks)} tracks in {time.perf_counter() - start:.1f} s, '
          f'{resident[-1] - resident[-2]:+.1f} MB')
    return resident


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('config', help='a test config of videos')
    parser.add_argument('--checkpoint', help='weights; random ones without it')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu',
                        help='where the model runs (default: cuda if there is one, else cpu)')
    parser.add_argument('--frames', type=int, default=2000, help='length of the video (default: 2000)')
    parser.add_argument('--every', type=int, default=200, help='frames between two lines (default: 200)')
    parser.add_argument('--window', type=int, default=10, help='frames that pass together (default: 10)')
    parser.add_argument('--size', type=int, nargs=2, default=[160, 224], metavar=('H', 'W'),
                        help='of the frames, px, not resized (default: 160 224)')
    parser.add_argument('--objects', type=int, default=3, help='squares in the video (default: 3)')
    parser.add_argument('--names', nargs='+', help='names or sentences to look for (default: those of YouTube-VIS '
                        '2019; a sentence)')
    parser.add_argument('--limit', type=float, metavar='MB', help='end with an error if memory grows by more from the '
                        'first to the last line')
    args = parser.parse_args()
    if min(args.frames, args.every, args.window, args.objects) < 1 or min(args.size) < 32:
        parser.error('--frames, --every, --window and --objects must be at least 1 and --size at least 32')
    return args


def main() -> None:
    args = parse_args()
    model = init_model(args.config, args.checkpoint, args.device)
    if not isinstance(model, GLEEVideo):
        sys.exit(f'{args.config} has a {type(model).__name__}, not a GLEEVideo: name a test config of videos')
    resident = stream(model, args)
    growth = resident[-2] - resident[0]
    if args.limit is not None and growth > args.limit:
        sys.exit(f'memory grew by {growth:.1f} MB, more than {args.limit}')


if __name__ == '__main__':
    main()
