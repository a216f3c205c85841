"""Follow objects through a video by names, sentences or prompts.

Examples:
    glee track street.mp4 --names person car --weights GLEE_Lite_joint.pth
    glee track frames/ --expressions 'the dog that runs away' --weights glee_lite.pth --out run.mp4 --json run.json
    glee track street.mp4 --point 320 200 --frame 12 --weights glee_lite.pth
    glee track street.mp4 --prompts clicks.json --start -1 --stride -1 --weights glee_lite.pth   # from back to front
    glee track 0 --names person --weights glee_lite.pth            # a camera, until Ctrl-C
    glee track film.mp4 --ask 'the one that stopped moving' --language-model adapter/ --weights glee_lite.pth

The video with the objects drawn goes to --out; --json, --csv, --mot and --masks write tracks in other forms. A file of
--prompts may go by frame: {"12": [{"points": [[320, 200]]}], "40": [{"boxes": [[10, 20, 90, 160]]}]}.
"""
from argparse import ArgumentParser, Namespace
from pathlib import Path

from .options import (
    add_model,
    add_prompt,
    add_question,
    check_question,
    make_inferencer,
    need_weights,
    read_frame_prompts,
)


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of ``glee track``."""
    parser.add_argument('video', help='a video file, a folder of frames, the number of a camera, or an address')
    add_question(parser)
    add_prompt(parser)
    parser.add_argument('--frame', type=int, default=0, help='frame of --point and --box (default %(default)s)')
    add_model(parser)
    parser.add_argument('--out', metavar='FILE', help='video with the objects drawn; default: <video>_glee.mp4 here')
    parser.add_argument('--json', metavar='FILE', help='tracks with boxes, scores and masks (COCO run-length codes)')
    parser.add_argument('--csv', metavar='FILE', help='one row per object and frame')
    parser.add_argument('--mot', metavar='FILE', help='boxes as MOTChallenge text')
    parser.add_argument('--masks', metavar='FOLDER', help='one PNG of track numbers per frame')
    parser.add_argument('--start', type=int, default=0,
                        help='first frame; a negative number counts from the end (default %(default)s)')
    parser.add_argument('--end', type=int, help='frame to stop before')
    parser.add_argument('--stride', type=int, default=1,
                        help='take every so many frames; a negative number goes backwards (default %(default)s)')
    parser.add_argument('--score-thr', type=float, default=0.3, help='lowest score of an object (default %(default)s)')


def run(args: Namespace) -> bool:
    """Whether frames could not be read."""
    prompted = bool(args.prompts or args.point or args.box or args.text)
    if not (args.names or args.expressions or prompted or args.ask):
        raise ValueError('say what to follow: --names, --expressions, --point, --box, --text, --prompts or --ask')
    check_question(args)
    prompts = read_frame_prompts(args) if prompted else None
    from projects.glee.apis.frame_reader import open_frames
    source = int(args.video) if args.video.isdigit() else args.video
    if not isinstance(source, int):
        # a missing or damaged video, or an impossible range, is found before the model is built
        open_frames(source, args.start, args.end, args.stride, also=prompts or ())
    need_weights(args)
    tracks = make_inferencer(args, score_thr=args.score_thr).track(
        source, names=args.names, expressions=args.expressions, prompts=prompts, start=args.start, end=args.end,
        stride=args.stride, ask=args.ask)
    out = args.out or f'{Path(args.video).stem or "camera"}_glee.mp4'
    tracks.save(out, json=args.json, csv=args.csv, mot=args.mot, masks=args.masks)
    print(f'{tracks.num_frames} frames, {tracks.num_tracks} tracks -> {out}')
    for frame, message in tracks.errors.items():
        print(f'left out: frame {frame}: {message}')
    return bool(tracks.errors)
