"""Every error that users meet, as one short tree.

A message is one line that names the value and the next step. Anything that is
not a RagError is a fault of ours and keeps its traceback.
"""


class RagError(Exception):
    """The base of all; catch it to catch every expected failure."""


class SettingsError(RagError):
    """A setting has a value that cannot be used."""


class InputError(RagError):
    """A question, filter or path that cannot be worked with."""


class ReadError(RagError):
    """One file of a corpus cannot be read; the others can."""


class StoreError(RagError):
    """The store is missing, broken, or made by another model or format."""


class StoreLockedError(StoreError):
    """Another process is writing the store."""


class ModelError(RagError):
    """A chat or embedding model cannot be reached, loaded or understood."""
