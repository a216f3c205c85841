"""[SCORE] learns on MiniWorld's videos which frames show an object, and its numbers are what they say (G5)."""
import copy

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from paths import ROOT, config_file
from toy_llm import LLAVA, ColourEncoder, load_llm
from toy_video_llm import toy_video

from projects.glee.llm.data.ask_picture import pack
from projects.glee.llm.metrics.frame_iou_metric import iou_of, key_frame_measures
from projects.glee.llm.object_encoder import PictureObjects
from projects.glee.llm.video import LanguageKeyFrames
from projects.glee.llm.video.key_frames import reference_frames, score_turns
from projects.glee.miniworld.world.shapes import SHAPES
from projects.glee.miniworld.world.video import film_videos
from projects.glee.miniworld.world.video_scene import VideoSampler

COMING_AND_GOING = VideoSampler(lengths=(8, 8), counts={3: 1.}, pass_prob=0., twin_prob=0., kin_prob=0.,
                                motions={'still': 1, 'leave': 2, 'enter': 2, 'come back': 2})
SHOWN = 3


class TruthEncoder(ColourEncoder):
    """Finds what MiniWorld's own annotation of a frame says is to be seen; a frame is a picture of its number."""

    def __init__(self, videos):
        super().__init__()
        self.frames = [(video, frame) for video in videos for frame in range(video.length)]
        self.codes = torch.nn.functional.normalize(torch.randn(len(SHAPES), self.channels), dim=1)

    def pictures(self, video):
        return [np.full((8, 8, 3), number) for number, (other, _) in enumerate(self.frames) if other is video]

    def encode(self, picture, expression=''):
        video, frame = self.frames[picture[0, 0, 0]]
        seen = [(track.obj.shape, track.glimpses[frame]) for track in video.tracks if track.glimpses[frame]]
        queries = torch.stack([self.codes[SHAPES.index(shape)] for shape, _ in seen]) if seen else torch.zeros(
            0, self.channels)
        boxes = torch.tensor([[x + w / 2, y + h / 2, w, h] for x, y, w, h in (glimpse.bbox for _, glimpse in seen)])
        boxes = boxes.reshape(-1, 4) / torch.tensor([video.width, video.height] * 2)
        return PictureObjects(queries, boxes, torch.ones(len(seen)), torch.zeros(len(seen), dtype=torch.long),
                              queries, torch.zeros(self.channels, 2, 2), (1., 1.), (8, 8))


def shown_in(video):
    """(shape, whether each frame shows it) of shapes that only some frames show."""
    tracks = [(track.obj.shape, [glimpse is not None for glimpse in track.glimpses]) for track in video.tracks]
    names = [name for name, _ in tracks]
    return [(name, shown) for name, shown in tracks if not all(shown) and names.count(name) == 1]


def test_scores_order_the_frames_of_new_videos():
    videos = list(film_videos('mevis_train', 4, 34, 1, 1, COMING_AND_GOING))
    torch.manual_seed(0)
    encoder = TruthEncoder(videos)
    model = toy_video(dict(LLAVA, words=[*LLAVA['words'], *SHAPES]), glee=encoder, memory=None, use_image_tokens=False)
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], 3e-3, weight_decay=0.)
    rng, losses = np.random.default_rng(0), []
    known = [(encoder.pictures(video), *one) for video in videos[:28] for one in shown_in(video)]
    for _ in range(450):
        inputs, samples = [], []
        for number in rng.integers(len(known), size=8):
            pictures, name, shown = known[number]
            frame = int(rng.choice(np.flatnonzero(np.array(shown) == rng.integers(2))))
            inputs.append([*(pictures[one] for one in reference_frames(8, SHOWN, frame)), pictures[frame]])
            samples.append(pack(inputs[-1], score_turns(f'the {name}', SHOWN), [], [], said=[],
                                frame_scores=[float(shown[frame])])['data_samples'])
        loss = model.train()(inputs, samples, 'loss')
        optimizer.zero_grad()
        sum(loss.values()).backward()
        optimizer.step()
        losses.append(float(loss['loss_score'].detach()))
    scorer = LanguageKeyFrames(model.eval(), SHOWN)
    pairs = [(np.array(shown, float).tolist(), scorer(encoder.pictures(video), f'the {name}'))
             for video in videos[28:] for name, shown in shown_in(video)]
    found = key_frame_measures(pairs)
    assert len(pairs) >= 8 and np.mean(losses[-40:]) < 0.8 * np.mean(losses[:40])
    assert found['key_order'] > 0.75 and found['key_iou'] > found['mean_iou'] + 0.15


def slow_measures(pairs):
    """Pair by pair."""
    right = count = 0
    for ious, scores in pairs:
        for one in range(len(ious)):
            for other in range(len(ious)):
                if None not in (ious[one], ious[other]) and ious[one] > ious[other]:
                    right += 1. if scores[one] > scores[other] else 0.5 if scores[one] == scores[other] else 0.
                    count += 1
    return right / count


def test_measures_of_scores():
    rng = np.random.default_rng(0)
    pairs = [([None if value < 0.2 else round(value, 1) for value in rng.random(7).tolist()],
              rng.integers(0, 5, 7).tolist()) for _ in range(9)]
    found = key_frame_measures(pairs)
    assert found['key_order'] == pytest.approx(slow_measures(pairs))
    assert key_frame_measures([([0.2, 0.8, None], [3, 1, 9])]) == dict(key_order=0., key_iou=0.2, mean_iou=0.5)
    assert key_frame_measures([([0.5, 0.5], [0, 1])]) == dict(key_iou=0.5, mean_iou=0.5)
    assert key_frame_measures([]) == {}
    one, nothing = np.eye(2, dtype=bool), np.zeros((2, 2), bool)
    assert [iou_of(one, one), iou_of(one, ~nothing), iou_of(one, nothing), iou_of(nothing, nothing)] == [1, 0.5, 0, 0]


def test_the_config_trains_and_tests(world, tmp_path, monkeypatch):
    """As its head says, in a few iterations: masks alone, labels of every frame, scores, key frames."""
    monkeypatch.chdir(ROOT)
    glee = Config.fromfile(config_file('glee_mini_coco'))
    glee.model.panoptic_head.num_queries = 10
    glee.dump(str(tmp_path / 'small.py'))
    cfg = load_llm('glee_mini_llava-mini_key-frames')
    labels, data = tmp_path / 'labels.json', f'{world}/ref-youtube-vos/'
    cfg.merge_from_dict({
        'model.glee': dict(config=str(tmp_path / 'small.py'), checkpoint=None), 'train_cfg.max_iters': 2,
        'param_scheduler': [], 'default_hooks.logger.interval': 1, 'test_dataloader.dataset.indices': 1,
        'train_dataloader.batch_size': 2})
    masks, scores = cfg.train_dataloader.dataset.datasets
    for dataset in (masks, scores, cfg.test_dataloader.dataset):
        dataset.data_root = data

    def runner_of(name, **changes):
        stage = copy.deepcopy(cfg)
        stage.merge_from_dict(dict(changes, work_dir=str(tmp_path / name), experiment_name=f'{tmp_path.name}_{name}'))
        return Runner.from_cfg(stage)

    runner_of('masks', **{'train_dataloader.sampler.ratios': [1., 0.]}).train()
    tested = runner_of('labels', **{
        'model.key_frames': None, 'test_evaluator.labels_file': str(labels), 'test_dataloader.dataset.ann_file':
        'train.json', 'test_dataloader.dataset.data_prefix.img': 'train/JPEGImages/'}).test()
    assert 'ref_ytvos/J' in tested and 'ref_ytvos/key_iou' not in tested
    scores.pipeline[0].update(labels=str(labels), least_spread=0.)  # an untrained model finds nothing
    runner = runner_of('scores', **{'train_dataloader.sampler.ratios': [0., 1.]})
    runner.train()
    assert runner.message_hub.get_scalar('train/loss_score').current() >= 0
    tested = runner.test()
    assert 0 <= tested['ref_ytvos/mean_iou'] <= 1 and 0 <= tested['ref_ytvos/key_iou'] <= 1
    scores.pipeline[0].labels = 'nowhere.json'
    with pytest.raises(FileNotFoundError, match='nowhere.json: no labels of key frames; FrameIoUMetric writes them'):
        runner_of('none', **{'train_dataloader.sampler.ratios': [0., 1.]}).train()
