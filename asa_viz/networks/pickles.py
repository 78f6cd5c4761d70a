"""Reads torch.save checkpoints as data: only named tensors are used, nothing is executed.

mmengine's checkpoints are pickles with objects in them (message hub, optimiser, numpy numbers).
Here nothing that a pickle names is imported or called. The few names needed for tensors have
stand-ins; any other name becomes a placeholder that ignores all operations on it.

Both formats of torch.save are read: the zip archive, and the older one (torch < 1.6), still found
in model zoos. Tensors of optimisers and the like are not loaded.
"""

import pickle
import struct
import zipfile
from dataclasses import dataclass
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

_DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
# The first pickle of the older format.
_MAGIC = 0x1950A86A20F9469CFC6C


class Contents(NamedTuple):
    """The contents of a checkpoint: named tensors, and the plain data of its `meta`."""

    weights: dict[str, Tensor]
    meta: dict[str, Any]


class Inert:
    """Placeholder for an object of a pickle; accepts any arguments and items and stores none."""

    __slots__ = ()

    def __new__(cls, *_: Any, **__: Any) -> "Inert":
        """Return a placeholder for any arguments."""
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> "Inert":
        """Return another placeholder."""
        return Inert()

    def __setstate__(self, state: Any) -> None:
        """Forget the state."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Forget the item."""

    def append(self, item: Any) -> None:
        """Forget the item."""

    extend = add = append


class _Mapping(dict[Any, Any]):
    """An ordered dictionary that ignores the attributes torch attaches to it."""

    def __setstate__(self, state: Any) -> None:
        pass


@dataclass(frozen=True, slots=True)
class _Storage:
    """A storage of the file: numbers of one type, under a key."""

    dtype: torch.dtype
    key: str = ""

    def __setstate__(self, state: Any) -> None:
        pass


@dataclass(frozen=True, slots=True)
class _Described:
    """A tensor that is not loaded yet: a view of a storage."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def __setstate__(self, state: Any) -> None:
        pass


class _Rebuild:
    """Stand-in for the functions with which torch rebuilds tensors."""

    __slots__ = ()

    def __call__(self, made: Any, *rest: Any) -> Any:
        """Describe a tensor; a parameter is the tensor it is made of."""
        if isinstance(made, _Storage):
            offset, size, stride = rest[:3]
            return _Described(made, offset, tuple(size), tuple(stride))
        return made if isinstance(made, _Described) else Inert()

    def __setstate__(self, state: Any) -> None:
        pass


_STAND_INS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _Mapping,
    ("torch._utils", "_rebuild_tensor"): _Rebuild(),
    ("torch._utils", "_rebuild_tensor_v2"): _Rebuild(),
    ("torch._utils", "_rebuild_parameter"): _Rebuild(),
}


class _Unpickler(pickle.Unpickler):
    """Unpickler that imports nothing: names become stand-ins or placeholders.

    `sizes` holds the bytes of one number of each storage that was referred to.
    """

    def __init__(self, file: BufferedIOBase) -> None:
        super().__init__(file)
        self.sizes: dict[str, int] = {}

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """Return the stand-in or placeholder for a name."""
        if module_name in ("torch", "torch.storage") and global_name in _DTYPES:
            return _Storage(_DTYPES[global_name])
        return _STAND_INS.get((module_name, global_name), Inert)

    def persistent_load(self, pid: Any) -> Any:
        """Return the storage that a tensor refers to."""
        kind, storage, key, *rest = pid
        # What follows the place and the length is, in the older format, a view of another storage.
        if kind != "storage" or not isinstance(storage, _Storage) or rest[2:] not in ([], [None]):
            raise pickle.UnpicklingError("it refers to something other than a storage")
        self.sizes[str(key)] = storage.dtype.itemsize
        return _Storage(storage.dtype, str(key))


def read_pickled(path: Path) -> Contents:
    """Read a checkpoint written by torch.save; its weights may lie under `state_dict` or `model`.

    Raises:
        Exception: the file is damaged or is not a checkpoint; the type depends on what the file
            holds.
    """
    with path.open("rb") as file:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                return _from_archive(archive)
        file.seek(0)
        return _from_stream(file)


def _from_archive(archive: zipfile.ZipFile) -> Contents:
    (name,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
    folder = name.removesuffix("data.pkl")
    order = f"{folder}byteorder"
    if order in archive.namelist() and archive.read(order) != b"little":
        raise ValueError("its numbers are big-endian")
    content = _Unpickler(BytesIO(archive.read(name))).load()
    weights, meta = _parts(content)
    read: dict[str, bytearray] = {}
    for described in weights.values():
        key = described.storage.key
        if key not in read:
            entry = archive.getinfo(f"{folder}data/{key}")
            # torch.save does not compress; compressed entries could expand to huge sizes.
            if entry.compress_type != zipfile.ZIP_STORED:
                raise ValueError("it is compressed")
            read[key] = bytearray(archive.read(entry))
    return Contents({name: _tensor(each, read) for name, each in weights.items()}, meta)


def _from_stream(file: BufferedIOBase) -> Contents:
    magic, _protocol, _system = (_Unpickler(file).load() for _ in range(3))
    if magic != _MAGIC:
        raise ValueError("it does not begin as torch.save begins")
    unpickler = _Unpickler(file)
    weights, meta = _parts(unpickler.load())
    read: dict[str, bytearray] = {}
    for key in _Unpickler(file).load():
        (count,) = struct.unpack("<q", file.read(8))
        read[key] = bytearray(file.read(count * unpickler.sizes[key]))
    return Contents({name: _tensor(each, read) for name, each in weights.items()}, meta)


def _parts(content: Any) -> tuple[dict[str, _Described], dict[str, Any]]:
    """Return the described tensors by name, and the meta."""
    meta: Any = {}
    if isinstance(content, dict):
        meta = content.get("meta")
        for wrapper in ("state_dict", "model"):
            if isinstance(content.get(wrapper), dict):
                content = content[wrapper]
                break
    named = content if isinstance(content, dict) else {}
    weights = {
        name: value
        for name, value in named.items()
        if isinstance(name, str) and isinstance(value, _Described)
    }
    return weights, meta if isinstance(meta, dict) else {}


def _tensor(described: _Described, read: dict[str, bytearray]) -> Tensor:
    """Return the tensor; torch raises an error for a view beyond its storage."""
    if not described.size or min(described.size) > 0:
        flat = torch.frombuffer(read[described.storage.key], dtype=described.storage.dtype)
        return flat.as_strided(described.size, described.stride, described.offset).clone()
    return torch.empty(described.size, dtype=described.storage.dtype)
