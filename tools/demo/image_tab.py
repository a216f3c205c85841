"""The tab of pictures: windows and buttons around ``ImageDemo``."""
from typing import Iterator, Optional

import gradio as gr
from demo_image import ImageDemo
from demo_pictures import DRAWINGS, HEADERS, Answer
from desk import EVENT, HEIGHT, Desk, click_switch, drawing_board, question_of, question_row, speech

from projects.glee_cli.serving.uploads import read_upload


class ImageHandlers:
    """What the buttons of the tab do; the first argument and result of each is what the page holds, None at first."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def new(self) -> ImageDemo:
        """Of a page that holds nothing yet."""
        return ImageDemo(self.desk.glee, self.desk.carve_radius)

    def open(self, demo: Optional[ImageDemo], file: Optional[dict]) -> tuple:
        """A picture was given, as gradio's raw value, or taken away."""
        demo = demo or self.new()
        try:
            picture = self.desk.read(file)
            if picture is None:
                return self.opened(self.new(), Answer('The picture was taken away.'))
            with self.desk.turns:
                return self.opened(demo, demo.open(picture))
        except ValueError as error:
            return self.opened(self.new(), Answer(str(error)))

    def take_example(self, demo: Optional[ImageDemo], event: gr.SelectData) -> tuple:
        """An example was chosen; also its names."""
        path, names = self.desk.examples[event.index]
        demo = demo or self.new()
        with self.desk.turns:
            answer = demo.open(read_upload(path, self.desk.limits))
        return (names, *self.opened(demo, answer))

    @staticmethod
    def opened(demo: ImageDemo, answer: Answer) -> tuple:
        """The page, picture to click on, board to paint on, picture of objects, table and message.

        The picture comes back at the size of the view: the browser tells where a click was only in pictures that it
        does not enlarge, and some files it cannot show.
        """
        plain = None if answer.picture is None else demo.view.show(demo.image)
        return demo, plain, plain, answer.picture, answer.table, answer.message

    def run(self, demo: Optional[ImageDemo], names, sentence, min_score, stuff, editor, drawing, example) -> tuple:
        """Ask everything that is given."""
        demo = demo or self.new()
        with self.desk.turns:
            answer = demo.run(question_of(names, sentence, min_score, stuff, editor, drawing, example))
        return demo, answer.picture, answer.table, answer.message

    def prepare(self, demo: Optional[ImageDemo]) -> None:
        """A picture is shown: make its first preview quick."""
        if demo is not None:
            with self.desk.turns:
                demo.prepare()

    def click(self, demo: Optional[ImageDemo], meaning: str, event: gr.SelectData) -> Iterator[tuple]:
        """A click on the picture, as it was given or with objects: both are shown at one size.

        First a preview, then the exact answer; others take their turns between the two.
        """
        demo = demo or self.new()
        for answer in self.desk.turns.each(demo.clicks(*event.index, meaning)):
            yield self.shown(demo, answer)

    def undo(self, demo: Optional[ImageDemo]) -> tuple:
        """Take the last step back."""
        with self.desk.turns:
            return self.shown(demo, (demo or self.new()).undo())

    def reset(self, demo: Optional[ImageDemo]) -> tuple:
        """Remove everything that was found."""
        with self.desk.turns:
            return self.shown(demo, (demo or self.new()).reset())

    def save(self, demo: Optional[ImageDemo]) -> tuple:
        """Files of what was found."""
        with self.desk.turns:
            files = [] if demo is None else demo.save(self.desk.new_folder())
        return (gr.File([str(file) for file in files] or None, visible=bool(files)),
                'the files are ready below' if files else 'there is nothing to save')

    @staticmethod
    def shown(demo: Optional[ImageDemo], answer: Answer) -> tuple:
        """The page, picture, table and message."""
        return demo, answer.picture, answer.table, answer.message


def image_tab(desk: Desk) -> None:
    """The tab."""
    do, state = ImageHandlers(desk), gr.State(None)
    names, sentence, min_score, run = question_row(desk, 'Run')
    message = gr.Textbox(show_label=False, interactive=False, container=False, elem_id='image_message',
                         placeholder='Give a picture, or take an example.')
    with gr.Row():
        with gr.Column(), gr.Tabs():
            with gr.Tab('Click'):
                picture = gr.Image(label='Picture: click on an object', format='jpeg', sources=['upload', 'clipboard'],
                                   buttons=['fullscreen'], height=HEIGHT, elem_id='picture')
            with gr.Tab('Paint'):
                board = drawing_board('Paint an object, one layer each; red is not the object')
                drawing = gr.Radio(list(DRAWINGS), value=DRAWINGS[0], label='Strokes mean',
                                   info='a scribble on the object, a point each, or a box around them; then Run')
        with gr.Column(), gr.Tabs(), gr.Tab('Found'):
            result = gr.Image(label='Click here, too', format='jpeg', interactive=False, height=HEIGHT,
                              buttons=['download', 'fullscreen'], elem_id='result')
    with gr.Row():
        meaning = click_switch()
        with gr.Row():
            undo, reset, save = (gr.Button(name, size='md', min_width=90) for name in ('Undo', 'Start over', 'Save'))
    files = gr.File(label='Found, as JSON with masks, PNG and picture', interactive=False, file_count='multiple',
                    visible=False, elem_id='files')
    gallery = gr.Gallery([(str(path), text) for path, text in desk.examples], show_label=False, columns=8, height=112,
                         allow_preview=False, buttons=[], object_fit='cover', interactive=False, elem_id='examples',
                         visible=bool(desk.examples))
    with gr.Accordion('Table', open=False):
        table = gr.Dataframe(headers=list(HEADERS), interactive=False, show_label=False)
    with gr.Accordion('More ways to ask: another picture, stuff' + ', speech' * (desk.transcriber is not None),
                      open=False):
        stuff = gr.Textbox(', '.join(desk.stuff), label='Names of stuff', placeholder='sky, grass',
                           info='what has no instances; with them every pixel gets a name')
        example = drawing_board('Paint an object on another picture, to find what looks like it', ['upload'])
        speech(desk, sentence, message)

    opened = [state, picture, board, result, table, message]
    shown = [state, result, table, message]
    asked = [state, names, sentence, min_score, stuff, board, drawing, example]
    given = picture.input(do.open, [state, picture], opened, preprocess=False, **EVENT)
    gr.on([picture.select, result.select], do.click, [state, meaning], shown, **EVENT)
    taken = gallery.select(do.take_example, [state], [names, *opened], **EVENT)
    for event in (given, taken):
        event.then(do.prepare, [state], None, **EVENT)
    gr.on([run.click, names.submit, sentence.submit], do.run, asked, shown, **EVENT)
    undo.click(do.undo, [state], shown, **EVENT)
    reset.click(do.reset, [state], shown, **EVENT)
    save.click(do.save, [state], [files, message], **EVENT)
