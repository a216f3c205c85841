"""Layer-wise learning rates of a backbone (DESIGN section 6)."""
from mmdet.registry import OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LayerDecayOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """mmengine's constructor with learning rates that fall towards the first layers of the backbone.

    ``paramwise_cfg.layer_decay_rate`` (float): a parameter of depth d out of D is multiplied by
    rate^(D - 1 - d), on top of all other ``paramwise_cfg``. The backbone tells depths by
    ``get_layer_depth``, as EVA02 and mmpretrain's vision transformers do; everything outside it keeps
    its rate. mmpretrain's own constructor knows no ``lr_mult``.

    Raises:
        TypeError: the backbone has no ``get_layer_depth``.
    """

    def add_params(self, params: list[dict], module: nn.Module, prefix: str = '', **kwargs) -> None:
        """Collect the parameter groups of ``module``, then scale those of the backbone."""
        super().add_params(params, module, prefix, **kwargs)
        if prefix:
            return
        if not hasattr(module.backbone, 'get_layer_depth'):
            raise TypeError(f'{type(module.backbone).__name__} has no get_layer_depth: layer_decay_rate works with '
                            'EVA02 and the vision transformers of mmpretrain; use another constructor.')
        scales = {}
        for name, parameter in module.backbone.named_parameters():
            depth, depths = module.backbone.get_layer_depth(name)
            scales[id(parameter)] = self.paramwise_cfg['layer_decay_rate']**(depths - 1 - depth)
        for group in params:
            scale = scales.get(id(group['params'][0]))
            if scale is not None:
                group['lr'] = group.get('lr', self.base_lr) * scale
