"""Small video annotation files in the real formats, for tests."""
import numpy as np
from image_files import save_image, write_json
from PIL import Image
from rle import rle

from projects.glee.datasets.video import MetaExpressionsDataset, PNGTreeDataset, YTVISJsonDataset

H, W = 24, 32


def square(x, y, side=8):
    mask = np.zeros((H, W), np.uint8)
    mask[y:y + side, x:x + side] = 1
    return mask


def ytvis_track(track_id, video_id, category, corners, **extra):
    """A track of 8 px squares; None where it is absent."""
    return dict(id=track_id, video_id=video_id, category_id=category, iscrowd=0,
                bboxes=[c and [*c, 8, 8] for c in corners], segmentations=[c and rle(square(*c)) for c in corners],
                areas=[c and 64 for c in corners], **extra)


def ytvis_content(**video_extra):
    videos = [dict(id=video, height=H, width=W, length=3, file_names=[f'v{video}/{i}.jpg' for i in range(3)],
                   **video_extra) for video in (4, 7)]
    annotations = [ytvis_track(0, 4, 9, [(0, 0), None, (4, 2)]), ytvis_track(1, 4, 5, [None, (8, 8), (9, 8)]),
                   ytvis_track(0, 7, 5, [(1, 1), (2, 1), (3, 1)])]
    annotations[1]['iscrowd'] = 1
    categories = [dict(id=9, name='star', partition=0, merged=[dict(id=5)]), dict(id=5, name='ring', partition=3)]
    return dict(videos=videos, annotations=annotations, categories=categories)


def ytvis(tmp_path, content, **kwargs):
    write_json(tmp_path / 'ann.json', content)
    return YTVISJsonDataset(data_root=str(tmp_path), ann_file='ann.json', data_prefix=dict(img='frames/'),
                            **{'pipeline': [], 'test_mode': True, **kwargs})


def mevis(tmp_path, masks):
    write_json(tmp_path / 'meta.json', dict(videos=dict(clip=dict(frames=['00000', '00001'], expressions={
        '0': dict(exp='both', obj_id=[0, 1], anno_id=[0, 1]), '1': dict(exp='one', obj_id=[1], anno_id=[1])}))))
    write_json(tmp_path / 'masks.json', masks)
    return MetaExpressionsDataset(data_root=str(tmp_path), ann_file='meta.json', mask_file='masks.json', pipeline=[],
                                  data_prefix=dict(img='frames/'), test_mode=True)


def png_tree(tmp_path, **kwargs):
    """Two videos; in the second, object 2 appears in the last frame and frame 1 has no PNG."""
    maps = {'a': [square(0, 0)], 'b': [square(2, 2), None, square(2, 2) + 2 * square(20, 10)]}
    for name, frames in maps.items():
        for i, index_map in enumerate(frames):
            save_image(tmp_path / 'img' / name / f'{i:05d}.jpg', W, H, seed=i)
            if index_map is not None:
                picture = Image.fromarray(index_map, mode='P')
                picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
                (tmp_path / 'ann' / name).mkdir(parents=True, exist_ok=True)
                picture.save(tmp_path / 'ann' / name / f'{i:05d}.png')
    return PNGTreeDataset(data_root=str(tmp_path), data_prefix=dict(img='img/', ann='ann/'),
                          **{'pipeline': [], 'test_mode': True, **kwargs})
