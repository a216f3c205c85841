"""Results that a test has finished, on disk until it is complete."""
import json
import os
import shutil
from pathlib import Path
from typing import Iterator
from urllib.parse import quote


class FinishedItems:
    """One JSON file per finished image or video.

    What draws the items of a test leaves out those that are in it, and what scores them takes them from it, so
    that a killed test goes on where it stopped.

    Args:
        folder (str): made when the first item is saved, removed when the test is complete.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def path(self, item_id: int | str) -> Path:
        """Where an item is, or would be."""
        return self.folder / f'{quote(str(item_id), safe="")}.json'

    def __contains__(self, item_id: int | str) -> bool:
        return self.path(item_id).exists()

    def save(self, item_id: int | str, content: dict) -> None:
        """Write one item (plain data); a killed process leaves no half file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(item_id)
        partial = path.with_suffix(f'.{os.getpid()}.part')
        partial.write_text(json.dumps(content))
        partial.replace(path)

    def load(self, item_id: int | str) -> dict:
        """One item that is there."""
        return json.loads(self.path(item_id).read_text())

    def __iter__(self) -> Iterator[dict]:
        """All items."""
        for path in sorted(self.folder.glob('*.json')):
            yield json.loads(path.read_text())

    def remove(self) -> None:
        """Forget all."""
        shutil.rmtree(self.folder, ignore_errors=True)
