"""What pictures of users mean, and were not taken for: odd modes, arrays, large ones, empty channels, the estimator."""

import io
import sys
import zlib
from struct import pack

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from conftest import draw_two_classes, picture, run_cli, run_here
from googlenet import GoogLeNetClassifier, InputError, Predictor, load
from googlenet.data.find import Columns, find_data
from googlenet.data.images.arrays import example_set
from googlenet.data.images.dataset import ImageSet, as_wanted
from googlenet.data.images.decode import open_picture
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.images.sources.folders import find_images
from googlenet.data.kinds import ARRAYS, KINDS, as_list
from googlenet.data.kinds import example_set as any_set
from googlenet.inference.engines.engine import Engine
from googlenet.limits import MAX_PIXELS
from googlenet.training.recipe import SMALL

pytestmark = pytest.mark.usefixtures("short")
WANT = ImagePreprocessing(3, 32, 32)
CHANGES = {"arch": "short_2d", "width": "0.125", "epochs": "1", "min_steps": "3", "batch_size": "8", "ema": "0"}
QUICK = SMALL.with_changes(CHANGES)
WORDS = ["--arch", "short_2d", "--width", "0.125", "--epochs", "1", "--batch-size", "8", "--ema", "0"]


class Blind(Engine):
    """Answers the same to all."""

    name = "blind"

    def __call__(self, inputs):
        return np.full((len(inputs), 2), 0.5, np.float32)


def predicted(source, want=WANT):
    return Predictor(Blind(), ("a", "b"), want).predict(source)


def file_of(image, form="PNG", **words):
    content = io.BytesIO()
    image.save(content, form, **words)
    return content.getvalue()


def colours(count=24, side=32, seed=0):
    """``(N, side, side, 3)``, brighter by class, and labels."""
    labels = np.arange(count) % 2
    noise = np.random.default_rng(seed).integers(0, 80, (count, side, side, 3))
    return (noise + 150 * labels[:, None, None, None]).astype(np.uint8), labels


def fitted(X, y, **words):
    return GoogLeNetClassifier(recipe=QUICK, random_state=0, **words).fit(X, y)


# ------------------------------------------------------------------------------------------ modes, case 24
def flat(value, dtype):
    return Image.fromarray(np.full((32, 32), value, dtype))


@pytest.mark.parametrize(
    ("image", "form", "grey"),
    [
        (flat(32768, np.uint16), "PNG", 128),
        (flat(255, np.uint16), "PNG", 0),
        (flat(256, np.uint16), "PNG", 1),
        (flat(2048, np.uint16), "PNG", 8),
        (flat(32768, np.uint16), "TIFF", 128),
        (flat(0.5, np.float32), "TIFF", 128),
        (flat(32768, np.int32), "TIFF", 128),
        # of the same kinds
        (flat(65535, np.uint16), "TIFF", 255),
        (flat(200, np.uint16), "TIFF", 0),
        (flat(255, np.uint16), "PPM", 0),
        (flat(1.0, np.float32), "PPM", 255),
        (flat(0.002, np.float32), "TIFF", 1),
        (flat(255, np.int32), "TIFF", 0),
        (flat(65535, np.int32), "PPM", 255),
    ],
)
def test_grey_is_what_a_viewer_shows_whatever_the_largest_value(image, form, grey):
    for source in (image, file_of(image, form)):
        assert (WANT.read(source) == grey).all()
        assert predicted([source])[0].error is None


@pytest.mark.parametrize("values", [[128.0, 128.0], [np.nan, 0.5], [0.0, 255.0], [-1.0, 0.5], [0.5, np.inf]])
def test_floats_that_may_mean_anything_are_refused_with_what_to_do(values):
    image = Image.fromarray(np.array([values], np.float32))
    for source in (image, file_of(image, "TIFF")):
        (found,) = predicted([source])
        assert "which is white" in found.error or "no numbers" in found.error


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("LAB", (255, 128, 128), 255),
        ("LAB", (0, 128, 128), 0),
        ("YCbCr", (128, 128, 128), 128),
        ("HSV", (0, 0, 77), 77),
        ("CMYK", (0, 0, 0, 255), 0),
        ("La", (0, 0), 255),
        ("RGBa", (0, 0, 0, 0), 255),
        ("PA", (0, 0), 255),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_mode_is_seen_in_grey_and_in_colour(mode, colour, expected, channels):
    found = np.asarray(open_picture(Image.new(mode, (3, 2), colour), channels))
    assert np.abs(found.astype(int) - expected).max() <= 1


# ------------------------------------------------------------------------------------------ arrays, case 25
def test_arrays_of_every_usual_kind_are_labelled_or_refused():
    pixels = colours(4)[0]
    for one in (
        pixels[0],
        pixels[0].transpose(2, 0, 1),
        pixels[0] / 255,
        torch.from_numpy(pixels[0]),
        file_of(picture((9, 9, 9))),
    ):
        assert predicted(one)[0].error is None
    rows, opened = np.empty(2, object), np.empty(2, object)
    rows[:], opened[:] = [pixels[0], pixels[1, :20]], [Image.fromarray(x) for x in pixels[:2]]
    pandas = pytest.importorskip("pandas")
    for many in (rows, list(rows), pandas.Series(list(rows)), opened):
        found = predicted(many)
        assert [prediction.error for prediction in found] == [None, None]
    assert "array of object" in predicted(np.array([Image.fromarray(pixels[0])], object))[0].error
    for other in (pixels[0].astype("f4"), pixels[0].astype("i8"), pixels[0].astype("u2"), pixels[0, ..., 0] > 100):
        assert "a picture is of uint8" in predicted(other)[0].error
    with pytest.raises(InputError, match="one grey picture with its transparency or 32 of two columns"):
        predicted(pixels[0, ..., :2])


def test_paths_in_an_array_or_a_series_are_paths(tmp_path):
    paths = []
    for name in "ab":
        paths.append(str(tmp_path / f"{name}.png"))
        picture((200, 60, 60)).save(paths[-1])
    pandas = pytest.importorskip("pandas")
    for many in (np.array(paths), np.array(paths, object), pandas.Series(paths), tuple(paths)):
        assert [found.input for found in predicted(many)] == paths
    numbers = pandas.Series([0.5, 1.0])
    assert as_list(numbers) is numbers and as_list("text") == "text" and as_list(memoryview(b"12")) == b"12"


def test_a_prediction_without_a_label_says_why():
    (found,) = predicted("nowhere.png")
    for ask in (lambda: found.label, lambda: found.probability):
        with pytest.raises(InputError, match=r"nowhere\.png cannot be read: no such file\."):
            ask()


# ------------------------------------------------------------------------------------------ large ones, case 32
def bomb(form):
    """The head of a picture of 30,000 × 30,000 pixels; whoever decodes it finds the file cut off."""
    size = (30_000, 30_000)
    if form == "PNG":
        header = b"IHDR" + pack(">IIBBBBB", *size, 1, 0, 0, 0, 0)
        data = b"IDAT" + zlib.compress(bytes(100_000))
        parts = (pack(">I", len(part) - 4) + part + pack(">I", zlib.crc32(part)) for part in (header, data))
        return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
    small = file_of(Image.new("L", (77, 99)), form)
    if form == "TIFF":
        for side, number in ((77, 256), (99, 257)):
            for kind in (3, 4):
                small = small.replace(pack("<HHII", number, kind, 1, side), pack("<HHII", number, 4, 1, 30_000))
        return small
    return small.replace(pack("<ii", 77, 99), pack("<ii", *size))  # BMP


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP"])
def test_a_bomb_is_refused_before_anything_is_decoded(form, monkeypatch, tmp_path):
    path = tmp_path / f"bomb.{form.lower()}"
    path.write_bytes(bomb(form))
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("it is decoded"))
    for source in (str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        (found,) = predicted([source])
        assert "a decompression bomb, by its size: 900,000,000 pixels, and 128,000,000 are" in found.error
        assert "--max-pixels" in found.error


def test_a_telephones_picture_of_108_megapixels_is_read(tmp_path):
    path = tmp_path / "phone.jpg"
    Image.new("L", (12_000, 9_000), 200).save(path, quality=50)
    assert (WANT.read(path) == 200).all() and predicted(str(path))[0].error is None
    draw_two_classes(tmp_path / "photos")
    path.rename(tmp_path / "photos" / "red" / "phone.jpg")
    data = find_images(tmp_path / "photos")
    assert data.bad == () and len(data.train) == 25 and data.train.pixels is None


@pytest.mark.parametrize(("form", "words"), [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("TIFF", {})])
def test_the_limit_is_for_what_is_decoded_whole(form, words):
    content = file_of(Image.new("RGB", (400, 300)), form, **words)
    area = 400 * 300
    assert open_picture(content, max_pixels=area).size == (400, 300)
    with pytest.raises(InputError, match=f"120,000 pixels, and {area - 1:,} are decoded at most"):
        open_picture(content, max_pixels=area - 1)
    if form == "JPEG":  # a quarter of the pixels at half of the size
        assert open_picture(content, 3, 150, area // 4).size == (200, 150)
        with pytest.raises(InputError, match="bomb"):
            open_picture(content, 3, 30, area // 4 - 1)  # an eighth of the size, and all of it is gone through
    else:
        with pytest.raises(InputError, match="bomb"):
            open_picture(content, 3, 150, area // 4)
    assert open_picture(Image.new("RGB", (400, 300)), max_pixels=5).size == (400, 300)  # it is in memory already
    with Image.open(io.BytesIO(content)) as opened, pytest.raises(InputError, match="bomb"):
        open_picture(opened, max_pixels=5)


MEMORY = """
import resource, sys
import numpy as np
from PIL import Image
from googlenet.data.images.preprocessing import ImagePreprocessing
Image.init()
want = ImagePreprocessing()
def peak():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
want.read(np.zeros((600, 600, 3), np.uint8))
before = peak()
for path in sys.argv[1:]:
    want.read(path)
print(peak() - before)
"""


def test_what_is_decoded_whole_takes_16_bytes_a_pixel_at_most(tmp_path):
    size = (4000, 3000)
    exif = Image.Exif()
    exif[0x0112] = 6
    paths = [tmp_path / name for name in ("turned.png", "deep.png", "clear.tif", "float.tif")]
    Image.new("RGBA", size, (1, 2, 3, 4)).save(paths[0], compress_level=1, exif=exif)
    Image.new("I;16", size, 300).save(paths[1], compress_level=1)
    Image.new("RGBA", size, (1, 2, 3, 4)).save(paths[2], compression="tiff_lzw")
    Image.new("F", size, 0.5).save(paths[3])
    result = run_cli(*paths, program=[sys.executable, "-c", MEMORY])
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < 17 * size[0] * size[1]
    assert 16 * MAX_PIXELS < 2.1e9  # so much for one picture of the largest size


def test_max_pixels_moves_the_limit_from_the_command_line_and_from_python(tmp_path):
    photos, run = draw_two_classes(tmp_path / "photos"), tmp_path / "run"
    large = photos / "red" / "large.png"
    picture((200, 60, 60), (50, 40)).save(large)
    small = ["--max-pixels", "1200"]  # those of all the others
    trained = run_here("train", photos, "--out", run, *WORDS, *small)
    assert trained.returncode == 0, trained.stderr
    assert "large.png" in trained.stderr and "2,000 pixels, and 1,200 are decoded at most" in trained.stderr
    torch_only = ["--engine", "torch"]
    assert run_here("predict", run, large, *torch_only).returncode == 0  # the limit is not the network's
    refused = run_here("predict", run, large, *torch_only, *small)
    assert refused.returncode == 1 and "2,000 pixels" in refused.stdout
    assert run_here("evaluate", run, photos, "--json").returncode == 0
    assert run_here("evaluate", run, photos, *small, "--json").returncode == 0
    with pytest.raises(InputError, match="no picture that can be read"):
        find_data(str(photos), columns=Columns(max_pixels=5))
    found = load(run, engine="torch", max_pixels=2000).predict([str(large)])
    assert found[0].error is None
    assert load(run, engine="torch", max_pixels=1999).predict([str(large)])[0].error
    assert run_here("predict", run, large, "--max-pixels", "0").returncode == 2


# ------------------------------------------------------------------------------------------ the estimator, cases 47, 62
def test_pictures_in_arrays_are_pictures_in_every_layout():
    X, y = colours()
    layouts = {
        "NHWC": X,
        "NCHW": X.transpose(0, 3, 1, 2),
        "shares": (X / 255).astype(np.float32),
        "tensor": torch.from_numpy(X),
        "tensor of bfloat16": torch.from_numpy(X // 2 * 2).bfloat16() / 256,
        "tensors": [torch.from_numpy(x) for x in X],
        "list": list(X),
        "Pillow's": [Image.fromarray(x) for x in X],
        "files": [file_of(Image.fromarray(x)) for x in X],
        "mixed": [Image.fromarray(X[0]), *X[1:]],
        "objects": np.array([*[Image.fromarray(x) for x in X], None], object)[:-1],
        "NHW4": np.concatenate([X, np.full((24, 32, 32, 1), 255, np.uint8)], 3),
    }
    for name, given in layouts.items():
        found = any_set(given, torch.from_numpy(y), None, None)
        assert found.kind == "picture" and found.pixels.shape == (24, 3, 32, 32), name
        if name != "tensor of bfloat16":
            assert np.array_equal(found.pixels, X.transpose(0, 3, 1, 2)), name
    for grey in (X[..., 0], X[..., :1], X[:, None, :, :, 0], list(X[..., 0]), torch.from_numpy(X[..., 0])):
        found = any_set(grey, torch.from_numpy(y), None, None)
        assert found.kind == "picture" and np.array_equal(found.pixels, X[:, None, :, :, 0])


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.zeros((4, 32, 32), np.uint16), "may be grey pictures or signals of 32 channels: give pictures as uint8"),
        (np.zeros((4, 32, 32), bool), "may be grey pictures or signals of 32 channels"),
        (np.zeros((4, 32, 32, 3), np.uint16), "example 0 cannot be read as a picture: an array of uint16"),
        (np.zeros((4, 32, 32, 3), np.int64), "an array of int64 .* of uint8, or of floats from 0 to 1"),
        (np.zeros((4, 32, 32, 3), bool), "an array of bool"),
        (np.full((4, 32, 32, 3), 128.0), r"values outside of \[0, 1\]"),
        (np.full((4, 32, 32, 3), np.nan), r"values outside of \[0, 1\]"),
        (np.zeros((4, 3, 32, 3), np.uint8), "may have its channels first or last"),
        (np.zeros((4, 32, 32, 5), np.uint8), "a picture is"),
        (np.zeros((4, 0, 32, 3), np.uint8), "no pixels"),
        (["nowhere.png"] * 4, "example 0 cannot be read as a picture: no such file"),
        ([np.zeros((8, 8), np.uint8), 7, 7, 7], "example 1 cannot be read as a picture: int is no picture"),
    ],
)
def test_pictures_that_cannot_be_understood_are_one_sentence(X, words):
    with pytest.raises(InputError, match=words):
        GoogLeNetClassifier(recipe=QUICK).fit(X, [0, 1, 0, 1])


def test_square_arrays_of_floats_are_asked_about():
    X = np.random.default_rng(0).normal(size=(8, 12, 12))
    for square in (X, list(X)):
        with pytest.raises(
            InputError, match=r"\(12, 12\) may be .* Grey pictures are of uint8, or \(N, 1, height, width\)"
        ):
            any_set(square, torch.zeros(8), None, GoogLeNetClassifier())
    for other in (X[:, :3], X[:, :1]):
        assert any_set(other, torch.zeros(8), None, GoogLeNetClassifier()).kind == "signal"


def test_what_was_taken_for_what_is_said(capsys):
    X, y = colours()
    fitted(X, y, verbose=1)
    assert "pictures: 32×32 RGB" in capsys.readouterr().out
    fitted(X[..., 0], y, verbose=1)
    assert "pictures: 32×32 grey" in capsys.readouterr().out


def odd_files(folder):
    """Pictures of case 62, and others that only a reader of pictures reads rightly."""
    Image.new("RGBA", (32, 32), (0, 0, 0, 0)).save(folder / "clear.png")
    flat(32768, np.uint16).save(folder / "deep.png")
    palette = Image.new("P", (32, 32), 0)
    palette.putpalette([10, 20, 30] + [0] * 765)
    palette.save(folder / "palette.png", transparency=0)
    half = np.zeros((32, 32, 3), np.uint8)
    half[:16] = 255
    exif = Image.Exif()
    exif[0x112] = 6
    Image.fromarray(half).save(folder / "turned.jpg", exif=exif)
    Image.new("LA", (40, 20), (0, 128)).save(folder / "half.png")
    flat(0.25, np.float32).save(folder / "float.tif")
    Image.new("CMYK", (32, 32), (0, 255, 255, 0)).save(folder / "cmyk.jpg")
    picture((9, 200, 90), (300, 200)).save(folder / "wide.jpg")
    return sorted(folder.iterdir())


def test_the_estimator_sees_what_predict_sees(tmp_path):
    paths = odd_files(tmp_path)
    labels = torch.zeros(len(paths), dtype=torch.long)
    for want in (WANT, ImagePreprocessing(3, 24, 32), ImagePreprocessing(1, 32, 32, (0.5,), (0.5,))):
        expected = np.concatenate([want.read(path) for path in paths])
        for sources in (
            paths,
            [path.read_bytes() for path in paths],
            [Image.open(io.BytesIO(path.read_bytes())) for path in paths],
        ):
            assert np.array_equal(example_set(sources, labels, want).pixels, expected)
    own = example_set(paths, labels, None)
    assert np.array_equal(own.pixels, np.concatenate([ImagePreprocessing(3, 224, 224).read(path) for path in paths]))
    means = dict(zip([path.name for path in paths], expected.mean((1, 2, 3)), strict=True))
    assert (means["clear.png"], means["deep.png"], means["palette.png"]) == (255, 128, 255)
    assert means["turned.jpg"] == pytest.approx(127.5, abs=1)


def test_a_grey_network_sees_pictures_in_colour_and_the_other_way_round():
    X, y = colours()
    grey, colour = [Image.fromarray(x) for x in X[..., 0]], [Image.fromarray(x) for x in X]
    for first, second in ((X[..., 0], colour), (colour, grey), (grey, X)):
        model = fitted(first, y)
        sizes = [Image.new("RGB", size, "red") for size in ((9, 30), (200, 100))]
        for given in (first, second, sizes):
            expected = Predictor(Blind(), ("0", "1"), model._pipeline.preprocessing).preprocessing
            seen = any_set(given, torch.zeros(len(given)), expected, model).pixels
            one_by_one = [expected.read(x)[0] for x in given]
            assert np.array_equal(seen, one_by_one)
            assert model.predict_proba(given).shape == (len(given), 2)


def test_a_saved_estimator_labels_files_as_it_labels_arrays(tmp_path):
    X, y = colours()
    model = fitted(X, np.array(["dark", "light"])[y])
    model.save(tmp_path / "model.safetensors")
    paths = [str(tmp_path / f"{row}.png") for row in range(4)]
    for path, pixels in zip(paths, X, strict=False):
        Image.fromarray(pixels).save(path)
    found = load(tmp_path / "model.safetensors", engine="torch").probabilities(paths)
    assert np.array_equal(found, load(tmp_path / "model.safetensors", engine="torch").probabilities(X[:4]))
    np.testing.assert_allclose(found, model.predict_proba(X[:4]), atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(paths), model.predict_proba(X[:4]), atol=1e-12)


# ------------------------------------------------------------------------------------------ one size, one reader
def test_small_pictures_of_another_size_are_read_anew_and_not_resized_twice(tmp_path):
    folder = draw_two_classes(tmp_path / "colours")  # 40 × 30, kept at 40 × 40
    data = find_images(folder)
    assert data.train.pixels.shape[1:] == (3, 40, 40)
    for want in (
        ImagePreprocessing(3, 40, 40),
        ImagePreprocessing(3, 32, 32),
        ImagePreprocessing(1, 40, 48, (0.5,), (0.5,)),
    ):
        expected = np.concatenate([want.read(path) for path in data.train.names])
        examples = data.train.examples(want)
        found = [want.read(x.content)[0] if x.inputs is None else x.inputs for x in examples]
        assert np.array_equal(found, expected)
        inputs = torch.cat([batch.inputs for batch in data.train.loader(want, SMALL).plain()])
        assert torch.equal(inputs, want.views(torch.from_numpy(expected))[0])
    some = data.train.subset([5, 2])
    assert some.sources == some.names == (data.train.names[5], data.train.names[2])


def test_pixels_alone_are_seen_whole_whatever_the_weights_cut_away():
    pixels = torch.from_numpy(colours()[0].transpose(0, 3, 1, 2).copy())
    alone = ImageSet(torch.zeros(24, dtype=torch.long), tuple(map(str, range(24))), pixels)
    given = ImagePreprocessing(3, 224, 256)
    assert alone.adapted(given, SMALL).resize == 224
    with_sources = example_set(list(colours()[0]), alone.labels, None)
    assert with_sources.adapted(given, SMALL).resize == 256


def test_colours_become_the_grey_of_pillow_bit_for_bit():
    pixels = np.random.default_rng(0).integers(0, 256, (1, 200, 200, 3), np.uint8)
    grey = ImagePreprocessing(1, 200, 200, (0.5,), (0.5,))
    found = as_wanted(torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()), grey)
    assert np.array_equal(found[0, 0], np.asarray(Image.fromarray(pixels[0]).convert("L")))


# ------------------------------------------------------------------------------------------ empty channels, case 61
def empty(which, value):
    X, y = colours()
    X[..., which] = value
    return X, y


@pytest.mark.parametrize(("which", "value"), [(2, 0), (0, 255), ([0, 1], 7), ([0, 1, 2], 0)])
def test_a_channel_that_is_the_same_everywhere_is_learned_from(which, value):
    X, y = empty(which, value)
    model = fitted(X, y)
    assert all(np.isfinite(row.loss) for row in model.history_)
    assert np.isfinite(model.predict_proba(X)).all()
    std = np.array(model._pipeline.preprocessing.std)
    same = np.isin(np.arange(3), which)
    assert (std[same] == 1).all()
    np.testing.assert_allclose(std[~same], (X / 255).std((0, 1, 2))[~same], rtol=1e-3)
    other = X.copy()
    other[..., which] = 255 - value  # what was never seen does not drown the rest
    assert np.isfinite(model.predict_proba(other)).all()


def test_one_pixel_in_all_is_no_scale_and_faint_pictures_have_their_own():
    X, _ = empty(2, 0)
    X[0, 0, 0, 2] = 1
    faint = np.random.default_rng(0).integers(0, 2, (24, 32, 32), np.uint8)
    labels = torch.zeros(24, dtype=torch.long)
    assert example_set(X, labels, None).fitted(SMALL).std[2] == 1
    assert example_set(faint, labels, None).fitted(SMALL).std[0] == pytest.approx(0.5 / 255, rel=0.01)


@pytest.mark.parametrize("colour", [(0, 0, 0), (100, 100, 100)])
def test_a_folder_of_flat_pictures_is_trained_on(tmp_path, colour):
    for name in "ab":
        (tmp_path / "flat" / name).mkdir(parents=True)
        for number in range(6):
            Image.new("RGB", (48, 48), colour).save(tmp_path / "flat" / name / f"{number}.png")
    trained = run_here("train", tmp_path / "flat", "--out", tmp_path / "run", *WORDS[:-4], "--batch-size", "4")
    assert trained.returncode == 0, trained.stderr
    assert "nan" not in trained.stdout.lower() + trained.stderr.lower()


def test_every_kind_in_memory_is_still_asked_in_turn():
    assert [name for name in ARRAYS if KINDS[name].holds(np.zeros((4, 9), np.uint8))] == ["signal"]
    assert next(name for name in ARRAYS if KINDS[name].holds([np.zeros((2, 9))])) == "signal"
    assert next(name for name in ARRAYS if KINDS[name].holds(np.zeros((4, 2, 30), np.int16))) == "signal"
