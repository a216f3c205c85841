"""Extract the text transformer of CLIP ViT-B/32 for `text_encoder.checkpoint`, or write it back.

The source is a local Hugging Face folder (model.safetensors or pytorch_model.bin) or one such file,
of the whole CLIP or of its text model. With --reverse it is a GLEE checkpoint or an extracted file.

Examples:
    python tools/model_converters/clip_text.py clip-vit-base-patch32/ clip_text.safetensors
    python tools/model_converters/clip_text.py glee_lite.pth text_model.safetensors --reverse
"""
from projects.glee.engine.checkpoints.clip_keys import clip_text_table, normalize_clip_names, text_transformer_of
from projects.glee.engine.checkpoints.converter_cli import convert_file, converter_parser


def main() -> None:
    args = converter_parser(__doc__).parse_args()
    table = clip_text_table()
    if args.reverse:
        convert_file(args, lambda weights: table.to_theirs(text_transformer_of(weights)))
    else:
        convert_file(args, lambda weights: table.to_ours(normalize_clip_names(weights)))


if __name__ == '__main__':
    main()
