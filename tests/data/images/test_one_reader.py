"""Every kind of file that Pillow writes, and some that it only reads, are the same pixels to all who look at them."""

import io
import json
import struct
import zlib

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from googlenet import InputError, Predictor, load
from googlenet.data.images.arrays import example_set
from googlenet.data.images.dataset import ImageSet
from googlenet.data.images.decode import look, notes_on, open_picture
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.images.sources.folders import find_images
from googlenet.data.kinds import preprocessing_from
from googlenet.inference.engines.engine import Engine
from googlenet.inference.evaluate import probabilities_of
from googlenet.training.recipe import SMALL
from inference.networks import exported, weights

STILL = SMALL.with_changes({"crop": "no", "flip": "no", "shift": "0", "cutout": "0", "colour": "0"})
SIZE = (40, 30)
WANTED = (ImagePreprocessing(3, 24, 24), ImagePreprocessing(1, 20, 26, (0.5,), (0.5,)))
MODES = (
    *("1", "L", "P", "LA", "La", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB"),
    *("I", "F", "I;16", "I;16B", "I;16L", "I;16N"),
)
# EPS runs another program to be read, IM is to leave Pillow, PDF and PALM are never read, stubs have no writer.
NEVER = {"EPS", "IM", "PDF", "PALM", "BUFR", "GRIB", "HDF5", "WMF"}


class Seen(Engine):
    """Keeps the prepared examples that it is given."""

    name = "seen"

    def __init__(self):
        self.inputs = []

    def __call__(self, inputs):
        self.inputs += list(inputs)
        return np.full((len(inputs), 2), 0.5, np.float32)


def seen(want, give):
    """What a network gets to see, of whatever ``give`` does with its predictor."""
    engine = Seen()
    give(Predictor(engine, ("a", "b"), want))
    return np.array(engine.inputs)


def draws(*shape, high=256, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, high, shape, dtype=dtype)


def drawn(mode):
    """A random picture of a mode, transparent here and there if the mode can be."""
    width, height = SIZE
    if mode == "F":
        return Image.fromarray(draws(height, width).astype(np.float32) / 255)
    if mode == "I":
        return Image.fromarray(draws(height, width, high=65536, dtype=np.int32))
    if mode.startswith("I;16"):
        return Image.frombytes(mode, SIZE, draws(height, width, high=65536, dtype=np.uint16).tobytes())
    if mode in ("1", "P", "PA"):
        colours = Image.fromarray(draws(height, width, 3)).convert(mode[0])
        if mode == "PA":
            colours = Image.merge("PA", (Image.fromarray(draws(height, width)), Image.fromarray(draws(height, width))))
            colours.putpalette(draws(768).tobytes())
        return colours
    if mode in ("La", "RGBa"):
        return drawn(mode.upper()).convert(mode)
    return Image.frombytes(mode, SIZE, draws(height, width, len(Image.new(mode, (1, 1)).getbands())).tobytes())


def files_of(folder, mode):
    """Files with a picture of a mode in every format that has it, and that Pillow reads again."""
    Image.init()
    for name in sorted(set(Image.SAVE) - NEVER):
        if name == "ICNS" and mode not in ("P", "I;16"):  # ten sizes, which take their time
            continue
        variants = [{}, {"exif": exif_of(6)}] if name in ("JPEG", "MPO", "PNG", "TIFF", "WEBP") else [{}]
        for number, words in enumerate(variants + ([{"transparency": 3}] if name in ("GIF", "PNG") else [])):
            path = folder / f"{name}-{number}.{name.lower()}"
            try:
                drawn(mode).save(path, name, **words)
                with Image.open(path) as opened:
                    opened.load()
            except Exception:  # what Pillow cannot write, or read again, is not the question here
                path.unlink(missing_ok=True)
            else:
                yield path


def exif_of(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def opened_of(path):
    """By its bytes: by its path Pillow turns a TIFF that lies flat in its file before it knows its sides."""
    return Image.open(io.BytesIO(path.read_bytes()))


def by_hand(path):
    """RGB pixels ``(height, width, 3)`` as another reader would make them: floats, to within 1."""
    with opened_of(path) as opened:
        orientation = opened.getexif().get(0x0112, 1)
        opened.load()
        values = np.asarray(opened).astype(np.float64)
        if opened.mode == "F":
            pixels = np.stack([values * 255] * 3, 2)
        elif opened.mode.startswith("I"):
            pixels = np.stack([values // 256] * 3, 2)
            if "transparency" in opened.info:
                pixels[values == opened.info["transparency"]] = 255
        else:
            image = opened.convert({"La": "LA", "RGBa": "RGBA"}.get(opened.mode, opened.mode))
            if image.palette is None and image.mode == "P":  # of an icon; the palette is there all the same
                image = image.convert("RGB")
            if image.has_transparency_data:
                layers = np.asarray(image.convert("RGBA")).astype(np.float64)
                share = layers[..., 3:] / 255
                pixels = layers[..., :3] * share + 255 * (1 - share)
            else:
                pixels = np.asarray(image.convert("RGB")).astype(np.float64)
    turned = orientation == 6 and pixels.shape[:2] == (SIZE[1], SIZE[0])  # a TIFF is turned as it is loaded
    return np.rot90(pixels, -1) if turned else pixels


@pytest.mark.parametrize("mode", MODES)
def test_every_file_that_pillow_writes_is_the_same_pixels_to_all(tmp_path, mode):
    found = list(files_of(tmp_path, mode))
    if not found:
        assert mode == "La"
        return
    # SPIDER writes every picture as floats from 0 to 255, and does not say that they are.
    paths = [path for path in found if path.suffix != ".spider" or mode == "F"]
    for path in set(found) - set(paths):
        everybody_refuses(path)
    for path in paths:
        np.testing.assert_allclose(np.asarray(open_picture(path)), by_hand(path), atol=1.01, err_msg=path.name)
    for want in WANTED:
        all_see_the_same(paths, want)


def everybody_refuses(path):
    want, words = ImagePreprocessing(3, 24, 24), "nothing says which is white"
    engine, labels = Seen(), torch.zeros(1, dtype=torch.long)
    for source in (str(path), path.read_bytes(), opened_of(path)):
        (found,) = Predictor(engine, ("a", "b"), want).predict(source)
        assert words in found.error and not engine.inputs
        with pytest.raises(InputError, match=words):
            example_set([source], labels, want)
    with pytest.raises(InputError, match=words):
        next(ImageSet(labels, (str(path),)).loader(want, STILL).plain())
    with pytest.raises(InputError, match=words):
        look(path)


@pytest.fixture(scope="module")
def exported_readers(tmp_path_factory):
    """The exported model of each way to read that is asked for here, by that way."""
    files = {}
    for number, want in enumerate(WANTED):
        folder = tmp_path_factory.mktemp(f"exported{number}")
        files[want] = exported(folder, weights(folder, preprocessing=want), "onnx")
    return files


@pytest.mark.parametrize("mode", MODES)
def test_an_exported_model_reads_the_pixels_that_training_reads(tmp_path, mode, exported_readers):
    paths = [path for path in files_of(tmp_path, mode) if path.suffix != ".spider" or mode == "F"]
    for want, file in exported_readers.items():
        if not paths:
            continue
        predictor = load(file)
        assert predictor.preprocessing == want
        files = ImageSet(torch.zeros(len(paths), dtype=torch.long), tuple(map(str, paths)), None, 3)
        trained = torch.cat([batch.inputs for batch in files.loader(want, STILL).plain(7)]).numpy()
        expected = np.concatenate([want.read(path) for path in paths])
        assert np.array_equal(trained, want.views(torch.from_numpy(expected))[0].numpy())
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        (answers,) = session.run(None, {session.get_inputs()[0].name: expected})
        assert np.array_equal(predictor.probabilities(list(map(str, paths))), answers)
        assert np.array_equal(
            seen(predictor.preprocessing, lambda other: other.predict(list(map(str, paths)))), expected
        )


def all_see_the_same(paths, want):
    """That training, validation, evaluation, prediction and the estimator see what ``read`` says, of all forms."""
    names, count = tuple(map(str, paths)), len(paths)
    expected = np.concatenate([want.read(path) for path in paths])
    forms = {
        "paths": names,
        "bytes": [path.read_bytes() for path in paths],
        "files": [io.BytesIO(path.read_bytes()) for path in paths],
        "opened": [opened_of(path) for path in paths],
        "decoded": [opened_of(path) for path in paths],
    }
    for image in forms["decoded"]:
        image.load()
    labels = torch.zeros(count, dtype=torch.long)
    for form, sources in forms.items():
        found = seen(want, lambda predictor, sources=sources: predictor.predict(sources))
        assert np.array_equal(found, expected), form
        assert np.array_equal(example_set(list(sources), labels, want).pixels, expected), form
    files = ImageSet(labels, names, None, 3)
    assert np.array_equal(seen(want, lambda p: probabilities_of(p, files)), expected)
    loader = files.loader(want, STILL)
    batches = [*loader.plain(7), *loader.training(3, 1)]
    rows = [row for batch in batches for row in batch.rows.tolist()]
    assert sorted(rows) == sorted([*range(count)] * 2)
    for batch in batches:
        inputs = want.views(torch.from_numpy(expected[batch.rows.numpy()]))[0]
        assert torch.equal(batch.inputs, inputs)
    assert preprocessing_from(json.loads(json.dumps(want.to_dict()))) == want  # as an exported model keeps it


def png(size, bits, colour, rows, *chunks):
    """A PNG by the specification: ``rows`` are packed samples, each row after its filter, 0."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def tiff(values, bits, photometric=1, kind=1, samples=1, extra=()):
    """A TIFF by the specification, of one strip.

    Args:
        values: The bytes of ``(4 rows, 4 columns)``.
        bits: A sample.
        photometric: 0 if 0 is white.
        kind: 1 for unsigned, 2 for signed, 3 for floats.
        samples: A pixel.
        extra: More tags: number, type, value.
    """
    tags = [(256, 3, 4), (257, 3, 4), (258, 3, bits), (259, 3, 1), (262, 3, photometric), (277, 3, samples)]
    tags += [(278, 3, 4), (279, 4, len(values)), (339, 3, kind), *extra]
    start = 8 + 2 + 12 * (len(tags) + 1) + 4
    tags = sorted([*tags, (273, 4, start)])
    packed = {3: "<Hxx", 4: "<I", 11: "<f"}
    rows = b"".join(struct.pack("<HHI", tag, form, 1) + struct.pack(packed[form], value) for tag, form, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + rows + struct.pack("<I", 0) + values


def grey_of(content):
    return np.asarray(open_picture(content, 1))


RAMP = np.arange(16).reshape(4, 4)


def twelve(values):
    """Packed two to three bytes."""
    pairs = values.reshape(-1, 2)
    return np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], 1).astype("u1")


def test_headers_say_what_is_white():
    high = (RAMP * 16).astype(np.uint8)  # of 4096 the high 8 bits
    values = RAMP * 256
    assert np.array_equal(grey_of(tiff(twelve(values).tobytes(), 12)), high)
    assert np.array_equal(grey_of(tiff(values.astype("<u2").tobytes(), 16)), RAMP)
    named = [(281, 3, 4095)]
    assert np.array_equal(grey_of(tiff(values.astype("<u2").tobytes(), 16, extra=named)), high)
    shares = (RAMP / 15).astype("<f4")
    expected = np.rint(RAMP * 17)
    assert np.array_equal(grey_of(tiff(shares.tobytes(), 32, kind=3)), expected)
    assert np.array_equal(grey_of(tiff((shares * 255).tobytes(), 32, kind=3, extra=[(341, 11, 255.0)])), expected)
    whole = RAMP * 4096
    assert np.array_equal(grey_of(tiff(whole.astype("<u4").tobytes(), 32)), whole >> 8)


def test_a_largest_value_that_is_no_number_of_bits_is_what_happened_to_be_there():
    values = (RAMP * 256).astype("<u2")
    assert np.array_equal(grey_of(tiff(values.tobytes(), 16, extra=[(281, 3, 3840)])), RAMP)


def test_where_0_is_white_it_is_white():
    values = RAMP * 4096
    assert np.array_equal(grey_of(tiff(values.astype("<u2").tobytes(), 16, photometric=0)), 255 - (values >> 8))
    shares = (RAMP / 15).astype("<f4")
    assert np.array_equal(grey_of(tiff(shares.tobytes(), 32, photometric=0, kind=3)), 255 - RAMP * 17)


def test_significant_bits_of_a_png_are_its_high_ones():
    values = (RAMP * 273) << 4  # 12 bits, scaled as the specification demands
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    for chunks in ((), [(b"sBIT", b"\x0c")]):
        assert np.array_equal(grey_of(png((4, 4), 16, 0, rows, *chunks)), values >> 8)


@settings(deadline=None, max_examples=30)
@given(
    hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)), st.sampled_from(["PNG", "TIFF", "PPM"])
)
def test_16_bits_are_read_by_their_high_byte_whatever_the_largest_is(values, form):
    content = io.BytesIO()
    Image.fromarray(values).save(content, form)
    assert np.array_equal(grey_of(content.getvalue()), values >> 8)
    for mode, order in (("I;16B", ">u2"), ("I;16L", "<u2"), ("I", "<i4")):
        image = Image.frombytes(mode, values.shape[::-1], values.astype(order).tobytes())
        assert np.array_equal(grey_of(image), values >> 8)


@settings(deadline=None, max_examples=30)
@given(hnp.arrays(np.float32, (3, 5), elements=st.floats(0, 1, width=32)))
def test_floats_are_shares_of_white_as_in_arrays(values):
    content = io.BytesIO()
    Image.fromarray(values).save(content, "TIFF")
    expected = np.rint(values.astype(np.float64) * 255)
    for source in (content.getvalue(), Image.fromarray(values), values):
        assert np.array_equal(grey_of(source), expected)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (Image.fromarray(np.array([[0, 128.0]], np.float32)), "go from 0 to 128, .* a picture goes from 0 to 1;"),
        (Image.fromarray(np.array([[0.5, np.nan]], np.float32)), "no numbers"),
        (Image.fromarray(np.array([[0.5, np.inf]], np.float32)), "from 0.5 to inf"),
        (Image.fromarray(np.array([[-0.1, 1]], np.float32)), "from -0.1 to 1"),
        (Image.fromarray(np.array([[0, 70_000]], np.int32)), "from 0 to 70000, .* goes from 0 to 65535;"),
        (Image.fromarray(np.array([[-1, 5]], np.int32)), "from -1 to 5"),
        (Image.new("L", (3, 2), 200).convert("F"), "from 200 to 200"),
        (tiff(RAMP.astype("<i2").tobytes(), 16, kind=2), "signed numbers of 16 bits"),
        (tiff(RAMP.astype("i1").tobytes(), 8, kind=2), "signed numbers, and nothing says .* of which 255 is white"),
        (tiff((RAMP * 300).astype("<u2").tobytes(), 16, extra=[(281, 3, 4095)]), "from 0 to 4500, .* to 4095;"),
        (tiff((RAMP * 300.0).astype("<f4").tobytes(), 32, kind=3, extra=[(341, 11, 0.7)]), "goes from 0 to 1;"),
    ],
)
def test_what_cannot_be_known_is_asked_for(content, words):
    for source in (content, [content]):
        with pytest.raises(InputError, match=words):
            for each in source if isinstance(source, list) else [source]:
                open_picture(each)
    with pytest.raises(InputError, match=f"(?s)example 0 cannot be read as a picture: .*{words}"):
        example_set([content], torch.zeros(1, dtype=torch.long), None)


def test_colours_of_16_bits_whose_white_is_lost_are_refused(tmp_path):
    def colours(**tags):
        path = tmp_path / "a.tif"
        content = tiff(np.repeat(RAMP * 256, 3).astype("<u2").tobytes(), 16, photometric=2, samples=3, **tags)
        path.write_bytes(content)
        return path

    assert np.array_equal(np.asarray(open_picture(colours()))[..., 0], RAMP)
    with pytest.raises(InputError, match="of 16 bits 4095 is white"):
        open_picture(colours(extra=[(281, 3, 4095)]))


def test_transparency_of_few_and_of_many_bits_is_that_of_the_specification():
    two = png((4, 1), 2, 0, bytes([0, 0b00011011]), (b"tRNS", b"\0\1"))
    assert grey_of(two).tolist() == [[0, 255, 170, 255]]
    four = png((2, 1), 4, 0, bytes([0, 0x5A]), (b"tRNS", b"\0\x05"))
    assert grey_of(four).tolist() == [[255, 170]]
    sixteen = png((2, 1), 16, 0, b"\0" + struct.pack(">2H", 0x1234, 0x1235), (b"tRNS", b"\x12\x34"))
    assert grey_of(sixteen).tolist() == [[255, 0x12]]
    samples, clear = (
        struct.pack(">6H", 0x1234, 0x5678, 0x9ABC, 0x8000, 0, 0),
        struct.pack(">3H", 0x1234, 0x5678, 0x9ABC),
    )
    deep = png((2, 1), 16, 2, b"\0" + samples, (b"tRNS", clear))
    assert np.asarray(open_picture(deep)).tolist() == [[[255, 255, 255], [128, 0, 0]]]
    for content in (two, four, sixteen, deep):
        with Image.open(io.BytesIO(content)) as opened:
            assert np.array_equal(np.asarray(open_picture(opened)), np.asarray(open_picture(content)))
            with Image.open(io.BytesIO(content)) as another:  # it is left alone
                assert opened.info["transparency"] == another.info["transparency"]


def test_a_palette_with_transparency_lies_on_white():
    image = Image.new("P", (2, 1))
    image.putpalette([200, 0, 0, 255, 0, 0, 0, 0], "RGBA")
    image.putpixel((1, 0), 1)
    assert np.asarray(open_picture(image)).tolist() == [[[200, 0, 0], [255, 255, 255]]]


def test_an_opened_jpeg_is_seen_as_its_file_and_left_as_it_is(tmp_path):
    pixels = np.asarray(Image.fromarray(draws(8, 10, 3)).resize((400, 320), Image.Resampling.BICUBIC))
    path = tmp_path / "a.jpg"
    Image.fromarray(pixels).save(path, quality=90)
    want = ImagePreprocessing(3, 32, 32)
    with Image.open(path) as opened:
        assert np.array_equal(want.read(opened), want.read(path))
        assert (
            opened.size == (400, 320)
            and opened.tile
            and np.array_equal(np.asarray(opened), np.asarray(Image.open(path)))
        )
        whole = open_picture(opened)
        assert whole.size == (400, 320)
    grey = ImagePreprocessing(1, 320, 320, (0.5,), (0.5,))
    assert np.array_equal(grey.read(path)[0, 0], np.asarray(opened_of(path).convert("L"))[:, 40:360])


def test_it_is_said_what_was_taken_for_white(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        Image.fromarray(draws(30, 30, high=4096, dtype=np.uint16)).save(tmp_path / name / "deep.png")
        Image.fromarray(np.full((30, 30), 0.5, np.float32)).save(tmp_path / name / "float.tif")
        Image.new("L", (30, 30)).save(tmp_path / name / "plain.png")
    largest = int(draws(30, 30, high=4096, dtype=np.uint16).max())
    data = find_images(tmp_path)
    assert data.notes == (
        "2 pictures have more than 8 bits: 1 is taken for white, the largest is 0.5.",
        f"2 pictures have more than 8 bits: 65535 is taken for white, the largest is {largest}.",
    )
    assert data.train.channels == 1
    assert list(notes_on([look(Image.new("RGB", (3, 4)))])) == []
    assert look(Image.new("LA", (3, 4))) == (4, True, None, False)


@pytest.mark.parametrize("name", ["stack.tif", "moving.gif", "moving.png", "moving.webp", "cut.tif"])
def test_it_is_said_that_pages_were_not_read(tmp_path, name):
    first, *more = map(Image.fromarray, draws(3, 30, 30))
    for folder in "ab":
        (tmp_path / folder).mkdir()
        first.save(tmp_path / folder / "one.png")
    path = tmp_path / "a" / name
    first.save(path, save_all=True, append_images=more)
    if name.startswith("cut"):
        path.write_bytes(path.read_bytes()[:-700])
    data = find_images(tmp_path)
    assert data.notes == ("1 picture of several pages or frames: the first is read, and no other.",)
    assert len(data.train) == 3
    if name.endswith(("tif", "png")):
        assert np.array_equal(np.asarray(open_picture(path, 1)), np.asarray(first))


def test_the_second_picture_in_a_photo_of_a_telephone_is_not_told(tmp_path):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        photo = Image.fromarray(draws(30, 30, 3))
        photo.save(tmp_path / folder / "photo.jpg", format="MPO", save_all=True, append_images=[photo])
    with Image.open(tmp_path / "a" / "photo.jpg") as opened:
        assert opened.n_frames == 2
    assert find_images(tmp_path).notes == ()


def jpeg_of(picture, **how):
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", **how)
    return buffer.getvalue()


@pytest.mark.parametrize("how", [{}, {"progressive": True}, {"quality": 100, "subsampling": 0}])
def test_a_jpeg_that_was_not_copied_whole_is_refused(tmp_path, how):
    """A file of its full length from the beginning, of which a part came: the rest are zeros, which decode as grey."""
    picture = Image.fromarray(draws(90, 120, 3))
    small = io.BytesIO(jpeg_of(picture.resize((16, 12))))
    exif = Image.Exif()
    exif[0x927C] = small.getvalue()  # a JPEG inside of the head has an end of its own
    for content in (jpeg_of(picture, **how), jpeg_of(picture, exif=exif, **how)):
        for share in (0.4, 0.7, 0.95):
            cut = content[: int(share * len(content))].ljust(len(content), b"\0")
            for source in (cut, io.BytesIO(cut)):
                with pytest.raises(InputError, match=r"not copied whole: behind byte [\d,]+ of [\d,]+ there are only"):
                    open_picture(source)
        for after in (b"", bytes(4096), b"something of a camera's" + bytes(512)):
            assert open_picture(content + after).size == (120, 90)


@pytest.mark.parametrize(("form", "how"), [("PNG", {}), ("WEBP", {}), ("WEBP", {"lossless": True}), ("AVIF", {})])
def test_other_files_that_end_with_zeros_are_refused(form, how):
    buffer = io.BytesIO()
    Image.fromarray(draws(90, 120, 3)).save(buffer, form, **how)
    content = buffer.getvalue()
    with pytest.raises(InputError, match="not copied whole: behind byte"):
        open_picture(content[: len(content) // 2].ljust(len(content), b"\0"))
    assert open_picture(content).size == (120, 90)
    plain = io.BytesIO()
    Image.new("RGB", (900, 1200), (255, 255, 255)).save(plain, form, **how)
    assert open_picture(plain).size == (900, 1200)
    if form == "PNG":
        assert open_picture(content + bytes(4096)).size == (120, 90)


def test_planes_of_16_bits_are_read_whole_or_refused(tmp_path):
    """A TIFF with a plane for each colour, as geographers write it; the strips stand behind the tags."""
    values = draws(3, 8, 8, high=65536, dtype=np.uint16)

    def written(planes, kind="<u2"):
        content = planes.astype(kind).tobytes()
        size, bits = len(content) // 3, 8 * np.dtype(kind).itemsize
        tags = [
            (256, 3, 1, 8),
            (257, 3, 1, 8),
            (259, 3, 1, 1),
            (262, 3, 1, 2),
            (277, 3, 1, 3),
            (278, 3, 1, 8),
            (284, 3, 1, 2),
        ]
        start = 8 + 2 + 12 * (len(tags) + 3) + 4
        tags += [(258, 3, 3, start), (273, 4, 3, start + 6), (279, 4, 3, start + 18)]
        rows = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
        places = struct.pack("<3H6I", *[bits] * 3, *(start + 30 + at * size for at in range(3)), *[size] * 3)
        return b"II*\0" + struct.pack("<IH", 8, len(tags)) + rows + struct.pack("<I", 0) + places + content

    eight = (values >> 8).astype(np.uint8)
    assert np.array_equal(np.asarray(open_picture(written(eight, "u1"))), eight.transpose(1, 2, 0))
    with pytest.raises(InputError, match="of 16 bits with a plane for each colour; save it with 8 bits"):
        open_picture(written(values))
