"""A class of 60 students in 25 teams, as Moodle and Canvas export it."""

from __future__ import annotations

N_STUDENTS, N_TEAMS = 60, 25
_FIRST = ("Ana", "Luis", "Zoë", "José María", "Núria", "Iván", "Bea", "Óscar", "Lucía", "Pol")
_LAST = ("García", "López", "Núñez", "Pérez", "Ibáñez", "Muñoz")


def student(n: int) -> tuple[str, str, str, str, str]:
    """First name, last name, school's id, e-mail and team of the n-th student, from 0."""
    first, last = _FIRST[n % len(_FIRST)], f"{_LAST[n % len(_LAST)]} {n}"
    return first, last, f"{100_000 + n}", f"student{n}@uni.example.org", f"Team {n % N_TEAMS + 1}"


def moodle_list(*without: int, header: str = '"First name","Last name","ID number","Email address",Groups') -> bytes:
    """A participants' list; its students but those of the numbers `without`."""
    rows = [",".join(f'"{cell}"' for cell in student(n)) for n in range(N_STUDENTS) if n not in without]
    return "\n".join([header, *rows, ""]).encode("utf-8-sig")


def canvas_gradebook(column: str = "Digits (1234)") -> bytes:
    """The gradebook's export of the same class: CRLF, no byte order mark, two rows that are no students."""
    header = f"Student,ID,SIS User ID,SIS Login ID,Section,Quiz 1 (77),{column},Current Score"
    rows = ["    Points Possible,,,,,5,10,(read only)"]
    for n in range(N_STUDENTS):
        first, last, number, email, _ = student(n)
        rows.append(f'"{last}, {first}",{9000 + n},{number},{email},"A, evening",{n % 5}.50,,{n}')
    rows.append('"Student, Test",1,,abc,A,,,')
    return ("\r\n".join([header, *rows]) + "\r\n").encode()
