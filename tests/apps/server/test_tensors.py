"""Bodies of the protocol, without a server."""

import json
import struct
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from googlenet.apps.server.protocol.tensors import TYPES, read_request, to_bytes
from googlenet.errors import InputError


def body(inputs, behind=b"", **more):
    head = json.dumps({"inputs": inputs, **more}).encode()
    return head + behind, str(len(head))


def one(shape, datatype="FP32", **more):
    return {"name": "x", "shape": shape, "datatype": datatype, **more}


@pytest.mark.parametrize("datatype", sorted(set(TYPES) - {"BOOL", "FP16"}))
def test_numbers_are_the_same_in_json_and_in_bytes(datatype):
    wanted = np.array([[0, 1, 2], [3, 4, 127]], TYPES[datatype])
    (told,) = read_request(json.dumps({"inputs": [one([2, 3], datatype, data=wanted.tolist())]}).encode(), None).inputs
    flat = one([2, 3], datatype, data=wanted.ravel().tolist())
    (also,) = read_request(json.dumps({"inputs": [flat]}).encode(), None).inputs
    content = wanted.tobytes()
    row = one([2, 3], datatype, parameters={"binary_data_size": len(content)})
    (sent,) = read_request(*body([row], content)).inputs
    for found in (told, also, sent):
        assert found.values.dtype == wanted.dtype
        np.testing.assert_array_equal(found.values, wanted)


def test_bytes_stand_behind_their_lengths_and_in_json_in_base64():
    content = struct.pack("<I", 2) + b"\xff\x00" + struct.pack("<I", 0)
    row = one([2], "BYTES", parameters={"binary_data_size": len(content)})
    assert read_request(*body([row], content)).inputs[0].values == [b"\xff\x00", b""]
    row = one([2], "BYTES", data=["/wA=", ""])
    assert read_request(json.dumps({"inputs": [row]}).encode(), None).inputs[0].values == [b"\xff\x00", b""]
    assert to_bytes([b"\xff\x00", b""]) == content
    assert to_bytes(np.array([1.0], ">f4")) == struct.pack("<f", 1.0)


def test_a_missing_value_is_null():
    (found,) = read_request(json.dumps({"inputs": [one([3], data=[1, None, 2.5])]}).encode(), None).inputs
    np.testing.assert_array_equal(found.values, np.array([1, np.nan, 2.5], np.float32))


SIZED = {"binary_data_size": 8}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((b"", None), "no JSON"),
        ((b"[]", None), "of another kind"),
        ((b"{}", None), "no inputs"),
        ((b'{"inputs": 1}', None), "list of objects"),
        ((b"[" * 100_000, None), "no JSON"),
        ((b'{"inputs": [{"name": "x"}]}', None), "datatype of the input 'x' is missing"),
        ((b"{}", "3"), "body has 2 bytes"),
        ((b"{}", "-1"), "body has 2 bytes"),
        (body([one([2], "FP31", data=[1, 2])]), "no datatype"),
        (body([one([2])]), "has no data"),
        (body([one([-1], data=[])]), "whole numbers from 1"),
        (body([one([1] * 33, data=[1])]), "at most 32"),
        (body([one([1 << 40], data=[1])]), "whole numbers from 1"),
        (body([one([3], data=[1, 2])]), "has 2 values"),
        (body([one([2], data=["a", "b"])]), "values that are not"),
        (
            body([one([2, 2, 3], data=[[[1, 2], [3, 4], [5, 6]]] * 2)]),
            r"nested as \[2, 3, 2\], and its shape is \[2, 2, 3\]",
        ),
        (body([one([2, 3], data=[[1, 2], [3, 4], [5, 6]])]), r"nested as \[3, 2\]"),
        (body([one([4], data=[[1, 2, 3], [4]])]), r"nested as \[2\]"),
        (body([one([1], "UINT8", data=[256])]), "from 0 to 255"),
        (body([one([1], "UINT8", data=[1.5])]), "values that are not"),
        (body([one([1], "UINT8", data=[True])]), "values that are not"),
        (body([one([1], "BYTES", data=["%"])]), "base64"),
        (body([one([2], parameters=SIZED)], b"1234567"), "7 lie behind"),
        (body([one([2], parameters=SIZED, data=[1, 2])], b"12345678"), "send one of them"),
        (body([one([3], parameters=SIZED)], b"12345678"), "needs 12"),
        (body([one([2], parameters=SIZED)], b"12345678more"), "belong to none"),
        (body([one([1], "BYTES", parameters=SIZED)], struct.pack("<I", 9) + b"1234"), "are not 1 elements"),
        (body([one([1], data=[1])], id=7), "id of a request is text"),
        (body([one([1], data=[1])], parameters={"binary_data_output": 1}), "true or false"),
        (body([one([1], data=[1])], outputs=[{}]), "name of an output"),
    ],
)
def test_what_is_no_request_gets_a_sentence(given, said):
    with pytest.raises(InputError, match=said):
        read_request(*given)


pieces = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
tensors = st.fixed_dictionaries(
    {
        "name": st.just("x") | pieces,
        "shape": st.lists(st.integers(-1, 3), max_size=3) | pieces,
        "datatype": st.sampled_from([*TYPES, "BYTES"]) | pieces,
    },
    optional={
        "data": st.lists(st.integers(0, 9), max_size=6) | pieces,
        "parameters": st.fixed_dictionaries({"binary_data_size": st.integers(-1, 40)}) | pieces,
    },
)


@given(st.lists(tensors, max_size=3) | pieces, st.binary(max_size=40), st.integers(0, 8) | st.none(), st.booleans())
def test_any_body_is_a_request_or_gets_a_sentence(inputs, behind, off, told):
    head = json.dumps({"inputs": inputs}).encode()
    length = str(max(0, len(head) - (off or 0))) if told else None
    try:
        found = read_request(head + behind, length)
    except InputError as error:
        assert len(str(error)) < 1000
    else:
        for tensor in found.inputs:
            assert np.shape(tensor.values) == (tensor.shape if tensor.datatype != "BYTES" else (prod(tensor.shape),))


@given(st.binary(max_size=200), st.text(max_size=4) | st.none())
def test_any_bytes_get_a_sentence(content, length):
    with pytest.raises(InputError):
        read_request(content, length)
