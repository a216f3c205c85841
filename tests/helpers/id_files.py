"""Files with ids of every kind, for tests of readers and metrics."""
import json

from projects.glee.structures.masks import to_rle

SIZE = (30, 40)  # height, width
LONG = 2**70  # beyond 64 bits


def polygon(x, y, w, h):
    return [[x, y, x + w, y, x + w, y + h, x, y + h]]


def write(path, content, mark=b''):
    path.write_bytes(mark + json.dumps(content).encode())
    return path


def of_all(**values):
    return lambda c: [row.update(values) for row in c['annotations']]


def without(rows, *keys):
    return lambda c: [row.pop(key) for row in c[rows] for key in keys]


def tracks():
    """Two videos of two frames with two tracks each."""
    rle = {name: to_rle(polygon(*box), *SIZE) for name, box in (('a', [2, 3, 20, 15]), ('b', [18, 10, 22, 20]))}
    boxes = dict(a=[2, 3, 20, 15], b=[18, 10, 22, 20])
    return dict(
        videos=[dict(id=video, width=SIZE[1], height=SIZE[0], length=2, file_names=[f'{video}/0.png', f'{video}/1.png'])
                for video in (1, 2)],
        annotations=[dict(id=number, video_id=video, category_id=category, iscrowd=0, areas=[1, 1],
                          bboxes=[boxes[shape], boxes[shape] if category == 1 else None],
                          segmentations=[rle[shape], rle[shape] if category == 1 else None])
                     for number, (video, category, shape) in enumerate(
                         [(1, 1, 'a'), (1, 2, 'b'), (2, 1, 'b'), (2, 2, 'a')], 1)],
        categories=[dict(id=1, name='star'), dict(id=2, name='ring')])
