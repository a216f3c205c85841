# A stock Mask2Former with GLEE's head: only the head, its fusion head and the meta keys change.
_base_ = ['mmdet::mask2former/mask2former_r50_8xb2-lsj-50e_coco.py']

custom_imports = dict(imports=['projects.glee'], allow_failed_imports=False)

model = dict(
    panoptic_head=dict(
        _delete_=True,
        type='GLEEHead',
        text_encoder=dict(type='CLIPTextEncoder', mode='unfrozen'),
        denoising=dict(type='DenoisingGenerator', label_tables=dict(coco=80))),
    panoptic_fusion_head=dict(_delete_=True, type='GLEEFusionHead'))

# The vocabulary travels as meta information: return_classes=True makes the data set hand it out.
meta_keys = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'text')
_base_.train_pipeline[-1].meta_keys = meta_keys
_base_.test_pipeline[-1].meta_keys = meta_keys
# num_workers=0 alone shall do for those who want no workers: torch refuses to let none persist.
train_dataloader = dict(
    persistent_workers=False, dataset=dict(return_classes=True, pipeline=_base_.train_pipeline))
val_dataloader = dict(
    persistent_workers=False, dataset=dict(return_classes=True, pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
