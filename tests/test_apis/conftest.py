"""A mini model and a session of it for all tests of sessions."""
from sessions import glee, session  # noqa: F401
