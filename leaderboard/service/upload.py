"""The files of a form, each read to its own limit and no further. What is over a megabyte waits in a file without a name."""

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
from leaderboard.service.security import BodyTooLarge

FILE, MODEL = "file", "model"  # what the fields are called
Read = Callable[[], tuple[Upload, Upload | None]]  # called where few are at once: what waits for that is not in memory
_IN_MEMORY_BYTES = 1 << 20
_MAX_NAME = 200
_MAX_FIELDS = 4
_MAX_FIELD_BYTES = 4096


class _Parser(MultiPartParser):
    """Starlette's, which has a limit for fields and none for files."""

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes, None], limits: Mapping[str, int]) -> None:
        super().__init__(headers, stream, max_files=len(limits), max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD_BYTES)
        self._limits = limits
        self._header, self._value = b"", b""
        self._name, self._left = "", 0

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
            self._left = self._limits.get(self._name, _MAX_FIELD_BYTES) + 1
        self._header, self._value = b"", b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        super().on_part_data(data, start, end)
        self._left -= end - start
        if self._left <= 0:
            raise BodyTooLarge(is_model=self._name == MODEL)


def is_multipart(headers: Headers) -> bool:
    """Whether the body is a form with files."""
    return parse_options_header(headers.get("content-type"))[0] == b"multipart/form-data"


async def read_form(request: Request, limits: Mapping[str, int]) -> FormData:
    """The fields of a form; close it. Files are taken in the fields that `limits` names, up to so many bytes.

    Raises:
        BodyTooLarge: a file has more.
        HTTPException: the form is broken, or has more fields and files than a form of ours.
    """
    if not is_multipart(request.headers):
        return await request.form(max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD_BYTES)
    try:
        async with aclosing(request.stream()) as stream:
            return await _Parser(request.headers, stream, limits).parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error
    except UnicodeError as error:  # by a charset that the form says it has
        raise HTTPException(400, f"the form's names cannot be read ({error}); send them in UTF-8") from error


def sent_in(form: FormData, field: str) -> Upload | None:
    """The file of that field, read into memory now; None where none was chosen."""
    file = form.get(field)
    if not isinstance(file, UploadFile) or not file.filename:
        return None
    return Upload(content=file.file.read(), name=tidy_file_name(file.filename, field))


@asynccontextmanager
async def files_of(request: Request, limits: Mapping[str, int], file_name: str) -> AsyncIterator[Read]:
    """What reads the submission and its model: of a form, or of a body that is a submission called `file_name`.

    Raises:
        HTTPException: the form is broken, or has no submission.
    """
    if not is_multipart(request.headers):
        file = Upload(content=await request.body(), name=tidy_file_name(file_name))
        yield lambda: (file, None)
        return
    form = await read_form(request, limits)
    try:
        if not isinstance(form.get(FILE), UploadFile):
            raise HTTPException(400, f"the form has no file in its field {FILE}; send the submission there, its net as {MODEL}")
        yield partial(_both_in, form)
    finally:
        await form.close()


def _both_in(form: FormData) -> tuple[Upload, Upload | None]:
    file = sent_in(form, FILE) or Upload(content=b"", name=tidy_file_name(""))
    return file, sent_in(form, MODEL)


@asynccontextmanager
async def model_of(request: Request, most_bytes: int, name: str) -> AsyncIterator[Callable[[], Upload]]:
    """What reads the model that is the body of the request.

    Raises:
        BodyTooLarge: it has more bytes.
    """
    with SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
        async for chunk in request.stream():
            file.write(chunk)
            if file.tell() > most_bytes:
                raise BodyTooLarge(is_model=True)
        file.seek(0)
        yield lambda: Upload(content=file.read(), name=tidy_file_name(name, MODEL))


def tidy_file_name(text: str, field: str = FILE) -> str:
    """A name that prints on one line, without its folders."""
    name = posixpath.basename(text.replace("\\", "/"))[:_MAX_NAME]
    usual = "model.onnx" if field == MODEL else "submission.csv"
    return "".join(char for char in name if char.isprintable()).strip() or usual
