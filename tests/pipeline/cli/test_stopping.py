"""A Ctrl-C at any moment of a command is an end in one word."""

import signal
import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["typer.core", "pipeline.runtime.output"])
def test_a_ctrl_c_while_modules_are_imported_prints_no_traceback(module: str) -> None:
    code = "from pipeline.cli import main; main()"
    # Python itself says what it imports.
    command = [sys.executable, "-X", "importtime", "-c", code, "doctor", "--json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(line.endswith(f" {module}\n") for line in process.stderr)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert "Traceback" not in rest
    assert "KeyboardInterrupt" not in rest
    assert process.returncode == 128 + signal.SIGINT
