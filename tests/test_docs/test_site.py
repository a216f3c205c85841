"""The site builds without a warning and without network, and every link of it and of the documents leads somewhere."""
import re
import socket
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
from paths import CONFIGS, ROOT

import projects.glee.apis

DOCUMENTS = [ROOT / 'README.md', CONFIGS / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
CODE = ('code', 'script', 'style')
SOURCES = dict(a='href', link='href', img='src', script='src', source='src', iframe='src')


class Page(HTMLParser):
    """Links, what is loaded, anchors, and the text outside code of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.anchors, self.text, self.code = [], [], {''}, '', 0
        self.feed(path.read_text(encoding='utf-8'))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.code += tag in CODE
        self.anchors.update(values[key] for key in ('id', 'name') if values.get(key))
        target = values.get(SOURCES.get(tag))
        if target:
            (self.links if tag == 'a' else self.loaded).append(target)

    def handle_endtag(self, tag):
        self.code -= tag in CODE

    def handle_data(self, data):
        if not self.code:
            self.text += data


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """The folder of the built site; connecting to anything while it is built is an error."""
    pytest.importorskip('mkdocs', reason='mkdocs is not installed: pip install -r requirements/docs.txt')
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    folder = tmp_path_factory.mktemp('site')

    def refused(_, address):
        raise AssertionError(f'the site wants to reach {address}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, 'connect', refused)
        build(load_config(str(ROOT / 'mkdocs.yml'), site_dir=str(folder), strict=True))
    return folder


@pytest.fixture(scope='module')
def pages(site):
    """{path: page}; the page for missing addresses has absolute links, which need a server."""
    return {path: Page(path) for path in sorted(site.rglob('*.html')) if path.name != '404.html'}


def test_links_of_the_site(pages):
    broken = []
    for path, page in pages.items():
        for link in page.links + page.loaded:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= 'index.html'
            if not target.is_file() or target in pages and unquote(parts.fragment) not in pages[target].anchors:
                broken.append((path.name, link))
    assert not broken and len(pages) > 20


def test_nothing_is_loaded_from_elsewhere(pages):
    assert [(path.name, link) for path, page in pages.items() for link in page.loaded if urlsplit(link).netloc] == []


def test_every_public_name_is_in_the_api(pages, site):
    anchors = pages[site / 'api.html'].anchors
    assert [name for name in projects.glee.apis.__all__ if f'projects.glee.apis.{name}' not in anchors] == []


def test_marks_are_rendered(pages):
    """Lists and tables need an empty line before them."""
    left = r'^(?:[-*] |\| |#+ |::: ).*|.*(?:\*\*|\]\(|``).*'
    assert [(path.name, found) for path, page in pages.items() for found in re.findall(left, page.text, re.M)] == []


def without_code(text):
    return re.sub(r'```.*?```', '', text, flags=re.DOTALL)


def slugs(text):
    """Anchors of the headings of a document, as GitHub makes them."""
    headings = re.findall(r'^#+ (.*)$', without_code(text), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


def test_slugs():
    assert slugs('# A `b`, c\n```\n# no\n```\n## Two-part x') == {'a-b-c', 'two-part-x'}


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_document(path):
    for link in re.findall(r'\]\(([^)\s]+)\)', without_code(path.read_text(encoding='utf-8'))):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = path.parent / parts.path if parts.path else path
        assert target.exists(), f'{link} leads nowhere'
        assert not parts.fragment or parts.fragment in slugs(target.read_text(encoding='utf-8')), f'{link}: no heading'


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_a_document_names_exist(path):
    named = re.findall(r'`((?:configs|docs|projects|requirements|tests|tools)/[\w./-]+)`', path.read_text('utf-8'))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize('path', sorted((ROOT / 'docs').glob('*.md')), ids=lambda path: path.name)
def test_every_page_says_what_is_measured(path):
    assert 'measured' in path.read_text('utf-8').lower()
