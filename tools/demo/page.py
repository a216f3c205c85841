"""The page: heading, hint and tabs."""
import gradio as gr
from ask_tab import ask_tab
from desk import KEPT, Desk
from endpoints import add_endpoints
from image_tab import image_tab
from video_tab import video_tab

HEAD = """# GLEE: find, segment and follow anything
**1** Give a picture or a video. &ensp; **2** Type names and press Run, or just click on an object. &ensp;
**3** Correct with more clicks, then save.
"""
CSS = """
.gradio-container {max-width: 1500px !important; width: 100% !important; margin: 0 auto}
#picture img, #result img, #frame img {cursor: crosshair}
#examples .grid-wrap {min-height: 0; overflow: hidden}
#examples .grid-container {grid-template-columns: repeat(8, 1fr); grid-auto-rows: 90px}
#examples .thumbnail-item {aspect-ratio: auto; height: 90px}
footer {display: none !important}
"""
CONCURRENT = 8  # requests that are worked on; their steps at the model take turns


def make_theme() -> gr.Theme:
    """Fonts of the browser: nothing is loaded from elsewhere."""
    fonts = ['system-ui', 'sans-serif']
    return gr.themes.Default(primary_hue='indigo', font=fonts, font_mono=['ui-monospace', 'monospace'])


def build_page(desk: Desk) -> gr.Blocks:
    """The page for a model; every open page has its own objects."""
    with gr.Blocks(title='GLEE', analytics_enabled=False, delete_cache=(600, KEPT)) as page:
        add_endpoints(desk)  # before the events, which would take the names
        gr.Markdown(HEAD)
        with gr.Tab('Picture'):
            image_tab(desk)
        with gr.Tab('Video'):
            video_tab(desk)
        if desk.asks:
            with gr.Tab('Ask'):
                ask_tab(desk)
    return page.queue(max_size=desk.limits.waiting, default_concurrency_limit=CONCURRENT)
