"""The HTTP service against the inferencer: detect, sessions of clicks, track, and what is refused."""
import json
import threading
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from demo_model import tiny_glee
from PIL import Image

from projects.glee.visualization.video_writer import VideoWriter
from projects.glee_cli.program import main
from projects.glee_cli.serving.limits import Limits

pytest.importorskip('fastapi', reason='FastAPI is not installed: pip install -r requirements/serve.txt')
from fastapi.testclient import TestClient  # noqa: E402

from projects.glee_cli.serving.service import build_service  # noqa: E402

SHAPE = (64, 96)
NAMES = ['star', 'red ring']


@pytest.fixture(scope='module')
def glee():
    return tiny_glee()


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """A picture and a video of four frames."""
    folder = tmp_path_factory.mktemp('serve')
    noise = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    picture = cv2.resize(noise, SHAPE[::-1], interpolation=cv2.INTER_CUBIC)
    Image.fromarray(picture).save(folder / 'street.png')
    writer = VideoWriter(folder / 'street.mp4', 8)
    for number in range(4):
        writer.write(np.roll(picture, 8 * number, 1))
    writer.close()
    return folder


@pytest.fixture
def client(glee):
    return TestClient(build_service(glee, Limits(megapixels=0.01, megabytes=1, waiting=3), most_sessions=2))


def test_detect(client, glee, files):
    """Names with commas or several times, and a sentence."""
    data = dict(names=['star, red ring', 'star'], expressions='the left one', score=0.1)
    answer = client.post('/detect', files=dict(picture=open(files / 'street.png', 'rb')), data=data)
    expected = glee(str(files / 'street.png'), names=NAMES, expressions='the left one', score_thr=0.1)[0]
    assert answer.status_code == 200 and answer.json() == expected.to_dict() | dict(image=None) and len(expected) > 1


def test_a_session_of_clicks(client, glee, files):
    """Add, refine, look, remove and close, as with the session of a program."""
    opened = client.post('/sessions', files=dict(picture=open(files / 'street.png', 'rb')))
    place, session = f'/sessions/{opened.json()["session"]}', glee.open_image(str(files / 'street.png'))
    assert opened.status_code == 201 and opened.json() == dict(opened.json(), height=64, width=96)

    def same(answer, found):
        expected = dict(id=found.id, round=found.round, score=round(found.score, 6), text=found.text, area=found.area,
                        box=[round(float(value), 3) for value in found.box], mask=dict(found.rle))
        assert answer.json() == expected

    first = client.post(f'{place}/objects', json=dict(points=[[30, 20]], text='the red one'))
    same(first, session.add(points=[(30, 20)], text='the red one'))
    same(client.post(f'{place}/objects/0', json=dict(points=[[80, 60, -1]])), session.refine(0, points=[(80, 60, -1)]))
    same(client.post(f'{place}/objects', json=dict(boxes=[[5, 5, 40, 40]])), session.add(boxes=[(5, 5, 40, 40)]))
    assert [found['id'] for found in client.get(place).json()['objects']] == [0, 1]
    assert client.delete(f'{place}/objects/0').status_code == 204
    assert [found['id'] for found in client.get(place).json()['objects']] == [1]
    assert client.delete(place).status_code == 204 and client.get(place).status_code == 404


def test_old_sessions_are_forgotten(client, files):
    """Of three the one that was not asked for longest."""
    keys = []
    for number in range(3):
        keys.append(client.post('/sessions', files=dict(picture=open(files / 'street.png', 'rb'))).json()['session'])
        client.get(f'/sessions/{keys[0]}')
    assert [client.get(f'/sessions/{key}').status_code for key in keys] == [200, 404, 200]


def test_track(client, glee, files):
    """By name and by clicks; the list of frames, or the video."""
    path = str(files / 'street.mp4')
    data = dict(names='star', score=0.44, prompts=json.dumps({'1': [dict(points=[[30, 20]])]}))
    answer = client.post('/track', files=dict(video=open(path, 'rb')), data=data)
    expected = glee.track(path, names='star', prompts={1: [dict(points=[(30, 20)])]}, score_thr=0.44)
    assert answer.json() == [frame.to_dict() for frame in expected] and len(answer.json()) == 4
    video = client.post('/track', files=dict(video=open(path, 'rb')), data=dict(data, form='mp4'))
    assert video.headers['content-type'] == 'video/mp4'
    (files / 'answer.mp4').write_bytes(video.content)
    assert cv2.VideoCapture(str(files / 'answer.mp4')).get(cv2.CAP_PROP_FRAME_COUNT) == 4


REFUSED = [
    ('/detect', dict(files=dict(picture=('a/../b.jpg', b'no picture'))), 400, 'b.jpg cannot be read as a picture'),
    ('/detect', dict(data=dict(names='x')), 422, 'body.picture: Field required'),
    ('/detect', dict(files='picture'), 400, 'say what to look for'),
    ('/detect', dict(files='picture', data=dict(names='x', score=2)), 422, 'body.score: Input should be less than'),
    ('/detect', dict(files='large'), 400, 'large.png has 200 x 100 px, more than the 0.01 megapixels'),
    ('/detect', dict(content=iter([b'x'])), 411, 'Content-Length'),
    ('/detect', dict(content=b'x' * 2**21), 413, 'the request has 2 MB, more than the 1 MB'),
    ('/sessions/none/objects', dict(json=dict(points=[[1, 2]])), 404, 'there is no such session'),
    ('session', dict(json=dict(points=[[1]])), 422, 'body.points.0: List should have at least 2 items'),
    ('session', dict(json=dict(point=[1, 2])), 422, 'body.point: Extra inputs are not permitted'),
    ('session', dict(json=dict(points=[[500, 2]])), 400, 'outside'),
    ('session', dict(json={}), 400, 'give at least one of points'),
    ('session', dict(json=dict(points=[[1, 2, -1]])), 400, 'negative points only'),
    ('session/9', dict(json=dict(points=[[1, 2]])), 404, 'there is no object 9'),
    ('/track', dict(files='video', data=dict(names='x', prompts='{"a": 1}')), 400, 'prompts is JSON by frame'),
    ('/track', dict(files='video', data=dict(names='x', form='gif')), 422, 'body.form'),
    ('/track', dict(files=dict(video=('a.mp4', b'nothing')), data=dict(names='x')), 400, 'a.mp4 has no frame'),
]


@pytest.mark.parametrize('address, request_, code, message', REFUSED)
def test_what_is_refused_is_a_line_without_a_folder(client, files, address, request_, code, message):
    Image.new('L', (200, 100)).save(files / 'large.png')
    known = dict(picture=('picture', 'street.png'), large=('picture', 'large.png'), video=('video', 'street.mp4'))
    if isinstance(request_.get('files'), str):
        field, name = known[request_['files']]
        request_ = dict(request_, files={field: open(files / name, 'rb')})
    if address.startswith('session'):
        key = client.post('/sessions', files=dict(picture=open(files / 'street.png', 'rb'))).json()['session']
        address = f'/sessions/{key}/objects{address[7:]}'
    answer = client.post(address, **request_)
    assert answer.status_code == code, answer.text
    told = answer.json()
    assert list(told) == ['error'] and message in told['error'], told
    assert '\n' not in told['error'] and str(files) not in told['error'] and '/tmp' not in told['error']


def test_too_many_at_once(client, files):
    """Three wait for the model, the fourth is sent away; then they are answered."""
    answers = []

    def ask():
        with open(files / 'street.png', 'rb') as picture:
            answers.append(client.post('/detect', files=dict(picture=picture), data=dict(names='x')).status_code)

    turns, threads = client.app.state.turns, [threading.Thread(target=ask) for _ in range(3)]
    with turns:
        for thread in threads:
            thread.start()
        while len(turns._line) < 4:
            pass
        refused = client.get('/health')
        assert refused.status_code == 503 and '3 requests are waiting' in refused.json()['error']
    for thread in threads:
        thread.join()
    assert answers == [200] * 3 and client.get('/health').json() == dict(status='ok', device='cpu')


def test_the_page_names_every_request_and_loads_nothing(client):
    class Page(HTMLParser):
        text, loaded = '', 0

        def handle_starttag(self, tag, attrs):
            self.loaded += any(key in ('src', 'href') and '//' in value for key, value in attrs)

        def handle_data(self, data):
            self.text += data

    page, schema = Page(), client.get('/openapi.json').json()
    page.feed(client.get('/').text)
    assert page.loaded == 0
    for path, methods in schema['paths'].items():
        for method in methods:
            assert f'{method.upper()} {path}' in page.text
    for field in ('picture', 'expressions', 'score', 'points', 'scribbles', 'prompts', 'form'):
        assert field in page.text


@pytest.mark.parametrize('options, message', [(['--port', '0'], 'is no port number'),
                                              (['--max-frames', '0'], '--max-frames must be above 0'),
                                              (['--max-sessions', '0'], '--max-sessions must be 1 or more'),
                                              ([], 'is not free: choose another one with --port')])
def test_the_command(options, message, tmp_path, capsys):
    import socket
    (tmp_path / 'weights.pth').touch()
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        options = options or ['--port', str(other.getsockname()[1])]
        assert main(['serve', '--weights', str(tmp_path / 'weights.pth'), *options]) == 2
    assert message in capsys.readouterr().err
