"""A trained language model in a folder."""
import json

import pytest
import torch
from mini_model import mini_config
from mmdet.registry import MODELS
from mmengine.config import Config
from paths import config_file
from toy_llm import LLAVA, PICTURES, QWEN, sample_of, toy_segmentor
from transformers import AutoTokenizer

from projects.glee.apis.init_model import init_model
from projects.glee.llm.adapter_folder import load_adapter, merge_adapter, save_adapter
from projects.glee.llm.object_encoder import ObjectEncoder, weights_fingerprint

PICTURE = torch.randint(0, 255, (40, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)).numpy()
TRUTH = torch.zeros(40, 64, dtype=torch.bool).numpy()


@pytest.fixture(scope='module')
def glee():
    """A mini GLEE with random weights and few queries."""
    torch.manual_seed(0)
    cfg = Config.fromfile(config_file('glee_mini_coco'))
    cfg.model = mini_config()
    cfg.model.panoptic_head.num_queries = 10
    return init_model(cfg)


def masks_of(model):
    sample = sample_of(PICTURE, 'red', 'blue')
    with torch.no_grad():
        return torch.stack(model.eval()([[PICTURE]], [sample])[0])


def train_a_step(model):
    sample = sample_of(PICTURE, 'red', 'blue')
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], 1e-2)
    for _ in range(2):
        sum(model.train()([[PICTURE]], [sample], 'loss').values()).backward()
        optimizer.step()


@pytest.mark.parametrize('family', [LLAVA, dict(LLAVA, lora=dict(r=2)), dict(QWEN, lora=dict(r=2))],
                         ids=['whole', 'lora', 'qwen'])
def test_save_and_load_are_identical(glee, family, tmp_path):
    settings = dict(type='ReasoningSegmentor', language_model=family, num_objects=4)
    model = MODELS.build(dict(settings, glee=ObjectEncoder.of_model(glee, ('star', 'ring'), 6)))
    before = masks_of(model)
    train_a_step(model)
    trained = masks_of(model)
    assert (trained - before).abs().max() > 0.01
    folder = save_adapter(model, tmp_path / 'adapter', settings)
    again = load_adapter(folder, glee)
    assert again.glee.names == ('star', 'ring') and again.glee.max_objects == 6 and not again.training
    assert torch.equal(masks_of(again), trained)
    files = {path.name for path in folder.iterdir()}
    assert {'settings.json', 'heads.safetensors', 'tokenizer.json'} <= files
    assert ('adapter_model.safetensors' in files) == ('lora' in family)


def test_another_tokenizer_is_refused(glee, tmp_path):
    settings = dict(type='ReasoningSegmentor', language_model=LLAVA, num_objects=4)
    model = MODELS.build(dict(settings, glee=ObjectEncoder.of_model(glee)))
    folder = save_adapter(model, tmp_path / 'adapter', settings)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    ids = [tokenizer(token, add_special_tokens=False)['input_ids'] for token in ('[SEG]', '<obj>', '[SCORE]')]
    assert all(len(one) == 1 for one in ids)
    file = folder / 'settings.json'
    content = json.loads(file.read_text())
    content['model']['language_model']['words'] = LLAVA['words'][::-1]
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match='trained with another tokenizer than that of its words'):
        load_adapter(folder, glee)


@pytest.mark.parametrize('family', [LLAVA, QWEN], ids=['llava', 'qwen'])
def test_a_merged_model_is_one_of_transformers(family, tmp_path):
    """Written with LoRA merged and read by path, as a released model is, it says and segments the same."""
    model = toy_segmentor(dict(family, lora=dict(r=2, dropout=0.)))
    sample, inputs = sample_of(PICTURES[0], 'red', 'blue'), [[PICTURES[0]]]
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], 1e-2)
    for _ in range(3):
        sum(model.train()(inputs, [sample], 'loss').values()).backward()
        optimizer.step()
    with torch.no_grad():
        before, = model.eval()._taught(inputs, [sample])
        folder = merge_adapter(model, tmp_path / 'merged')
        assert torch.equal(model._taught(inputs, [sample])[0].states, before.states)  # it was left as it is
        kept = {key: value for key, value in family.items() if key not in ('config', 'words')}
        again = toy_segmentor(dict(kept, path=str(folder))).eval()
        heads = {name: value for name, value in model.state_dict().items() if 'language_model' not in name}
        assert not again.load_state_dict(heads, strict=False).unexpected_keys
        after, = again._taught(inputs, [sample])
    assert torch.equal(after.tokens.ids, before.tokens.ids)
    torch.testing.assert_close(after.states, before.states, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(after.embeds, before.embeds, atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match='has no LoRA'):
        merge_adapter(again, tmp_path / 'none')


def test_another_glee_is_refused(glee, tmp_path):
    settings = dict(type='ReasoningSegmentor', language_model=LLAVA, num_objects=4)
    model = MODELS.build(dict(settings, glee=ObjectEncoder.of_model(glee)))
    folder = save_adapter(model, tmp_path / 'adapter', settings)
    bias = glee.panoptic_head.align_bias
    bias.data += 1e-3
    with pytest.raises(ValueError, match='was trained over another GLEE .* than this one'):
        load_adapter(folder, glee)
    bias.data -= 1e-3
    with pytest.raises(FileNotFoundError, match='settings.json: not there; a language model for GLEE is a folder'):
        load_adapter(tmp_path, glee)
    content = json.loads((folder / 'settings.json').read_text())
    (folder / 'settings.json').write_text(json.dumps(dict(content, version=0)))
    with pytest.raises(ValueError, match='has version 0, this program reads 2'):
        load_adapter(folder, glee)


def test_a_fingerprint_is_of_names_and_values():
    one, other = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    other.load_state_dict(one.state_dict())
    assert weights_fingerprint(one) == weights_fingerprint(other)
    other.bias.data[1] += 1e-6
    assert weights_fingerprint(one) != weights_fingerprint(other)
    assert weights_fingerprint(torch.nn.Sequential(one)) != weights_fingerprint(one)


def test_objects_are_those_of_the_detector(glee):
    found = ObjectEncoder.of_model(glee, ('star', 'ring'), 6)(PICTURE)
    assert len(found.queries) == 6 and found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)
    assert found.shape == (40, 64) and tuple(found.pixels.shape[1:]) == (40, 64)  # 160 x 256 px, a quarter
    with torch.no_grad():
        from mmdet.structures import DetDataSample
        resized = ObjectEncoder.of_model(glee).geometry(PICTURE)
        sample = DetDataSample(metainfo=dict(text=('star', 'ring'), text_mode='category', ori_shape=(40, 64),
                                             img_path=None, img_shape=resized.shape))
        data = glee.data_preprocessor(dict(inputs=[resized.inputs], data_samples=[sample]), False)
        result = glee.predict(data['inputs'], data['data_samples'])[0].pred_instances
    height, width = resized.shape
    assert (height, width) == (160, 256)
    best = result.scores.argmax()
    assert float(found.scores[0]) == pytest.approx(float(glee.panoptic_head.predict(
        glee.extract_feat(data['inputs']), data['data_samples'])[0][0].scores[0]), abs=1e-5)
    cx, cy, w, h = (found.boxes[0] * torch.tensor([64, 40, 64, 40])).tolist()
    assert best is not None and any(torch.allclose(
        box, torch.tensor([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]), atol=0.5) for box in result.bboxes)
