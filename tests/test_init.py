"""The package's own functions are those of `Rag`, on a corpus that is opened when one is called."""

import inspect
import subprocess
import sys

import pytest

import rag
from rag.engine import Rag


@pytest.mark.parametrize("name", ["ask", "aask", "stream", "search", "ingest", "as_runnable"])
def test_a_function_has_the_signature_and_the_help_of_its_method(name: str) -> None:
    function, method = getattr(rag, name), getattr(Rag, name)
    _, *parameters = inspect.signature(method).parameters.values()
    assert list(inspect.signature(function).parameters.values()) == parameters
    assert function.__doc__ == method.__doc__
    assert inspect.iscoroutinefunction(function) == inspect.iscoroutinefunction(method)


def test_every_public_name_is_there_and_no_other() -> None:
    assert all(getattr(rag, name) for name in rag.__all__)
    assert set(rag.__all__) <= set(dir(rag))
    with pytest.raises(AttributeError, match="'nothing'"):
        getattr(rag, "nothing")  # noqa: B009


def test_importing_the_package_loads_no_engine() -> None:
    code = "import rag, sys; sys.exit('rag.engine' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_name_is_read_from_the_environment_at_the_first_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from rag.errors import SettingsError

    ask = rag.ask
    monkeypatch.setenv("RAG_PORT", "nonsense")
    with pytest.raises(SettingsError):
        ask("What?")
