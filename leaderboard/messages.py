"""What is wrong with a file, a name or a request, in every language: one line of this table each. Knows nothing of the web.

A message is a key and what fills its places; its text is made when somebody reads it. The command line reads English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "es": "Español"})

# key: (English, Spanish). A place with a comma, {n:,}, is a number whose thousands are set apart.
MESSAGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # Where
        "in_file": ("{file}: {problem}{more}", "archivo {file}: {problem}{more}"),
        "in_line": ("{file} line {line}: {problem}{more}", "{file}, línea {line}: {problem}{more}"),
        "at_line": ("line {line}: {problem}", "línea {line}: {problem}"),
        "more_1": (" ({n} more problem in this file)", " ({n} problema más en este archivo)"),
        "more_n": (" ({n} more problems in this file)", " ({n} problemas más en este archivo)"),
        # Bytes and rows
        "file_too_large": (
            "a file has at most {megabytes} MB and this one has more; send one row per id and no further columns",
            "un archivo tiene como mucho {megabytes} MB y este tiene más; envía una fila por id y ninguna otra columna",
        ),
        "not_csv": (
            "the row cannot be read as CSV ({reason}); correct its quotes and send the file again",
            "la fila no se puede leer como CSV ({reason}); corrige sus comillas y envía el archivo otra vez",
        ),
        "file_empty": (
            "the file is empty; it begins with the columns id,label and has one row per id",
            "el archivo está vacío; empieza con las columnas id,label y tiene una fila por id",
        ),
        "many_blank": (
            "the file has more than {most:,} blank lines; leave them out and send it again",
            "el archivo tiene más de {most:,} líneas en blanco; quítalas y envíalo otra vez",
        ),
        "not_utf8": (
            "the file is not UTF-8 (byte 0x{byte}); save it as 'CSV UTF-8' and send it again",
            "el archivo no está en UTF-8 (byte 0x{byte}); guárdalo como 'CSV UTF-8' y envíalo otra vez",
        ),
        "nul_byte": (
            "the line holds a NUL byte; save the file as plain 'CSV UTF-8' and send it again",
            "la línea contiene un byte NUL; guarda el archivo como 'CSV UTF-8' sin más y envíalo otra vez",
        ),
        "row_width": (
            "the header has {columns} and this row {values}; fix the row and send the file again",
            "la cabecera tiene {columns} y esta fila {values}; corrige la fila y envía el archivo otra vez",
        ),
        "columns_1": ("{n:,} column", "{n:,} columna"),
        "columns_n": ("{n:,} columns", "{n:,} columnas"),
        "values_1": ("{n:,} value", "{n:,} valor"),
        "values_n": ("{n:,} values", "{n:,} valores"),
        # The header
        "not_commas": (
            "columns are separated by commas and this file uses {separator}; save it with commas and send it again",
            "las columnas se separan con comas y este archivo usa {separator}; guárdalo con comas y envíalo otra vez",
        ),
        "semicolons": ("semicolons", "punto y coma"),
        "tabs": ("tabs", "tabuladores"),
        "too_many_columns": (
            "the file has at most {most:,} columns and this one {n:,}; "
            "the first line names the columns: correct it and send the file again",
            "el archivo tiene como mucho {most:,} columnas y este {n:,}; "
            "la primera línea nombra las columnas: corrígela y envía el archivo otra vez",
        ),
        "column_again": (
            "column {name} stands there {n} times; keep one of them and send the file again",
            "la columna {name} está {n} veces; deja una sola y envía el archivo otra vez",
        ),
        "run_folder_column": (
            "column '{name}' belongs to the file in a run folder, not to a submission; "
            "`arena predict` writes a file that can be sent",
            "la columna '{name}' es del archivo de una carpeta de entrenamiento, no de un envío; "
            "`arena predict` escribe un archivo que se puede enviar",
        ),
        "column_missing": (
            "column '{name}' is missing{near}; the first line of the file is id,label: write it and send it again",
            "falta la columna '{name}'{near}; la primera línea del archivo es id,label: escríbela y envíalo otra vez",
        ),
        "nearest": (", the nearest is {name}", ", lo más parecido es {name}"),
        "column_unknown": (
            "column {name} is none of id, label and one probability per class ({labels}); delete it and send it again",
            "la columna {name} no es ni id ni label ni la probabilidad de una clase ({labels}); bórrala y envíalo otra vez",
        ),
        "class_missing": (
            "probabilities are for all classes or none and column {name} is missing; add it and send it again",
            "las probabilidades son de todas las clases o de ninguna y falta la columna {name}; añádela y envíalo otra vez",
        ),
        # The rows of a submission
        "id_unknown": (
            "id {id} is not one of the {n:,} ids of the contest{near}; fix the row and send it again",
            "el id {id} no es uno de los {n:,} del concurso{near}; corrige la fila y envía el archivo otra vez",
        ),
        "id_again": (
            "id {id} stands in line {line} already; keep one of the two rows and send it again",
            "el id {id} ya está en la línea {line}; deja una de las dos filas y envía el archivo otra vez",
        ),
        "ids_missing_1": (
            "{n:,} of {of:,} ids has no row: {shown}; add one row for each and send it again",
            "{n:,} de {of:,} ids no tiene fila: {shown}; añade una fila para cada uno y envía el archivo otra vez",
        ),
        "ids_missing_n": (
            "{n:,} of {of:,} ids have no row: {shown}; add one row for each and send it again",
            "{n:,} de {of:,} ids no tienen fila: {shown}; añade una fila para cada uno y envía el archivo otra vez",
        ),
        "label_unknown": (
            "label {label} is not one of {labels}; fix the row and send it again",
            "la etiqueta {label} no es una de {labels}; corrige la fila y envía el archivo otra vez",
        ),
        "label_written": (
            "label {label} is not one of {labels}; write {right} and send it again",
            "la etiqueta {label} no es una de {labels}; escribe {right} y envía el archivo otra vez",
        ),
        "labels_more": ("{names} and {n:,} more", "{names} y {n:,} más"),
        "probability_no_number": (
            "probability {value} is not a number; fix the row and send it again",
            "la probabilidad {value} no es un número; corrige la fila y envía el archivo otra vez",
        ),
        "probability_beyond": (
            "probability {value} is not between 0 and 1; fix the row and send it again",
            "la probabilidad {value} no está entre 0 y 1; corrige la fila y envía el archivo otra vez",
        ),
        "probability_sum": (
            "probabilities of a row sum to 1 and these to {total:.4g}; fix the row and send it again",
            "las probabilidades de una fila suman 1 y estas {total:.4g}; corrige la fila y envía el archivo otra vez",
        ),
        # Models
        "model_too_large": (
            "a model has at most {megabytes} MB and this one has more; train a smaller net",
            "un modelo tiene como mucho {megabytes} MB y este tiene más; entrena una red más pequeña",
        ),
        "model_no_onnx": (
            "{file} is no ONNX model, or a broken one; send the file that `arena export` or torch.onnx.export wrote",
            "{file} no es un modelo ONNX, o está roto; envía el archivo que escribió `arena export` o torch.onnx.export",
        ),
        "model_other": (
            "{file} is {came} and no ONNX model; send the file that `arena export` or torch.onnx.export wrote",
            "{file} es {came} y no un modelo ONNX; envía el archivo que escribió `arena export` o torch.onnx.export",
        ),
        "model_zip": ("a zip archive, as torch.save writes,", "un archivo zip, como los de torch.save,"),
        "model_pickle": ("a pickle, which is never opened,", "un pickle, que nunca se abre,"),
        "model_hdf5": ("an HDF5 file", "un archivo HDF5"),
        "model_page": ("a page of the web", "una página web"),
        "model_no_net": (
            "{file} is an ONNX model without a net; export it again and send that",
            "{file} es un modelo ONNX sin red; expórtalo otra vez y envía ese",
        ),
        "model_outside": (
            "{file} keeps its weights in another file; a model is one file: export it with its weights inside",
            "{file} guarda sus pesos en otro archivo; un modelo es un solo archivo: expórtalo con los pesos dentro",
        ),
        "model_no_attempt": (
            "a model lies beside an attempt and team {team} has none of this number; send the submission first",
            "un modelo acompaña a un intento y el equipo {team} no tiene ninguno con ese número; envía primero las respuestas",
        ),
        "model_verified": (
            "attempt {n} of team {team} is verified, and no other model takes its place; keep the one that is there",
            "el intento {n} del equipo {team} está verificado y ningún otro modelo ocupa su lugar; se queda el que hay",
        ),
        "model_too_many": (
            "an attempt takes at most {most} models and attempt {n} of team {team} has had them; "
            "the last of them is the one that is run",
            "un intento admite como mucho {most} modelos y el intento {n} del equipo {team} ya los tuvo; "
            "se ejecuta el último de ellos",
        ),
        # Teams
        "refusals": (
            "a team sends at most {n} files an hour that cannot be scored and team {team} has sent them; "
            "wait {minutes} min, and check files with `arena contest validate`, which is free",
            "un equipo envía como mucho {n} archivos por hora que no se pueden puntuar y el equipo {team} ya los envió; "
            "espera {minutes} min y comprueba los archivos con `arena contest validate`, que no gasta nada",
        ),
        "team_out": (
            "team {team} is disqualified; ask the host of the contest",
            "el equipo {team} está descalificado; pregunta a la organización del concurso",
        ),
        "team_merged": (
            "team {team} went into another team; send as that one",
            "el equipo {team} se unió a otro equipo; envía como ese",
        ),
        "name_form": (
            "a team's name or pseudonym has 1 to {most} printable characters, not {name}; give another",
            "el nombre o seudónimo de un equipo tiene de 1 a {most} caracteres visibles, no {name}; elige otro",
        ),
        "name_taken": (
            "a team's name is its own and {name} is taken; give another",
            "el nombre de un equipo es solo suyo y {name} ya lo tiene otro; elige otro",
        ),
        "pseudonym_taken": (
            "a pseudonym is a team's own and {name} is taken; give another",
            "un seudónimo es solo de un equipo y {name} ya lo tiene otro; elige otro",
        ),
        "pseudonym_tells": (
            "a pseudonym hides the team's name and {name} gives it away; give another, or none to be shown by name",
            "un seudónimo oculta el nombre del equipo y {name} lo delata; elige otro, o ninguno para que se vea el nombre",
        ),
        "pseudonym_often": (
            "a team changes its pseudonym at most {n} times in 24 hours and team {team} has; ask the host, or wait",
            "un equipo cambia de seudónimo como mucho {n} veces en 24 horas y el equipo {team} ya lo hizo; "
            "pregunta a la organización o espera",
        ),
    }
)


@runtime_checkable
class Told(Protocol):
    """What has a text in each language."""

    def told(self, language: str) -> str:
        """The text in that language."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the table and what fills its places; as `str` it is English."""

    key: str
    values: Mapping[str, object]

    def told(self, language: str) -> str:
        text = MESSAGES[self.key][list(LANGUAGES).index(language)]
        return _Filler(language).vformat(text, (), self.values)

    def __str__(self) -> str:
        return self.told("en")


Said = Message | str  # a bare text has one language: what a host's files and programs are told, in English


def message(key: str, /, **values: object) -> Message:
    """The message of that key."""
    return Message(key, values)


def plural(key: str, n: int) -> Message:
    """`1 column`, `2 columns`."""
    return message(f"{key}_{'1' if n == 1 else 'n'}", n=n)


def told(said: Said, language: str) -> str:
    """The text in that language; a bare one as it is."""
    return said if isinstance(said, str) else said.told(language)


def number(n: int, language: str) -> str:
    """`2,000`, in Spanish with a narrow space."""
    return f"{n:,}" if language == "en" else f"{n:,}".replace(",", "\u202f")


class _Filler(Formatter):
    """Fills places in one language."""

    def __init__(self, language: str) -> None:
        self._language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Told):
            return value.told(self._language)
        return number(value, self._language) if format_spec == "," else format(value, format_spec)
