"""The command line, run in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from verify.cli import main


@dataclass(frozen=True)
class CommandLine:
    """What `gluntk` does with arguments."""

    capsys: pytest.CaptureFixture[str]

    def ask(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        return int(stop.value.code or 0), *self.capsys.readouterr()

    def told(self, *arguments: str) -> str:
        """What it says where all is well."""
        code, out, err = self.ask(*arguments)
        assert (code, err) == (0, "")
        return out

    def asked(self, *arguments: str) -> dict[str, Any]:
        """The same as JSON."""
        found: dict[str, Any] = json.loads(self.told(*arguments, "--format", "json"))
        return found


@pytest.fixture
def gluntk(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(capsys)
