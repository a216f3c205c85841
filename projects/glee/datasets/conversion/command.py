"""What the command lines of the conversions share."""
import sys

from rich.progress import track


def run_conversion(convert, out, *args, **kwargs) -> None:
    """Runs a conversion with a progress bar and says what was left out.

    Args:
        convert (Callable): returns reason -> number, `Skipped` or a dict.
        out (str): the file that it writes, for the message.
        args, kwargs: of `convert`.
    """
    try:
        skipped = convert(*args, **kwargs)
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f'{sys.argv[0]}: {error}')
    print(f'{out}: written')
    first = getattr(skipped, 'first', {})
    for reason, count in sorted(skipped.items()):
        if count:
            print(f'  {reason}: {count}' + (f' (first: {first[reason]})' if first.get(reason) else ''))
    for reason, (count, where) in sorted(getattr(skipped, 'notes', {}).items()):
        print(f'  {reason}: {count} (first: {where})')


def show_progress(iterable, description: str, total: int = None):
    """A progress bar; without a total it only moves."""
    return track(iterable, description, total)
