"""Look for mistakes in a data set of one's own before training on it.

Examples:
    glee check pets/train.json --images pets/images
    glee check pets/train.json --val pets/val.json --images pets/images --grid pets.jpg
    glee check pets/train.json --images pets/images --quick

Ends with code 0 only if nothing must be mended, else with 3.
"""
from argparse import ArgumentParser, Namespace
from pathlib import Path

NAMES_SHOWN = 30


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of ``glee check``."""
    parser.add_argument('annotations', metavar='FILE.json', help='COCO file, with masks or boxes alone')
    parser.add_argument('--images', metavar='FOLDER', help="its pictures; by default the file's own folder")
    parser.add_argument('--val', metavar='FILE.json', help='the validation: checked, too, and for shared pictures')
    parser.add_argument('--val-images', metavar='FOLDER', help='its pictures; by default those of --images')
    parser.add_argument('--quick', action='store_true', help='do not decode the pictures, nor compare their contents')
    parser.add_argument('--grid', metavar='FILE.jpg', help='draw some pictures with their boxes and names')


def run(args: Namespace) -> bool:
    """Whether something must be mended."""
    from projects.glee.datasets.checking import check_coco, shared_pictures, unnamed_pictures
    from projects.glee.datasets.conversion import show_progress
    progress = None if args.quick else show_progress
    reports = [check_coco(args.annotations, args.images, args.quick, progress)]
    if args.val:
        reports.append(check_coco(args.val, args.val_images or args.images, args.quick, progress))
        shared = shared_pictures(reports[0].hashes, reports[1].hashes)
        if shared:
            reports[1].faults['picture that is also in the training'] = [len(shared), ' and '.join(shared[0])]
        strange = [name for name in reports[1].names if name not in reports[0].names]
        if strange:
            reports[1].faults['name that the training lacks'] = [len(strange), repr(strange[0])]
    for folder in dict.fromkeys(report.folder for report in reports):
        if others := unnamed_pictures(folder, [path for report in reports for path in report.named]):
            reports[0].advice[f'picture of {folder} that no file names'] = [len(others), str(others[0])]
    for report in reports:
        _print(report)
    if args.grid:
        _draw(reports[0].items, reports[0].names, Path(args.grid))
    return any(report.faults for report in reports)


def _print(report) -> None:
    print(f'{report.ann_file}: {len(report.items)} usable pictures, {sum(report.objects.values())} objects, '
          f'{len(report.names)} names')
    for name, count in report.objects.most_common(NAMES_SHOWN):
        print(f'  {count:7d}  {name} (in {report.pictures[name]} pictures)')
    if len(report.objects) > NAMES_SHOWN:
        print(f'           and {len(report.objects) - NAMES_SHOWN} rarer names')
    for title, found in (('must be mended', report.faults), ('worth a look', report.advice)):
        if found:
            print(f' {title}:')
        for reason, (count, first) in sorted(found.items()):
            print(f'  {count:7d}  {reason} (first: {first})')


def _draw(items: list[dict], names: tuple[str, ...], target: Path, count: int = 12) -> None:
    """Some pictures, evenly spaced, with their objects."""
    import cv2

    from projects.glee.datasets.store.pictures import read_picture
    from projects.glee.visualization import DrawnObject, Renderer, contact_sheet
    if not items:
        raise ValueError('no picture can be used, so that there is nothing to draw')
    pictures = []
    for item in items[::max(1, len(items) // count)][:count]:
        objects = [DrawnObject(box=found['bbox'], label=names[found['bbox_label']], key=found['bbox_label'])
                   for found in item['instances'] if not found['ignore_flag']]
        pictures.append(Renderer()(read_picture(item['img_path']), objects))
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), contact_sheet(pictures, columns=4, height=320)[..., ::-1])
    print(f'{target}: written')
