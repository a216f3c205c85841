"""The demo page in a browser, from the file that is uploaded to what is seen and downloaded, against the inferencer."""
import io
import json
import re
import time
from dataclasses import replace
from urllib.request import urlopen

import browser
import cv2
import numpy as np
import pytest
import torch
from browser import Program, free_port, running, start_browser, until
from demo_image import PREVIEW
from odd_pictures import write_odd_pictures
from paths import ROOT
from PIL import Image

from projects.glee.apis import GLEEInferencer
from projects.glee.structures.masks import decode
from projects.glee.visualization.video_writer import VideoWriter

pytestmark = [pytest.mark.slow, pytest.mark.skipif(browser.lacking() is not None, reason=str(browser.lacking()))]
NAMES = ('star', 'red ring')
SIZE = (120, 180)  # of pictures and frames; shown at five times that
SHOWN = 5
SCORE = 0.44  # that some objects of random weights have
ODD = (
    'mode_CMYK_JPEG', 'mode_I_16_PNG', 'mode_1_PNG', 'mode_LA_PNG', 'mode_P_GIF', 'mode_F_TIFF', 'mode_RGBA_WEBP',
    'size_70000x1', 'size_1x3000', 'turned_6.jpg', 'bad_exif', 'moving.gif', 'rgb16.png', 'really_png', "quote'",
    'percent', 'cut_0.3.jpeg', 'cut_0.3.png', 'empty', 'text.png', 'page.jpg', 'huge.png', 'endless', 'pickle')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A picture, a short and a long video, and a checkpoint with random weights."""
    folder = tmp_path_factory.mktemp('demo')
    (folder / 'temporary').mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    picture = cv2.resize(noise, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    Image.fromarray(picture).save(folder / 'street.png')
    for name, length in (('short.mp4', 4), ('long.mp4', 60)):
        writer = VideoWriter(folder / name, 5)
        for frame in range(length):
            writer.write(np.roll(picture, 3 * frame, 1))
        writer.close()
    torch.manual_seed(0)
    glee = GLEEInferencer('glee_mini', device='cpu')
    with torch.no_grad():  # scores about 0.44, and masks that are neither empty nor full
        glee.model.panoptic_head.align_bias.zero_()
        for parameter in glee.model.panoptic_head.mask_head.parameters():
            parameter.mul_(3)
    torch.save(dict(state_dict=glee.model.state_dict()), folder / 'mini.pth')
    return folder


@pytest.fixture(scope='module')
def glee(folder):
    return GLEEInferencer('glee_mini', folder / 'mini.pth', 'cpu')


@pytest.fixture(scope='module')
def server(folder):
    yield from running(Program('tools/demo/app.py', 'glee_mini', folder / 'mini.pth', '--device', 'cpu', '--names',
                               *NAMES, '--max-megapixels', 1, port=free_port(), folder=folder / 'temporary'))


@pytest.fixture(scope='module')
def driver(server, tmp_path_factory):
    driver = start_browser(tmp_path_factory.mktemp('browser'))
    yield driver
    driver.quit()


class Page:
    """A tab of the browser with the page."""

    def __init__(self, driver, address, tab='Picture'):
        self.driver, self.tab = driver, tab
        driver.switch_to.new_window('tab')
        driver.get(address)
        self.handle = driver.current_window_handle
        self.kind = 'image' if tab == 'Picture' else 'video'
        until(lambda: self.all('#picture input[type=file]'), 'the page')
        if tab != 'Picture':
            until(lambda: self.button(tab, 'button[role=tab]').click() or self.all('#video input[type=file]'), tab)

    def all(self, selector):
        return self.driver.find_elements('css selector', selector)

    def button(self, text, selector='button'):
        return [one for one in self.all(selector) if one.text == text and one.is_displayed()][0]

    @property
    def message(self):
        return self.all(f'#{self.kind}_message textarea')[0].get_attribute('value')

    def after(self, do):
        """The message that comes after something was done; that of a preview is not the last."""
        before = self.message
        do()
        return until(lambda: self.message if self.message not in (before, PREVIEW) else '',
                     f'another message than {before!r}')

    def upload(self, path):
        field = until(lambda: self.all(f'#{"picture" if self.kind == "image" else "video"} input[type=file]')[0],
                      'the field of files')
        return self.after(lambda: field.send_keys(str(path)))

    def clear(self):
        """Take the picture away, if there is one."""
        if self.all('#picture img'):
            self.after(self.all('#picture button[aria-label="Remove Image"]')[0].click)

    def file(self, selector, name):
        """Of a list of files to download."""
        links = until(lambda: [one for one in self.all(f'{selector} a') if name in one.get_attribute('href')], name)
        return urlopen(links[0].get_attribute('href')).read()

    def set_score(self, value):
        """Of the slider's box of numbers."""
        box = [one for one in self.all('input[aria-label*="Lowest score"]') if one.is_displayed()][0]
        box.clear()
        box.send_keys(str(value), '\t')

    def click(self, selector, x, y):
        """On a picture that is shown at SHOWN times its size, at px of the picture itself."""
        from selenium.webdriver import ActionChains
        picture = until(lambda: [one for one in self.all(f'{selector} img') if self.driver.execute_script(
            'return arguments[0].naturalWidth', one) == SIZE[1] * SHOWN][0], f'{selector} at the size of the view')
        size = picture.size  # the element may be larger than what is in it
        share = min(size['width'] / SIZE[1], size['height'] / SIZE[0])
        place = [round((value + 0.5 - side / 2) * share) for value, side in ((x, SIZE[1]), (y, SIZE[0]))]
        return self.after(ActionChains(self.driver).move_to_element_with_offset(picture, *place).click().perform)

    def picture(self, selector):
        """What is shown, RGB."""
        source = until(lambda: self.all(f'{selector} img')[0], selector).get_attribute('src')
        return np.asarray(Image.open(io.BytesIO(urlopen(source).read())).convert('RGB'))


# ---- the server is another process: it may round another way ----
def told_of(message):
    """What is told of an object but its score and area, and these."""
    start, score, area, rest = re.fullmatch(r'(.*): score (.*), (\d+) px\.? (.*)', message).groups()
    return start, rest, float(score), int(area)


def close(found):
    return pytest.approx(found.score, abs=0.011), pytest.approx(found.area, rel=0.01)


def same(objects, expected):
    """Objects of a JSON file are those of a result."""
    assert [one['name'] for one in objects] == expected.names
    for one, score, box, mask in zip(objects, expected.scores, expected.boxes, expected.masks):
        assert one['score'] == pytest.approx(score, abs=1e-3) and one['box'] == pytest.approx(box, abs=0.05)
        found = decode(one['mask'])
        assert (found & mask).sum() > 0.98 * (found | mask).sum()


@pytest.fixture(scope='module')
def page(driver, server):
    return Page(driver, server.address)


def test_names_and_clicks(page, glee, folder):
    """A picture is uploaded, names are found with their boxes, and each click is answered at once."""
    assert page.upload(folder / 'street.png').startswith('180 x 120 px.')
    page.set_score(SCORE)
    told = page.after(page.button('Run').click)
    expected = glee(str(folder / 'street.png'), names=NAMES, score_thr=SCORE)[0]
    counts = {name: expected.names.count(name) for name in dict.fromkeys(expected.names)}
    assert told == 'found ' + ', '.join(f'{count} {name}' for name, count in counts.items()) and counts
    drawn, plain = page.picture('#result'), page.picture('#picture')
    assert drawn.shape == plain.shape
    x1, y1, x2, y2 = (expected.boxes[0] * SHOWN).round().astype(int).clip(0, [899, 599, 899, 599])
    edge = (slice(y1 + 1, y2 - 1), min(x2 - 1, 899))  # the best object lies on top
    assert np.abs(drawn[edge].astype(int) - plain[edge]).max(-1).mean() > 40

    session = glee.open_image(str(folder / 'street.png'))
    found = session.add(points=[(60, 40)])
    assert told_of(page.click('#picture', 60, 40)) == ('object 1', 'after 1 step(s)', *close(found))
    page.button('not it', 'label').click()
    found = session.refine(found.id, points=[(120, 90, -1)])
    assert told_of(page.click('#result', 120, 90)) == ('object 1', 'after 2 step(s)', *close(found))
    page.button('a new object', 'label').click()
    assert page.after(page.button('Undo').click) == 'the last step was taken back'

    assert 'ready' in page.after(page.button('Save').click)
    saved = json.loads(page.file('#files', 'objects.json'))
    assert [one['name'] for one in saved['objects'][:-1]] == expected.names
    np.testing.assert_allclose([one['box'] for one in saved['objects'][:-1]], expected.boxes, atol=0.01)


def test_painting(page):
    """A stroke is thin, lets the picture through and adds an object."""
    from selenium.webdriver import ActionChains
    assert page.after(page.button('Start over').click) == 'everything was removed'
    page.button('Paint', 'button[role=tab]').click()
    canvas = until(lambda: [one for one in page.all('canvas') if one.is_displayed()][0], 'the board')
    time.sleep(1)  # it is drawn, but takes no stroke yet
    stroke = ActionChains(page.driver).move_to_element_with_offset(canvas, -60, -30).click_and_hold()
    for _ in range(6):
        stroke.move_by_offset(15, 8)
    stroke.release().perform()
    assert page.after(page.button('Run').click).endswith('1 object(s) added or corrected')
    page.button('Click', 'button[role=tab]').click()


def test_nothing_comes_from_elsewhere(page, server):
    loaded = page.driver.execute_script('return performance.getEntriesByType("resource").map(one => one.name)')
    assert len(loaded) > 10
    assert [name for name in loaded if not name.startswith((server.address, 'data:', 'blob:'))] == []


def test_odd_uploads(page, folder):
    """Two dozen odd files: each is opened or refused in a line without a folder, and the page goes on."""
    good = write_odd_pictures(folder / 'odd')
    files = sorted(path for path in (folder / 'odd').iterdir() if path.is_file() and path.name.isprintable())
    chosen = [next(path for path in files if part in path.name) for part in ODD]
    Image.new('L', (2000, 1000)).save(folder / 'odd/large.png')
    assert good and len(chosen) > 20
    for path in [*chosen, folder / 'odd/large.png']:
        page.clear()
        told = page.upload(path)
        assert '/' not in told.replace('px/', '') and '\n' not in told, (path.name, told)
        try:
            with Image.open(path) as picture:
                picture.load()
                fits = picture.width * picture.height <= 1e6
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            fits = False
        assert (' px. Type names' in told) == fits, (path.name, told)
    assert told == 'large.png has 2000 x 1000 px, more than the 1 megapixels that are taken: make it smaller'
    page.clear()
    assert page.upload(folder / 'street.png').startswith('180 x 120 px.')


@pytest.fixture(scope='module')
def video(driver, server):
    return Page(driver, server.address, 'Video')


def test_a_video(video, glee, folder):
    """It is uploaded, clicked on and tracked; the preview plays, mp4 and JSON can be downloaded."""
    from selenium.webdriver import Keys
    assert video.upload(folder / 'short.mp4').startswith('4 frames, 0.8 s.')
    session = glee.open_video(str(folder / 'short.mp4'), min_score=0.3)
    found = session.add(0, points=[(60, 40)])
    assert told_of(video.click('#frame', 60, 40)) == ('object 1 on frame 0', 'Press Track.', *close(found))
    names = [one for one in video.all('textarea') if one.get_attribute('value') == ', '.join(NAMES)
             and one.is_displayed()][0]
    names.send_keys(Keys.CONTROL, 'a')
    names.send_keys(Keys.BACKSPACE)
    assert video.after(video.button('Track').click) == '1 object(s) in 4 frames'
    list(session.track())
    tracks = json.loads(video.file('#tracks', 'result.json'))
    assert [frame['frame'] for frame in tracks] == [0, 1, 2, 3] and tracks[0]['objects']
    for frame in tracks:
        expected = session.result(frame['frame'])
        same(frame['objects'], replace(expected, names=['object'] * len(expected)))
    (folder / 'result.mp4').write_bytes(video.file('#tracks', 'result.mp4'))
    capture = cv2.VideoCapture(str(folder / 'result.mp4'))
    assert sum(1 for _ in iter(lambda: capture.read()[0], False)) == 4
    player = until(lambda: video.all('#tracked video')[0], 'the preview')
    assert until(lambda: video.driver.execute_script('return arguments[0].readyState', player) >= 2, 'a frame of it')


def test_a_slow_request_and_three_quick_ones(driver, server, page, folder):
    """Four tabs at once, one of which follows names through a video; which is done first depends on the machine."""
    others = [page, *(Page(driver, server.address) for _ in range(2))]
    slow = Page(driver, server.address, 'Video')
    slow.upload(folder / 'long.mp4')
    slow.set_score(SCORE)
    slow.button('Track').click()
    for other in others:
        driver.switch_to.window(other.handle)
        if not other.all('#picture img'):
            other.upload(folder / 'street.png')
        assert other.click('#picture', 60, 40).startswith('object ')
    driver.switch_to.window(slow.handle)
    until(lambda: slow.message.endswith('in 60 frames'), 'the end of the slow request')


def test_a_click_is_answered_between_frames(server, folder):
    """While a program waits for 60 frames of a video, another one's click is answered."""
    from gradio_client import Client, handle_file
    client = Client(server.address, verbose=False, download_files=str(folder / 'slow'))
    slow = client.submit(handle_file(str(folder / 'long.mp4')), ['star'], '', SCORE, api_name='/track')
    until(lambda: slow.status().code.name in ('PROCESSING', 'ITERATING', 'PROGRESS'), 'the first frames')
    found = client.predict(handle_file(str(folder / 'street.png')), [[60, 40, 1]], '', api_name='/segment')
    assert found['objects'] and not slow.done(), 'the slow request was done before the quick one'
    assert len(json.loads(open(slow.result()[1]).read())) == 60


def test_programs_use_the_page(server, glee, folder):
    """The named endpoints, against the inferencer; what is wrong is a line without a folder."""
    from gradio_client import Client, handle_file
    from gradio_client.exceptions import AppError
    client = Client(server.address, verbose=False, download_files=str(folder / 'downloads'))
    assert set(client.view_api(return_format='dict')['named_endpoints']) == {'/detect', '/segment', '/track'}
    street = handle_file(str(folder / 'street.png'))
    found = client.predict(street, list(NAMES), SCORE, api_name='/detect')
    assert (found['height'], found['width'], found['image']) == (*SIZE, None) and found['objects']
    same(found['objects'], glee(str(folder / 'street.png'), names=NAMES, score_thr=SCORE)[0])
    found = client.predict(street, [[60, 40, 1]], '', api_name='/segment')
    same(found['objects'], glee(str(folder / 'street.png'), prompts=[dict(points=[(60, 40)])])[0])
    mp4, tracks = client.predict(handle_file(str(folder / 'short.mp4')), ['star'], '', SCORE, api_name='/track')
    expected = glee.track(str(folder / 'short.mp4'), names='star', score_thr=SCORE)
    for frame, result in zip(json.loads(open(tracks).read()), expected, strict=True):
        same(frame['objects'], result)
    assert open(mp4, 'rb').read(12)[4:8] == b'ftyp'
    no_picture, not_uploaded = handle_file(str(folder / 'short.mp4')), dict(path=str(folder / 'street.png'))
    for picture, names, message in ((no_picture, ['x'], 'short.mp4 cannot be read as a'), (street, [], 'names'),
                                    (not_uploaded, ['x'], 'give a file')):
        with pytest.raises(AppError, match=message) as caught:
            client.predict(picture, names, 0.3, api_name='/detect')
        assert str(folder) not in str(caught.value)


def test_the_program_of_the_docs(server, folder, monkeypatch, capsys):
    """As it is written, but for the address."""
    block, = (text for text in re.findall(r'```python\n(.*?)```', (ROOT / 'docs/demo.md').read_text(), re.DOTALL)
              if 'gradio_client' in text)
    Image.open(folder / 'street.png').save(folder / 'street.jpg')
    (folder / 'short.mp4').rename(folder / 'street.mp4')
    monkeypatch.chdir(folder)
    known = {}
    exec(compile(block.replace('http://127.0.0.1:7860', server.address), 'demo.md', 'exec'), known)
    assert len(known['pet']['objects']) == 1 and known['mp4'].endswith('.mp4') and capsys.readouterr().out


def test_busy_port(server, folder, fork_server):
    port = server.address.rsplit(':', 1)[1]
    end = fork_server.start('tools/demo/app.py', 'glee_mini', folder / 'mini.pth', '--port', port)
    told = f'error: port {port} of 127.0.0.1 is not free: choose another one with --port\n'
    assert end.communicate()[1] == told and end.returncode == 2


def test_files_are_removed_at_the_end(server, folder):
    """What users gave and what they were answered; nothing that was printed shows a fault."""
    assert any(path.is_file() for path in (folder / 'temporary').rglob('*'))
    printed = server.end()
    assert 'Traceback' not in printed, printed
    assert [path for path in (folder / 'temporary').rglob('*') if 'glee_demo_' in str(path)] == []
