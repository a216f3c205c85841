"""From prompts to objects."""
from .prompt_composer import PromptComposer
from .reference_prompt import ReferencePrompt
from .visual_prompter import VisualPrompter

__all__ = [
    'PromptComposer', 'ReferencePrompt', 'VisualPrompter'
]
