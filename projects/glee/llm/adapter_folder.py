"""What was trained on top of a released language model and a GLEE, as a folder.

``settings.json`` says which; ``heads.safetensors`` holds all parts of ours; ``adapter_model.safetensors`` and
``adapter_config.json`` LoRA as peft writes it; ``tokenizer.json`` and what transformers writes beside it the tokenizer
with the new tokens; ``language_model.safetensors`` a model that has no released weights.
"""
import copy
import json
from pathlib import Path
from typing import Optional, Union

import torch
from mmdet.registry import MODELS
from safetensors.torch import load_file, save_file

from .object_encoder import ObjectEncoder
from .reasoning_segmentor import ReasoningSegmentor

VERSION = 2  # of the template of a dialogue and of these files
_OWN = 'reader.language_model.'


def save_adapter(model: ReasoningSegmentor, folder: Union[str, Path], settings: dict) -> Path:
    """Write a trained model.

    Args:
        model (ReasoningSegmentor): the model.
        folder: made if it is missing; files of another adapter in it are replaced.
        settings (dict): the ``model`` of its config.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    kept = {key: value for key, value in settings.items() if key not in ('type', 'data_preprocessor', 'init_cfg')}
    kept['glee'] = dict(prompt=model.glee.prompt, max_objects=model.glee.max_objects)
    content = dict(version=VERSION, type=settings['type'], model=kept, glee_config=model.glee.config,
                   glee_fingerprint=model.glee.fingerprint)
    (folder / 'settings.json').write_text(json.dumps(content, indent=2))
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file({name: value for name, value in state.items() if not name.startswith(_OWN)}, folder / 'heads.safetensors')
    model.language_model.tokenizer.save_pretrained(folder)
    if model.language_model.uses_lora:
        model.language_model.model.save_pretrained(folder)
    if model.language_model.path is None or not model.language_model.uses_lora:
        save_file({name.removeprefix(_OWN): value.clone() for name, value in state.items() if name.startswith(_OWN)},
                  folder / 'language_model.safetensors')
    return folder


def merge_adapter(model: ReasoningSegmentor, folder: Union[str, Path]) -> Path:
    """Write the language model alone, LoRA and new rows in its weights, as transformers saves it; ``path=`` takes it.

    Args:
        model (ReasoningSegmentor): with LoRA; it stays as it is, so the weights are in memory twice meanwhile.
        folder: made if it is missing.

    Raises:
        ValueError: there is no LoRA to merge.
    """
    if not model.language_model.uses_lora:
        raise ValueError('merge_adapter: this language model has no LoRA, save_adapter holds all of it')
    merged = copy.deepcopy(model.language_model.model).merge_and_unload()
    merged.save_pretrained(folder)
    model.language_model.tokenizer.save_pretrained(folder)
    return Path(folder)


def load_adapter(folder: Union[str, Path], glee, language_model: Optional[str] = None,
                 device: Union[str, torch.device] = 'cpu') -> ReasoningSegmentor:
    """A trained model over the GLEE that it was trained over.

    Args:
        folder: that ``save_adapter`` wrote.
        glee: the detector, as ``init_model`` gives it.
        language_model (str | None): folder of the released language model, where it is not where it was.
        device: where the model goes.

    Raises:
        FileNotFoundError: there is no such folder, or it is none of an adapter.
        ValueError: it was trained over other weights of GLEE, whose features mean something else, or with a tokenizer
            whose ids mean other words.
    """
    folder = Path(folder)
    if not (folder / 'settings.json').is_file():
        raise FileNotFoundError(f'{folder}/settings.json: not there; a language model for GLEE is a folder that '
                                'training wrote (work_dirs/.../adapter)')
    content = json.loads((folder / 'settings.json').read_text())
    if content['version'] != VERSION:
        raise ValueError(f'{folder} has version {content["version"]}, this program reads {VERSION}: train it again')
    settings = dict(content['model'])
    encoder = ObjectEncoder.of_model(glee, **settings['glee'])
    if encoder.fingerprint != content['glee_fingerprint']:
        raise ValueError(f'{folder} was trained over another GLEE ({content["glee_config"]}, weights '
                         f'{content["glee_fingerprint"][:12]}) than this one ({encoder.fingerprint[:12]}): load '
                         'those weights, or train it again over these')
    if language_model is not None:
        settings['language_model'] = dict(settings['language_model'], path=str(language_model))
    model = MODELS.build(dict(settings, type=content['type'], glee=encoder))
    _check_tokenizer(model.language_model, folder)
    state = load_file(folder / 'heads.safetensors')
    if (folder / 'language_model.safetensors').is_file():
        own = load_file(folder / 'language_model.safetensors')
        state.update({f'{_OWN}{name}': value for name, value in own.items()})
    if (folder / 'adapter_model.safetensors').is_file():
        from peft import set_peft_model_state_dict
        set_peft_model_state_dict(model.language_model.model, load_file(folder / 'adapter_model.safetensors'))
    missing = model.load_state_dict(state, strict=False)
    wanted = [name for name in missing.missing_keys if not name.startswith(_OWN)]
    if wanted or missing.unexpected_keys:
        raise ValueError(f'{folder} does not fit: missing {wanted[:3]}, unknown {missing.unexpected_keys[:3]}')
    return model.to(device).eval()


def _check_tokenizer(language_model, folder: Path) -> None:
    from transformers import AutoTokenizer
    trained = AutoTokenizer.from_pretrained(folder, local_files_only=True).get_vocab()
    own = language_model.tokenizer.get_vocab()
    other = [token for token, number in trained.items() if own.get(token) != number]
    if other:
        raise ValueError(f'{folder} was trained with another tokenizer than that of '
                         f'{language_model.path or "its words"}: {other[0]!r} is {trained[other[0]]} there and '
                         f'{own.get(other[0])} here; give the language model that it was trained over')
