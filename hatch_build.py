"""Builds the page of web/ into the package with esbuild, where npm is there; without it the package lacks nothing else.

The page is built for a wheel and for an editable install. ``googlenet page`` says how to build it later.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = Path("src/googlenet/apps/page/built/page.html")
CI = ("ci", "--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier")
SECONDS = 600  # that npm may take


class PageHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before a wheel is made of the tree; its files are ignored by git, and so they are named."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the page. What goes wrong is said and ends nothing."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        reason = built(root, () if version == "editable" else ("--omit=dev",))
        if reason:
            print(f"googlenet page will not work: {reason}", file=sys.stderr)
        folder = root / PAGE.parent
        if (root / PAGE).is_file() and version != "editable":
            build_data["artifacts"] += [f"/{path.relative_to(root).as_posix()}" for path in sorted(folder.iterdir())]


def built(root: Path, options: tuple[str, ...]) -> str:
    """Builds the page, if it can be.

    Args:
        root: Of the sources.
        options: Of npm, beside the usual ones.

    Returns:
        Why it was not built; empty if it was.
    """
    web = root / "web"
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "Node.js and npm are not installed, which build it"
    try:
        if not (web / "node_modules" / "esbuild").is_dir():
            subprocess.run([npm, *CI, *options], cwd=web, check=True, timeout=SECONDS, stdout=sys.stderr)
        subprocess.run([node, "build.mjs"], cwd=web, check=True, timeout=SECONDS, stdout=sys.stderr)
    except (OSError, subprocess.SubprocessError) as error:
        return f"npm or esbuild failed ({error})"
    return ""
