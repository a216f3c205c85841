"""How much a page or server takes from its users."""
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Limits:
    """What is taken.

    Attributes:
        megapixels: of a picture; a larger one is refused.
        megabytes: of a file; a larger one is refused.
        seconds, frames: of a video; what comes later is left out, and said.
        side: longest side of a video's frames, px; larger ones are shrunk.
        waiting: requests that may wait; more are refused.
    """
    megapixels: float = 50.
    megabytes: float = 100.
    seconds: float = 60.
    frames: int = 600
    side: int = 960
    waiting: int = 32

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """``--max-megapixels``, ``--max-megabytes``, ..."""
        group = parser.add_argument_group('limits')
        for name, meaning in (('megapixels', 'of a picture'), ('megabytes', 'of a file'),
                              ('seconds', 'of a video; the rest is left out'),
                              ('frames', 'of a video; the rest is left out'),
                              ('side', 'px, of the frames of a video; larger ones are shrunk'),
                              ('waiting', 'requests that wait; more are refused')):
            default = getattr(cls, name)
            group.add_argument(f'--max-{name}', type=type(default), default=default, metavar='N',
                               help=f'{meaning} (default {default:g})')

    @classmethod
    def of_arguments(cls, args: Namespace) -> 'Limits':
        """What the command line says.

        Raises:
            ValueError: a limit is not above 0.
        """
        limits = cls(**{field.name: getattr(args, f'max_{field.name}') for field in fields(cls)})
        for field in fields(cls):
            if not getattr(limits, field.name) > 0:
                raise ValueError(f'--max-{field.name} must be above 0')
        return limits
