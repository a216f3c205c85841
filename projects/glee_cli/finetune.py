"""Fine-tune a model on a file of your own: COCO or ODVG, with masks or with boxes alone, or sentences (RefCOCO).

Examples:
    glee finetune --train pets/train.json --val pets/val.json --images pets/images --weights glee_lite.pth
    glee finetune --train t.json --val v.json --images pics --model glee_mini --weights glee_mini.pth --iterations 800
    glee finetune --train t.json --val v.json --images pics --weights glee_lite.pth --mode lora

The names are those of the file; for all other names the weights of the start are kept. The file is checked first
(glee check does more). Checkpoints, log and the config go to --work-dir; the best checkpoint by box AP on --val is
named at the end. Run the same command again to continue.
"""
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Sequence

MODELS = ('glee_r50', 'glee_swin-l', 'glee_eva02-l', 'glee_mini', 'glee_mini-lite0')
MODES = dict(full={}, head=dict(frozen=['backbone', 'neck']), lora=dict(rank=8))
FATAL = 'fits as corners'  # nothing can be learned from such boxes


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of ``glee finetune``."""
    parser.add_argument('--train', required=True, metavar='FILE.json',
                        help='file to learn from: COCO, ODVG (.jsonl, as Grounding DINO and mmdet read it), or '
                        'sentences as our converters of RefCOCO write them')
    parser.add_argument('--val', required=True, metavar='FILE.json',
                        help='such a file that chooses the best checkpoint')
    parser.add_argument('--images', required=True, metavar='FOLDER', help='pictures of both files')
    parser.add_argument('--val-images', metavar='FOLDER', help='pictures of --val, where they lie elsewhere')
    parser.add_argument('--weights', required=True, metavar='FILE',
                        help='checkpoint to start from: one of ours, or a released GLEE file as it was downloaded')
    parser.add_argument('--model', default=MODELS[0], metavar='NAME|CONFIG',
                        help=f'{", ".join(MODELS)} (default %(default)s), or a config like theirs')
    parser.add_argument('--mode', choices=MODES, default='full',
                        help='what learns: everything but the text encoder (full, the default), all but the backbone '
                        '(head), or changes of low rank (lora); names that the file lacks are answered as before')
    parser.add_argument('--rehearse', nargs=2, metavar=('FILE.json', 'FOLDER'),
                        help='a COCO file of other names and its pictures, for every second batch: one set of weights '
                        'then learns both, and the start is not kept')
    parser.add_argument('--work-dir', default='work_dirs/finetune', metavar='FOLDER', help='default %(default)s')
    parser.add_argument('--iterations', type=int, default=2000, help='default %(default)s')
    parser.add_argument('--batch-size', type=int, default=4,
                        help='pictures of an iteration (default %(default)s); the learning rate follows')
    parser.add_argument('--accumulate', type=int, default=1, metavar='N',
                        help='small GPU: N iterations make one step of the optimizer, as a batch N times as large')
    parser.add_argument('--checkpointing', action='store_true',
                        help='small GPU: compute the inside of the backbone again in the backward pass (with_cp)')
    parser.add_argument('--val-interval', type=int, default=500, help='iterations (default %(default)s)')


def run(args: Namespace) -> bool:
    """Never leaves anything out but what the check names."""
    from .options import need_weights
    need_weights(args)
    args.train, args.val = (coco_file(path, Path(args.work_dir) / f'{part}.coco.json')
                            for part, path in (('train', args.train), ('val', args.val)))
    with_masks = _check(args)
    from projects.glee.engine.runner import run_config
    cfg = make_config(args, with_masks)
    run_config.set_amp(cfg, False)
    runner = run_config.build_runner(cfg)
    runner.train()
    _say_what_next(args, runner)
    return False


def make_config(args: Namespace, with_masks: bool):
    """The config of the arguments.

    Raises:
        FileNotFoundError: ``--model`` is neither a name nor a file.
        ValueError: the numbers do not fit together.
    """
    from mmengine.config import Config

    from .configs.config_file import CONFIGS
    path = CONFIGS / f'finetune/{args.model}_finetune.py' if args.model in MODELS else Path(args.model)
    if not path.is_file():
        raise FileNotFoundError(f'model {args.model!r} is neither one of {", ".join(MODELS)} nor a config file')
    if min(args.iterations, args.batch_size, args.val_interval, args.accumulate) < 1:
        raise ValueError('--iterations, --batch-size, --val-interval and --accumulate are 1 or more')
    cfg = Config.fromfile(path)
    cfg.model.update(MODES[args.mode])
    with_sentences = _has_sentences(args.train)
    if with_sentences:
        _take_sentences(cfg)
    for loader, file, folder in ((cfg.train_dataloader, args.train, args.images),
                                 (cfg.val_dataloader, args.val, args.val_images or args.images)):
        loader.dataset.update(data_root='', ann_file=str(Path(file).resolve()),
                              data_prefix=dict(img=str(Path(folder).resolve())))
    if not with_sentences:
        cfg.val_evaluator.update(ann_file=str(Path(args.val).resolve()),
                                 metric=['bbox', 'segm'] if with_masks else ['bbox'])
    cfg.test_dataloader, cfg.test_evaluator = cfg.val_dataloader, cfg.val_evaluator
    for step in cfg.train_dataloader.dataset.pipeline:
        if step.type == 'LoadInstances':
            step.with_mask = with_masks
    if not with_masks:
        cfg.model.panoptic_fusion_head.with_masks = False
    if args.rehearse:
        _rehearse(cfg, *args.rehearse)
    cfg.train_dataloader.batch_size = args.batch_size
    # the runner knows nothing of accumulation when it compares the batch with the one of the recipe
    cfg.auto_scale_lr.update(enable=True, base_batch_size=cfg.auto_scale_lr.base_batch_size / args.accumulate)
    cfg.optim_wrapper.accumulative_counts = args.accumulate
    if args.checkpointing:
        _recompute_inside(cfg.model.backbone)
    warmup = cfg.param_scheduler[0].end = max(1, min(cfg.param_scheduler[0].end, args.iterations // 4))
    cfg.param_scheduler[1].begin = warmup
    cfg.train_cfg.update(max_iters=args.iterations, val_interval=min(args.val_interval, args.iterations))
    cfg.default_hooks.checkpoint.interval = cfg.train_cfg.val_interval
    cfg.update(load_from=str(Path(args.weights).expanduser().resolve()), resume='auto', work_dir=args.work_dir)
    return cfg


def _has_sentences(path: str) -> bool:
    """Whether a JSON file is one of ``RefCocoJsonDataset``: its pictures have expressions."""
    from projects.glee.datasets.store.json_groups import JsonGroups
    if not Path(path).is_file():
        return False  # the check of COCO files says so
    image, _ = next(iter(JsonGroups(path)), ({}, None))
    return 'expressions' in image


def _take_sentences(cfg) -> None:
    """Train and test on sentences, each about one object, in the place of names."""
    cfg.train_dataloader.dataset, cfg.val_dataloader.dataset = cfg.own_sentences.train, cfg.own_sentences.val
    cfg.val_evaluator = dict(type='ReferringMetric')
    cfg.default_hooks.checkpoint.save_best = 'referring/P@0.5'
    cfg.model.keep_start = False  # every sentence is new to it, so none would be asked of what was learned


def _recompute_inside(backbone) -> None:
    """Turn on the activation checkpointing of a backbone."""
    from inspect import signature

    from mmdet.registry import MODELS
    if 'with_cp' not in signature(MODELS.get(backbone.type)).parameters:
        raise ValueError(f'--checkpointing: the backbone {backbone.type} has no with_cp; others have: ResNet, '
                         'SwinTransformer, EVA02, EfficientNetLite0')
    backbone.with_cp = True


def coco_file(path: str, out: Path) -> str:
    """A COCO file as it is, one of JSON lines (ODVG) written to ``out`` as such a file."""
    if Path(path).suffix != '.jsonl':
        return path
    from projects.glee.datasets.conversion import convert_odvg
    skipped = convert_odvg(path, out)
    for reason, count in sorted(skipped.items()):
        print(f'{path}: {reason}: {count} (first: {skipped.first[reason]})')
    return str(out)


def _rehearse(cfg, file: str, folder: str) -> None:
    """Let half of the batches be of another COCO file, and one set of weights answer to everything."""
    import copy
    loader = cfg.train_dataloader
    other = copy.deepcopy(loader.dataset)
    other.update(ann_file=str(Path(file).resolve()), data_prefix=dict(img=str(Path(folder).resolve())))
    loader.dataset = dict(type='MixtureDataset', datasets=[loader.dataset, other])
    loader.sampler = dict(type='MixtureSampler', ratios=[1., 1.], seed=0)
    loader.batch_sampler = dict(type='MixtureBatchSampler')
    cfg.model.keep_start = False


def _check(args: Namespace) -> bool:
    """Whether every object of both files has a mask; says what is wrong with them.

    Raises:
        ValueError: nothing could be learned from a file.
    """
    if sentences := _has_sentences(args.train):
        if args.rehearse or not _has_sentences(args.val):
            raise ValueError(f'{args.train} has sentences: --val needs them, too, and --rehearse has no use for them')
        return sentences
    from projects.glee.datasets.checking import check_coco
    reports = [check_coco(args.train, args.images, quick=True),
               check_coco(args.val, args.val_images or args.images, quick=True)]
    if args.rehearse:
        reports.append(check_coco(*args.rehearse, quick=True))
    for report in reports:
        for reason, (count, first) in sorted(report.faults.items()):
            print(f'{report.ann_file}: {reason}: {count} (first: {first})')
        fatal = [reason for reason in report.faults if FATAL in reason]
        if fatal or not report.objects:
            raise ValueError(f'{report.ann_file}: {fatal[0] if fatal else "it has no object that can be used"}')
    train, val = reports[:2]
    _check_start(args, train.names)
    if strange := [name for name in val.names if name not in train.names]:
        raise ValueError(f'{val.ann_file} has names that {train.ann_file} lacks: {strange[:5]}')
    print(f'{sum(train.objects.values())} objects of {len(train.names)} names in {len(train.items)} pictures')
    with_masks = all('mask' in found for report in reports for item in report.items for found in item['instances']
                     if not found['ignore_flag'])
    if not with_masks:
        print('objects without masks: boxes and names are learned, and the model gives no masks')
    return with_masks


def _check_start(args: Namespace, names: Sequence[str]) -> None:
    """Refuse a start that is a fine-tune itself, of other names: its second training would forget them.

    Raises:
        ValueError: it is; the names are given.
    """
    from projects.glee.engine.checkpoints import read_checkpoint
    from projects.glee.models.extensions.fine_tuning import normal_name, read_learned
    content = read_checkpoint(Path(args.weights).expanduser())
    learned = read_learned(content.get('state_dict', content))
    if lost := sorted(set(learned) - set(map(normal_name, names))):
        raise ValueError(f'{args.weights} was fine-tuned on names that {args.train} lacks and would forget them: '
                         f'{lost[:5]}. Start from the weights before, with all pictures in one file')


def _say_what_next(args: Namespace, runner) -> None:
    best = sorted(Path(args.work_dir).glob('best_*.pth'))
    config = Path(args.work_dir) / Path(runner.cfg.filename).name
    if best:
        print(f'best checkpoint: {best[-1]}\nuse it: glee predict new.jpg --names NAME ... --model {config} '
              f'--weights {best[-1]}')
