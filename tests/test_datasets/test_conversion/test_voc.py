"""Pascal VOC's XML, written by hand after its development kit, becomes COCO's boxes."""
import json
import shutil

import numpy as np
import pytest
from paths import ROOT
from PIL import Image

from projects.glee.datasets.conversion import ConversionError, convert_voc


@pytest.fixture
def voc(tmp_path):
    shutil.copytree(ROOT / 'tests/data/formats/voc', tmp_path / 'voc')
    (tmp_path / 'voc/JPEGImages').mkdir()
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(tmp_path / 'voc/JPEGImages/000005.jpg')
    return tmp_path / 'voc'


def test_pixels_count_from_one_and_both_ends_belong_to_the_box(voc):
    skipped = convert_voc(voc, voc / 'train.json', 'train')
    content = json.loads((voc / 'train.json').read_text())
    assert content == dict(
        images=[dict(id=1, file_name='000005.jpg', width=24, height=16)],  # the picture's own size
        annotations=[
            dict(id=1, image_id=1, category_id=1, bbox=[0, 0, 3, 2], area=6, iscrowd=0),
            dict(id=2, image_id=1, category_id=2, bbox=[3, 4, 17, 8], area=136, iscrowd=1)],
        categories=[dict(id=1, name='chair'), dict(id=2, name='person')])
    assert skipped == {'box whose second corner lies before the first': 1, 'XML file that is missing': 1}
    assert skipped.first['XML file that is missing'].endswith('Annotations/000007.xml')


def test_names_keep_the_given_order(voc):
    convert_voc(voc, voc / 'all.json', names=('person', 'sofa', 'chair'))
    content = json.loads((voc / 'all.json').read_text())
    assert [row['category_id'] for row in content['annotations']] == [3, 1]
    with pytest.raises(ConversionError, match=r"objects are called \['person'\], which the given names"):
        convert_voc(voc, voc / 'all.json', names=('chair', ))


def test_a_picture_with_another_suffix_than_the_xml_says_is_found(voc):
    (voc / 'JPEGImages/000005.jpg').rename(voc / 'JPEGImages/000005.png')
    convert_voc(voc, voc / 'all.json')
    assert json.loads((voc / 'all.json').read_text())['images'][0]['file_name'] == '000005.png'


@pytest.mark.parametrize('text, reason', [
    ('<annotation><object>', 'file that is no XML'),
    ('<annotation><object><name>a</name></object></annotation>', 'no box'),
    ('<annotation><object><name>a</name><bndbox><xmin>nan</xmin></bndbox></object></annotation>',
     'xmin that is no number')])
def test_broken_files_are_counted(voc, text, reason):
    (voc / 'Annotations/000006.xml').write_text(text)
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(voc / 'JPEGImages/000006.jpg')
    assert convert_voc(voc, voc / 'all.json')[reason] == 1


def test_a_wrong_folder_or_split_is_named(voc):
    with pytest.raises(ConversionError, match='must hold Annotations, JPEGImages'):
        convert_voc(voc / 'JPEGImages', voc / 'out.json')
    with pytest.raises(ConversionError, match=r"val.txt does not exist; there are \['train'\]"):
        convert_voc(voc, voc / 'out.json', 'val')
