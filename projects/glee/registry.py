"""Components that carry a name which mmdet already uses, in a scope of their own: ``glee.<name>``."""
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import Registry

TRANSFORMS = Registry('transform', parent=MMENGINE_TRANSFORMS, scope='glee')
