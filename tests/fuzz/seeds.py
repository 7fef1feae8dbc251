"""Makes the seeds of the corpus, each tiny and whole, by the libraries that others write such files with.

``python tests/fuzz/seeds.py`` writes those that are not there: what a finding left behind is never written over.
"""

import os
import sys
from pathlib import Path

os.environ |= {"GOOGLENET_KERNELS": "off", "OMP_NUM_THREADS": "1"}
HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE.parent)

import dataclasses
import gzip
import io
import json
import tempfile
import wave

import numpy as np
import torch
from PIL import Image

from fuzz.mutate import level_table
from fuzz.targets import BESIDE, CORPUS
from googlenet import create_model, save_weights
from googlenet.arch.serial import to_json
from googlenet.arch.spec import Branch, InceptionSpec, MaxPool, Stage
from googlenet.arch.variants import GOOGLENET_1D, GOOGLENET_SMALL, VARIANTS
from googlenet.data.images.preprocessing import ImagePreprocessing

DRAWS = np.random.default_rng(0)
GREY = ImagePreprocessing(1, 16, 16, (0.4,), (0.3,))
CLASSES = ("cat", "dog", "emu")
SLIM = HERE.parent / "weights" / "foreign" / "slim"


def write(name, content, where=CORPUS):
    """Writes a seed, unless it is there."""
    path = where / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def taken(name, file, where=CORPUS):
    write(name, Path(file).read_bytes(), where)


# ----------------------------------------------------------------- signals
WIDE = (
    "label,"
    + ",".join(f"t{n}" for n in range(8))
    + "\n"
    + "".join(
        f"{'ab'[row % 2]}," + ",".join(f"{value:.2f}" for value in DRAWS.normal(size=8)) + "\n" for row in range(6)
    )
)
LONG = "id,time,x,y,label\n" + "".join(
    f"{number},{step / 10},{DRAWS.normal():.2f},{DRAWS.normal():.2f},{'ab'[number % 2]}\n"
    for number in range(4)
    for step in range(8)
)


def signals():
    bare = "".join(f"{row % 2 + 1}\t" + "\t".join(f"{v:.3f}" for v in DRAWS.normal(size=9)) + "\n" for row in range(6))
    write("tables/wide.csv", WIDE)
    write("tables/long.csv", LONG)
    write(
        "tables/channel.csv",
        "id,channel,time,value,class\n"
        + "".join(
            f"{n},{c},2020-01-01 00:00:0{s},{n + s}.5,{'uv'[n % 2]}\n" for n in range(2) for c in "xy" for s in range(4)
        ),
    )
    write("tables/comma.csv", "label;a1;a2;a3;a4\nu;1,5;2,5;;4\nv;1,0;NA;3,5;4,25\n")
    write("tables/quoted.csv", 'Exported by X\n\n"the ""class""",a,b,c\n"x, y",1,2,3\n"z",4,5,6e-3\n')
    write("tables/bare.tsv", bare)
    write("tables/spaces.txt", bare.replace("\t", "  "))
    write("tables/utf16.txt", WIDE.replace(",", "\t").encode("utf-16"))
    write("tables/dims.csv", "label,dim_0_0,dim_0_1,dim_1_0,dim_1_1\na,1,2,3,4\nb,5,6,7,8\na,2,2,2,2\nb,0,1,1,0\n")
    write("tables/curves.dat", "# of a scope\n# 2 columns\n0.0 1.0 0.5\n0.1 2.0 0.25\n0.2 1.5 0.125\n")
    write("tables/wide.csv.gz", gzip.compress(WIDE.encode(), mtime=0))
    ts = "#A\n@problemName P\n@timeStamps false\n@univariate true\n@equalLength true\n@classLabel true a b\n@data\n"
    write("archives/plain.ts", ts + "1,2,3,4:a\n2,3,?,5:b\n")
    write("archives/stamped.ts", ts.replace("Stamps false", "Stamps true") + "(0,1.5),(1,2.5):a\n(0,1),(3,2):b\n")
    write(
        "archives/two.ts", ts.replace("univariate true", "univariate false\n@dimensions 2") + "1,2:3,4:a\n1,1:5,6:b\n"
    )
    arff = "% c\n@relation r\n@attribute a0 numeric\n@attribute a1 real\n@attribute 'cl ass' {u,'v w'}\n@data\n"
    write("archives/plain.arff", arff + "1,2,u\n?,4,'v w'\n")
    write("archives/nested.arff", "@relation r\n@attribute m relational\n@attribute a numeric\n@attribute b numeric\n"
          "@end m\n@attribute class {u,v}\n@data\n'1,2\\n3,4',u\n'5,6\\n7,8',v\n")  # fmt: skip


def arrays():
    import pandas as pd

    X, y = DRAWS.normal(size=(4, 2, 6)).astype(np.float32), np.array(["a", "b"] * 2)
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        np.savez(at / "x.npz", X=X, y=y)
        np.savez_compressed(at / "parts.npz", X_train=X, y_train=y, X_test=X, y_test=y)
        np.savez(at / "volumes.npz", X=np.zeros((2, 1, 3, 3, 3), np.uint8), y=np.array([0, 1]))
        np.savez(at / "medmnist.npz", train_images=np.zeros((2, 4, 4, 3), np.uint8), train_labels=np.array([[0], [1]]))
        np.save(at / "x.npy", X[:, 0])
        table = pd.read_csv(io.StringIO(WIDE))
        table.to_parquet(at / "wide.parquet", index=False)
        pd.read_csv(io.StringIO(LONG)).to_parquet(at / "long.parquet", index=False, compression="gzip")
        pd.DataFrame({"label": ["a", "b"], "x": [[1.0, 2.0], [3.0, 4.0]]}).to_parquet(at / "lists.parquet")
        table.to_feather(at / "wide.feather", compression="uncompressed")
        table.to_excel(at / "wide.xlsx", index=False)
        for path in at.iterdir():
            taken(f"arrays/{path.name}", path)
    write("arrays/pictures.idx.gz", gzip.compress(bytes(16 + 784), mtime=0))


def recordings():
    import edfio
    import h5py
    import scipy.io
    import soundfile
    import wfdb

    values = DRAWS.normal(size=(2, 40))
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        marks = [edfio.EdfAnnotation(0, 0.2, "a"), edfio.EdfAnnotation(0.2, 0.2, "b")]
        edf = [edfio.EdfSignal(row, 100, label=f"c{n}", physical_dimension="uV") for n, row in enumerate(values)]
        edfio.Edf(edf, data_record_duration=0.4, annotations=marks).write(at / "two.edf")
        edfio.Bdf([edfio.BdfSignal(values[0], 100, label="c")], data_record_duration=0.4, annotations=marks).write(
            at / "one.bdf"
        )
        with wave.open(str(at / "short.wav"), "wb") as file:
            file.setnchannels(1), file.setsampwidth(2), file.setframerate(100)
            file.writeframes(bytes(160))
        soundfile.write(at / "float.wav", values.T / 9, 100, "FLOAT")
        soundfile.write(at / "short.flac", values.T / 9, 100)
        scipy.io.savemat(at / "old.mat", {"val": values, "fs": 100.0})
        with h5py.File(at / "two.h5", "w", libver="latest") as file:
            file["data"] = values
            file.attrs["rate"] = 100.0
        os.chdir(at)
        wfdb.wrsamp("x", 100, ["mV", "mV"], ["I", "II"], p_signal=values.T, fmt=["16", "16"])
        notes = [np.array([8, 16, 24]), np.array(["N", "V", "N"])]
        wfdb.wrann("x", "atr", *notes, fs=100)
        np.save(at / "two.recording.npy", values)
        for path in at.iterdir():
            if path.stem != "x":
                taken(f"recordings/{path.name}", path)
        for ending in ("hea", "atr"):
            taken(f"recordings/two.{ending}", at / f"x.{ending}")
        for path in at.glob("x.*"):
            taken(f"wfdb/{path.name}", path, BESIDE)
        taken("marks/rec.wav", at / "short.wav", BESIDE)
        os.chdir(HERE)
    rows = "".join(f"{n / 10},{DRAWS.normal():.2f},{n},{'ab'[n > 9]}\n" for n in range(20))
    write("recordings/long.recording.csv", "time,acc_x,acc_y,label\n" + rows)
    write("recordings/clock.marks.csv", "file,start,end,label\nrec.wav,0,0.3,a\nrec.wav,0:00:00.4,0:00:00.7,b\n")
    write("recordings/samples.marks.csv", "onset [samples];duration [samples];label\n0;30;a\n40;30;b\n")


# ----------------------------------------------------------------- pictures
def pictures():
    pixels = Image.fromarray(DRAWS.integers(0, 256, (12, 10, 3), np.uint8))
    ways = {
        "colour.jpg": pixels,
        "cmyk.jpg": pixels.convert("CMYK"),
        "colour.png": pixels,
        "clear.png": pixels.convert("RGBA"),
        "palette.png": pixels.quantize(8),
        "deep.png": Image.fromarray(DRAWS.integers(0, 65536, (6, 5), np.uint16)),
        "moving.gif": pixels.quantize(8),
        "plain.bmp": pixels,
        "float.tif": Image.fromarray(DRAWS.normal(size=(5, 4)).astype(np.float32)),
        "packed.tif": pixels,
        "plain.webp": pixels,
        "plain.ico": pixels.resize((16, 16)),
        "plain.ppm": pixels,
        "vector.eps": pixels,
    }
    for name, image in ways.items():
        whole = io.BytesIO()
        how = {"packed.tif": {"compression": "tiff_lzw"}, "vector.eps": {"format": "EPS"}}.get(name, {})
        with tempfile.TemporaryDirectory() as folder:
            image.save(Path(folder) / name, **how)
            whole = (Path(folder) / name).read_bytes()
        write(f"pictures/{name}", whole)
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels.save(turned, "JPEG", exif=exif, quality=20)
    write("pictures/turned.jpg", turned.getvalue())
    for name in ("a.png", "b.png"):
        taken(f"pictures/{name}", CORPUS / "pictures" / "palette.png", BESIDE)
    write("pictures/two.pictures.csv", "path,label,split\na.png,cat,train\nb.png,dog,train\n./a.png,cat,test\n")
    write("pictures/list.pictures.csv", "a.png 0\nb.png 1\n")


# ----------------------------------------------------------------- weights
def small_variants():
    """The smallest networks that have a layer of each kind."""
    branches = (
        Branch("1x1", 8),
        Branch("3x3", 8, 3, reduce=8),
        Branch("pool", 8, pool=3),
    )
    layers = (Branch("conv1", 8, 3, 2), MaxPool("pool1", 3, 2), InceptionSpec("3a", branches))
    yield dataclasses.replace(GOOGLENET_SMALL, name="tiny_2d", stages=(Stage("1", layers),), auxiliary=())
    yield dataclasses.replace(GOOGLENET_1D, name="tiny_1d", stages=(Stage("1", layers, residual=False),), auxiliary=())


def weights():
    for arch in small_variants():
        VARIANTS[arch.name] = arch
    for name, arch in VARIANTS.items():
        if name.startswith("tiny") or name in ("googlenet", "googlenet_1d", "googlenet_3d", "googlenet_slim"):
            write(f"weights/{name}.arch.json", to_json(arch))
    torch.manual_seed(0)
    model = create_model("tiny_2d", 3, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.safetensors"
        save_weights(model, path, classes=CLASSES, preprocessing=GREY.to_dict())
        taken("weights/tiny.safetensors", path)
        others(model, path)
    write("weights/grey.preprocessing.json", json.dumps(GREY.to_dict()))
    run_of_signals()


def others(model, path):
    """The same weights as others have them, and exported models."""
    from googlenet.inference.export import export, notes_of
    from googlenet.inference.load import load_pipeline

    pipeline, classes = load_pipeline(path)
    notes = notes_of(pipeline, classes)
    folder = path.parent
    for form, name in (("onnx", "x.onnx"), ("openvino", "x.xml")):
        if not (CORPUS / "exported" / name.replace("x", "tiny", 1)).exists():
            export(pipeline, notes, form, folder / name)
            taken(f"exported/{name.replace('x', 'tiny', 1)}", folder / name)
    if (folder / "x.bin").exists():
        taken("openvino/x.bin", folder / "x.bin", BESIDE)
    few = dict(list(model.state_dict().items())[:8])
    for new, name in ((True, "few.pth"), (False, "few.legacy.pth")):
        torch.save(few, folder / name, _use_new_zipfile_serialization=new)
        taken(f"foreign/{name}", folder / name)
    from safetensors.torch import save

    write("foreign/few.stranger.safetensors", save({f"module.{name}": few[name] for name in few}))
    caffe_and_onnx(model, folder)


def caffe_and_onnx(model, folder):
    from googlenet.weights.checkpoint import weights_of
    from googlenet.weights.foreign.caffe.binary import Network, encode
    from googlenet.weights.foreign.onnx import graph

    blobs = {name: [np.ones((8, 3, 7, 7), np.float32)[:, :, :2, :2], np.ones(8, np.float32)] for name in
             ("conv1/7x7_s2", "inception_3a/1x1", "loss3/classifier")}  # fmt: skip
    write("foreign/few.caffemodel", encode("GoogleNet", Network(blobs, (104.0, 117.0, 123.0))))
    graph.write(weights_of(model, classes=["a", "b", "c"]), folder / "w.onnx")
    taken("foreign/tiny.weights.onnx", folder / "w.onnx")
    tensorflow()


def tensorflow():
    taken("foreign/v1.ckpt", SLIM / "v1.ckpt")
    taken("foreign/parts_v1.ckpt", SLIM / "parts_v1.ckpt")
    for name in ("v2", "parts_v2", "shards"):
        taken(f"foreign/{name}.ckpt.index", SLIM / f"{name}.ckpt.index")
    taken("slim/x.ckpt.data-00000-of-00001", SLIM / "v2.ckpt.data-00000-of-00001", BESIDE)
    write("foreign/empty.ckpt", level_table([]))
    try:
        from tensorboard.compat.proto import graph_pb2
    except ImportError:
        return
    graph = graph_pb2.GraphDef()
    for name, shape in (("conv2d0_w", (7, 7, 3, 2)), ("conv2d0_b", (2,)), ("softmax2_b", (3,))):
        node = graph.node.add(name=name, op="Const")
        node.attr["dtype"].type = 1
        node.attr["value"].tensor.dtype = 1
        for n in shape:
            node.attr["value"].tensor.tensor_shape.dim.add(size=n)
        node.attr["value"].tensor.tensor_content = np.ones(shape, np.float32).tobytes()
    for name in ("localresponsenorm0", "localresponsenorm1"):
        node = graph.node.add(name=name, op="LRN", input=["conv2d0"])
        node.attr["depth_radius"].i = 5
        node.attr["alpha"].f = 1e-4
    write("foreign/few.pb", graph.SerializeToString())


def run_of_signals():
    """A run of two epochs, and its checkpoint."""
    from googlenet.training.recipe import SIGNALS
    from googlenet.training.runs.folder import Run
    from googlenet.training.runs.reading import Learned
    from googlenet.training.runs.records import ClassScores, EpochRow, Evaluation, RunRecord
    from googlenet.training.state import State

    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "run")
        recipe = dataclasses.replace(SIGNALS, arch="tiny_1d")
        model = create_model("tiny_1d", 2, 1)
        record = RunRecord(
            data="x",
            fingerprint="0123456789abcdef",
            examples={"train": 12, "validation": 3},
            classes=["a", "b"],
            preprocessing=GREY.to_dict(),
            recipe=recipe.to_dict(),
            bad_files=[{"path": "x.png", "reason": "empty file"}],
            googlenet="0.9",
            torch="2.14.1",
        )
        run.begin(record, Learned(frozenset(["0123456789abcdef", "fedcba9876543210"])))
        rows = [EpochRow(1, 0.7, 0.5, 1.25, 1e-3, 0.8, 0.4), EpochRow(2, 0.6, 0.75, 1.5, 5e-4)]
        run.write_history(rows)
        scores = [ClassScores("a", 0.5, 1.0, 2 / 3, 4), ClassScores("b", 1.0, 0.25, 0.4, 4)]
        run.write_evaluation(Evaluation(0.625, None, 0.7, 0.05, 8, scores, [[4, 0], [3, 1]], "test"))
        state = State.beginning(model, recipe)
        state.save(run.checkpoint, recipe, classes=["a", "b"])
        for path in run.path.iterdir():
            taken(f"runs/whole.{path.name}", path)


if __name__ == "__main__":
    for part in (signals, arrays, recordings, pictures, weights):
        part()
    size = sum(path.stat().st_size for at in (CORPUS, BESIDE) for path in at.rglob("*") if path.is_file())
    print(f"{size:,} bytes")
