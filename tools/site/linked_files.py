"""Brings what lies outside docs/ and is linked from its pages into the site, so that every link leads somewhere.

MkDocs calls the two functions (``hooks`` of mkdocs.yml).
"""
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
# Documents that are pages of their own; all other files are shown as code.
PAGES = {'configs/glee/README.md': 'model_zoo.md', 'README.md': 'index.md'}
LINK = re.compile(r'(?<=\]\()(?!\w+:)([^)\s#]+)(?=[)#])')
LANGUAGES = {'.py': 'python', '.yml': 'yaml', '.sh': 'bash', '.json': 'json', '.txt': 'text'}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the model zoo, and a page of code for every linked file of the repository."""
    zoo = 'configs/glee/README.md'
    files.append(File.generated(config, PAGES[zoo], abs_src_path=str(ROOT / zoo)))
    linked = {name for page in files.documentation_pages()
              for target in LINK.findall(page.content_string)
              for name in [_repository_name(page.src_uri, target)]
              if _shown_as_code(name)}
    for name in sorted(linked):
        language = LANGUAGES.get(Path(name).suffix, 'text')
        content = (f'---\nsearch:\n  exclude: true\n---\n# {Path(name).name}\n\n`{name}`\n\n'
                   f'~~~~{language}\n{(ROOT / name).read_text()}\n~~~~\n')
        files.append(File.generated(config, _site_name(name), content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links to files of the repository at their pages of the site."""
    here = page.file.src_uri
    if here.startswith('files/'):
        return markdown

    def replaced(match: re.Match) -> str:
        name = _site_name(_repository_name(here, match[1]))
        return posixpath.relpath(name, posixpath.dirname(here) or '.')
    return LINK.sub(replaced, markdown)


def _repository_name(page: str, target: str) -> str:
    """What a link of a page means, as a path below the root of the repository."""
    source = next((name for name, shown in PAGES.items() if shown == page and page != 'index.md'), f'docs/{page}')
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))


def _shown_as_code(name: str) -> bool:
    return not name.startswith('docs/') and name not in PAGES and (ROOT / name).is_file()


def _site_name(name: str) -> str:
    """Where a file of the repository is in the site, as MkDocs names sources."""
    if name in PAGES:
        return PAGES[name]
    return name.removeprefix('docs/') if name.startswith('docs/') else f'files/{name}.md'
