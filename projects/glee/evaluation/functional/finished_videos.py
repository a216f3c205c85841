"""Videos that an evaluation has finished, on disk until all are."""
import json
import os
import shutil
from pathlib import Path
from typing import Iterator

from ...datasets.samplers.window_sampler import finished_name
from .video_record import VideoRecord


class FinishedVideos:
    """One JSON file per finished video.

    Args:
        folder (str): inside the work folder; removed when the evaluation is complete.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def save(self, video: VideoRecord) -> None:
        """Write one video; a killed process leaves no half file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(video.video_id)
        partial = path.with_suffix(f'.{os.getpid()}.part')
        partial.write_text(json.dumps(video.to_json()))
        partial.replace(path)

    def load(self) -> Iterator[VideoRecord]:
        """All finished videos."""
        for path in sorted(self.folder.glob('*.json')):
            yield VideoRecord.from_json(json.loads(path.read_text()))

    def __contains__(self, video_id) -> bool:
        return self._path(video_id).exists()

    def _path(self, video_id) -> Path:
        return self.folder / finished_name(video_id)

    def remove(self) -> None:
        """Forget all."""
        shutil.rmtree(self.folder, ignore_errors=True)
