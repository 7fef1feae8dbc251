"""``googlenet serve``: parsing only; what is heavy is imported by who needs it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from ....errors import InputError
from ..usage import check_local

commands = typer.Typer()


@commands.command()
def serve(
    runs: Annotated[
        list[str],
        typer.Argument(help="Run folders, weights files, catalogue names or exported models; NAME=RUN to name one."),
    ],
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 is every one of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 is any that is free.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes; one uses every core for computing.")] = 1,
    max_body: Annotated[float, typer.Option(min=0.001, max=1024, help="Megabytes of a request.")] = 32,
    max_queue: Annotated[int, typer.Option(min=1, max=1_000_000, help="Examples that may wait, for each model.")] = 256,
    timeout: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds that a request may take.")] = 30,
    token_file: Annotated[
        Path | None, typer.Option(help="A file with the token that requests must bring.", show_default=False)
    ] = None,
    cors: Annotated[
        str, typer.Option(metavar="ORIGIN", help="Address of pages elsewhere that may ask.", show_default=False)
    ] = "",
) -> None:
    """Serve runs over HTTP: the Open Inference Protocol for programs, /predict, /explain and a page for people.

    SIGTERM and Ctrl-C end it without losing a request; SIGHUP loads the runs and the token anew while the old
    ones answer.

    Example: googlenet serve runs/demo
    """
    try:
        from ...server.models import Source, check_names
        from ...server.process.serve import serve as run
        from ...server.process.settings import Settings, read_token
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn", "prometheus_client", "h11"):
            raise
        raise InputError(f"{error.name} is not installed: pip install 'googlenet[serve]'.") from None
    from ..output.screen import beside

    check_local(runs)
    if cors and not re.fullmatch(r"https?://[^/\s,]+", cors):
        raise InputError(f"--cors is one origin, such as https://example.org, and not {cors!r}.")
    sources = [Source.of(word) for word in runs]
    check_names(sources)
    read_token(token_file)
    settings = Settings(sources, host, port, workers, int(max_body * 2**20), max_queue, timeout, token_file, cors)
    code = run(settings, beside)
    if code:
        raise typer.Exit(code)
