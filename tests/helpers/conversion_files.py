"""Tiny files and masks for the tests of conversions."""
import json
import pickle

import numpy as np
from PIL import Image


def read(path):
    return json.loads(path.read_text())


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def picture(path, width, height):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (width, height)).save(path)


def rectangle(x, y, width, height, shape=(20, 30)):
    mask = np.zeros(shape, bool)
    mask[y:y + height, x:x + width] = True
    return mask


def refer_files(folder):
    """refs(unc).p and instances.json with the keys of the released ones; the pickle as Python 2 wrote it."""
    def ref(number, ann_id, split, *sentences):
        return {'sent_ids': list(range(number, number + len(sentences))), 'ann_id': ann_id, 'ref_id': number,
                'file_name': f'COCO_train2014_000000581857_{ann_id}.jpg', 'image_id': 581857 if ann_id < 30 else 98304,
                'split': split, 'category_id': 1,
                'sentences': [{'tokens': text.lower().split(), 'raw': text, 'sent_id': number + k, 'sent': text.lower()}
                              for k, text in enumerate(sentences)]}
    refs = [ref(0, 16, 'train', 'THE LADY WITH THE BLUE SHIRT', 'lady w back to us'), ref(3, 30, 'testA', 'Man'),
            ref(5, 17, 'val', 'left one'), ref(7, 99, 'val', 'nobody'), ref(8, 18, 'train', '  ')]
    folder.mkdir(parents=True)
    (folder / 'refs(unc).p').write_bytes(pickle.dumps(refs, protocol=2))
    images = [{'license': 1, 'file_name': f'COCO_train2014_{number:012d}.jpg', 'coco_url': '', 'height': 30,
               'width': 40, 'date_captured': '2013-11-17 02:42:27', 'flickr_url': '', 'id': number}
              for number in (581857, 98304)]
    annotations = [{'segmentation': [[x, 2, x + 8, 2, x + 8, 12, x, 12]], 'area': 80.0, 'iscrowd': 0,
                    'image_id': 98304 if ann_id == 30 else 581857, 'bbox': [x, 2, 8, 10], 'category_id': 1,
                    'id': ann_id} for ann_id, x in ((16, 5), (17, 20), (18, 25), (30, 1))]
    write(folder / 'instances.json', {'info': {}, 'images': images, 'licenses': [], 'annotations': annotations,
                                      'categories': [{'supercategory': 'person', 'id': 1, 'name': 'person'}]})
    return folder / 'refs(unc).p', folder / 'instances.json'
