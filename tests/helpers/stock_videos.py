"""Two tiny videos of three frames, as mmdet's converters write them, with the configs of the stock data sets.

Two objects move to the right; those of the second video have identities of their own.
"""
import json

from mmdet.datasets import YouTubeVISDataset
from stock_files import BOXES, SIZE, polygon, write_pictures

LENGTH = 3
STEP = 2  # px a frame


def box_of(index, frame):
    x, y, width, height = BOXES[index]
    return [x + STEP * frame, y, width, height]


def pipeline(names, masks, test):
    """mmdet's own steps, and one that hands out the names."""
    load = [dict(type='LoadImageFromFile'), dict(type='LoadTrackAnnotations', with_mask=masks),
            dict(type='SetSource', source='video', text=names)]
    sample = [] if test else [dict(type='UniformRefFrameSample', num_ref_imgs=1, frame_range=10, filter_key_img=True)]
    return [*sample, dict(type='TransformBroadcaster', share_random_params=True, transforms=load),
            dict(type='PackTrackInputs', meta_keys=('text', ))]


def write_videos(root, folders, names, more):
    """A CocoVID file; ``more`` of an annotation, by identity."""
    content = dict(videos=[], images=[], annotations=[],
                   categories=[dict(id=number, name=name) for number, name in enumerate(names, 1)])
    for video, folder in enumerate(folders, 1):
        content['videos'].append(dict(id=video, name=folder.split('/')[0], width=SIZE[1], height=SIZE[0]))
        for frame in range(LENGTH):
            path, image = f'{folder}/{frame + 1:06}.jpg', LENGTH * (video - 1) + frame + 1
            write_pictures(root, f'img/{path}', seed=image)
            content['images'].append(dict(id=image, video_id=video, frame_id=frame, file_name=path, width=SIZE[1],
                                          height=SIZE[0]))
            for index in range(2):
                box, identity = box_of(index, frame), 2 * video - 1 + index
                content['annotations'].append(dict(
                    id=len(content['annotations']) + 1, image_id=image, video_id=video, instance_id=identity, bbox=box,
                    area=box[2] * box[3], iscrowd=0, **more(index, box)))
    (root / 'videos.json').write_text(json.dumps(content))


def youtube_vis(root, test=False):
    YouTubeVISDataset.set_dataset_classes('2019')
    names = YouTubeVISDataset.METAINFO['classes']
    write_videos(root, ('00f88c4f0a', '01c88b5b60'), names,
                 lambda index, box: dict(category_id=index + 1, segmentation=[polygon(*box)]))
    return dict(type='YouTubeVISDataset', dataset_version='2019', data_root=str(root), ann_file='videos.json',
                data_prefix=dict(img_path='img/'), test_mode=test, pipeline=pipeline(names, True, test))


def mot_challenge(root, test=False):
    write_videos(root, ('MOT17-02-FRCNN/img1', 'MOT17-04-FRCNN/img1'), ('pedestrian', ),
                 lambda index, box: dict(category_id=1, visibility=1., mot_conf=1., mot_class_id=1))
    return dict(type='MOTChallengeDataset', metainfo=dict(classes=('pedestrian', )), data_root=str(root),
                ann_file='videos.json', data_prefix=dict(img_path='img/'), test_mode=test,
                pipeline=pipeline(('pedestrian', ), False, test))
