"""Videos of rendered frames, written frame by frame."""
from fractions import Fraction
from pathlib import Path
from typing import Optional, Union

import cv2
import numpy as np
from mmengine.logging import print_log


class VideoWriter:
    """An mp4 of pictures of one size: H.264 through PyAV where it is installed, else what OpenCV has, which is said.

    Args:
        path (str | Path): file to write; its folder is made.
        fps (float): frames per second.

    Raises:
        ValueError: a picture has another size than the first one.
    """

    def __init__(self, path: Union[str, Path], fps: float) -> None:
        self.path, self.fps = Path(path), fps
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.size: Optional[tuple[int, int]] = None

    def write(self, picture: np.ndarray) -> None:
        """The next picture, RGB uint8 (H, W, 3); an odd row or column is left out, which H.264 needs."""
        picture = np.ascontiguousarray(picture[:picture.shape[0] // 2 * 2, :picture.shape[1] // 2 * 2])
        if self.size is None:
            self.size = picture.shape[:2]
            self._open()
        if picture.shape[:2] != self.size:
            raise ValueError(f'{self.path}: a picture of {picture.shape[:2]} px after pictures of {self.size} px')
        if self.container is None:
            self.stream.write(picture[..., ::-1])
            return
        for packet in self.stream.encode(self.frame_type.from_ndarray(picture, format='rgb24')):
            self.container.mux(packet)

    def _open(self) -> None:
        try:
            import av
        except ImportError:
            print_log(f'{self.path} is written as MPEG-4, which browsers do not play: for H.264 pip install av',
                      logger='current')
            self.container = None
            self.stream = cv2.VideoWriter(str(self.path), cv2.VideoWriter_fourcc(*'mp4v'), self.fps, self.size[::-1])
            if not self.stream.isOpened():
                raise ValueError(f'{self.path} cannot be written as a video: use a name that ends in .mp4') from None
            return
        self.frame_type = av.VideoFrame
        self.container = av.open(str(self.path), 'w')
        self.stream = self.container.add_stream('h264', rate=Fraction(self.fps).limit_denominator(1000))
        self.stream.height, self.stream.width = self.size
        self.stream.pix_fmt = 'yuv420p'
        self.stream.options = {'crf': '20'}

    def close(self) -> None:
        """Finish the file."""
        if self.size is None:
            return
        if self.container is None:
            self.stream.release()
            return
        for packet in self.stream.encode():
            self.container.mux(packet)
        self.container.close()
