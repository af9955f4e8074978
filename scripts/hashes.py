"""Write template/engine/HASHES, the list by which a project says whether its engine is as released."""

from __future__ import annotations

from pathlib import Path

from acceleray_cli.hashes import LIST, listing
from render import ROOT

ENGINE = ROOT / "template/engine"


def write(engine: Path = ENGINE) -> None:
    """Write the list of an engine into its folder."""
    (engine / LIST).write_text(listing(engine), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
