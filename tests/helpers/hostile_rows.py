"""Hypothesis strategies of annotation files: sound, nearly sound and hostile rows of COCO, YouTube-VIS and Scalabel."""


import numpy as np
from hypothesis import strategies as st

from projects.glee.structures.masks import encode

HEIGHT, WIDTH = 12, 16
NAN, INF = float('nan'), float('inf')

# what has no place in a row, or no meaning there
JUNK = st.sampled_from([None, NAN, INF, -INF, 1e300, -1e300, 2e8, -2e8, 10**30, 10**400, -1, 0, True, False, '', 'nan',
                        'x', '7', '7.5', ' 3 ', '٣', [], {}, [[]], [None], {'a': 1}, '0', 'false'])
COORDINATES = st.one_of(st.integers(-4, 20), st.floats(-20, 40, allow_nan=False), st.floats(-1e4, 1e4, allow_nan=False))


def mostly(good: st.SearchStrategy, bad: st.SearchStrategy = JUNK) -> st.SearchStrategy:
    """``good`` in four of five cases."""
    return st.integers(0, 4).flatmap(lambda which: good if which else bad)


def with_junk(rows: st.SearchStrategy) -> st.SearchStrategy:
    """Dicts of which a key may be missing or hold anything."""
    def change(pair: tuple) -> dict:
        row, (key, value, how) = pair
        row, keys = dict(row), sorted(row)
        if how == 'drop':
            row.pop(keys[key % len(keys)])
        elif how == 'set':
            row[keys[key % len(keys)]] = value
        return row

    changes = st.tuples(st.integers(0, 20), JUNK, st.sampled_from(['keep', 'keep', 'drop', 'set']))
    return st.tuples(rows, changes).map(change)


# ---- masks and boxes ----
def rings() -> st.SearchStrategy:
    """One polygon: a flat list or pairs."""
    flat = st.lists(mostly(COORDINATES), min_size=0, max_size=14)
    pairs = st.lists(st.lists(mostly(COORDINATES), min_size=1, max_size=3), max_size=8)
    return st.one_of(flat, pairs)


def rles(height: int = HEIGHT, width: int = WIDTH) -> st.SearchStrategy:
    """RLEs of all forms, with runs and letters changed at will."""
    seeds = st.integers(0, 2**16)

    def sound(seed: int) -> dict:
        rng = np.random.default_rng(seed)
        return encode(rng.random((height, width)) < rng.random())

    texts = st.tuples(seeds.map(sound), st.text(st.characters(min_codepoint=32, max_codepoint=130), max_size=6),
                      st.integers(0, 40)).map(
        lambda parts: dict(parts[0], counts=parts[0]['counts'][:parts[2]] + parts[1] + parts[0]['counts'][parts[2]:]))
    runs = st.lists(mostly(st.integers(0, height * width)), max_size=8)
    filled = st.lists(st.integers(0, 9), max_size=6).map(lambda counts: counts + [height * width - sum(counts)])
    lists = st.one_of(runs, filled).map(lambda counts: dict(size=[height, width], counts=counts))
    return with_junk(st.one_of(seeds.map(sound), texts, lists))


SEGMENTATIONS = st.one_of(
    st.lists(rings(), max_size=3), rings(), rles(), JUNK,
    st.just([[2, 2, 10, 2, 10, 8, 2, 8]]), st.just([[5, 6, 25, NAN, 25, 26, 5, 26]]))
BOXES = st.one_of(st.just([2, 2, 8, 6]), st.lists(mostly(COORDINATES), min_size=3, max_size=5), JUNK)
FLAGS = mostly(st.sampled_from([0, 1]))


# ---- files ----
def documents(**parts: st.SearchStrategy) -> st.SearchStrategy:
    """Whole files, of which a key may be missing or hold anything."""
    whole = st.fixed_dictionaries(parts)
    return st.integers(0, 9).flatmap(lambda which: whole if which else with_junk(whole))


def categories() -> st.SearchStrategy:
    """Two categories, or what is no list of them."""
    sound = [dict(id=1, name='star'), dict(id=2, name='ring')]
    return st.integers(0, 9).flatmap(lambda which: st.just(sound) if which else st.one_of(
        JUNK, st.lists(with_junk(st.just(sound[0])), max_size=3)))


def coco_files() -> st.SearchStrategy:
    """COCO files of two pictures, a.png and b.png, of WIDTH x HEIGHT px."""
    images = st.tuples(*(with_junk(st.just(dict(id=number, file_name=f'{name}.png', width=WIDTH, height=HEIGHT)))
                         for number, name in ((1, 'a'), (2, 'b')))).map(list)
    rows = st.fixed_dictionaries(dict(
        id=mostly(st.integers(1, 9)), image_id=mostly(st.sampled_from([1, 2])),
        category_id=mostly(st.sampled_from([1, 2])), iscrowd=FLAGS, area=mostly(st.integers(0, 99)), bbox=BOXES,
        segmentation=SEGMENTATIONS))
    return documents(images=images, annotations=st.lists(mostly(with_junk(rows)), min_size=1, max_size=5),
                     categories=categories())


def ytvis_files() -> st.SearchStrategy:
    """YouTube-VIS files of one video of three frames."""
    video = with_junk(st.just(dict(id=1, width=WIDTH, height=HEIGHT, length=3, file_names=['v/0.png', 'v/1.png',
                                                                                           'v/2.png'])))

    def frames(values: st.SearchStrategy) -> st.SearchStrategy:
        return st.one_of(st.lists(st.one_of(st.none(), values), min_size=3, max_size=3), st.lists(values, max_size=4),
                         JUNK)

    rows = st.fixed_dictionaries(dict(
        id=mostly(st.integers(1, 9)), video_id=mostly(st.just(1)), category_id=mostly(st.sampled_from([1, 2])),
        iscrowd=FLAGS, bboxes=frames(BOXES), segmentations=frames(SEGMENTATIONS), areas=frames(COORDINATES)))
    return documents(videos=st.lists(mostly(video), min_size=1, max_size=2), categories=categories(),
                     annotations=st.lists(mostly(with_junk(rows)), min_size=1, max_size=4))


def scalabel_files() -> st.SearchStrategy:
    """BDD100K's labels: frames with boxes and polygons."""
    boxes = with_junk(st.fixed_dictionaries({key: mostly(COORDINATES) for key in ('x1', 'y1', 'x2', 'y2')}))
    parts = with_junk(st.fixed_dictionaries(dict(
        vertices=st.lists(st.lists(mostly(COORDINATES), min_size=2, max_size=2), max_size=7),
        types=st.text('LC', min_size=3, max_size=7), closed=st.booleans())))
    labels = with_junk(st.fixed_dictionaries(dict(
        id=mostly(st.sampled_from(['1', '2'])), category=mostly(st.sampled_from(['car', 'person', 'other vehicle'])),
        attributes=mostly(st.just({'Crowd': False})), box2d=mostly(boxes),
        poly2d=mostly(st.lists(mostly(parts), max_size=2)))))
    frames = with_junk(st.fixed_dictionaries(dict(
        name=mostly(st.sampled_from(['a.jpg', 'b.jpg'])), videoName=mostly(st.just('v')),
        frameIndex=mostly(st.integers(0, 2)), size=mostly(st.just(dict(width=WIDTH, height=HEIGHT))),
        labels=mostly(st.lists(mostly(labels), max_size=3)))))
    return st.one_of(st.lists(mostly(frames), max_size=3), JUNK,
                     documents(frames=st.lists(mostly(frames), max_size=3), config=JUNK))




def burst_files() -> st.SearchStrategy:
    """BURST's own files: one sequence of two frames."""
    masks = st.dictionaries(st.sampled_from(['1', '2', 'x']), mostly(with_junk(rles().map(
        lambda rle: dict(rle=rle.get('counts'), is_gt=True)))), max_size=2)
    sequences = with_junk(st.fixed_dictionaries(dict(
        id=st.just(1), dataset=mostly(st.just('D')), seq_name=mostly(st.just('s')), width=mostly(st.just(WIDTH)),
        height=mostly(st.just(HEIGHT)), annotated_image_paths=mostly(st.just(['0.jpg', '1.jpg'])),
        track_category_ids=mostly(st.just({'1': 1, '2': 2})),
        segmentations=mostly(st.lists(mostly(masks), min_size=2, max_size=2)))))
    return documents(sequences=st.lists(mostly(sequences), min_size=1, max_size=2), categories=categories())


def meta_files() -> st.SearchStrategy:
    """meta_expressions.json of one video of two frames, and mask_dict.json."""
    said = with_junk(st.fixed_dictionaries(dict(
        exp=mostly(st.just('the left one')), obj_id=mostly(st.just([0])), anno_id=mostly(st.just([7])))))
    video = with_junk(st.fixed_dictionaries(dict(
        frames=mostly(st.just(['0', '1'])), expressions=mostly(st.dictionaries(st.sampled_from('01'), mostly(said))))))
    masks = mostly(st.lists(st.one_of(st.none(), mostly(rles())), min_size=2, max_size=2))
    return st.tuples(documents(videos=mostly(st.fixed_dictionaries(dict(v=mostly(video))))),
                     mostly(st.fixed_dictionaries({'7': masks})))
