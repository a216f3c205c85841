# The other sources of joint training that are images, at the paths of the released model's data below data/.
_base_ = ['./image_sources.py']

# ---- OpenImages v6 detection: JSON from the CSV files; group boxes are crowd regions ----
openimages_train = dict(
    type='TextCocoDataset',
    data_root='data/openimages/',
    ann_file='openimages_v6_train_bbox_splitdir.json',
    data_prefix=dict(img='detection/'),
    filter_cfg=_base_.training_images,
    vocabulary='openimages_v6',
    masks='ignored',
    cache_dir=_base_.cache_dir,
    pipeline=[
        dict(type='SetSource', source='openimages', supervision=_base_.box_supervision, label_table='obj365'),
        *_base_.box_steps
    ])

# ---- BDD100K detection and instance segmentation ----
bdd_det_train = dict(
    type='TextCocoDataset',
    data_root='data/bdd100k/',
    ann_file='labels/det_20/det_train_cocofmt.json',
    data_prefix=dict(img='images/100k/train/'),
    filter_cfg=_base_.training_images,
    vocabulary='bdd_det',
    masks='ignored',
    cache_dir=_base_.cache_dir,
    pipeline=[dict(type='SetSource', source='bdd_det', supervision=_base_.box_supervision), *_base_.box_steps])
bdd_inst_train = dict(
    type='TextCocoDataset',
    data_root='data/bdd100k/',
    ann_file='labels/ins_seg/polygons/ins_seg_train_cocoformat.json',
    data_prefix=dict(img='images/10k/train/'),
    filter_cfg=_base_.training_images,
    vocabulary='bdd_inst',
    masks='required',
    cache_dir=_base_.cache_dir,
    pipeline=[dict(type='SetSource', source='bdd_inst'), *_base_.mask_steps])

# ---- Visual Genome: object names, and captions of regions; up to 200 names per batch ----
# names.txt: tools/dataset_converters/visual_genome_names.py
names_file = 'data/visual_genome/annotations/names.txt'
visual_genome_steps = [
    _base_.box_steps[0],
    dict(type='AddNegativeNames', names_file=names_file, vocabulary_size=200), *_base_.box_steps[1:]
]
vg_names_train = dict(
    type='PhraseDataset',
    data_root='data/visual_genome/',
    ann_file='annotations/train_from_objects.json',
    data_prefix=dict(img='images/'),
    filter_cfg=_base_.training_images,
    cache_dir=_base_.cache_dir,
    pipeline=[
        dict(
            type='SetSource', source='vg_names', supervision=_base_.box_supervision, label_table='vg',
            vocabulary_size=200), *visual_genome_steps
    ])
vg_captions_train = dict(
    type='PhraseDataset',
    data_root='data/visual_genome/',
    ann_file='annotations/train.json',
    data_prefix=dict(img='images/'),
    filter_cfg=_base_.training_images,
    cache_dir=_base_.cache_dir,
    pipeline=[
        dict(
            type='SetSource', source='vg_captions', supervision=_base_.box_supervision, label_table='vg',
            vocabulary_size=200), *visual_genome_steps
    ])

# ---- GRIT: boxes that are too coarse to learn from, but good enough to match with ----
grit_train = dict(
    type='PhraseDataset',
    data_root='data/GRIT20M/',
    ann_file='grit_5m.json',
    data_prefix=dict(img='images/'),
    filter_cfg=_base_.training_images,
    cache_dir=_base_.cache_dir,
    pipeline=[
        dict(type='SetSource', source='grit', supervision=('semantic', 'coarse_box'), label_table='obj365'),
        _base_.box_steps[0],
        dict(type='AddNegativeNames', names_file=names_file, vocabulary_size=100), *_base_.box_steps[1:]
    ])

# ---- Objects without a name: UVO frames and SA-1B ----
uvo_frames_train = dict(
    type='TextCocoDataset',
    data_root='data/UVO/',
    ann_file='annotations/FrameSet/UVO_frame_train_onecate.json',
    data_prefix=dict(img='uvo_videos_sparse_frames/'),
    filter_cfg=_base_.training_images,
    prompts='uvo_frame',
    masks='required',
    cache_dir=_base_.cache_dir,
    pipeline=[
        dict(type='SetSource', source='uvo_frames', label_table='object', prompt_prob=0.2), *_base_.mask_steps
    ])
sa1b_train = dict(
    type='SA1BDataset',
    data_root='data/SA1B_scaleup/',
    ann_file='sa1b_500k.json',
    data_prefix=dict(img='images/'),
    filter_cfg=_base_.training_images,
    prompts='sa1b',
    cache_dir=_base_.cache_dir,
    pipeline=[
        dict(type='SetSource', source='sa1b', label_table='object', prompt_prob=0.2), _base_.mask_steps[0],
        dict(type='LoadSA1BMasks', skip_unreadable=True), *_base_.mask_steps[1:]
    ])
sa1b_2m_train = dict(sa1b_train, ann_file='sa1b_2m.json')
