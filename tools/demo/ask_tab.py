"""The tab of questions to a language model: windows and buttons around ``AskDemo``."""
from typing import Iterator, Optional

import gradio as gr
from demo_ask import AskDemo, Said
from demo_image import NO_PICTURE
from demo_pictures import HEADERS, Answer
from desk import EVENT, HEIGHT, Desk


class AskHandlers:
    """What the tab does; the first argument and result of each is what the page holds, None at first."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def new(self) -> AskDemo:
        """Of a page that holds nothing yet."""
        return AskDemo(self.desk.glee)

    def open(self, demo: Optional[AskDemo], file: Optional[dict]) -> tuple:
        """A picture was given, as gradio's raw value, or taken away."""
        demo = self.new()
        try:
            picture = self.desk.read(file)
            if picture is None:
                return self.shown(demo, Said([], Answer(NO_PICTURE)))
            with self.desk.turns:
                return self.shown(demo, demo.open(picture))
        except ValueError as error:
            return self.shown(self.new(), Said([], Answer(str(error))))

    def ask(self, demo: Optional[AskDemo], question: str) -> Iterator[tuple]:
        """A question was put; other pages get their turns between two words."""
        demo = demo or self.new()
        for said in self.desk.turns.each(demo.ask(question)):
            yield self.shown(demo, said)

    @staticmethod
    def shown(demo: AskDemo, said: Said) -> tuple:
        """The page, chat, picture of objects, table and message; without a new picture that of before stays."""
        picture = gr.skip() if said.answer.picture is None and said.chat else said.answer.picture
        return demo, said.chat, picture, said.answer.table, said.answer.message


def ask_tab(desk: Desk) -> None:
    """The tab."""
    do, state = AskHandlers(desk), gr.State(None)
    with gr.Row(equal_height=True):
        question = gr.Textbox(label='Question', placeholder='what would burn me?', scale=6, elem_id='question',
                              info='{1} in a question is the first object of the answers')
        run = gr.Button('Ask', variant='primary', scale=1, min_width=110)
    message = gr.Textbox(show_label=False, interactive=False, container=False, elem_id='ask_message',
                         placeholder='Give a picture.')
    with gr.Row():
        picture = gr.Image(label='Picture', format='jpeg', sources=['upload', 'clipboard'], buttons=['fullscreen'],
                           height=HEIGHT, elem_id='ask_picture')
        result = gr.Image(label='Meant', format='jpeg', interactive=False, height=HEIGHT,
                          buttons=['download', 'fullscreen'], elem_id='meant')
    chat = gr.Chatbot(label='Dialogue', height=260, elem_id='chat')
    with gr.Accordion('Table', open=False):
        table = gr.Dataframe(headers=list(HEADERS), interactive=False, show_label=False)

    shown = [state, chat, result, table, message]
    picture.input(do.open, [state, picture], shown, preprocess=False, **EVENT)
    gr.on([run.click, question.submit], do.ask, [state, question], shown, **EVENT)
