"""The documents of the repository, and what is in them."""

import re
import shlex
from pathlib import Path

from sybil import Sybil
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

REPOSITORY = Path(__file__).parents[1]
SOURCE = REPOSITORY / "src" / "googlenet"
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
MANUALS = [path for path in DOCUMENTS if path.name != "CHANGELOG.md"]  # which tells of what was, too
NOT_COMMANDS = ("python", "text", "json", "yaml", "toml", "csv")  # languages of blocks that nobody types into a shell


def named(path):
    return path.relative_to(REPOSITORY).as_posix()


def sentences(path):
    """The text of a document without its blocks."""
    return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def blocks(path):
    """``(language, text)`` of the blocks of a document."""
    fenced = FencedCodeBlockLexer(language=r".*", mapping={"language": "language", "source": "source"})
    document = Sybil([fenced]).parse(path)
    return [(region.lexemes["language"].strip(), str(region.lexemes["source"])) for _, region in document.regions]


def commands(path):
    """The commands of a document's blocks, one by one, as words."""
    lines = [
        line
        for language, text in blocks(path)
        if language not in NOT_COMMANDS
        for line in text.replace("\\\n", " ").splitlines()
    ]
    return [words for line in lines if (words := words_of(line))]


def words_of(line):
    """Of a command, without its comment and where its output goes."""
    words = shlex.split(line, comments=True)
    return words[: words.index(">")] if ">" in words else words
