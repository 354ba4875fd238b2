"""A corpus in four languages, with the engine that searches it."""

import unicodedata
from collections.abc import Iterator

import pytest

from rag.engine import Rag
from rag.settings import Settings

TEXTS = {
    "ferry.txt": "Prom pływa od 1994 roku.\r\n\r\nW ubiegłym roku przewiózł 12 400 osób. "
    "Bilet kosztuje 3 euro.",
    "bridge.txt": "Köprü 1987 yılında açıldı.\n\nKöprünün yapımı dokuz yıl sürdü. "
    "İnşaatta 310 işçi çalıştı.",
    "tower.txt": unicodedata.normalize(
        "NFD", "הַמִּגְדָּל נִבְנָה בִּשְׁנַת 1931. גובהו 54 מטרים, ובראשו פעמון."
    ),
    "museum.txt": "افتُتح المتحف عام ١٩٦٢. زاره في العام الماضي ٨٧ ألف شخص.",
}


@pytest.fixture(scope="package")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("reading")
    (folder / "corpus").mkdir()
    for name, text in TEXTS.items():
        (folder / "corpus" / name).write_bytes(text.encode())
    settings = Settings.read(model="none", corpus=folder / "corpus", store=folder / "store")
    with Rag(settings) as engine:
        engine.ingest()
    return settings


@pytest.fixture(scope="package")
def engine(settings: Settings) -> Iterator[Rag]:
    with Rag(settings) as engine:
        yield engine
