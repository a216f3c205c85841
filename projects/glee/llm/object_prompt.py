"""What the frozen GLEE is asked for when it finds the objects of a picture (B.2's ``glee_prompt``)."""
from typing import NamedTuple, Optional, Sequence, Union

from mmdet.datasets import CocoDataset

PROMPTS: dict[str, Optional[tuple[str, ...]]] = {
    'object': ('object', ),
    'coco': tuple(CocoDataset.METAINFO['classes']),
    'expression': None,  # no names: the question itself
}


class Asked(NamedTuple):
    """``text_mode`` and ``text`` of a sample of GLEE."""
    text_mode: str
    text: tuple[str, ...]


def names_asked(prompt: Union[str, Sequence[str]]) -> Optional[tuple[str, ...]]:
    """The names of a prompt, a key of ``PROMPTS`` or names; None where it is the question.

    Raises:
        ValueError: there is no such prompt.
    """
    if not isinstance(prompt, str):
        return tuple(prompt)
    if prompt not in PROMPTS:
        raise ValueError(f'glee.prompt={prompt!r} must be {", ".join(map(repr, PROMPTS))} or a list of names')
    return PROMPTS[prompt]


def ask_for(names: Optional[tuple[str, ...]], expression: str) -> Asked:
    """What is asked about a picture whose question seeks ``expression``.

    Raises:
        ValueError: the question is to be asked, and there is none.
    """
    if names is not None:
        return Asked('category', names)
    if not expression.strip():
        raise ValueError("glee.prompt='expression' asks GLEE the question about a picture, and this one has none")
    return Asked('expression', (expression, ))
