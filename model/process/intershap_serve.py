"""Let intershap explain a model that lives in Python.

Save this page as a module beside your model; it needs numpy and nothing else:

    intershap help python > intershap_serve.py

Write a model file that imports it, one of those below, and explain it:

    intershap explain 'exec:python3 model.py' test.npz --background train.npz

predict gets a numpy array for each input, named as the inputs, rows on axis 0,
and returns an array, or a tuple of them, or a dict, for the outputs: a row for
each row of the inputs, which must not depend on the other rows.

A plain function:

    from intershap_serve import serve

    def predict(age, ecg):
        return (age > 50) * abs(ecg).max(axis=1)

    serve(predict, inputs={"age": "float32[N]", "ecg": "float32[N,48]"},
          outputs={"risk": "float32[N]"})

PyTorch, a model that was saved by torch.jit.save:

    from intershap_serve import serve
    import torch

    model = torch.jit.load("model.pt").eval()

    def predict(image, labs):
        with torch.no_grad():
            logits = model(torch.from_numpy(image), torch.from_numpy(labs))
            return torch.softmax(logits, dim=1)

    serve(predict, files=["model.pt"],
          inputs={"image": "float32[N,1,8,8]", "labs": "float32[N,4]"},
          outputs={"probabilities": "float32[N,3]"})

scikit-learn, a classifier on columns side by side:

    from intershap_serve import serve
    import joblib, numpy

    model = joblib.load("model.joblib")

    def predict(image, labs):
        return model.predict_proba(numpy.hstack([image, labs]))

    serve(predict, files=["model.joblib"],
          inputs={"image": "float64[N,64]", "labs": "float64[N,4]"},
          outputs={"probabilities": "float64[N,3]"},
          classes={"probabilities": model.classes_})

XGBoost:

    from intershap_serve import serve
    import numpy, xgboost

    model = xgboost.Booster(model_file="model.json")

    def predict(image, labs):
        return model.inplace_predict(numpy.hstack([image, labs]))

    serve(predict, files=["model.json"],
          inputs={"image": "float32[N,64]", "labs": "float32[N,4]"},
          outputs={"probabilities": "float32[N,3]"})

A pipeline that wants a table: pandas.DataFrame({"age": age, "sex": sex}), with
the inputs {"age": "float64[N]", "sex": "string[N]"}.

Types: float16 float32 float64 int8 to int64 uint8 to uint64 bool string. N is
the rows; ? stands for an axis of any length. What is printed goes to standard
error. Import this module first, so that this holds for what is printed while
the model is loaded. A run starts a process for each of its --workers, with one
thread each unless OMP_NUM_THREADS says otherwise; INTERSHAP_WORKER holds the
number of the process, 0, 1, ..., to choose a device by.

This file by itself is a small model, to try things out:

    intershap inspect 'exec:python3 intershap_serve.py'
"""
import ast
import hashlib
import json
import os
import struct
import sys
import traceback
import zlib

import numpy

# Frames have descriptors of their own: what the model prints goes to standard
# error, and what it reads is empty. docs/format/process.md has the protocol.
_terminal = os.isatty(0)
_in, _out = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.dup2(2, 1)

_HEADER = struct.Struct("<4sBBHQ")
_MAGIC, _VERSION = b"\x93ISP", 1
_HELLO, _BATCH, _OUTPUTS, _FAILURE = 1, 2, 3, 4


def serve(predict, inputs, outputs, max_rows=0, classes=None, files=(),
          name=""):
    """Answer batches until standard input ends.

    inputs, outputs: name -> type and shape, as "float32[N,1,8,8]".
    max_rows: the most rows that predict takes at a time; 0 for any number.
    classes: output -> the names of its columns.
    files: what the model was read from; a checkpoint of a run is good for
    these bytes alone.
    name: what results call the model.
    """
    if _terminal:
        sys.exit("%s answers intershap over pipes:\n  intershap explain "
                 "'exec:python3 %s' DATA" % (sys.argv[0], sys.argv[0]))
    hello = {
        "name": name, "runtime": _runtime(), "digest": _digest(files),
        "max_rows": max_rows,
        "inputs": [_spec(key, text) for key, text in inputs.items()],
        "outputs": [_spec(key, text) for key, text in outputs.items()],
    }
    for output in hello["outputs"]:
        if classes and output["name"] in classes:
            output["classes"] = [str(c) for c in classes[output["name"]]]
    _write(_json(_HELLO, hello))
    dtypes = {o["name"]: _dtype(o["dtype"]) for o in hello["outputs"]}
    told = False
    while True:
        batch = _read()
        if batch is None:
            return
        try:
            answer = _named(predict(**_unpack(batch)), dtypes)
        except Exception as fault:
            if not told:  # once: the search for the row asks many times
                traceback.print_exc()
                told = True
            text = "%s: %s" % (type(fault).__name__, fault)
            _write(_json(_FAILURE, {"error": text, "place": _place(fault)}))
        else:
            _write(_pack(answer))
        batch = answer = None  # or their memory could not be used again


def _place(fault):
    """The line of predict at which it failed; none in this module."""
    file, line = traceback.extract_tb(fault.__traceback__)[:2][-1][:2]
    return "" if file == serve.__code__.co_filename else "%s:%d" % (file, line)


def _spec(name, text):
    dtype, _, axes = text.replace(" ", "").rstrip("]").partition("[")
    if not axes:
        raise ValueError("%s: want a type and a shape such as float32[N,4], "
                         "got %r" % (name, text))
    shape = [-1 if a in ("N", "?") else int(a) for a in axes.split(",") if a]
    return {"name": name, "dtype": dtype, "shape": shape}


def _dtype(name):
    return str if name == "string" else numpy.dtype(name)


def _runtime():
    words = ["python %d.%d.%d" % sys.version_info[:3]]
    for module in ("numpy", "torch", "sklearn", "xgboost", "lightgbm",
                   "tensorflow", "jax", "transformers"):
        version = getattr(sys.modules.get(module), "__version__", None)
        if version:
            words.append("%s %s" % (module, version))
    return ", ".join(words)


def _digest(files):
    whole = hashlib.sha256()
    for path in files:
        with open(path, "rb") as f:
            part = hashlib.sha256()
            for block in iter(lambda: f.read(1 << 20), b""):
                part.update(block)
            whole.update(part.digest())
    return whole.hexdigest() if files else ""


def _named(answer, dtypes):
    """Give the outputs their names and declared types."""
    if answer is None:
        raise ValueError("predict returned nothing: is a return missing?")
    if not isinstance(answer, dict):
        listed = isinstance(answer, list)
        if listed and len(dtypes) == 1:  # of numbers, unless it holds an array
            listed = len(answer) == 1 and numpy.ndim(answer[0]) > 0
        if not listed and not isinstance(answer, tuple):
            answer = (answer,)
        if len(answer) != len(dtypes):
            raise ValueError("predict returned %s%d outputs, want %d: %s"
                             % ("a list, which counts as " if listed else "",
                                len(answer), len(dtypes), ", ".join(dtypes)))
        answer = dict(zip(dtypes, answer))
    arrays = {}
    for name, dtype in dtypes.items():
        if name not in answer:
            raise ValueError("predict returned no output %r" % name)
        value = answer[name]
        if type(value) is numpy.ndarray and value.dtype == dtype:
            arrays[name] = value
            continue
        if hasattr(value, "detach"):  # a tensor of PyTorch
            value = value.detach().cpu()
        value = numpy.asarray(value)
        if dtype is str:
            value = value.astype(str)
        elif value.dtype != dtype:  # float64 to float32, never 0.5 to 0
            if value.dtype.kind == "O":
                first = value.flat[0] if value.size else None
                raise TypeError("output %r holds %s, want %s"
                                % (name, type(first).__name__, dtype))
            if not numpy.can_cast(value.dtype, dtype, "same_kind"):
                raise TypeError("output %r is %s, declared as %s"
                                % (name, value.dtype, dtype))
            value = value.astype(dtype)
        arrays[name] = value
    return arrays


def _read():
    """The payload of the next batch, None at the end."""
    if not _fill(_head_room):
        return None
    magic, version, kind, _, size = _HEADER.unpack(_head_room)
    if (magic, version, kind) != (_MAGIC, _VERSION, _BATCH):
        sys.exit("standard input holds no batch of version %d" % _VERSION)
    if len(_room[0]) != size or _held():
        _room[0] = bytearray(size)
    return _room[0] if _fill(_room[0]) else None


# The memory of a batch serves the next, unless predict has kept an array: then
# more refer to it than to a bytearray that nobody knows.
_head_room = bytearray(_HEADER.size)
_room, _unknown = [bytearray()], [bytearray()]
_references = getattr(sys, "getrefcount", None)


def _held():
    return not _references or _references(_room[0]) != _references(_unknown[0])


def _fill(buffer):
    n = _in.readinto(buffer)
    if n == len(buffer):
        return True
    view = memoryview(buffer)
    while n:
        view = view[n:]
        if not view:
            return True
        n = _in.readinto(view)
    return False


def _head(kind, payload):
    return _HEADER.pack(_MAGIC, _VERSION, kind, 0, len(payload))


def _json(kind, value):
    payload = json.dumps(value).encode()
    return _head(kind, payload) + payload


def _write(frame):
    view = memoryview(frame)
    while len(view):
        view = view[_out.write(view):]


# NPZ by hand, since numpy.load takes longer than a small model: batches mostly
# look alike, so that what stands between the elements is made and read once.
_LOCAL, _CRC = struct.Struct("<4s5H3I2H"), struct.Struct("<I")
_layouts, _templates, _last, _MOST = {}, {}, [], 64


def _unpack(payload):
    """The arrays of an uncompressed NPZ, over its memory."""
    layout = _layouts.get(len(payload))
    if layout is None or not _like(payload, layout):
        if len(_layouts) == _MOST:
            _layouts.clear()
        layout = _layouts[len(payload)] = _layout(payload)
    return {name: numpy.ndarray(shape, dtype, payload, data)
            for name, shape, dtype, data, _, _ in layout}


def _like(payload, layout):
    for _, _, _, _, at, same in layout:
        if not payload.startswith(same, at):
            return False
    return True


def _layout(payload):
    """Where the arrays of an NPZ are, and what stands before each."""
    layout, at = [], 0
    while payload[at:at + 4] == b"PK\3\4":
        fields = _LOCAL.unpack_from(payload, at)
        size, key, extra = fields[8:11]
        start = at + _LOCAL.size + key + extra
        name = payload[at + _LOCAL.size:start - extra].decode()[:-len(".npy")]
        data = start + 10 + int.from_bytes(payload[start + 8:start + 10],
                                           "little")
        found = ast.literal_eval(payload[start + 10:data].decode("latin1"))
        sizes = at + 18  # behind the checksum, which is of the elements too
        layout.append((name, found["shape"], numpy.dtype(found["descr"]),
                       data, sizes, bytes(payload[sizes:data])))
        at = start + size
    return layout


def _pack(arrays):
    """A frame with an uncompressed NPZ of the arrays, whose names are always
    the same."""
    every = arrays.values()
    key = [a.shape for a in every] + [a.dtype for a in every]
    if not _last or key != _last[0]:
        if len(_templates) == _MOST:
            _templates.clear()
        if tuple(key) not in _templates:
            _templates[tuple(key)] = _template(arrays)
        _last[:] = key, _templates[tuple(key)]
    frame, places = _last[1]
    for array, (inside, raw, crc, here, there) in zip(arrays.values(), places):
        inside[...] = array
        crc = zlib.crc32(raw, crc)
        _CRC.pack_into(frame, here, crc)
        _CRC.pack_into(frame, there, crc)
    return frame


def _template(arrays):
    """A frame to put elements and checksums into, and the places of both."""
    members, directory, places = bytearray(), bytearray(), []
    for name, array in arrays.items():
        text = repr({"descr": array.dtype.str, "fortran_order": False,
                     "shape": array.shape}).encode()
        text += b" " * (63 - (10 + len(text)) % 64) + b"\n"
        head = b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text
        key, size = (name + ".npy").encode(), len(head) + array.nbytes
        same = struct.pack("<5H3I2H", 20, 0x800, 0, 0, 33, 0, size, size,
                           len(key), 0)
        at = len(members)
        places.append((at + 30 + len(key) + len(head), zlib.crc32(head),
                       at + 14, len(directory) + 16))
        members += b"PK\3\4" + same + key + head + bytes(array.nbytes)
        directory += (b"PK\1\2\x14\0" + same +
                      struct.pack("<3H2I", 0, 0, 0, 0, at) + key)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, len(arrays), len(arrays),
                      len(directory), len(members), 0)
    payload = bytes(members) + bytes(directory) + end
    frame = bytearray(_head(_OUTPUTS, payload) + payload)
    front, behind = _HEADER.size, _HEADER.size + len(members)
    return frame, [
        (numpy.ndarray(a.shape, a.dtype, frame, front + data),
         memoryview(frame)[front + data:front + data + a.nbytes],
         crc, front + here, behind + there)
        for a, (data, crc, here, there) in zip(arrays.values(), places)]


if __name__ == "__main__":
    def exclusive_or(left, right):
        return ((left > 0) != (right > 0)).astype("float32")

    serve(exclusive_or, outputs={"probability": "float32[N]"}, name="try-out",
          inputs={"left": "float32[N]", "right": "float32[N]"})
