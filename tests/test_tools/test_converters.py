"""The command lines of tools/dataset_converters/, each on the raw files of a small MiniWorld.

MiniWorld writes what has to come out, too, from its scenes and with code of its own.
"""
import json
import re
import runpy
import shlex
import sys

import pycocotools.mask as mask_utils
import pytest
from logs import captured_log
from paths import FORMATS, ROOT
from PIL import Image
from worlds import own_copy

from projects.glee.miniworld.world.vocabulary import MINIWORLD_BDD_DET_CLASSES, MINIWORLD_BDD_INST_CLASSES

TOOLS = ROOT / 'tools/dataset_converters'


@pytest.fixture
def run(monkeypatch):
    """Runs a tool in this process: run('videos_to_coco', argument, ...)."""

    def call(tool, *arguments):
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
        runpy.run_path(str(TOOLS / f'{tool}.py'), run_name='__main__')

    return call


def read(path):
    return json.loads(path.read_text())


def test_maps_of_a_file_with_ids_of_text_and_without_sizes(tmp_path, run):
    """Objects of both pictures are drawn; a picture that is not there is named."""
    content = dict(
        images=[dict(id='x', file_name='x.png'), dict(id=7, file_name='y.png'), dict(id=8, file_name='gone.png')],
        annotations=[dict(image_id=image, category_id='z', segmentation=[[2, 2, 8, 2, 8, 6, 2, 6]], bbox=[2, 2, 6, 4])
                     for image in ('x', '7')],
        categories=[dict(id='z', name='star')])
    (tmp_path / 'coco/annotations').mkdir(parents=True)
    (tmp_path / 'coco/annotations/instances_val.json').write_text(json.dumps(content))
    (tmp_path / 'coco/val').mkdir()
    for name in 'xy':
        Image.new('RGB', (16, 12)).save(tmp_path / f'coco/val/{name}.png')
    with captured_log() as messages:
        run('coco_to_maps', tmp_path, '--split', 'val', '--layout', 'panoptic')
    assert any('instances_val.json: 1 unusable rows' in m and 'row 2 of `images`, id 8' in m for m in messages)
    written = read(tmp_path / 'coco/annotations/panoptic_val.json')
    assert [row['image_id'] for row in written['annotations']] == [7, 'x']
    assert [[(s['category_id'], s['area']) for s in row['segments_info']] for row in written['annotations']] == [
        [('z', 24), (1, 16 * 12 - 24)]] * 2


def test_a_file_that_is_none_is_one_line(tmp_path, run, capsys):
    (tmp_path / 'a.json').write_text('{"videos": [], "annotations": 7, "categories": [{"id": 1, "name": "a"}]}')
    with pytest.raises(SystemExit, match=r'a\.json: `annotations` is no list but int'):
        run('videos_to_coco', tmp_path / 'a.json', tmp_path / 'o.json')
    with pytest.raises(SystemExit, match=r'a\.json: `annotations` is no list but int'):
        run('visual_genome_names', tmp_path / 'a.json', '--out', tmp_path / 'o.txt')


def with_text_counts(content):
    """A COCO file whose run-length codes have text instead of lists."""
    for annotation in content['annotations']:
        rle = annotation['segmentation']
        text = mask_utils.frPyObjects(rle, *rle['size'])['counts']
        annotation['segmentation'] = dict(size=rle['size'], counts=text.decode())
    return content


BDD = 'bdd100k/labels'
# tool, arguments below the root of the world (or after '='), the file of the world that must come out again
SAME = {
    'videos': ('videos_to_coco', ['ytvis_2019/annotations/instances_train_sub.json', 'OUT'], [],
               'ytvis_2019/annotations/ytvis19_cocofmt.json'),
    'videos, RLE': ('videos_to_coco', ['ovis/annotations_train.json', 'OUT'], [], 'ovis/ovis_cocofmt.json'),
    'openimages': ('openimages_to_coco', [
        'openimages/annotations/oidv6-train-annotations-bbox.csv',
        'openimages/annotations/class-descriptions-boxable.csv', 'openimages/detection', 'OUT'],
        ['--pattern', 'train_{first}/{id}.jpg'], 'openimages/openimages_v6_train_bbox_splitdir.json'),
    'grit': ('grit_to_json', ['GRIT20M/images', 'OUT'], [], 'GRIT20M/grit_5m.json'),
    'sa1b': ('sa1b_index', ['SA1B_scaleup/original', 'THIN', 'OUT'], ['--max-images', '5'],
             'SA1B_scaleup/sa1b_1m.json'),
    'bdd det': ('bdd_to_coco', ['=det', f'{BDD}/det_20/det_val.json', 'OUT'],
                ['--categories', *MINIWORLD_BDD_DET_CLASSES], f'{BDD}/det_20/det_val_cocofmt.json'),
    'bdd ins_seg': ('bdd_to_coco', ['=ins_seg', f'{BDD}/ins_seg/polygons/ins_seg_val.json', 'OUT'],
                    ['--categories', *MINIWORLD_BDD_INST_CLASSES],
                    f'{BDD}/ins_seg/polygons/ins_seg_val_cocoformat.json'),
    'bdd box_track': ('bdd_to_coco', ['=box_track', f'{BDD}/box_track_20/train', 'OUT'],
                      ['--categories', *MINIWORLD_BDD_INST_CLASSES],
                      f'{BDD}/box_track_20/box_track_train_cocofmt_uni.json'),
    'bdd seg_track': ('bdd_to_coco', ['=seg_track', f'{BDD}/seg_track_20/polygons/train', 'OUT'],
                      ['--categories', *MINIWORLD_BDD_INST_CLASSES],
                      f'{BDD}/seg_track_20/seg_track_train_cocoformat_uni.json'),
    'refcoco': ('merge_refcoco', ['annotations'], ['--out', 'OUT'],
                'annotations/refcoco-mixed/instances_train.json'),
}


@pytest.mark.parametrize('name', SAME)
def test_the_same_file_comes_out(world, run, tmp_path, capsys, name):
    tool, paths, options, expected = SAME[name]
    places = {'OUT': tmp_path / 'new/out.json', 'THIN': tmp_path / 'thin'}
    arguments = [path[1:] if path[0] == '=' else places.get(path, world / path) for path in paths]
    run(tool, *arguments, *(places.get(option, option) for option in options))
    if name == 'videos':  # the file has counts as lists, what comes out as text
        assert read(places['OUT']) == with_text_counts(read(world / expected))
    else:
        assert places['OUT'].read_bytes() == (world / expected).read_bytes()
    assert f'{places["OUT"]}: written' in capsys.readouterr().out
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['out.json']
    for path in (tmp_path / 'thin').glob('*.json'):
        assert read(path) == read(world / 'SA1B_scaleup/images' / path.name)


def test_the_names_of_visual_genome_come_out(world, run, tmp_path):
    folder = world / 'visual_genome/annotations'
    run('visual_genome_names', folder / 'train_from_objects.json', folder / 'train.json', '--out',
        tmp_path / 'names.txt')
    assert (tmp_path / 'names.txt').read_bytes() == (folder / 'names.txt').read_bytes()


def test_png_trees_give_the_tracks_that_they_were_drawn_from(world, run, tmp_path):
    run('png_videos_to_json', world / 'ytbvos18/train/JPEGImages', world / 'ytbvos18/train/Annotations',
        tmp_path / 'out.json')
    wanted, found = read(world / 'ytbvos18/train/train.json'), read(tmp_path / 'out.json')

    def tracks(content):
        names = {video['id']: video['file_names'] for video in content['videos']}
        entries = [(names[entry['video_id']], entry['segmentations'], entry['bboxes'], entry['areas'])
                   for entry in content['annotations']]
        return sorted(entries, key=lambda entry: str(entry[:2]))

    assert len(tracks(found)) >= 3 and tracks(found) == tracks(wanted)


def test_ref_youtube_vos_from_its_own_files(world, run, tmp_path, capsys):
    """train.json and the file of images come out as the world has them, but for ids."""
    folder = own_copy(world, tmp_path / 'world', 'ref-youtube-vos') / 'ref-youtube-vos'
    before = [read(folder / name) for name in ('train.json', 'RVOS_refcocofmt.json')]
    run('ref_youtube_vos_to_refcoco', folder, '--rewrite-videos')
    after = [read(folder / name) for name in ('train.json', 'RVOS_refcocofmt.json')]
    for one, two in zip(before, after):
        key = 'videos' if 'videos' in one else 'images'
        owner = f'{key[:-1]}_id'
        texts = [sorted((content_of(entry, items(content, key), owner)) for entry in content['annotations'])
                 for content in (one, two)]
        assert texts[0] == texts[1] and len(texts[0]) > 3
    assert 'train.json: written' in capsys.readouterr().out


@pytest.mark.parametrize('tool, sources, options', [
    ('visual_genome_to_json', ['visual_genome/objects.json', 'visual_genome/image_data.json'], []),
    ('tao_to_ytvis', ['tao/validation.json'], []),
    ('uvo_to_json', ['uvo/UVO_frame_val.json'], ['--suffix', '.jpg']),
    ('lvis_minival', ['lvis/lvis_v1_val.json'], []),
])
def test_files_as_their_owners_publish_them(run, tmp_path, capsys, tool, sources, options):
    """What comes out is worked out by hand in test_official_files.py."""
    run(tool, *(FORMATS / source for source in sources), tmp_path / 'out.json', *options)
    assert read(tmp_path / 'out.json')['annotations'] and 'out.json: written' in capsys.readouterr().out


def test_tao_gives_the_file_of_glee(world, run, tmp_path):
    """Tracks are compared by their boxes: the world's rows are in another order."""
    folder = world / 'TAO/TAO_annotations'
    run('tao_to_ytvis', folder / 'validation.json', tmp_path / 'out.json')
    wanted, found = read(folder / 'validation_ytvisfmt.json'), read(tmp_path / 'out.json')
    keys = ('id', 'file_names', 'image_ids', 'width', 'height', 'neg_category_ids', 'not_exhaustive_category_ids')
    assert [[video[key] for key in keys] for video in wanted['videos']] == [
        [video[key] for key in keys] for video in found['videos']]
    tracks = [sorted((row['video_id'], row['category_id'], str(row['bboxes'])) for row in content['annotations'])
              for content in (wanted, found)]
    assert tracks[0] == tracks[1] and len(tracks[0]) > 2 and wanted['categories'] == found['categories']


def test_the_pickles_of_refer_give_the_files_of_glee(world, run, tmp_path):
    """But for what the world's file has beside: ids, and the raw sentences cleaned."""
    run('refer_to_json', world / 'coco/refcoco+/refs(unc).p', world / 'coco/refcoco+/instances.json', tmp_path)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ['instances_testA.json', 'instances_testB.json', 'instances_train.json', 'instances_val.json']
    for name in written:
        wanted, found = read(world / 'annotations/refcocoplus-unc' / name), read(tmp_path / name)
        pairs = [[(image['original_id'], image['expressions'], annotation['bbox'])
                  for image, annotation in zip(content['images'], content['annotations'], strict=True)]
                 for content in (wanted, found)]
        assert pairs[0] == pairs[1] and {image['dataset_name'] for image in found['images']} == {'refcoco+'}


def items(content, key):
    return {entry['id']: entry for entry in content[key]}


def content_of(entry, owners, key):
    owner = owners[entry[key]]
    masks = entry['segmentations'] if 'segmentations' in entry else entry['segmentation']
    return str((owner['video'], owner['expressions'], owner.get('file_names') or owner['file_name'], masks))


@pytest.mark.parametrize('tool, arguments', [
    ('videos_to_coco', ['none.json', 'out.json']),
    ('bdd_to_coco', ['det', 'none.json', 'out.json']),
    ('sa1b_index', ['.', 'none', 'out.json']),
    ('grit_to_json', ['.', 'out.json']),
    ('png_videos_to_json', ['none', 'none', 'out.json']),
    ('merge_refcoco', ['none']),
    ('openimages_to_coco', ['none.csv', 'none.csv', 'none', 'out.json']),
    ('ref_youtube_vos_to_refcoco', ['none']),
    ('visual_genome_to_json', ['none.json', 'none.json', 'out.json']),
    ('refer_to_json', ['none.p', 'none.json', 'out.json']),
    ('tao_to_ytvis', ['none.json', 'out.json']),
    ('uvo_to_json', ['none.json', 'out.json']),
    ('lvis_minival', ['none.json', 'out.json']),
])
def test_missing_input_is_named(run, tmp_path, monkeypatch, tool, arguments):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        run(tool, *arguments)
    assert any(word in str(stopped.value) for word in ('none', 'image_dir=.', '. holds')) and tool in str(stopped.value)
    assert not (tmp_path / 'out.json').exists()


@pytest.mark.parametrize('tool', sorted(path.stem for path in TOOLS.glob('*.py')))
def test_help_has_an_example(run, capsys, tool):
    with pytest.raises(SystemExit) as stopped:
        run(tool, '--help')
    assert stopped.value.code == 0 and f'python tools/dataset_converters/{tool}.py' in capsys.readouterr().out


def test_the_commands_on_the_page_of_data_are_understood(monkeypatch):
    """One at least for each converter of what an owner publishes."""
    page = (ROOT / 'docs/DATA.md').read_text(encoding='utf-8')
    commands = re.findall(r'^\$C/(\w+)\.py ((?:.*\\\n)*.*)$', page, re.MULTILINE)
    assert {tool for tool, _ in commands} >= {
        'bdd_to_coco', 'grit_to_json', 'lvis_minival', 'merge_refcoco', 'openimages_to_coco', 'png_videos_to_json',
        'ref_youtube_vos_to_refcoco', 'refer_to_json', 'sa1b_index', 'tao_to_ytvis', 'uvo_to_json', 'videos_to_coco',
        'visual_genome_names', 'visual_genome_to_json', 'voc_to_coco'}
    for tool, arguments in commands:
        monkeypatch.setattr(sys, 'argv', [tool, *shlex.split(arguments.replace('\\\n', ' '), comments=True)])
        runpy.run_path(str(TOOLS / f'{tool}.py'), run_name='tool')['parse_args']()
