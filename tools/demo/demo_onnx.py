"""Find objects by names with the files of ``glee export``, without torch.

Needs numpy, pillow, onnxruntime and tokenizers. Names are free: none of them is in the files.

Example:
    python tools/demo/demo_onnx.py exported street.jpg --names person 'traffic light'
"""
import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter

import numpy as np
from PIL import Image


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def detect(folder, picture, names, score_thr=0.3, max_objects=100):
    """Best first (score, name, box xyxy in px, mask (H, W) bool) of a picture."""
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer
    model, text = (InferenceSession(f'{folder}/{name}.onnx') for name in ('names', 'text'))
    settings = json.loads(model.get_modelmeta().custom_metadata_map['glee'])
    tokenizer = Tokenizer.from_file(f'{folder}/tokenizer.json')
    tokenizer.enable_padding(pad_id=49407)
    read = tokenizer.encode_batch(list(names))
    valid = np.array([one.attention_mask for one in read], bool)
    tokens, embeds = text.run(None, dict(input_ids=np.array([one.ids for one in read]), valid=valid))

    picture = Image.open(picture).convert('RGB')
    short, long = settings['scale'] or (800, 1333)
    factor = min(short / min(picture.size), long / max(picture.size))
    width, height = (int(side * factor + 0.5) for side in picture.size)
    pixels = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
    pixels = (pixels - settings['mean']) / settings['std']
    padded = [-(-side // settings['divisor']) * settings['divisor'] for side in (height, width)]
    padded = [settings['side']] * 2 if settings.get('side') else padded
    image = np.zeros((1, 3, *padded), np.float32)
    image[0, :, :height, :width] = pixels.transpose(2, 0, 1)
    logits, boxes, masks = (value[0] for value in model.run(
        ['logits', 'boxes', 'masks'], dict(image=image, name_embeds=embeds, fusion_tokens=tokens[valid])))

    found = []
    for pair in np.argsort(-logits, axis=None)[:max_objects]:
        query, name = divmod(int(pair), len(names))
        full = Image.fromarray(masks[query]).resize(padded[::-1], Image.Resampling.BILINEAR)
        full = np.asarray(full.crop((0, 0, width, height)).resize(picture.size, Image.Resampling.BILINEAR))
        mask = full > 0
        score = float(sigmoid(logits[query, name]) * sigmoid(full[mask]).sum() / (mask.sum() + 1e-6))
        box = boxes[query] * np.array(padded[::-1] * 2) * np.array([picture.width / width, picture.height / height] * 2)
        if score >= score_thr:
            found.append((score, names[name], np.clip(box, 0, [*picture.size] * 2).tolist(), mask))
    return sorted(found, key=lambda one: -one[0])


if __name__ == '__main__':
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('folder', help='with names.onnx, text.onnx and tokenizer.json')
    parser.add_argument('picture')
    parser.add_argument('--names', nargs='+', required=True)
    args = parser.parse_args()
    for score, name, box, mask in detect(args.folder, args.picture, args.names):
        print(f'{score:.2f} {name} {[round(side) for side in box]}, {mask.sum()} px')
