"""Writes the trained language model as a folder."""
from mmdet.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from .adapter_folder import save_adapter


@HOOKS.register_module()
class AdapterFolderHook(Hook):
    """After training, ``{work_dir}/adapter``, which ``GLEEInferencer(language_model=...)`` loads."""

    def after_train(self, runner) -> None:
        """See the class."""
        if is_main_process():
            model = runner.model.module if is_model_wrapper(runner.model) else runner.model
            folder = save_adapter(model, f'{runner.work_dir}/adapter', runner.cfg.model.to_dict())
            runner.logger.info(f'language model for GLEE: {folder}')
