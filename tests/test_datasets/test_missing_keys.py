"""Every key of every format missing, null or of another kind: nothing changes, or file and row are named.

No reader, converter, metric or checker may end in the error of its own inside (KeyError, TypeError, IndexError).
"""
import copy
import re
from typing import Any, Iterator

import pytest
from annotated_files import CASES, make_pictures, write_files
from logs import captured_log

FILE = re.compile(r'\b(\w+\.(json|p)|raw/0+)\b')
PLACE = re.compile(r'\b(row|line|ref|frame|id|anno_id) \d|(video|sequence|expression|track|image|category) \w+|'
                   r'row with|`\w+` with')
REMOVED = object()


def wrong_values(value: Any) -> list:
    """What has no meaning in the place of a value; a number is a name, too."""
    kinds = [[], {}] if isinstance(value, str) else ['wrong', {}, [None]]
    return [REMOVED, None] + [kind for kind in kinds if type(kind) is not type(value) or kind == [None]]


def changes(content: Any, path: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    """(path, value) of every change: each key of the first of alike objects, and the first entry of each list."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from (((*path, key), wrong) for wrong in wrong_values(value))
            yield from changes(value, (*path, key))
    elif isinstance(content, list) and content:
        yield (*path, 0), None
        yield (*path, 0), ['wrong']
        yield from changes(content[0], (*path, 0))


def changed(content: Any, path: tuple, value: Any) -> Any:
    content = copy.deepcopy(content)
    place = content
    for key in path[:-1]:
        place = place[key]
    if value is REMOVED:
        del place[path[-1]]
    else:
        place[path[-1]] = copy.deepcopy(value)
    return content


def outcome(case, folder) -> tuple[Any, str]:
    """What is read, and everything that is said."""
    with captured_log() as messages:
        try:
            result = case.read(folder)
        except (ValueError, FileNotFoundError) as error:
            assert '\n' not in str(error), error
            return None, str(error)
    said = [m for m in messages if 'json' in m or '.p' in m]
    return result, ' | '.join([*said, result[1]] if isinstance(result, tuple) and isinstance(result[1], str) else said)


@pytest.mark.parametrize('name', CASES)
def test_each_key_missing_null_or_of_another_kind(tmp_path, name):
    case, silent = CASES[name], []
    make_pictures(tmp_path)
    write_files(tmp_path, case.files)
    sound, said = outcome(case, tmp_path)
    assert sound is not None and not re.search('first|unusable', said), said
    for file in case.changed:
        for path, value in changes(case.files[file]):
            what = f'{file}: {".".join(map(str, path))} ' + ('removed' if value is REMOVED else f'= {value!r}')
            write_files(tmp_path, {file: changed(case.files[file], path, value)})
            try:
                result, said = outcome(case, tmp_path)
            except Exception as error:
                pytest.fail(f'{what}: {type(error).__name__}: {error}')
            key = path[-2] if path[-1] == 0 and len(path) > 1 else path[-1]  # an entry stands for its list
            if result == sound or set(path) & set(case.free) or value in (REMOVED, None) and key in case.optional:
                continue
            whole = len(path) == 1 or path[0] == 'videos' and len(path) == 2
            if not FILE.search(said) or not (whole or PLACE.search(said)):
                silent.append(f'{what}: {said or "not a word"}')
        write_files(tmp_path, {file: case.files[file]})
    assert not silent, '\n'.join(silent)
