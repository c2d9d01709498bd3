"""Uploads: each file of a form is read up to a limit of its own. Above a megabyte a file waits on disk, not in memory."""

from __future__ import annotations

import posixpath
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import partial
from tempfile import SpooledTemporaryFile

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from leaderboard.actions.submit_model import Upload
from leaderboard.service.guard import BodyTooLarge

FILE, MODEL = "file", "model"  # names of the fields
ReadFiles = Callable[[], tuple[Upload, Upload | None]]  # called when the turn comes: waiting files are not in memory
_IN_MEMORY_BYTES = 1 << 20
_MAX_NAME = 200
_MAX_FIELDS = 4
_MAX_FIELD_BYTES = 4096


class _Parser(MultiPartParser):
    """Starlette's parser with a limit for files; its own limits apply to other fields alone."""

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes, None], limits: Mapping[str, int]) -> None:
        super().__init__(headers, stream, max_files=len(limits), max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD_BYTES)
        self._limits = limits
        self._header, self._value = b"", b""
        self._name, self._remaining = "", 0

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        super().on_header_field(data, start, end)
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        super().on_header_value(data, start, end)
        self._value += data[start:end]

    def on_header_end(self) -> None:
        super().on_header_end()
        if self._header.lower() == b"content-disposition":
            options = parse_options_header(self._value)[1]
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
            self._remaining = self._limits.get(self._name, _MAX_FIELD_BYTES) + 1
        self._header, self._value = b"", b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        super().on_part_data(data, start, end)
        self._remaining -= end - start
        if self._remaining <= 0:
            raise BodyTooLarge(is_model=self._name == MODEL)


def is_multipart(headers: Headers) -> bool:
    """Return True for a form with files."""
    return parse_options_header(headers.get("content-type"))[0] == b"multipart/form-data"


async def read_form(request: Request, limits: Mapping[str, int]) -> FormData:
    """Return the fields of a form, to be closed. `limits` names the file fields and their limits in bytes.

    Raises:
        BodyTooLarge: a file is larger than its limit.
        HTTPException: the form is broken or has too many fields or files.
    """
    if not is_multipart(request.headers):
        return await request.form(max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD_BYTES)
    try:
        async with aclosing(request.stream()) as stream:
            return await _Parser(request.headers, stream, limits).parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error
    except UnicodeError as error:  # in a charset that the form names
        raise HTTPException(400, f"the form's names cannot be read ({error}); send them in UTF-8") from error


def read_file_field(form: FormData, field: str) -> Upload | None:
    """Read the file of a field into memory; None for an empty field."""
    file = form.get(field)
    if not isinstance(file, UploadFile) or not file.filename:
        return None
    return Upload(content=file.file.read(), name=tidy_file_name(file.filename, field))


@asynccontextmanager
async def open_files(request: Request, limits: Mapping[str, int], file_name: str) -> AsyncIterator[ReadFiles]:
    """Yield a function that reads the submission and its model from a form, or from a body named `file_name`.

    Raises:
        HTTPException: the form is broken or has no submission.
    """
    if not is_multipart(request.headers):
        file = Upload(content=await request.body(), name=tidy_file_name(file_name))
        yield lambda: (file, None)
        return
    form = await read_form(request, limits)
    try:
        if not isinstance(form.get(FILE), UploadFile):
            raise HTTPException(400, f"the form has no file in its field {FILE}; send the submission there, its net as {MODEL}")
        yield partial(_read_both, form)
    finally:
        await form.close()


def _read_both(form: FormData) -> tuple[Upload, Upload | None]:
    file = read_file_field(form, FILE) or Upload(content=b"", name=tidy_file_name(""))
    return file, read_file_field(form, MODEL)


@asynccontextmanager
async def open_model(request: Request, max_bytes: int, name: str) -> AsyncIterator[Callable[[], Upload]]:
    """Yield a function that reads the model from the body of the request.

    Raises:
        BodyTooLarge: it has more than `max_bytes`.
    """
    with SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
        async for chunk in request.stream():
            file.write(chunk)
            if file.tell() > max_bytes:
                raise BodyTooLarge(is_model=True)
        file.seek(0)
        yield lambda: Upload(content=file.read(), name=tidy_file_name(name, MODEL))


def tidy_file_name(text: str, field: str = FILE) -> str:
    """Return a printable file name without folders."""
    name = posixpath.basename(text.replace("\\", "/"))[:_MAX_NAME]
    default = "model.onnx" if field == MODEL else "submission.csv"
    return "".join(char for char in name if char.isprintable()).strip() or default
