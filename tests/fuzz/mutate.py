"""Changes to files that leave their outer form whole, so that what is inside reaches the readers behind it.

Each is a function of the content, a :class:`random.Random` and ``flat``, which changes bytes as libFuzzer does, knowing
what the code compares them with. It gives the changed content, or raises whatever it likes on a content that has
another form; the bytes are changed flatly then.
"""

import gzip
import io
import json
import re
import struct
import zipfile
import zlib

NUMBERS = (0, 1, -1, 2, 7, 255, 1 << 16, (1 << 31) - 1, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, 10**15, -(10**15))
CELLS = (
    *(b"", b" ", b"nan", b"NA", b"inf", b"-inf", b"1e999", b"-0", b"0x10", b"1_0", b"1,5", b"1.5.2", b"+", b"-", b"%"),
    *(b"9" * 400, b"1" * 5000, b"a" * 3000, b"1e" + b"9" * 30, b"0." + b"0" * 400, b"\0", b"\x1b[31m", b"\xff", b'"'),
    *(b"=1+1", b"'", b"a: b", b"2020-13-45 99:99", b"2020-01-01T00:00:00Z", b"12:61:00", b"\xef\xbb\xbf", b"\xc2\xa0"),
    *("１２３".encode(), "٣".encode(), "\u2028".encode(), "\u202e".encode(), b"label", b"class", b"time", b"id", b"t1"),
    *(b"../../x", b"file:///x", b"a**.png", b"~nosuchuser", b"C:x", b"Hz", b"1 kHz", b"train", b"@data", b"#", b"?"),
)
VALUES = (
    *(None, True, False, 0.5, -0.5, 1e308, float("nan"), float("inf"), "", "a", "\0", "\x1b[2J", "\ud800", "x" * 3000),
    *([], {}, [[]], [None], {"": None}, 10**400, -(10**400), [1] * 3000, *NUMBERS),
)


# ----------------------------------------------------------------- text
def table(content, draws, flat):
    """Rows and cells of a text table, whatever separates them."""
    lines = content.split(b"\n")
    for _ in range(draws.choice((1, 1, 1, 2, 4))):
        at = draws.randrange(len(lines))
        mark = draws.choice([mark for mark in (b",", b";", b"\t", b":", b" ", b"|") if mark in lines[at]] or [b","])
        cells = lines[at].split(mark)
        cell, other = draws.randrange(len(cells)), draws.randrange(len(cells))
        match draws.randrange(12):
            case 0:
                lines.insert(at, lines[draws.randrange(len(lines))])
            case 1:
                del lines[at : at + draws.choice((1, 1, 3))]
                lines = lines or [b""]
                continue
            case 2:
                cells[cell], cells[other] = cells[other], cells[cell]
            case 3:
                cells.insert(cell, draws.choice(CELLS))
            case 4:
                del cells[cell]
            case 5:
                cells *= draws.choice((2, 2, 10, 100))
            case 6:
                cells[cell] = flat(cells[cell])[:4000]
            case 7:
                cells[cell] = b'"' + cells[cell] + draws.choice((b'"', b'""', b"")) + cells[other]
            case 8:
                new = draws.choice((b",", b";", b"\t", b" ", b"|", b"\r", b", "))
                lines = [line.replace(mark, new) for line in lines]
                continue
            case 9:
                lines = [mark.join(_with(line.split(mark), cell, draws.choice(CELLS))) for line in lines]
                continue
            case 10:
                lines = lines * draws.choice((2, 2, 8))
                continue
            case _:
                cells[cell] = draws.choice(CELLS)
        if at < len(lines):
            lines[at] = mark.join(cells)
    return b"\n".join(lines)


def _with(cells, at, cell):
    return [cell if number == at else old for number, old in enumerate(cells)]


def json_text(content, draws, flat):
    """Values of JSON, and of JSON that lies in a text of it; of lines of it, of one line."""
    if b"\n{" in content.strip():
        lines = content.strip().split(b"\n")
        at = draws.randrange(len(lines))
        lines[at] = json_text(lines[at], draws, flat)
        return b"\n".join(lines)
    if draws.random() < 0.02:
        return draws.choice((b"[", b'{"a":')) * 50_000
    return _json(_changed(json.loads(content), draws))


def _json(value):
    return json.dumps(value, ensure_ascii=True).encode()


def _changed(value, draws):
    """A value of JSON with something in it changed."""
    inside = isinstance(value, (dict, list)) and len(value) and draws.random() < 0.9
    if isinstance(value, str) and value[:1] in ("{", "[") and draws.random() < 0.9:
        return _json(_changed(json.loads(value), draws)).decode()
    if not inside:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and draws.random() < 0.5:
            return draws.choice((*NUMBERS, value + 1, value * 1000, -value, str(value)))
        if isinstance(value, str) and draws.random() < 0.3:
            return value + draws.choice(("x", "1", "\0", "\n", "0" * 500))
        return draws.choice(VALUES)
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key, other = draws.choice(keys), draws.choice(keys)
    value = value.copy()
    match draws.randrange(10):
        case 0:
            del value[key]
        case 1 if isinstance(value, list):
            value = value * draws.choice((2, 50))
        case 1:
            value[draws.choice(("", "new", "type", "x" * 500))] = value[other]
        case 2:
            value[key] = value[other]
        case _:
            value[key] = _changed(value[key], draws)
    return value


def xml(content, draws, flat):
    """Attributes and elements of XML, by their looks."""
    parts = re.split(rb"(\"[^\"]*\"|<[^>]*>)", content)
    at, other = draws.randrange(len(parts)), draws.randrange(len(parts))
    quoted = [number for number, part in enumerate(parts) if part[:1] == b'"'] or [at]
    match draws.randrange(6):
        case 0:
            parts.insert(at, parts[other])
        case 1:
            del parts[at]
        case 2:
            parts[at], parts[other] = parts[other], parts[at]
        case 3:
            tags = re.findall(rb"\"[^\"]*\"", content) or [b'""']
            return content.replace(draws.choice(tags), b'"%d"' % draws.choice(NUMBERS), draws.choice((1, -1)))
        case _:
            at = draws.choice(quoted)
            parts[at] = b'"' + draws.choice((b"%d" % draws.choice(NUMBERS), draws.choice(CELLS))) + b'"'
    return b"".join(parts)


# ----------------------------------------------------------------- packed files
def gzipped(inner):
    """The mutator of what a gzip file holds."""

    def mutate(content, draws, flat):
        plain = gzip.decompress(content)
        plain = inner(plain, draws, flat) if inner and draws.random() < 0.9 else flat(plain)
        return gzip.compress(plain, 1, mtime=0)

    return mutate


def archive(content, draws, flat):
    """A member of a zip file, by its own form, or which members there are."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = [(info.filename, file.read(info)) for info in file.infolist()]
    at = draws.randrange(len(members))
    name, inside = members[at]
    kinds = {".npy": npy, ".xml": xml, ".rels": xml, ".json": json_text, ".pkl": pickle}
    inner = kinds.get(name[name.rfind(".") :])
    match draws.randrange(10):
        case 0:
            del members[at]
        case 1:
            members.append((draws.choice(("../x", "/x", name, name.upper(), "y.npy", "\0", "a" * 300)), inside))
        case 2:
            members[at] = (members[draws.randrange(len(members))][0], inside)
        case _:
            members[at] = (name, inner(inside, draws, flat) if inner and draws.random() < 0.8 else flat(inside))
    how = draws.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", how) as file:
        for name, inside in members:
            file.writestr(zipfile.ZipInfo(name), inside, how)
    return whole.getvalue()


def npy(content, draws, flat):
    """The header of an array, whose length is kept right."""
    start = 10 if content[6] == 1 else 12
    size = int.from_bytes(content[8:start], "little")
    header, numbers = content[start : start + size], content[start + size :]
    kinds = (b"<f8", b">f4", b"|b1", b"<U4", b"|S3", b"<M8[s]", b"<c16", b"|O", b"<f2", b"|V8", b"<U99999999", b"<i8")
    match draws.randrange(6):
        case 0:
            header = re.sub(rb"'[<>|=][^']*'", b"'" + draws.choice(kinds) + b"'", header)
        case 1:
            axes = ", ".join(str(draws.choice((1, 2, 3, *NUMBERS))) for _ in range(draws.choice((1, 2, 3, 5, 40))))
            header = re.sub(rb"\([^)]*\)", f"({axes},)".encode(), header)
        case 2:
            header = flat(header)
        case 3:
            header = header.replace(b"False", b"True")
        case _:
            numbers = flat(numbers)
    return content[:8] + len(header).to_bytes(start - 8, "little") + header + numbers


def pickle(content, draws, flat):
    """Short texts and numbers in a pickle, whose places stay as they are."""
    spots = [match.span() for match in re.finditer(rb"[\w.]{3,}", content)]
    start, stop = draws.choice(spots)
    words = (b"posix\nsystem", b"builtins\neval", b"torch\nload", b"torch\nFloatStorage", b"torch\nTensor", b"x")
    number = draws.choice(NUMBERS) & 0xFFFFFFFF
    match draws.randrange(4):
        case 0:
            return content[:start] + draws.choice(words).ljust(stop - start)[: stop - start] + content[stop:]
        case 1:
            at = draws.randrange(len(content))
            return content[:at] + b"J" + struct.pack("<I", number) + content[at:]
        case 2:
            places = [found.start() for found in re.finditer(rb"[KMJ]", content)] or [0]
            at = draws.choice(places)
            return content[:at] + b"J" + struct.pack("<I", number) + content[at + {75: 2, 77: 3}.get(content[at], 5) :]
        case _:
            return flat(content)


# ----------------------------------------------------------------- binary files
def safetensors(content, draws, flat):
    """The table at the beginning, or what is said in it; its length is kept right."""
    size = int.from_bytes(content[:8], "little")
    header, numbers = content[8 : 8 + size], content[8 + size :]
    if draws.random() < 0.15:
        numbers = flat(numbers)
    elif draws.random() < 0.1:
        header = flat(header)
    else:
        row = json.loads(header)
        if "__metadata__" in row and draws.random() < 0.7:
            row["__metadata__"] = _changed(row["__metadata__"], draws)
        else:
            row = _changed(row, draws)
        header = _json(row)
    return len(header).to_bytes(8, "little") + header + numbers


def png(content, draws, flat):
    """A chunk of a PNG, with its checksum; pixels are packed again."""
    chunks, at = [], 8
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        chunks.append([content[at + 4 : at + 8], content[at + 8 : at + 8 + size]])
        at += size + 12
    one = draws.choice(chunks)
    kinds = (b"tRNS", b"PLTE", b"gAMA", b"eXIf", b"iTXt", b"zTXt", b"iCCP", b"acTL", b"fcTL", b"fdAT", b"IDAT", b"pHYs")
    match draws.randrange(6):
        case 0:
            chunks.insert(draws.randrange(len(chunks)), [draws.choice(kinds), flat(one[1])])
        case 1:
            chunks.remove(one)
        case 2 if chunks[0][0] == b"IHDR" and len(chunks[0][1]) == 13:
            width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
            width, height = (draws.choice((n, n, 1, 0, 40_000, 1 << 31)) for n in (width, height))
            depth, colour = draws.choice((1, 2, 4, 8, 16, depth)), draws.choice((0, 2, 3, 4, 6, colour))
            chunks[0][1] = struct.pack(">IIBBBBB", width, height, depth, colour, *rest)
        case 3 if one[0] == b"IDAT":
            one[1] = zlib.compress(flat(zlib.decompress(one[1])), 1)
        case _:
            one[1] = flat(one[1])
    return content[:8] + b"".join(
        struct.pack(">I", len(inside)) + kind + inside + struct.pack(">I", zlib.crc32(kind + inside))
        for kind, inside in chunks
    )


def edf(content, draws, flat):
    """A field of the header of an EDF or BDF file."""
    signals = min(int(content[252:256]), 64)
    places, at = [(8, 80), (88, 80), (168, 8), (176, 8), (184, 8), (192, 44), (236, 8), (244, 8), (252, 4)], 256
    for width in (16, 80, 8, 8, 8, 8, 8, 80, 8, 32):
        places += [(at + width * number, width) for number in range(signals)]
        at += width * signals
    start, width = draws.choice(places)
    words = (
        b"%d" % draws.choice(NUMBERS),
        draws.choice(CELLS),
        b"EDF Annotations",
        b"EDF+D",
        b"EDF+C",
        b"0.0001",
        b"-32768",
    )
    return content[:start] + draws.choice(words)[:width].ljust(width) + content[start + width :]


def protobuf(content, draws, flat):
    """A field of a protocol buffer, or of one in it."""
    fields = _fields(content)
    at = draws.randrange(len(fields))
    number, wire, value = fields[at]
    inner = wire == 2 and len(value) > 1 and draws.random() < 0.85
    if inner:
        try:
            fields[at] = (number, wire, protobuf(value, draws, flat))
            return _buffer(fields)
        except (ValueError, IndexError):
            pass
    match draws.randrange(7):
        case 0:
            fields *= draws.choice((2, 2, 20))
        case 1:
            fields.insert(draws.randrange(len(fields)), fields[at])
        case 2:
            del fields[at]
        case 3:
            fields[at] = (draws.choice((number, number + 1, 1, 8, 2**29 - 1)), wire, value)
        case 4 if wire == 2:
            fields[at] = (number, 2, draws.choice((b"", *CELLS, value * 2, value[: len(value) // 2])))
        case _ if wire == 2:
            fields[at] = (number, 2, flat(value))
        case _ if wire == 0:
            fields[at] = (number, 0, draws.choice((*NUMBERS, value + 1, value * 1000)) & (1 << 64) - 1)
        case _:
            fields[at] = (number, wire, flat(value)[: len(value)].ljust(len(value), b"\0"))
    return _buffer(fields)


def _fields(content):
    """Number, wire type and value of each field, of a content that is nothing else."""
    found, at = [], 0
    while at < len(content):
        tag, at = _varint(content, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(content, at)
        else:
            size = {1: 8, 5: 4}.get(wire)
            if wire == 2:
                size, at = _varint(content, at)
            if size is None or at + size > len(content) or not number:
                raise ValueError
            value, at = content[at : at + size], at + size
        found.append((number, wire, value))
    return found


def _varint(content, at):
    value = 0
    for shift in range(0, 70, 7):
        value |= (content[at] & 127) << shift
        at += 1
        if content[at - 1] < 128:
            return value, at
    raise ValueError


def _written(value):
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _buffer(fields):
    return b"".join(
        _written(number << 3 | wire)
        + (_written(value) if wire == 0 else _written(len(value)) + value if wire == 2 else value)
        for number, wire, value in fields
    )


def table_file(content, draws, flat):
    """A table of LevelDB's with another key or value in it, its blocks and checksums made anew."""
    from googlenet.weights.foreign.tensorflow.leveldb_table import entries_of

    rows = [(bytes(key), bytes(value)) for key, value in entries_of(memoryview(content))]
    at = draws.randrange(len(rows) or 1)
    rows = rows or [(b"", b"")]
    key, value = rows[at]
    match draws.randrange(8):
        case 0:
            rows.insert(at, (key + b"x", value))
        case 1:
            del rows[at]
        case 2:
            rows[at] = (draws.choice((b"", b"x" * 5000, flat(key), key[:-1])), value)
        case 3:
            rows[at] = (key, rows[draws.randrange(len(rows))][1])
        case _:
            try:
                rows[at] = (key, protobuf(value, draws, flat))
            except (ValueError, IndexError):
                rows[at] = (key, flat(value))
    return level_table(rows, draws.choice((1, 1, 1, 3)))


def level_table(rows, repeats=1):
    """A table of LevelDB's, in one block that its index names ``repeats`` times."""
    from googlenet.weights.foreign.tensorflow.crc32c import crc32c, masked
    from googlenet.weights.foreign.tensorflow.leveldb_table import MAGIC

    whole = b""

    def place(block):
        nonlocal whole
        at, whole = len(whole), whole + block + b"\0" + struct.pack("<I", masked(crc32c(block + b"\0")))
        return _written(at) + _written(len(block))

    def block(rows):
        body = b"".join(b"\0" + _written(len(key)) + _written(len(value)) + key + value for key, value in rows)
        return body + struct.pack("<II", 0, 1)

    data = place(block(rows))
    last = rows[-1][0] if rows else b""
    metadata = place(block([]))
    index = place(block([(last + b"~" * number, data) for number in range(1, repeats + 1)]))
    return whole + (metadata + index).ljust(40, b"\0") + MAGIC


def changed(kind, content, draws, flat):
    """A changed file of a kind; of its form mostly."""
    if kind.mutate is None or draws.random() < 0.2:
        return flat(content)
    try:
        for _ in range(draws.choice((1, 1, 2, 4))):
            content = kind.mutate(content, draws, flat)
    except Exception:
        return flat(content)
    return content
