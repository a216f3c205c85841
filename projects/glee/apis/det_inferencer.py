"""mmdet's inferencer, which knows the names of our models too."""
from typing import Optional

from mmdet.apis import DetInferencer as StockInferencer
from mmengine.config import Config

from .model_names import config_of, is_name


class DetInferencer(StockInferencer):
    """mmdet's ``DetInferencer`` in everything but one thing: ``model`` may also be a name of our metafile.

    The stock one asks mmengine for the index of a scope, and mmengine lets nobody add a scope to its list. Weights have
    to be given: nothing is downloaded, and released files want to be converted or ``GLEEInferencer``.

    Example:
        >>> from projects.glee.apis import DetInferencer
        >>> DetInferencer('glee_mini', 'work_dirs/quickstart/glee_mini.pth')('street.jpg', texts='star . red ring',
        ...                                                                  custom_entities=True)
    """

    def _load_model_from_metafile(self, model: str) -> tuple[Config, Optional[str]]:
        """Config of a name of ours, or config and weights of one of mmdet's.

        Raises:
            ValueError: neither has the name.
        """
        return (config_of(model), None) if is_name(model) else super()._load_model_from_metafile(model)
