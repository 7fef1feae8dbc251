"""Pictures that a stranger made to exhaust whoever looks at them: seen or refused in a sentence, in bounded memory."""

import io
import struct
import zlib

import numpy as np
import pytest
from bounded import outcome
from PIL import Image

from googlenet import InputError
from googlenet.data.images.crops import crops_of
from googlenet.data.images.decode import decoded, open_picture, to_pixels
from googlenet.data.images.names import formats
from googlenet.data.images.preprocessing import ImagePreprocessing

SIDES = {1: 11_000, 4: 7_000}  # of the largest picture that is worth a try, by bytes a pixel


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(path, width, height, depth=8, colour=0, more=(), interlaced=0):
    """A PNG of zeros."""
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    packer = zlib.compressobj(1)
    row = bytes(1 + (width * bits + 7) // 8)
    body = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    palette = [chunk(b"PLTE", bytes(6))] if colour == 3 else []
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    parts = [chunk(b"IHDR", header), *palette, *more, chunk(b"IDAT", body), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def see(path, crops=1, channels=3):
    mean = (0.5,) * channels
    ImagePreprocessing(channels, 64, 64, mean, mean).read(path, crops)


TURNED = chunk(b"eXIf", b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0")
CLEAR = chunk(b"tRNS", b"\0")
FRAME = struct.pack(">IIIIIHHBB", 0, 6_000, 5_000, 0, 0, 1, 9, 2, 1)
PNGS = {
    "16 bits": {"depth": 16, "width": 10_000, "height": 9_990},
    "grey": {"width": 11_000, "height": 11_000},
    "grey with a clear level": {"width": 10_000, "height": 10_000, "more": [chunk(b"tRNS", b"\0\0")]},
    "grey with transparency": {"colour": 4, "width": 8_000, "height": 7_000},
    "RGBA": {"colour": 6, "width": 8_000, "height": 7_000},
    "palette": {"colour": 3, "width": 10_000, "height": 9_000},
    "clear palette": {"colour": 3, "more": [CLEAR], "width": 10_000, "height": 9_000},
    "one bit": {"depth": 1, "width": 11_000, "height": 11_000},
    "turned": {"colour": 2, "more": [TURNED], "width": 8_000, "height": 7_000},
    "turned 16 bits": {"depth": 16, "more": [TURNED], "width": 10_000, "height": 9_000},
    "deep RGBA": {"colour": 6, "depth": 16, "width": 7_000, "height": 7_000},
    "a line": {"colour": 3, "width": 90_000_000, "height": 1},
    "a column": {"depth": 16, "width": 1, "height": 20_000_000},
    "moving": {
        "colour": 6,
        "more": [chunk(b"acTL", bytes([0, 0, 0, 9, 0, 0, 0, 0])), chunk(b"fcTL", FRAME)],
        "width": 6_000,
        "height": 5_000,
    },
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("made", PNGS.values(), ids=PNGS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_small_file_of_many_pixels_is_seen_in_bounded_memory(tmp_path, made, channels):
    said = outcome(see, png(tmp_path / "x.png", **made), 1, channels)
    assert said == "" or "are decoded at most" in said


def test_sixteen_bits_of_a_hundred_million_pixels_are_seen(tmp_path):
    assert outcome(see, png(tmp_path / "x.png", **PNGS["16 bits"])) == ""


def test_transparent_pictures_may_have_fewer_pixels_unless_more_are_asked_for(tmp_path):
    path = png(tmp_path / "x.png", 9_000, 8_000, colour=6)
    assert "are decoded at most; if you trust it, allow more (--max-pixels)" in outcome(see, path)
    with decoded(path, max_pixels=73_000_000) as image:
        assert image.size == (9_000, 8_000)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "mode", "how"),
    [
        ("webp", "RGBA", {"lossless": True, "method": 0}),
        ("jp2", "RGB", {}),
        ("avif", "RGB", {"speed": 10}),
        ("jpg", "RGB", {"progressive": True, "subsampling": 0}),
        ("jpg", "CMYK", {}),
        ("gif", "L", {}),
        ("tif", "F", {"compression": "tiff_lzw"}),
        ("tif", "LAB", {"compression": "tiff_lzw"}),
        ("tif", "RGBA", {"compression": "tiff_lzw"}),
        ("qoi", "RGB", {}),
    ],
)
@pytest.mark.parametrize("side", [4_500, 7_500])
def test_every_format_is_seen_in_bounded_memory(tmp_path, end, mode, how, side):
    path = tmp_path / f"x.{end}"
    Image.new(mode, (side, side)).save(path, **how)
    said = outcome(see, path)
    assert said == "" or "are decoded at most" in said


@pytest.mark.parametrize("crops", [10, 144])
@pytest.mark.parametrize("size", [(1, 60_000), (60_000, 1), (3, 40_000)])
def test_a_strip_is_too_thin_for_several_crops(tmp_path, crops, size):
    path = tmp_path / "x.png"
    Image.new("L", size).save(path)
    assert "too long and thin for several crops" in outcome(see, path, crops)
    assert outcome(see, path) == ""


def test_a_panorama_is_not():
    assert len(crops_of(Image.new("RGB", (4_000, 200)), 224, 256, 144)) == 144


def test_an_icon_is_as_large_as_the_pictures_in_it(tmp_path):
    inner = png(tmp_path / "x.png", 9_000, 9_000, colour=6).read_bytes()
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inner), 22)
    (tmp_path / "x.ico").write_bytes(struct.pack("<HHH", 0, 1, 1) + entry + inner)
    assert "are decoded at most" in outcome(see, tmp_path / "x.ico")
    length = struct.pack(">I", len(inner) + 8)
    (tmp_path / "x.icns").write_bytes(b"icns" + struct.pack(">I", len(inner) + 16) + b"ic07" + length + inner)
    assert outcome(see, tmp_path / "x.icns") != ""


@pytest.mark.parametrize("mode", ["1", "L"])
def test_rows_take_memory_however_short_they_are(tmp_path, mode):
    path = tmp_path / "x.tif"
    Image.new(mode, (4, 5)).save(path)
    content = path.read_bytes()
    tag = struct.pack("<HHI", 257, 4, 1)  # the height
    at = content.index(tag) + len(tag)
    path.write_bytes(content[:at] + struct.pack("<I", 30_000_000) + content[at + 4 :])
    assert "are decoded at most" in outcome(open_picture, path)


def test_webp_is_weighed_before_it_is_decoded(tmp_path):
    path = tmp_path / "x.webp"
    Image.new("RGB", (9_000, 9_000)).save(path, lossless=True, method=0)
    assert "are decoded at most" in outcome(see, path)


def test_a_picture_that_python_decodes_has_no_more_pixels_than_its_file_can_hold(tmp_path):
    path = tmp_path / "x.dds"
    Image.new("RGB", (8, 8)).save(path)
    content = path.read_bytes()
    path.write_bytes(content[:12] + struct.pack("<II", 5_000, 5_000) + content[20:])
    assert "more than it can hold" in outcome(see, path)


def test_a_format_that_holds_another_is_not_looked_into(tmp_path):
    inner = io.BytesIO()
    Image.new("L", (9_000, 9_000)).save(inner, "JPEG")
    header = struct.pack("<4sI?xxxIIII", b"BLP1", 0, False, 8, 8, 5, 0)
    offsets = struct.pack("<32I", *([156 + 4] + [0] * 15), *([inner.tell()] + [0] * 15))
    (tmp_path / "x.blp").write_bytes(header + offsets + bytes(4) + inner.getvalue())
    assert outcome(see, tmp_path / "x.blp") != ""
    assert formats().isdisjoint({"FITS", "FTEX", "DCX", "CUR", "FLI", "GBR", "XPM", "PIXAR"})


def test_a_jpeg_of_thousands_of_scans_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "x.jpg"
    Image.new("L", (8_000, 8_000)).save(path, progressive=True)
    content = path.read_bytes()
    at = content.rindex(b"\xff\xda")
    path.write_bytes(content[:at] + content[at:-2] * 5_000 + content[-2:])
    assert "scans" in outcome(see, path)
    Image.effect_noise((2_000, 1_500), 50).save(path, progressive=True)
    assert outcome(see, path) == ""


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP", b"iTXt"])
def test_text_of_a_png_that_unpacks_is_left(tmp_path, kind):
    packed = zlib.compress(bytes(200_000_000), 1)
    between = b"x\0\0" if kind != b"iTXt" else b"x\0\1\0\0\0"
    said = outcome(see, png(tmp_path / "x.png", 70, 70, more=[chunk(kind, between + packed)] * 4))
    assert said == "" or "damaged" in said


def test_no_format_is_tried_that_starts_programs_or_opens_other_files():
    assert formats().isdisjoint(
        {"EPS", "PS", "WMF", "PDF", "GRIB", "BUFR", "HDF5", "MPEG", "FPX", "MIC", "IPTC", "PSP"}
    )


@pytest.mark.parametrize("end", [".jpg", ".tif", ".ico", ".png", ".icns", ".psd"])
def test_a_drawing_under_another_name_is_no_picture(tmp_path, end):
    path = tmp_path / f"x{end}"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")
    with pytest.raises(InputError):
        open_picture(path)


@pytest.mark.parametrize("mode", ["L", "1", "I;16"])
@pytest.mark.parametrize("size", [(90, 70), (40, 300), (500, 331)])
def test_what_is_cut_out_of_grey_is_what_is_cut_out_of_colours(mode, size):
    draws = np.random.default_rng(0)
    values = draws.integers(0, 256, size[::-1], np.uint8)
    image = Image.fromarray(values.astype(np.uint16) * 257 if mode == "I;16" else values).convert(mode)
    whole = open_picture(image)
    assert whole.mode == "RGB"
    with decoded(image) as grey:
        assert grey.mode == "L"
        for crops in (1, 10, 144):
            views = zip(crops_of(whole, 32, 36, crops), crops_of(grey, 32, 36, crops), strict=True)
            assert all(np.array_equal(to_pixels(a), to_pixels(b)) for a, b in views)


def test_a_picture_in_parts_is_the_picture(monkeypatch):
    from googlenet.data.images import values

    draws = np.random.default_rng(1)
    for mode in ("RGBA", "P", "CMYK", "LA", "YCbCr", "HSV"):
        image = Image.fromarray(draws.integers(0, 256, (50, 70, 4), np.uint8)).convert("RGB" if mode == "P" else "RGBA")
        image = image.convert("RGB").convert(mode) if mode not in ("RGBA", "LA") else image.convert(mode)
        whole = np.asarray(open_picture(image))
        with monkeypatch.context() as patched:
            patched.setattr(values, "_AT_ONCE", 37)
            assert np.array_equal(np.asarray(open_picture(image)), whole), mode


def test_an_ordinary_large_photo_is_seen(tmp_path):
    path = tmp_path / "x.jpg"
    noise = Image.effect_noise((1000, 1000), 60).resize((10_000, 10_000)).convert("RGB")
    noise.save(path, quality=70)
    assert outcome(see, path) == ""
    assert io.BytesIO(path.read_bytes()).seek(0, 2) > 1_000_000
