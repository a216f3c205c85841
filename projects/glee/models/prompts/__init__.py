"""From prompts to objects."""
from .prompt_composer import PromptComposer
from .prompt_decoder import DecodedObject, PromptDecoder
from .reference_prompt import ReferencePrompt
from .visual_prompter import VisualPrompter

__all__ = [
    'DecodedObject', 'PromptComposer', 'PromptDecoder', 'ReferencePrompt', 'VisualPrompter'
]
