"""Registered models of GLEE."""
from .clip_prompt_simulator import ClipPromptSimulator
from .clip_text_encoder import CLIPTextEncoder, TextFeatures
from .clip_tokenizer import build_clip_tokenizer
from .criterion import GLEECriterion
from .data_preprocessor import GLEEDataPreprocessor
from .denoising import DenoisingGenerator, DenoisingQueries
from .dense_prompt import DensePrompt
from .dense_supervision import DenseSupervision
from .dynamic_loss_selector import DynamicLossSelector, LossSwitch
from .early_fusion import EarlyFusion
from .eva02 import EVA02
from .glee import GLEE
from .glee_fusion_head import GLEEFusionHead
from .glee_head import GLEEHead
from .glee_trajectories import GLEETrajectories
from .glee_video import GLEEVideo
from .interactive_rollout import InteractiveRollout
from .maskdino_decoder import MaskDINODecoder
from .maskdino_pixel_decoder import MaskDINOPixelDecoder
from .matching import HungarianMatcher
from .memory_prompt import MemoryPrompt
from .prompt_composer import PromptComposer
from .prompt_simulator import PromptSimulator
from .reference_prompt import ReferencePrompt
from .simple_feature_pyramid import SimpleFeaturePyramid
from .trackers import ExpressionTracker, GLEETracker, MinVISTracker, PromptTracker, TrajectoryTracker
from .tracking_loss import ContrastiveTrackingLoss
from .trajectory_head import TrajectoryHead
from .video_data_preprocessor import GLEEVideoDataPreprocessor
from .visual_prompter import VisualPrompter

__all__ = [
    'CLIPTextEncoder', 'ClipPromptSimulator', 'ContrastiveTrackingLoss', 'DenoisingGenerator', 'DenoisingQueries',
    'DensePrompt', 'DenseSupervision', 'DynamicLossSelector', 'EVA02', 'EarlyFusion', 'ExpressionTracker', 'GLEE',
    'GLEECriterion', 'GLEEDataPreprocessor', 'GLEEFusionHead', 'GLEEHead', 'GLEETracker', 'GLEETrajectories',
    'GLEEVideo', 'GLEEVideoDataPreprocessor', 'HungarianMatcher', 'InteractiveRollout', 'LossSwitch',
    'MaskDINODecoder', 'MaskDINOPixelDecoder', 'MemoryPrompt', 'MinVISTracker', 'PromptComposer', 'PromptSimulator',
    'PromptTracker', 'ReferencePrompt', 'SimpleFeaturePyramid', 'TextFeatures', 'TrajectoryHead',
    'TrajectoryTracker', 'VisualPrompter', 'build_clip_tokenizer'
]
