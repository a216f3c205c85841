"""Serve a page on this machine where you point at objects of pictures and videos.

Examples:
    python tools/demo/app.py configs/glee/mini/glee_mini_stage2.py work_dirs/quickstart/glee_mini.pth \\
        --scale 10000 160 --vocabulary 'red star' ring circle
    python tools/demo/app.py configs/glee/glee_r50_stage2.py glee_r50.pth --vocabulary person dog --stuff grass sky \\
        --whisper whisper-base --port 8000

Then open the printed address (http://127.0.0.1:7860 by default). Only this machine can; nothing is uploaded or
downloaded. Needs gradio: pip install -e ".[demo]". Every layer of a drawing is one object; red strokes say what it is
not.
"""
import os
import tempfile
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Optional

import torch
from demo_image import MODES, DemoInput, ImageDemo
from demo_pictures import DRAWINGS, HEADERS, VIDEO_HEADERS, Answer, split_names, write_video
from demo_video import VIDEO_MODES, ReferenceDemo, VideoDemo

from projects.glee.apis import WhisperTranscriber, init_model
from projects.glee.apis.reference_video import MEMORIES

GREEN, RED = '#00c040', '#ff0000'
BUTTONS = ['download', 'fullscreen']  # of results: none that shares
ONE_AT_A_TIME = dict(concurrency_id='model', concurrency_limit=1)  # all pages share the model


def import_gradio() -> ModuleType:
    """gradio, told to stay offline.

    Raises:
        SystemExit: it is not installed.
    """
    os.environ['GRADIO_ANALYTICS_ENABLED'] = 'False'
    os.environ.setdefault('HF_HUB_OFFLINE', '1')
    try:
        import gradio
    except ImportError as error:
        raise SystemExit('tools/demo/app.py needs gradio: in the checkout run pip install -e ".[demo]" or '
                         'pip install -r requirements/demo.txt') from error
    return gradio


# ---- values of gradio's components ----
def layers_of(editor: Optional[dict]) -> list:
    """Drawings (H, W, 4) of an image editor's value."""
    return [layer for layer in ((editor or {}).get('layers') or ()) if layer is not None]


def picture_of(editor: Optional[dict]) -> Any:
    """The picture under the drawings of an image editor's value; None without one."""
    return (editor or {}).get('background')


def read_input(editor: Optional[dict], drawing: str, example: Optional[dict], text: Optional[str] = None,
               audio: Optional[tuple] = None, names: str = '', stuff: str = '') -> DemoInput:
    """Values of a tab's components, in the order that ``Inputs`` lists them, as the handlers take them."""
    return DemoInput(picture_of(editor), layers_of(editor), drawing, picture_of(example), layers_of(example), text,
                     audio and audio[::-1],  # gradio has the rate first
                     split_names(names), split_names(stuff))


def video_file(answer: Answer, fps: float) -> Optional[str]:
    """The answer's pictures as a file in a new folder; None without any."""
    if not answer.pictures:
        return None
    return str(write_video(answer.pictures, Path(tempfile.mkdtemp(prefix='glee_demo_')) / 'result.webm', fps))


# ---- events: the first argument makes a user's handlers, the second is what the user already has ----
def run_image(make, demo: Optional[ImageDemo], modes, top_k, min_score, *values) -> tuple:
    demo = demo or make()
    answer = demo.run(modes, read_input(*values), top_k, min_score)
    return demo, answer.picture, answer.table, answer.message


def change_image(method: str, make, demo: Optional[ImageDemo]) -> tuple:
    """``method`` is 'undo' or 'reset'."""
    demo = demo or make()
    answer = getattr(demo, method)()
    return demo, answer.picture, answer.table, answer.message


def save_image(demo: Optional[ImageDemo]) -> Optional[list[str]]:
    files = demo.save(Path(tempfile.mkdtemp(prefix='glee_demo_'))) if demo is not None else []
    return [str(file) for file in files] or None


def run_reference(make, demo: Optional[ReferenceDemo], example, drawing, video, memory, min_score) -> tuple:
    demo = demo or make()
    answer = demo.run(read_input(None, drawing, example), video, memory, min_score)
    return demo, video_file(answer, demo.fps), answer.table, answer.message


def open_video(gr, make, demo: Optional[VideoDemo], video) -> tuple:
    demo = demo or make()
    answer = demo.open(video)
    return demo, answer.picture, gr.Slider(maximum=max(demo.last_frame, 1), value=0), None, [], answer.message


def show_frame(make, demo: Optional[VideoDemo], frame) -> tuple:
    demo = demo or make()
    answer = demo.show(frame)
    return demo, answer.picture, answer.message


def prompt_video(make, demo: Optional[VideoDemo], modes, *values) -> tuple:
    demo = demo or make()
    answer = demo.prompt(modes, read_input(*values))
    return demo, answer.picture, answer.table, answer.message


def reset_video(make, demo: Optional[VideoDemo]) -> tuple:
    demo = demo or make()
    answer = demo.reset()
    return demo, answer.picture, answer.table, answer.message


def track_video(make, demo: Optional[VideoDemo]) -> tuple:
    demo = demo or make()
    answer = demo.track()
    return demo, video_file(answer, demo.fps), answer.table, answer.message


# ---- the page ----
def drawing_board(gr, label: str):
    """A picture with layers to paint on, and green and red brushes."""
    return gr.ImageEditor(label=label, type='numpy', format='png',
                          brush=gr.Brush(colors=[GREEN, RED], default_color=GREEN, color_mode='fixed'))


def image_tab(gr, make, args: Namespace) -> None:
    with gr.Row():
        editor = drawing_board(gr, 'Picture: one layer per object, red is not the object')
        picture = gr.Image(label='Objects', format='png', buttons=BUTTONS, interactive=False)
    modes = gr.CheckboxGroup(list(MODES), label='Modes (none: panoptic)')
    drawing = gr.Radio(list(DRAWINGS), value=DRAWINGS[0], label='Strokes mean')
    text = gr.Textbox(label='Text')
    with gr.Row():
        run, undo, reset, save = (gr.Button(name) for name in ('Run', 'Undo', 'Reset', 'Save masks'))
    message = gr.Textbox(label='Message', interactive=False)
    table = gr.Dataframe(headers=list(HEADERS), interactive=False)
    with gr.Accordion('Example, audio, names', open=False):
        example = drawing_board(gr, 'Referring picture: paint its object')
        audio = gr.Audio(sources=['microphone', 'upload'], type='numpy', label='Audio')
        names = gr.Textbox(', '.join(args.vocabulary), label='Names of things, with commas')
        stuff = gr.Textbox(', '.join(args.stuff), label='Names of stuff, with commas')
        top_k = gr.Slider(1, 100, 1, step=1, label='Without strokes: at most so many objects')
        min_score = gr.Slider(0, 1, 0, label='Without strokes: lowest score')
    files = gr.File(label='Masks (PNG, COCO JSON)', interactive=False)
    state = gr.State(None)
    shown = [state, picture, table, message]
    run.click(partial(run_image, make),
              [state, modes, top_k, min_score, editor, drawing, example, text, audio, names, stuff], shown,
              **ONE_AT_A_TIME)
    undo.click(partial(change_image, 'undo', make), [state], shown, **ONE_AT_A_TIME)
    reset.click(partial(change_image, 'reset', make), [state], shown, **ONE_AT_A_TIME)
    save.click(save_image, [state], files, **ONE_AT_A_TIME)


def reference_tab(gr, make) -> None:
    with gr.Row():
        example = drawing_board(gr, 'Referring picture: paint its object')
        video = gr.Video(label='Video')
    drawing = gr.Radio(list(DRAWINGS), value=DRAWINGS[0], label='Strokes mean')
    memory = gr.Radio(list(MEMORIES), value=MEMORIES[0], label='Memory: prev also asks for the frame before')
    min_score = gr.Slider(0, 1, 0, label='Lowest score')
    run = gr.Button('Follow')
    message = gr.Textbox(label='Message', interactive=False)
    result = gr.Video(label='Found', buttons=BUTTONS[:1], interactive=False)
    table = gr.Dataframe(headers=list(VIDEO_HEADERS), interactive=False)
    state = gr.State(None)
    run.click(partial(run_reference, make), [state, example, drawing, video, memory, min_score],
              [state, result, table, message], **ONE_AT_A_TIME)


def video_tab(gr, make) -> None:
    with gr.Row():
        video = gr.Video(label='Video')
        editor = drawing_board(gr, 'Frame: layer k is object k on every frame, red is not the object')
    frame = gr.Slider(0, 1, 0, step=1, label='Frame')
    modes = gr.CheckboxGroup(list(VIDEO_MODES), value=[VIDEO_MODES[0]], label='Modes')
    drawing = gr.Radio(list(DRAWINGS), value=DRAWINGS[0], label='Strokes mean')
    text = gr.Textbox(label='Text')
    with gr.Row():
        add, track, reset = (gr.Button(name) for name in ('Add or correct', 'Track', 'Reset'))
    message = gr.Textbox(label='Message', interactive=False)
    with gr.Row():
        picture = gr.Image(label='Objects of this frame', format='png', buttons=BUTTONS, interactive=False)
        result = gr.Video(label='Tracked', buttons=BUTTONS[:1], interactive=False)
    table = gr.Dataframe(headers=list(VIDEO_HEADERS), interactive=False)
    with gr.Accordion('Example, audio', open=False):
        example = drawing_board(gr, 'Referring picture: paint its object')
        audio = gr.Audio(sources=['microphone', 'upload'], type='numpy', label='Audio')
    state = gr.State(None)
    video.change(partial(open_video, gr, make), [state, video], [state, editor, frame, result, table, message],
                 **ONE_AT_A_TIME)
    frame.release(partial(show_frame, make), [state, frame], [state, editor, message], **ONE_AT_A_TIME)
    add.click(partial(prompt_video, make), [state, modes, editor, drawing, example, text, audio],
              [state, picture, table, message], **ONE_AT_A_TIME)
    track.click(partial(track_video, make), [state], [state, result, table, message], **ONE_AT_A_TIME)
    reset.click(partial(reset_video, make), [state], [state, picture, table, message], **ONE_AT_A_TIME)


def build_app(gr, model, args: Namespace):
    """The ``gr.Blocks`` for a model; every open page has its own objects, the model answers one at a time.

    Args:
        gr (ModuleType): gradio.
        model (GLEE): a detector with a prompter.
        args (Namespace): of ``parse_args``.
    """
    transcriber = args.whisper and WhisperTranscriber(args.whisper)
    common = dict(scale=args.scale and tuple(args.scale))
    with gr.Blocks(title='GLEE', analytics_enabled=False) as app:
        with gr.Tab('Image'):
            image_tab(gr, partial(ImageDemo, model, transcriber=transcriber, carve_radius=args.carve_radius, **common),
                      args)
        with gr.Tab('Reference'):
            reference_tab(gr, partial(ReferenceDemo, model, args.max_frames, **common))
        with gr.Tab('Video'):
            video_tab(gr, partial(VideoDemo, model, args.max_frames, transcriber=transcriber,
                                  carve_radius=args.carve_radius, vocabulary=args.vocabulary or None, **common))
    return app


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('config', help='a config with a `model` that has a prompter')
    parser.add_argument('checkpoint', help='its weights')
    parser.add_argument('--port', type=int, default=7860, help='of the page (default: 7860)')
    parser.add_argument('--vocabulary', nargs='+', default=[], metavar='NAME', help='names of things')
    parser.add_argument('--stuff', nargs='+', default=[], metavar='NAME', help='names of stuff, for panoptic')
    parser.add_argument('--whisper', metavar='FOLDER', help='a local Whisper model, for spoken prompts')
    parser.add_argument('--scale', type=int, nargs=2, metavar=('LONG', 'SHORT'),
                        help='longest and shortest side of the resized picture, px (default: as the config tests)')
    parser.add_argument('--carve-radius', type=float, default=0., help='obey points, see docs/PROMPTS.md (default: 0)')
    parser.add_argument('--max-frames', type=int, default=200, help='of a video (default: 200)')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu',
                        help='where the model runs (default: cuda if there is one)')
    args = parser.parse_args()
    if args.max_frames < 1 or not 0 < args.port < 65536:
        parser.error('--max-frames must be at least 1 and --port a port number')
    if args.whisper and not Path(args.whisper).is_dir():
        parser.error(f'--whisper {args.whisper}: there is no such folder')
    return args


def main() -> None:
    args = parse_args()
    gr = import_gradio()
    model = init_model(args.config, args.checkpoint, args.device)
    build_app(gr, model, args).launch(server_name='127.0.0.1', server_port=args.port, share=False)


if __name__ == '__main__':
    main()
