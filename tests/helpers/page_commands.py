"""What a page tells its reader to type: the commands of its blocks and sentences, and its blocks of Python."""
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from paths import ROOT, TOOLS

PROGRAMS = ('glee', 'python', 'bash', 'torchrun', 'pip', 'mkdocs')
SCRIPT = re.compile(r'[\w/]+\.(?:py|sh)')


@dataclass(frozen=True)
class Item:
    """``text`` as it is typed, of the language 'python' or 'shell'; ``page`` as README.md or docs/faq.md; ``fenced``:
    a line or block of its own, not words of a sentence; ``file``: where the words before a block of Python save it,
    below the checkout, 'block.py' where they do not say it."""
    page: str
    language: str
    text: str
    fenced: bool
    file: str = ''

    @property
    def words(self) -> list[str]:
        """The words of a command without those for the system: program, arguments."""
        return shlex.split(self.text, comments=True)


def items_of(path: Path) -> Iterator[Item]:
    """In the order of the page."""
    page, content = str(path.relative_to(ROOT)), path.read_text('utf-8')
    for part in re.finditer(r'```(\w*)\n(.*?)```|(?<!`)`([^`]+)`(?!`)', content, re.DOTALL):
        language, block, words = part.groups()
        if language == 'python':
            yield Item(page, 'python', block, True, saved_as(content[:part.start()]))
        elif block is not None:
            lines = block.replace('\\\n', ' ').splitlines()
            yield from (Item(page, 'shell', ' '.join(line.split()) if "'" not in line else line.strip(), True)
                        for line in lines if line.strip() and (language == 'bash' or is_command(line)))
        elif is_command(text := ' '.join(words.split())):
            for rest in ends_of(content[part.end():]):
                yield Item(page, 'shell', f'{with_program(text)} {rest}'.strip(), False)


def saved_as(before: str) -> str:
    """The file that the last paragraph before a block names: as `name.py`, or as `name.py` in `folder/`."""
    found = re.search(r'[Aa]s\s+`(\w+\.py)`(?:\s+in\s+`([\w/]+)`)?', before.rstrip().rsplit('\n\n', 1)[-1])
    return str(Path(found[2] or '', found[1])) if found else 'block.py'


def ends_of(after: str) -> list[str]:
    """What is typed behind a command in turn: a table of it, with ``key`` as its second column, says it, or nothing."""
    table = re.match(r'[^`\n]*\n\n\| \| key \|.*\n.*\n((?:\|.*\n)+)', after)
    return [row.split('|')[2].strip(' `') for row in table[1].splitlines()] if table else ['']


def is_command(text: str) -> bool:
    """Whether it is a program with arguments, and not the name of one."""
    first, *others = text.split()
    return bool(others) and (first in PROGRAMS or bool(SCRIPT.fullmatch(first))) and (
        first != 'glee' or len(others) > 1 or others == ['info'])


def with_program(text: str) -> str:
    """Sentences leave out ``python``, tables also the folder of a script."""
    script = text.split()[0]
    if script in PROGRAMS:
        return text
    if '/' not in script:
        found, = TOOLS.rglob(script)
        text = text.replace(script, str(found.relative_to(ROOT)), 1)
    return f'{"bash" if script.endswith(".sh") else "python"} {text}'
