"""A tiny random video model and windows of random video, for tests."""
import pycocotools.mask as mask_utils
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.config import Config

SIZE = (64, 96)


def video_model(tracker: dict, seed: int = 0, trajectory_head: dict | None = None):
    """``GLEEVideo`` of the mini config, narrower still, with random weights, in eval mode."""
    cfg = Config.fromfile('configs/glee/_base_/models/glee_mini.py').model
    cfg.type, cfg.tracker, cfg.trajectory_head = 'GLEEVideo', tracker, trajectory_head
    cfg.data_preprocessor.type = 'GLEEVideoDataPreprocessor'
    cfg.panoptic_head.num_queries = 12
    cfg.panoptic_head.prompter.template_size = 64
    torch.manual_seed(seed)
    model = MODELS.build(cfg)
    model.init_weights()
    with torch.no_grad():  # masks that are neither empty nor full
        for parameter in model.panoptic_head.mask_head.parameters():
            parameter.mul_(3)
    return model.eval()


def clip_of(frames: range, length: int, size: tuple = SIZE, video_id: int = 1, **meta) -> TrackDataSample:
    """A window of frames without annotations."""
    samples = [
        DetDataSample(metainfo=dict(
            dict(video_id=video_id, frame_id=frame, ori_video_length=length, batch_input_shape=size,
                 img_shape=(size[0] - 4, size[1] - 6), ori_shape=(2 * size[0] - 8, 2 * size[1] - 12),
                 text=('circle', 'red star'), text_mode='category'), **meta)) for frame in frames
    ]
    clip = TrackDataSample()
    clip.video_data_samples = samples
    return clip


def moving_picture(frame: int, size: tuple = SIZE, seed: int = 0) -> torch.Tensor:
    """(3, H, W): one random picture that is shifted by a pixel per frame."""
    picture = torch.randn(3, *size, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.avg_pool2d(picture[None], 5, 1, 2)[0].roll(frame, -1) * 5


@torch.no_grad()
def track_video(model, length: int, window: int, **meta) -> list:
    """Tracks of a moving picture that is given in windows."""
    for start in range(0, length, window):
        frames = range(start, min(start + window, length))
        clip = clip_of(frames, length, **meta)
        pictures = torch.stack([moving_picture(frame) for frame in frames])
        model.predict(pictures[None], [clip])
    return clip.pred_tracks


def same_tracks(first, second):
    assert len(first) == len(second) > 0
    for one, other in zip(first, second):
        assert (one.instance_id, one.label) == (other.instance_id, other.label)
        assert one.score == pytest.approx(other.score, abs=1e-5)
        for a, b in zip(one.segmentations, other.segmentations, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                overlap = mask_utils.iou([a], [b], [0])[0, 0]
                assert overlap > 0.97  # batch sizes change the last bits, at most a pixel of a small mask


def square(x, y, side=16):
    mask = torch.zeros(SIZE, dtype=torch.bool)
    mask[y:y + side, x:x + side] = True
    return mask
