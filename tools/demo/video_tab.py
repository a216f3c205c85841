"""The tab of videos: windows and buttons around ``VideoDemo``."""
from typing import Optional

import gradio as gr
from demo_pictures import HEADERS
from demo_video import VideoDemo
from desk import EVENT, Desk, click_switch, drawing_board, question_of, question_row, speech

from projects.glee_cli.serving.uploads import ShortVideo


class VideoHandlers:
    """What the buttons of the tab do; the first argument and result of each is what the page holds, None at first."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def new(self) -> VideoDemo:
        """Of a page that holds nothing yet."""
        return VideoDemo(self.desk.glee, self.desk.carve_radius)

    def open(self, demo: Optional[VideoDemo], file: Optional[dict]) -> tuple:
        """A video was given, as gradio's raw value, or taken away."""
        demo = self.new()
        if file is None:
            return demo, None, gr.Slider(maximum=1, value=0), None, None, [], 'The video was taken away.'
        try:
            with self.desk.turns:
                answer = demo.open(ShortVideo(path_of(file), self.desk.limits))
        except ValueError as error:
            return self.new(), None, gr.Slider(maximum=1, value=0), None, None, [], str(error)
        return (demo, answer.picture, gr.Slider(maximum=max(demo.last_frame, 1), value=0), None, None, answer.table,
                answer.message)

    def show(self, demo: Optional[VideoDemo], frame: int) -> tuple:
        """Another frame was chosen."""
        demo = demo or self.new()
        with self.desk.turns:
            answer = demo.show(frame)
        return demo, answer.picture, answer.table, answer.message

    def click(self, demo: Optional[VideoDemo], frame: int, meaning: str, event: gr.SelectData) -> tuple:
        """A click on the frame that is shown."""
        demo = demo or self.new()
        with self.desk.turns:
            answer = demo.click(frame, *event.index, meaning)
        return demo, answer.picture, answer.table, answer.message

    def reset(self, demo: Optional[VideoDemo], frame: int) -> tuple:
        """Remove all objects."""
        demo = demo or self.new()
        with self.desk.turns:
            answer = demo.reset(frame)
        return demo, answer.picture, answer.table, answer.message

    def track(self, demo: Optional[VideoDemo], names, sentence, min_score, drawing, example, asked,
              progress=gr.Progress()) -> tuple:
        """Follow everything that is given; other pages get their turns between two frames."""
        demo = demo or self.new()
        done = demo.track(question_of(names, sentence, min_score, drawing=drawing, example=example, asked=asked),
                          self.desk.new_folder(), lambda share, doing: progress(share, desc=doing),
                          self.desk.turns.each)
        files = [str(file) for file in (done.video, done.json) if file is not None]
        return demo, files[0] if files else None, gr.File(files or None, visible=bool(files)), done.message


def path_of(file: dict) -> str:
    """Of the raw value of a video, which may hold subtitles beside it."""
    return (file.get('video') or file)['path']


def video_tab(desk: Desk) -> None:
    """The tab."""
    do, state = VideoHandlers(desk), gr.State(None)
    names, sentence, min_score, track = question_row(desk, 'Track')
    message = gr.Textbox(show_label=False, interactive=False, container=False, placeholder='Give a video.',
                         elem_id='video_message')
    with gr.Row():
        video = gr.Video(label='Video', sources=['upload'], height=420, buttons=[], elem_id='video')
        frame_picture = gr.Image(label='Frame: click on an object', format='jpeg', interactive=False, height=420,
                                 buttons=['fullscreen'], elem_id='frame')
        result = gr.Video(label='Tracked', interactive=False, height=420, buttons=['download'], autoplay=True,
                          loop=True, elem_id='tracked')
    with gr.Row():
        frame = gr.Slider(0, 1, 0, step=1, label='Frame', scale=3, info='to click on', min_width=280)
        meaning = click_switch()
        reset = gr.Button('Start over', size='md', scale=1, min_width=110)
    files = gr.File(label='Tracks: mp4, and JSON with a mask per object and frame', interactive=False,
                    file_count='multiple', visible=False, elem_id='tracks')
    with gr.Accordion('Table of the frame', open=False):
        table = gr.Dataframe(headers=list(HEADERS), interactive=False, show_label=False)
    with gr.Accordion('More ways to ask: a picture of the object' + ', a question' * desk.asks
                      + ', speech' * (desk.transcriber is not None), open=False):
        asked = gr.Textbox(label='Question', placeholder='the one that stopped moving', visible=desk.asks,
                           info='to the language model; means one object')
        example = drawing_board('Paint the object on a picture, to follow what looks like it', ['upload'])
        speech(desk, sentence, message)
    drawing = gr.State('scribble')

    shown = [state, frame_picture, table, message]
    video.change(do.open, [state, video], [state, frame_picture, frame, result, files, table, message],
                 preprocess=False, **EVENT)
    frame.release(do.show, [state, frame], shown, **EVENT)
    frame_picture.select(do.click, [state, frame, meaning], shown, **EVENT)
    reset.click(do.reset, [state, frame], shown, **EVENT)
    gr.on([track.click, names.submit, sentence.submit], do.track,
          [state, names, sentence, min_score, drawing, example, asked], [state, result, files, message],
          api_visibility='private', show_progress='full', show_progress_on=[result])
