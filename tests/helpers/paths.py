"""Where the checkout, its configs, tools and test helpers, the golden outputs and the cases of metrics are."""
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'configs/glee'
TOOLS = ROOT / 'tools'
HELPERS = ROOT / 'tests/helpers'
GOLDEN = ROOT / 'tests/data/golden'
METRIC_CASES = ROOT / 'tests/data/metrics'
FORMATS = ROOT / 'tests/data/formats'


def config_file(name: str) -> Path:
    """The config ``<name>.py`` of any folder below configs/glee.

    Raises:
        FileNotFoundError: there is none, or there are several.
    """
    found = sorted(CONFIGS.rglob(f'{name}.py'))
    if len(found) != 1:
        raise FileNotFoundError(f'{len(found)} configs are called {name}: {found}')
    return found[0]
