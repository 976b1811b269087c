"""Writes the NPZ files of this folder with NumPy, the writer they must come from.

Run it in this folder: python3 make.py. Element i of every array, counted row by
row, is i % 7 (minus 3 where the type has a sign, over 4 where it has
fractions), so that the tests can state the values without reading the script.
"""

import numpy as np

ROWS, SHAPE = 5, (5, 2, 3)
COUNT = int(np.prod(SHAPE))


def values(dtype):
    kind = np.dtype(dtype).kind
    base = np.arange(COUNT) % 7
    if kind == "f":
        base = (base - 3) / 4
    elif kind == "i":
        base = base - 3
    elif kind == "b":
        base = base % 2
    elif kind in "US":
        base = np.array(["é%d" % v if kind == "U" else "e%d" % v for v in base])
    return base.astype(dtype).reshape(SHAPE)


TYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1", "U3", "S3"]

np.savez("types.npz", **{t: values(t) for t in TYPES})
np.savez_compressed("types_deflated.npz", **{t: values(t) for t in TYPES})
np.savez("types_big_endian.npz", **{t: values(t).astype(">" + t) for t in TYPES})
np.savez_compressed("types_fortran.npz", **{t: np.asfortranarray(values(t)) for t in TYPES})

structured = np.zeros(ROWS, dtype=[("a", "f4"), ("b", "<U9", (2,))])
np.savez(
    "odd.npz",
    x=values("f4"),
    objects=np.array([{"a": 1}] * ROWS, dtype=object),
    structured=structured,
    times=np.arange(ROWS).astype("M8[s]"),
    complexes=np.arange(ROWS).astype("c8"),
    single=np.float32(3),
    longer=np.arange(ROWS + 1),
    empty_rows=np.zeros((ROWS, 0)),
)


def header_version(path, version):
    """One array under a header version that NumPy picks only when it must."""
    import io
    import zipfile

    member = io.BytesIO()
    np.lib.format.write_array(member, values("f4"), version=version)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", member.getvalue())


header_version("version2.npz", (2, 0))
header_version("version3.npz", (3, 0))
