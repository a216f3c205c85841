"""Every value of the owners' files in turn is taken away or becomes something else: a row is left out, or an error."""
import copy
import json
import pickle

import pytest
from conversion_files import refer_files, write
from paths import FORMATS

from projects.glee.datasets.conversion import (
    convert_lvis_minival,
    convert_refer,
    convert_tao,
    convert_uvo,
    convert_visual_genome,
)

HOSTILE = (None, float('nan'), 'x', -1, 10**30, [], {}, True, [None], 2.5)


def places(node, path=()):
    """Paths of all values of a tree of dicts and lists, itself too."""
    yield path
    for key, value in (node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()):
        yield from places(value, (*path, key))


def variants(content):
    """The content with one value changed, or gone; each value becomes two of ``HOSTILE``."""
    for number, path in enumerate(places(content)):
        for value in (HOSTILE[number % len(HOSTILE)], HOSTILE[(number + 5) % len(HOSTILE)], ...):
            changed = copy.deepcopy(content)
            node = changed
            for key in path[:-1]:
                node = node[key]
            if not path:
                changed = value
            elif value is ...:
                del node[path[-1]]
            else:
                node[path[-1]] = value
            if changed is not ...:
                yield changed


CONVERSIONS = {
    'visual_genome/objects.json': lambda path, out: convert_visual_genome(
        path, FORMATS / 'visual_genome/image_data.json', out),
    'visual_genome/region_descriptions.json': lambda path, out: convert_visual_genome(
        path, FORMATS / 'visual_genome/image_data.json', out),
    'visual_genome/image_data.json': lambda path, out: convert_visual_genome(
        FORMATS / 'visual_genome/objects.json', path, out),
    'tao/validation.json': convert_tao,
    'uvo/UVO_video_val_dense_with_label.json': lambda path, out: convert_uvo(path, out, suffix='.jpg'),
    'lvis/lvis_v1_val.json': convert_lvis_minival,
}


@pytest.mark.parametrize('name', CONVERSIONS)
def test_files_with_one_wrong_value(tmp_path, name):
    content, written = json.loads((FORMATS / name).read_text()), 0
    for number, changed in enumerate(variants(content)):
        try:
            CONVERSIONS[name](write(tmp_path / 'a.json', changed), tmp_path / f'{number}.json')
            written += 1
        except ValueError as error:
            assert '.json' in str(error)
    assert written > 0.4 * number  # most values can be done without


def test_pickles_with_one_wrong_value(tmp_path):
    refs, instances = refer_files(tmp_path / 'refcoco')
    for changed in variants(pickle.loads(refs.read_bytes())):
        refs.write_bytes(pickle.dumps(changed, protocol=2))
        try:
            convert_refer(refs, instances, tmp_path / 'out', 'refcoco')
        except ValueError as error:
            assert 'refs(unc).p' in str(error)
