"""Each module of the measuring, drafting and model packages can be the first that a program imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

ALONE = """
import importlib, json, pkgutil, sys
import inference
names = [one.name for one in pkgutil.walk_packages(inference.__path__, "inference.")]
failed = {}
for name in names:
    for known in [known for known in sys.modules if known.split(".")[0] == "inference"]:
        del sys.modules[known]
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:  # an optional library that is not installed
        if str(error.name).split(".")[0] in ("inference", "reports", "viewer"):
            failed[name] = str(error)
    except ImportError as error:
        failed[name] = str(error)
print(json.dumps([len(names), failed]))
"""


def test_no_module_of_inference_needs_another_to_be_imported_first() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    count, failed = json.loads(done.stdout)
    assert count > 80
    assert failed == {}
