"""A page about the requests of a service, made from its OpenAPI description; it loads nothing from elsewhere."""
from html import escape
from typing import Iterator

STYLE = ('body {font: 16px system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem} '
         'code {background: #eef; padding: 0 .3em} table {border-collapse: collapse; margin: .5rem 0 1.5rem} '
         'td {padding: .2rem .8rem .2rem 0; vertical-align: top}')


def api_page(schema: dict) -> str:
    """HTML with a paragraph per request: what it does, and a row per field it takes."""
    parts = [f'<!doctype html><meta charset="utf-8"><title>{escape(schema["info"]["title"])}</title>'
             f'<style>{STYLE}</style><h1>{escape(schema["info"]["title"])}</h1>'
             f'<p>{escape(schema["info"].get("description", ""))}</p>'
             '<p>For programs: <a href="openapi.json">openapi.json</a>.</p>']
    for path, methods in schema['paths'].items():
        for method, about in methods.items():
            rows = ''.join(f'<tr><td><code>{escape(name)}</code><td>{escape(kind)}<td>{escape(text)}'
                           for name, kind, text in _fields(about, schema))
            parts.append(f'<h3><code>{method.upper()} {escape(path)}</code></h3>'
                         f'<p>{escape(about.get("description", ""))}</p><table>{rows}</table>')
    return ''.join(parts)


def _fields(about: dict, schema: dict) -> Iterator[tuple[str, str, str]]:
    """(name, kind, description) of what is in the path and in the body."""
    for found in about.get('parameters', ()):
        yield found['name'], f'in the {found["in"]}', found.get('description', '')
    for form, content in about.get('requestBody', {}).get('content', {}).items():
        body = content['schema']
        if 'allOf' in body:
            body = body['allOf'][0]
        if '$ref' in body:
            body = schema['components']['schemas'][body['$ref'].rsplit('/', 1)[-1]]
        for name, value in body['properties'].items():
            kind = 'JSON' if form.endswith('json') else 'form field'
            yield name, f'{kind}{", needed" if name in body.get("required", ()) else ""}', value.get('description', '')
