"""The offline tokenizer gives OpenAI CLIP's ids."""
import json
import subprocess
import sys

import numpy as np
import pytest
from paths import GOLDEN, ROOT

from projects.glee.models.language_models import clip_tokenizer
from projects.glee.models.language_models.clip_tokenizer import build_clip_tokenizer


@pytest.mark.parametrize('case, key', [('text_case1', 'names'), ('text_case3', 'expressions')])
def test_ids_equal_those_of_the_original(case, key):
    golden = np.load(GOLDEN / f'{case}.npz')
    texts = json.loads(golden['meta'].tobytes())[key]
    batch = build_clip_tokenizer()(texts, padding='max_length', max_length=77)
    np.testing.assert_array_equal(batch['input_ids'], golden['input_ids'])
    np.testing.assert_array_equal(batch['attention_mask'], golden['attention_mask'])


def test_known_sentence_and_padding():
    batch = build_clip_tokenizer()(['a photo of a cat', 'a photo of a cat a'], padding=True)
    assert batch['input_ids'][0] == [49406, 320, 1125, 539, 320, 2368, 49407, 49407]
    assert batch['attention_mask'][0] == [1] * 7 + [0]


def test_long_text_keeps_its_end_token():
    ids = build_clip_tokenizer()('cat ' * 200, truncation=True, max_length=77)['input_ids']
    assert ids == [49406] + [2368] * 75 + [49407]


def test_local_folder_gives_the_same_ids(tmp_path):
    build_clip_tokenizer().save_pretrained(tmp_path)
    local = build_clip_tokenizer(str(tmp_path))
    text = "Two dogs' balls, 12 cm"
    assert local(text)['input_ids'] == build_clip_tokenizer()(text)['input_ids']
    assert local.pad_token_id == 49407


def test_missing_files_say_what_to_do(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match='merges.txt'):
        build_clip_tokenizer(str(tmp_path))
    monkeypatch.setattr(clip_tokenizer, 'BPE_FILE', 'no_such_file.gz')
    with pytest.raises(FileNotFoundError, match='pip install --no-deps open_clip_torch'):
        build_clip_tokenizer.__wrapped__()


def test_neither_open_clip_nor_torchvision_is_imported():
    code = ('import sys; from projects.glee.models.language_models.clip_tokenizer import build_clip_tokenizer; '
            'build_clip_tokenizer(); '
            'assert not {"open_clip", "torchvision"} & set(sys.modules)')
    subprocess.run([sys.executable, '-c', code], check=True, cwd=ROOT)
