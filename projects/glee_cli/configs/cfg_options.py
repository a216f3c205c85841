"""Options of the command line that change a config: how they are read and where they are set."""
import argparse
import difflib
from typing import Any, Iterable, Iterator, Sequence

from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log

from ..exits import ConfigError

BRACKETS = {'[': ']', '(': ')', '{': '}'}
# As in mmengine's; 'none' is a word (the history of a session without one).
CONSTANTS = {**dict.fromkeys(('true', 'True'), True), **dict.fromkeys(('false', 'False'), False), 'None': None}
# What mmengine's runner takes (its own list would cost the import of torch) and what the tools read at the top of a
# config; the rest are variables of its files.
SECTIONS = {
    'auto_scale_lr', 'custom_hooks', 'custom_imports', 'data_preprocessor', 'data_root', 'default_hooks',
    'default_scope', 'env_cfg', 'experiment_name', 'find_unused_parameters', 'launcher', 'load_from', 'load_ignore',
    'log_level', 'log_processor', 'model', 'model_wrapper_cfg', 'optim_wrapper', 'param_scheduler', 'randomness',
    'resume', 'resume_anyway', 'runner_type', 'test_cfg', 'test_dataloader', 'test_evaluator', 'train_cfg',
    'train_dataloader', 'tta_model', 'tta_pipeline', 'val_cfg', 'val_dataloader', 'val_evaluator', 'visualizer',
    'work_dir'
}


class DictAction(argparse.Action):
    """KEY=VALUE pairs as a dict, as mmengine's ``DictAction`` reads them, but blanks and quotes are kept.

    See :func:`parse_value` for what a value may be. A pair without "=" or with brackets that do not close ends the
    program with one line.
    """

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Sequence[str],
                 option_string: str | None = None) -> None:
        """Add ``values`` to what earlier options of the same name gave."""
        options = dict(getattr(namespace, self.dest) or {})
        for pair in values:
            key, equals, value = pair.partition('=')
            if not equals or not key:
                parser.error(f'{option_string} {pair!r} is not of the form KEY=VALUE; put a value with blanks in '
                             'quotes, as in data_root="/my data"')
            try:
                options[key] = parse_value(value)
            except ValueError as error:
                parser.error(f'{option_string} {key}: {error}')
        setattr(namespace, self.dest, options)


def parse_value(text: str) -> Any:
    """A number, true, false, None, [list], (tuple), {key: value}, values with commas between them, or a text.

    A text in quotes is taken as it is; without quotes it loses the blanks around it, not those inside.

    Raises:
        ValueError: brackets or quotes do not close.
    """
    text = text.strip()
    parts = split_at(text, ',')
    if len(parts) > 1:
        return [parse_value(part) for part in parts if part.strip()]
    if len(text) > 1 and text[0] in '\'"' and text[0] == text[-1]:
        return text[1:-1]
    if text and text[0] in BRACKETS and text[-1] == BRACKETS[text[0]]:
        inner = [part for part in split_at(text[1:-1], ',') if part.strip()]
        if text[0] == '{':
            pairs = [split_at(part, ':', most=1) for part in inner]
            if any(len(pair) < 2 for pair in pairs):
                raise ValueError(f'{text} is not of the form {{key: value}}')
            return {parse_value(key): parse_value(value) for key, value in pairs}
        return (list if text[0] == '[' else tuple)(map(parse_value, inner))
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            pass
    return CONSTANTS.get(text, text)


def split_at(text: str, separator: str, most: int = -1) -> list[str]:
    """Parts of ``text`` between separators, at ``most`` so many, that are in no brackets and no quotes.

    A quote opens only where a value may begin, so that "it's" is a word.
    """
    parts, closing, quote = [''], [], ''
    for char in text:
        if quote:
            quote = '' if char == quote else quote
        elif char in '\'"' and (not parts[-1].strip() or parts[-1].rstrip()[-1] in '[({,:'):
            quote = char
        elif char in BRACKETS:
            closing.append(BRACKETS[char])
        elif closing and char == closing[-1]:
            closing.pop()
        elif char == separator and not closing and len(parts) - 1 != most:
            parts.append('')
            continue
        parts[-1] += char
    if quote or closing:
        raise ValueError(f'{quote or closing[-1]} is missing at the end of {text}')
    return parts


def apply_options(cfg: Config, options: dict) -> None:
    """Set ``options``, {key: value}, in ``cfg``, one after the other.

    A key that begins with a section of the config (``model``, ``train_dataloader``, ...) is a path from there, as in
    mmengine. Any other one is set wherever it fits: ``prompt_prob=0.4`` in everything that has a ``prompt_prob``,
    ``RandomChoiceResize.scales=[(400, 1000)]`` in every component of that type. ``warmup_iters`` moves the end of the
    warm-up and the schedulers that begin there.

    Raises:
        ConfigError: it fits nowhere.
    """
    for key, value in options.items():
        head, *path = key.split('.')
        if head in SECTIONS:
            cfg.merge_from_dict({key: value})
            continue
        if key == 'warmup_iters':
            set_warmup(cfg.get('param_scheduler') or [], value)
            continue
        sections = {name: cfg[name] for name in SECTIONS.intersection(cfg)}
        count = len(list(places_of(head, path, sections)))
        if not count:
            close = difflib.get_close_matches(head, {*SECTIONS, *names_in(sections)})
            raise ConfigError(
                f'--cfg-options {key}: the config has no section, key or component {head!r}'
                + (' (a variable of its files, which have been read)' if head in cfg else '')
                + (f'; did you mean {" or ".join(close)}?' if close else ''))
        # variables too: a program may build from them
        for node, keys in list(places_of(head, path, cfg._cfg_dict)):
            assign(node, keys, value)
        if count > 1:
            print_log(f'--cfg-options {key}: set in {count} places')


def set_warmup(schedulers: list[dict], iterations: int) -> None:
    """End the warm-up, the ``LinearLR`` in front, after ``iterations``; those that began at its end begin there.

    0 takes the warm-up away.

    Raises:
        ConfigError: there is no warm-up, or ``iterations`` are no number of them.
    """
    if not isinstance(iterations, int) or iterations < 0:
        raise ConfigError(f'--cfg-options warmup_iters={iterations}: give a number of iterations, 0 for no warm-up')
    if (not schedulers or isinstance(schedulers, dict) or schedulers[0]['type'] != 'LinearLR'
            or 'end' not in schedulers[0]):
        raise ConfigError(f'--cfg-options warmup_iters={iterations}: the schedule of the config has no warm-up')
    first, *rest = schedulers
    for scheduler in rest:
        if scheduler.get('begin') == first['end']:
            scheduler['begin'] = iterations
    first['end'] = iterations
    if iterations == 0:
        del schedulers[0]


def places_of(head: str, path: list[str], node: Any) -> Iterator[tuple[dict, list[str]]]:
    """Dicts below ``node`` that are of type ``head`` or have a key of this name, and the path from there."""
    if isinstance(node, dict):
        if path and str(node.get('type', '')).split('.')[-1] == head:
            yield node, path
        elif head in node:
            yield node, [head, *path]
    for child in children(node):
        yield from places_of(head, path, child)


def names_in(node: Any) -> Iterator[str]:
    """All keys and types below ``node``."""
    if isinstance(node, dict):
        yield from (str(key) for key in node)
        yield str(node.get('type', '')).split('.')[-1]
    for child in children(node):
        yield from names_in(child)


def children(node: Any) -> Iterable:
    """What a dict or a list holds; nothing for anything else."""
    return node.values() if isinstance(node, dict) else node if isinstance(node, (list, tuple)) else ()


def assign(node: dict, keys: list[str], value: Any) -> None:
    """Set ``value`` at a path of keys and positions in lists."""
    *path, last = keys
    for key in path:
        node = node[int(key)] if isinstance(node, list) else node.setdefault(key, ConfigDict())
    node[int(last) if isinstance(node, list) else last] = value
