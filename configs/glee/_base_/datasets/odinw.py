# The 35 sets of ODinW, 13 of which are ODinW-13, below data/odinw/dataset/: folder, annotation file and pictures.
# Prompts are the names of each file; of four sets of ODinW-13 the released models use others. Other prompts:
# --cfg-options test_dataloader.dataset.datasets.2.prompts="['rabbit']", counted from 0 in the order of the sets.
_base_ = ['./image_sources.py']

plain = ('valid/annotations_without_background.json', 'valid/')
subset = ('mini_val/annotations_without_background.json', 'mini_val/')
export = ('val_annotations_without_background.json', '')
folders = dict(
    AerialMaritimeDrone_large=('AerialMaritimeDrone/large/', *plain),
    AerialMaritimeDrone_tiled=('AerialMaritimeDrone/tiled/', *plain),
    AmericanSignLanguageLetters=('AmericanSignLanguageLetters/American Sign Language Letters.v1-v1.coco/', *plain),
    Aquarium=('Aquarium/Aquarium Combined.v2-raw-1024.coco/', *plain),
    BCCD=('BCCD/BCCD.v3-raw.coco/', *plain),
    boggleBoards=('boggleBoards/416x416AutoOrient/export/', *export),
    brackishUnderwater=('brackishUnderwater/960x540/', *plain),
    ChessPieces=('ChessPieces/Chess Pieces.v23-raw.coco/', *plain),
    CottontailRabbits=('CottontailRabbits/', *plain),
    dice=('dice/mediumColor/export/', *export),
    DroneControl=('DroneControl/Drone Control.v3-raw.coco/', *plain),
    EgoHands_generic=('EgoHands/generic/', *subset),
    EgoHands_specific=('EgoHands/specific/', *plain),
    HardHatWorkers=('HardHatWorkers/raw/', *plain),
    MaskWearing=('MaskWearing/raw/', *plain),
    MountainDewCommercial=('MountainDewCommercial/', *plain),
    NorthAmericaMushrooms=('NorthAmericaMushrooms/North American Mushrooms.v1-416x416.coco/', *plain),
    openPoetryVision=('openPoetryVision/512x512/', *plain),
    OxfordPets_by_breed=('OxfordPets/by-breed/', *plain),
    OxfordPets_by_species=('OxfordPets/by-species/', *plain),
    PKLot=('PKLot/640/', *plain),
    Packages=('Packages/Raw/', *plain),
    PascalVOC=('PascalVOC/', *plain),
    pistols=('pistols/export/', *export),
    plantdoc=('plantdoc/416x416/', *plain),
    pothole=('pothole/', *plain),
    Raccoon=('Raccoon/Raccoon.v2-raw.coco/', *plain),
    selfdrivingCar=('selfdrivingCar/fixedLarge/export/', *export),
    ShellfishOpenImages=('ShellfishOpenImages/raw/', *plain),
    ThermalCheetah=('ThermalCheetah/', *plain),
    thermalDogsAndPeople=('thermalDogsAndPeople/', *plain),
    UnoCards=('UnoCards/raw/', *plain),
    VehiclesOpenImages=('VehiclesOpenImages/416x416/', *subset),
    WildfireSmoke=('WildfireSmoke/', *plain),
    websiteScreenshots=('websiteScreenshots/', *plain))
thirteen = [
    'AerialMaritimeDrone_large', 'Aquarium', 'CottontailRabbits', 'EgoHands_generic', 'NorthAmericaMushrooms',
    'Packages', 'PascalVOC', 'pistols', 'pothole', 'Raccoon', 'ShellfishOpenImages', 'thermalDogsAndPeople',
    'VehiclesOpenImages'
]
released_prompts = dict(
    CottontailRabbits='odinw13_rabbits',
    EgoHands_generic='odinw13_egohands',
    NorthAmericaMushrooms='odinw13_mushrooms',
    Packages='odinw13_packages')


def test_set(name):
    """The test set of a name; ``source`` tells the metric whose pictures they are."""
    folder, annotations, pictures = folders[name]
    return dict(
        type='TextCocoDataset',
        test_mode=True,
        data_root=f'data/odinw/dataset/{folder}',
        ann_file=annotations,
        data_prefix=dict(img=pictures),
        prompts=released_prompts.get(name),
        pipeline=[
            dict(step, source=name) if step.type == 'SetSource' else step for step in _base_.coco_val.pipeline
        ])


def mean_metric(names, prefix):
    """Box AP of each set and their plain mean."""
    return dict(
        type='MeanOfSetsMetric',
        prefix=prefix,
        sets={
            name: dict(
                type='CocoEvalMetric',
                ann_file=f'data/odinw/dataset/{folders[name][0]}{folders[name][1]}',
                metric='bbox',
                proposal_nums=(1, 10, 100))
            for name in names
        })


odinw35 = [test_set(name) for name in folders]
odinw35_metric = mean_metric(list(folders), 'odinw35')
odinw13 = [test_set(name) for name in thirteen]
odinw13_metric = mean_metric(thirteen, 'odinw13')
