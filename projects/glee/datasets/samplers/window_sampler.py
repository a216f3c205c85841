"""Videos in consecutive windows of frames."""
import logging
from typing import Iterator, Optional

import numpy as np
from mmdet.registry import DATA_SAMPLERS
from mmengine.dist import get_dist_info
from mmengine.logging import print_log
from torch.utils.data import Sampler

from ...structures.finished_items import FinishedItems
from ..video.video_dataset import FrameWindow


@DATA_SAMPLERS.register_module()
class WindowSampler(Sampler):
    """Draws the windows of one video after the other, so that only one window is in memory.

    Whole videos are dealt out to the ranks, about equally many frames to each; use ``batch_size=1``.

    Args:
        dataset (VideoDataset): in test mode.
        window (int): frames of a window; released 10.
        resume_dir (str | None): folder in which the metric keeps finished videos; those are left out.
        seed: accepted from the runner; nothing is random.

    Raises:
        ValueError: ``window`` below 1.
    """

    def __init__(self, dataset, window: int = 10, resume_dir: Optional[str] = None, seed: Optional[int] = None) -> None:
        if window < 1:
            raise ValueError(f'WindowSampler needs window >= 1, got {window}')
        self.dataset, self.window = dataset, window
        rank, world_size = get_dist_info()
        records = [dataset.get_data_info(i) for i in range(len(dataset))]
        self.lengths = [record['video_length'] for record in records]
        pending = list(range(len(records)))
        if resume_dir is not None:
            finished = FinishedItems(resume_dir)
            pending = [i for i in pending if records[i]['video_id'] not in finished]
            if len(pending) < len(records):
                print_log(f'{len(records) - len(pending)} of {len(records)} videos are finished already ({resume_dir})',
                          logger='current', level=logging.WARNING)
        frames = np.zeros(world_size, int)
        self.videos = []
        for video in sorted(pending, key=lambda i: (-self.lengths[i], i)):
            receiver = int(frames.argmin())
            frames[receiver] += self.lengths[video]
            if receiver == rank:
                self.videos.append(video)
        self.videos.sort()

    def __iter__(self) -> Iterator[FrameWindow]:
        """The windows of this rank's videos, in temporal order."""
        for video in self.videos:
            for start in range(0, self.lengths[video], self.window):
                yield FrameWindow(video, start, min(start + self.window, self.lengths[video]))

    def __len__(self) -> int:
        """Windows of this rank."""
        return sum(-(-self.lengths[video] // self.window) for video in self.videos)
