"""Names and modes of samples: one string is one name."""
import pytest
from mmdet.structures import DetDataSample

from projects.glee.datasets.transforms import SetSource
from projects.glee.structures import read_names, read_sample_text, read_text_mode


@pytest.mark.parametrize('given, expected', [
    ('star', ('star', )), ('the red star', ('the red star', )), (['star', 'ring'], ('star', 'ring')),
    (('star', 'star'), ('star', 'star'))])
def test_a_string_is_one_name(given, expected):
    assert read_names(given, 'text') == expected


@pytest.mark.parametrize('given, message', [
    ((), 'text of a.jpg is empty'), ('', 'is empty'), (' ', 'is empty'), (['star', ' '], 'is empty'),
    ({0: 'star'}, 'a name or a list of names'), (7, 'a name or a list of names'), (['star', 3], 'a name or a list')])
def test_what_is_no_name_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        read_names(given, 'text of a.jpg')


def test_one_default_of_the_mode():
    assert read_text_mode(DetDataSample()) == read_text_mode({}) == 'category'
    assert read_text_mode(DetDataSample(metainfo=dict(text_mode='expression'))) == 'expression'
    with pytest.raises(ValueError, match="text_mode='caption' of a.jpg"):
        read_text_mode(dict(text_mode='caption', img_path='a.jpg'))


def test_a_source_of_one_name():
    results = SetSource('uvo', text='object').transform(dict(img_path='a.jpg'))
    assert results['text'] == ('object', )
    with pytest.raises(ValueError, match="source 'uvo': `text` is empty"):
        SetSource('uvo', text=())


@pytest.mark.parametrize('text, spans, names', [
    (('star', 'red ring'), None, ('star', 'red ring')),
    ('star . red ring .', None, ('star', 'red ring')),
    ('a red ring', -1, ('a red ring', )),
    ({'1': 'ring', '0': 'star', '10': 'x', **{str(i): str(i) for i in range(2, 10)}}, None,
     ('star', 'ring', *map(str, range(2, 10)), 'x')),
    ('a star beside the red ring', {0: [[2, 6]], 1: [[18, 21], [22, 26]]}, ('star', 'red ring')),
    ('a star beside the red ring', [[[2, 6]], [[18, 26]]], ('star', 'red ring')),
    ('a star beside the red ring', [[2, 6], [18, 26]], ('star', 'red ring')),
])
def test_texts_of_mmdets_data_sets_and_inferencers(text, spans, names):
    assert read_sample_text(text, spans, 'x') == names


@pytest.mark.parametrize('text, spans, message', [
    ({'0': 'a', '2': 'b'}, None, 'do not count from 0'), ('abc', {1: [[0, 1]]}, 'do not count from 0'),
    ('abc', [[[0, 4]]], 'outside the caption'), ('', None, 'is empty'), ('a  b', [[[1, 3]]], 'is empty')])
def test_bad_texts_are_named(text, spans, message):
    with pytest.raises(ValueError, match=f'here.*{message}'):
        read_sample_text(text, spans, 'here')
