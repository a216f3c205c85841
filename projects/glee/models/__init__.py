"""Registered models of GLEE."""
from .clip_text_encoder import CLIPTextEncoder, TextFeatures
from .clip_tokenizer import build_clip_tokenizer
from .criterion import GLEECriterion
from .data_preprocessor import GLEEDataPreprocessor
from .denoising import DenoisingGenerator, DenoisingQueries
from .dynamic_loss_selector import DynamicLossSelector, LossSwitch
from .early_fusion import EarlyFusion
from .glee import GLEE
from .glee_fusion_head import GLEEFusionHead
from .glee_head import GLEEHead
from .interactive_rollout import InteractiveRollout
from .maskdino_decoder import MaskDINODecoder
from .maskdino_pixel_decoder import MaskDINOPixelDecoder
from .matching import HungarianMatcher
from .memory_prompt import MemoryPrompt
from .object_naming import NamingHead, ObjectNaming
from .prompt_composer import PromptComposer
from .prompt_simulator import PromptSimulator
from .reference_prompt import ReferencePrompt
from .visual_prompter import VisualPrompter

__all__ = [
    'CLIPTextEncoder', 'DenoisingGenerator', 'DenoisingQueries', 'DynamicLossSelector', 'EarlyFusion', 'GLEE',
    'GLEECriterion', 'GLEEDataPreprocessor', 'GLEEFusionHead', 'GLEEHead', 'HungarianMatcher',
    'InteractiveRollout', 'LossSwitch', 'MaskDINODecoder', 'MaskDINOPixelDecoder', 'MemoryPrompt', 'NamingHead',
    'ObjectNaming', 'PromptComposer', 'PromptSimulator', 'ReferencePrompt', 'TextFeatures', 'VisualPrompter',
    'build_clip_tokenizer'
]
