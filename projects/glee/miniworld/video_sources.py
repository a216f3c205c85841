"""Which videos every source of videos consists of, and the files that describe them."""
from .formats.bdd_tracks import frame_bdd, write_bdd_box_track, write_bdd_seg_track
from .formats.reasoning_videos import write_reason_vos, write_revos
from .formats.rvos import write_mevis, write_ref_davis, write_ref_ytvos
from .formats.tao import frame_tao, write_tao_burst
from .formats.vos import frame_davis, write_davis, write_mose, write_ytvos
from .formats.ytvis import (
    frame_00000,
    frame_img_0000001,
    frame_png,
    write_lvvis,
    write_ovis,
    write_uvo_video,
    write_ytvis,
)
from .plan import Plan
from .world.video_scene import VideoSampler

# Everything that a source of videos writes to, beside folders of sources of images.
VIDEO_FOLDERS = ('ytvis_2019', 'ytvis_2021', 'ovis', 'lvvis', 'ytbvos18', 'mose', 'DAVIS', 'ref-youtube-vos',
                 'ref-davis', 'mevis', 'ReVOS', 'ReasonVOS', 'TAO', 'burst_annotations')

USUAL = VideoSampler()
CROWDED = {4: 0.2, 5: 0.3, 6: 0.3, 7: 0.2}
# Crowds in which objects pass behind each other.
OCCLUDING = VideoSampler(lengths=(12, 16), counts=CROWDED, pass_prob=0.6)
# Objects that vanish, come back and look the same.
VANISHING = VideoSampler(
    lengths=(12, 16), counts=CROWDED, twin_prob=0.5, pass_prob=0.5,
    motions={'still': 1, 'left': 1, 'right': 1, 'leave': 1, 'enter': 1, 'come back': 3})
# Few objects, all of them in the first frame.
STAYING = VideoSampler(
    lengths=(12, 16), counts={1: 0.2, 2: 0.4, 3: 0.4},
    motions={'still': 1, 'left': 1, 'right': 1, 'up': 1, 'down': 1, 'grow': 1, 'shrink': 1, 'turn': 1})

# Namesakes and twins, so that sentences about motion are needed.
TELLING = VideoSampler(lengths=(12, 16), counts=CROWDED, kin_prob=0.8, twin_prob=0.5)
LONG = VideoSampler(lengths=(16, 22), counts={3: 0.3, 4: 0.4, 5: 0.3}, pass_prob=0.4)


def _source(name: str, folder: str, frame_name, write_files, sampler: VideoSampler = USUAL, val: str = 'val'):
    """The function that writes a source of videos.

    Args:
        name (str): of the source.
        folder (str): of the frames, with {split}.
        frame_name (Callable): (video, frame) -> path below it.
        write_files (Callable): (root, 'train' or 'val', videos).
        sampler (VideoSampler): what happens in the videos.
        val (str): what {split} is for 'val'.
    """

    def write(plan: Plan) -> None:
        for split in ('train', 'val'):
            below = folder.format(split=val if split == 'val' else split)
            videos = plan.film(name, split, lambda video, frame: f'{below}/{frame_name(video, frame)}', sampler)
            write_files(plan.root, split, videos)

    return write


VIDEO_SOURCES = {
    'ytvis19': _source('ytvis19', 'ytvis_2019/{split}/JPEGImages', frame_00000, write_ytvis(2019)),
    'ytvis21': _source('ytvis21', 'ytvis_2021/{split}/JPEGImages', frame_00000, write_ytvis(2021)),
    'ovis': _source('ovis', 'ovis/{split}', frame_img_0000001, write_ovis, OCCLUDING, 'valid'),
    'uvo_video': _source('uvo_video', 'UVO/uvo_videos_dense_frames', frame_png, write_uvo_video),
    'lvvis': _source('lvvis', 'lvvis/{split}/JPEGImages', frame_00000, write_lvvis),
    'ytvos': _source('ytvos', 'ytbvos18/{split}/JPEGImages', frame_00000, write_ytvos),
    'mose': _source('mose', 'mose/{split}/JPEGImages', frame_davis, write_mose, VANISHING),
    'davis': _source('davis', 'DAVIS/JPEGImages/480p', frame_davis, write_davis, STAYING),
    'ref_ytvos': _source('ref_ytvos', 'ref-youtube-vos/{split}/JPEGImages', frame_00000, write_ref_ytvos, TELLING,
                         'valid'),
    'ref_davis': _source('ref_davis', 'ref-davis/DAVIS/JPEGImages/480p', frame_davis, write_ref_davis, STAYING),
    'mevis': _source('mevis', 'mevis/{split}/JPEGImages', frame_davis, write_mevis, TELLING, 'valid_u'),
    'revos': lambda plan: write_revos(plan, TELLING),
    'reason_vos': lambda plan: write_reason_vos(plan, TELLING),
    'bdd_box_track': _source('bdd_box_track', 'bdd100k/images/track/{split}', frame_bdd, write_bdd_box_track,
                             OCCLUDING),
    'bdd_seg_track': _source('bdd_seg_track', 'bdd100k/images/seg_track_20/{split}', frame_bdd, write_bdd_seg_track,
                             OCCLUDING),
    'tao_burst': _source('tao', 'TAO/frames/{split}', frame_tao, write_tao_burst, LONG),
}
