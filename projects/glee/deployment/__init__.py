"""Files of a model for runtimes other than torch."""
from .export import ExportedFile, export_image_model, export_text_encoder, save_tokenizer

__all__ = ['ExportedFile', 'export_image_model', 'export_text_encoder', 'save_tokenizer']
