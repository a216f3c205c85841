"""Names of the released checkpoints against mmdet's own lists."""
import pytest
from image_files import write_coco
from mmdet.datasets import CocoDataset, LVISV1Dataset, Objects365V2Dataset, YouTubeVISDataset
from mmdet.evaluation.functional import oid_v6_classes
from pipelines import category_pipeline

from projects.glee.datasets import load_vocabulary, rename, respell, vocabulary_names
from projects.glee.datasets.image import TextCocoDataset

SIZES = dict(
    lvis_v1=1203, objects365_v2=365, openimages_v6=601, bdd_det=10, bdd_inst=8, bdd_track=8,
    ytvis_2019=40, ytvis_2021=40, ovis=25, lvvis=1196, tao=302, burst=482, uvo_video=81,
    uvo_frame=1, sa1b=1, ytvos=1)
OVIS = ('Person', 'Bird', 'Cat', 'Dog', 'Horse', 'Sheep', 'Cow', 'Elephant', 'Bear', 'Zebra',
        'Giraffe', 'Poultry', 'Giant_panda', 'Lizard', 'Parrot', 'Monkey', 'Rabbit', 'Tiger',
        'Fish', 'Turtle', 'Bicycle', 'Motorcycle', 'Airplane', 'Boat', 'Vehical')


def youtube_vis(year):
    YouTubeVISDataset.set_dataset_classes(year)
    return YouTubeVISDataset.METAINFO['classes']


def test_every_vocabulary_has_its_size_and_no_blank():
    for name in vocabulary_names():
        names = load_vocabulary(name)
        assert all(isinstance(n, str) and n.strip() for n in names)
        assert len(names) == len(set(names)) == SIZES.get(name, len(names)), name
    assert set(SIZES) <= set(vocabulary_names())
    assert sum(name.startswith('odinw13_') for name in vocabulary_names()) == 13
    with pytest.raises(ValueError, match="'lvis_v1'"):
        load_vocabulary('lvis')


def test_they_are_the_stock_names_but_for_one_spelling():
    assert load_vocabulary('objects365_v2') == Objects365V2Dataset.METAINFO['classes']
    assert load_vocabulary('ytvis_2019') == youtube_vis('2019')
    assert load_vocabulary('ytvis_2021') == youtube_vis('2021')
    stock, ours = LVISV1Dataset.METAINFO['classes'], load_vocabulary('lvis_v1')
    different = [(a, b) for a, b in zip(stock, ours, strict=True) if a != b]
    assert different == [('speaker_(stereo_equipment)', 'speaker_(stero_equipment)')]
    coco = CocoDataset.METAINFO['classes']
    assert load_vocabulary('uvo_video') == (*(f'{name}, object' for name in coco), 'object')
    assert {'sa1b', 'uvo_frame', 'ytvos'} == {
        name for name in vocabulary_names() if load_vocabulary(name) == ('object', )}
    assert load_vocabulary('bdd_inst') == load_vocabulary('bdd_track')
    assert set(load_vocabulary('bdd_inst')) == set(load_vocabulary('bdd_det')) - {
        'traffic light', 'traffic sign'}


def test_openimages_has_the_same_names_as_the_stock_list():
    def letters(name):
        return ''.join(c for c in name.casefold() if c.isalnum())

    stock = {letters(name) for name in oid_v6_classes()}
    ours = {letters(name) for name in load_vocabulary('openimages_v6')}
    assert len(ours & stock) >= 595, sorted(ours ^ stock)


def test_respelling_goes_by_name_never_by_position():
    assert respell(('Speaker_(Stereo_equipment)', 'star', 'flip-flop (sandal)'), 'lvis_v1') == (
        'speaker_(stero_equipment)', 'star', 'flip-flop_(sandal)')
    assert respell(LVISV1Dataset.METAINFO['classes'], 'lvis_v1') == load_vocabulary('lvis_v1')
    assert respell(('object', 'hot dog'), 'uvo_video') == ('object', 'hot dog, object')
    assert respell(tuple(name.lower() for name in OVIS), 'ovis') == load_vocabulary('ovis')
    # two names that differ only in what is ignored stay apart
    assert respell(('paint brush', 'paint_brush', 'paintbrush'), 'lvvis') == (
        'paint brush', 'paint_brush', 'paintbrush')
    assert rename(('Cottontail-Rabbit', ), 'odinw13_rabbits') == ('rabbits', )
    with pytest.raises(ValueError, match='odinw13_rabbits.*1 names for the 2'):
        rename(('a', 'b'), 'odinw13_rabbits')


def test_a_config_names_the_vocabulary_and_metrics_keep_the_names_of_the_file(tmp_path):
    root = write_coco(tmp_path, ('Star', 'Hot Dog'), [[(1, (2, 3, 10, 12))]])
    kwargs = dict(
        data_root=str(root), ann_file='annotations/instances_train2017.json',
        data_prefix=dict(img='train2017/'), pipeline=category_pipeline())
    dataset = TextCocoDataset(vocabulary='uvo_video', **kwargs)
    assert dataset[0]['data_samples'].text == ('Star', 'hot dog, object')
    assert dataset.metainfo['classes'] == ('Star', 'Hot Dog')
    prompts = TextCocoDataset(prompts='odinw13_thermal', **kwargs)
    assert prompts[0]['data_samples'].text == ('dog', 'person')
    with pytest.raises(ValueError, match='no vocabulary'):
        TextCocoDataset(vocabulary='stars', **kwargs)
    with pytest.raises(ValueError, match='masks'):
        TextCocoDataset(masks='yes', **kwargs)
