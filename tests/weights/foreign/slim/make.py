"""Writes the fixtures of tests/test_slim.py with TensorFlow and TF-slim themselves.

Run once, with Python 3.11, tensorflow 2.21.0 and what is unpacked of tf_slim 1.1.0 and tf_keras 2.21.0::

    TF_USE_LEGACY_KERAS=1 PYTHONPATH=tf_slim_and_tf_keras python make.py
"""

import lzma
import sys
import tarfile
import types
import zlib
from pathlib import Path

import numpy as np
import tensorflow as tf
from tf_keras.src.legacy_tf_layers import normalization

# TF-slim asks for a module that tf_keras 2.21 keeps elsewhere.
sys.modules["tf_keras.legacy_tf_layers"] = types.ModuleType("tf_keras.legacy_tf_layers")
sys.modules["tf_keras.legacy_tf_layers.normalization"] = normalization
from tf_slim.nets import inception_v1
from tf_slim.ops.arg_scope import arg_scope

HERE = Path(__file__).parent
V1, V2 = tf.compat.v1.train.SaverDef.V1, tf.compat.v1.train.SaverDef.V2
tf.compat.v1.disable_v2_behavior()


def variable(name, shape):
    """The rule for a variable of a random network; the test has the same one. RandomState's numbers never change."""
    draws = np.random.RandomState(zlib.crc32(name.encode()))
    if name.endswith("moving_variance"):
        return draws.uniform(0.5, 2, shape).astype(np.float32)
    scale = (2 / np.prod(shape[:-1])) ** 0.5 if len(shape) > 1 else 0.3
    return (scale * draws.standard_normal(shape)).astype(np.float32)


def picture(size):
    """The rule for an input."""
    return np.random.RandomState(size).uniform(-1, 1, (1, size, size, 3)).astype(np.float32)


def session():
    return tf.compat.v1.Session(config=tf.compat.v1.ConfigProto(device_count={"CPU": 2}))


def small():
    """Variables of odd shapes, in both formats and in two shards."""
    draws = np.random.RandomState(0)
    values = {
        "a/weights": draws.standard_normal((3, 5, 2)).astype(np.float32),
        "a/weights_2": draws.standard_normal((7,)),
        "b/scalar": np.float32(2.5),
        "b/empty": np.zeros((0, 4), np.float32),
        "é": draws.standard_normal((1, 300)).astype(np.float32),
    }
    with tf.Graph().as_default(), session() as run:
        made = []
        for number, value in enumerate(values.values()):
            with tf.device(f"/cpu:{number % 2}"):
                made.append(tf.compat.v1.Variable(value))
        named = dict(zip(values, made, strict=True))
        step = tf.compat.v1.train.get_or_create_global_step()
        run.run(tf.compat.v1.global_variables_initializer())
        for name, version, sharded in (("v1.ckpt", V1, False), ("v2.ckpt", V2, False), ("shards.ckpt", V2, True)):
            saver = tf.compat.v1.train.Saver(named | {"global_step": step}, write_version=version, sharded=sharded)
            saver.save(run, str(HERE / name), write_meta_graph=False, write_state=False)
        parts = tf.compat.v1.get_variable(
            "parts", (6, 2), partitioner=tf.compat.v1.fixed_size_partitioner(2), use_resource=False
        )
        run.run(tf.compat.v1.variables_initializer(list(parts)))
        for name, version in (("parts_v1.ckpt", V1), ("parts_v2.ckpt", V2)):
            saver = tf.compat.v1.train.Saver({"parts": parts}, write_version=version)
            saver.save(run, str(HERE / name), write_meta_graph=False, write_state=False)
    np.savez_compressed(HERE / "values.npz", **values)


def layers():
    """A strided convolution and the pools, with SAME padding, on even and odd sizes."""
    found = {}
    draws = np.random.RandomState(1)
    kernel = draws.standard_normal((7, 7, 2, 3)).astype(np.float32)
    for size in ((14, 15), (15, 14), (15, 15), (16, 16), (1, 2)):
        x = draws.standard_normal((1, *size, 2)).astype(np.float32)
        with tf.Graph().as_default(), session() as run:
            outputs = {
                "conv": tf.nn.conv2d(x, kernel, strides=2, padding="SAME"),
                "pool3": tf.nn.max_pool2d(x, 3, 2, "SAME"),
                "pool2": tf.nn.max_pool2d(x, 2, 2, "SAME"),
            }
            for name, value in run.run(outputs).items():
                found[f"{name}.{size[0]}.{size[1]}"] = value
        found[f"input.{size[0]}.{size[1]}"] = x
    np.savez_compressed(HERE / "layers.npz", kernel=kernel, **found)


def network():
    """TF-slim's network: logits with random variables, and checkpoints in which each variable is one number."""
    found = {}
    for size in (224, 193):  # 193 is odd at every scale: 97, 49, 25, 13, 7
        with tf.Graph().as_default(), session() as run:
            with arg_scope(inception_v1.inception_v1_arg_scope()):
                logits, _ = inception_v1.inception_v1(picture(size), num_classes=1001, is_training=False)
            for each in tf.compat.v1.global_variables():
                each.load(variable(each.op.name, each.shape.as_list()), run)
            found[f"logits.{size}"] = run.run(logits)[0]
            if size == 224:
                step = tf.compat.v1.train.get_or_create_global_step()
                run.run(tf.compat.v1.variables_initializer([step]))
                names = sorted(each.op.name for each in tf.compat.v1.global_variables() if each is not step)
                for each in tf.compat.v1.global_variables():
                    if each is not step:
                        value = np.float32(1 + names.index(each.op.name))
                        each.load(np.full(each.shape.as_list(), value, np.float32), run)
                for name, version in (("constant_v1", V1), ("constant_v2", V2)):
                    saver = tf.compat.v1.train.Saver(write_version=version)
                    saver.save(run, str(HERE / f"{name}.ckpt"), write_meta_graph=False, write_state=False)
                    pack(name)
    np.savez_compressed(HERE / "logits.npz", **found)


def pack(name):
    """A checkpoint as an archive: 27 MB of repeated numbers are a few kB."""
    with lzma.open(HERE / f"{name}.tar.xz", "wb", preset=9) as file, tarfile.open(fileobj=file, mode="w") as archive:
        for path in sorted(HERE.glob(f"{name}.ckpt*")):
            archive.add(path, path.name)
            path.unlink()


small()
layers()
network()
