"""Names and modes of samples: one string is one name."""
import pytest
from mmdet.structures import DetDataSample

from projects.glee.datasets.transforms import SetSource
from projects.glee.structures import read_names, read_text_mode


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
