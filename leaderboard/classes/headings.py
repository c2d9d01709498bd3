"""Headings of class lists, as learning platforms write them, and the meaning of each.

Read in exports and their documents, November 2026. Moodle's participants: "First name","Last name","ID number","Email
address",Groups, where a cell joins several groups by commas; in Spanish "Nombre","Apellido(s)","Número de ID","Dirección de
correo","Grupos" (its own language packs; "Surname" before 4.0). Canvas' gradebook: Student,ID,SIS User ID,SIS Login ID,Section,
names as "Last, First", a row "Points Possible" and a test student; its group sets: name,canvas_user_id,user_id,login_id,
sections,group_name,canvas_group_id,group_id (Instructure, "Group Categories CSV Format"). Blackboard's grade centre: "Last
Name","First Name","Username","Student ID", and its groups "Group Code","User Name","Student Id". Google Classroom: Last
Name,First Name,Email Address.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum


class ColumnRole(StrEnum):
    """Meaning of a column."""

    FIRST = "first name"
    LAST = "last name"
    NAME = "name"
    EMAIL = "e-mail"
    LOGIN = "login"
    LMS_ID = "platform's ID"
    STUDENT_ID = "student ID"
    GROUP = "group"


IDENTITY = (ColumnRole.EMAIL, ColumnRole.LOGIN, ColumnRole.LMS_ID, ColumnRole.STUDENT_ID)
_HEADINGS = {
    ColumnRole.FIRST: "first name, firstname, given name, nombre, nombres, nombre(s)",
    ColumnRole.LAST: "last name, lastname, surname, family name, apellido(s), apellidos, apellido",
    ColumnRole.NAME: (
        "student, student name, name, full name, participant, estudiante, alumno, alumna, alumno/a, nombre completo, "
        "nombre y apellidos, apellidos y nombre"
    ),
    ColumnRole.EMAIL: (
        "email address, email, e-mail, e-mail address, mail, correo, correo electrónico, dirección de correo, "
        "dirección de correo electrónico, dirección email, email institucional"
    ),
    ColumnRole.LOGIN: "username, user name, sis login id, login_id, login, usuario, nombre de usuario",
    ColumnRole.LMS_ID: "id, canvas_user_id",
    ColumnRole.STUDENT_ID: (
        "id number, student id, sis user id, user_id, student number, número de id, número de identificación, matrícula, "
        "número de matrícula, expediente, número de expediente"
    ),
    ColumnRole.GROUP: (
        "groups, group, group name, group_name, group code, team, team name, grupos, grupo, equipo, nombre del equipo"
    ),
}
_ROLES = {name.strip(): role for role, names in _HEADINGS.items() for name in names.split(",")}
LISTS_OF_GROUPS = ("groups", "grupos")  # such a cell joins several by commas
_NO_STUDENTS = ("points possible", "puntos posibles", "test student", "student, test", "estudiante, prueba")


def find_columns(header: Sequence[str]) -> Mapping[ColumnRole, Sequence[int]]:
    """Return the columns of each meaning that a header has."""
    columns: dict[ColumnRole, list[int]] = {}
    for index, text in enumerate(header):
        if role := _ROLES.get(fold(text)):
            columns.setdefault(role, []).append(index)
    if ColumnRole.FIRST in columns and ColumnRole.LAST not in columns:  # "Nombre" alone is the whole name
        columns.setdefault(ColumnRole.NAME, []).extend(columns.pop(ColumnRole.FIRST))
    return columns


def is_no_student(name: str) -> bool:
    """Return True for the rows of Canvas that are no student: the points of each column, and its test student."""
    return fold(name) in _NO_STUDENTS


def fold(text: str) -> str:
    """Return a heading or a name for comparison: one case, single spaces, composed letters."""
    return " ".join(unicodedata.normalize("NFC", text.lstrip("\ufeff")).casefold().split())
