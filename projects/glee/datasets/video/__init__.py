"""Readers of video data sets."""
from .burst import BURSTDataset
from .expression_videos import ExpressionVideosDataset
from .meta_expressions import MetaExpressionsDataset
from .png_tree import PNGTreeDataset
from .reason_vos import ReasonVOSDataset
from .ref_davis import RefDavisDataset
from .revos import ReVOSDataset
from .video_dataset import FrameWindow, VideoDataset
from .video_frames import VideoFramesDataset
from .ytvis_json import YTVISJsonDataset

__all__ = [
    'BURSTDataset', 'ExpressionVideosDataset', 'FrameWindow', 'MetaExpressionsDataset', 'PNGTreeDataset',
    'ReVOSDataset', 'ReasonVOSDataset', 'RefDavisDataset', 'VideoDataset', 'VideoFramesDataset', 'YTVISJsonDataset'
]
