"""Every text of the contest's pages, in English and in Spanish: one line of this table each. Knows nothing of the web."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from leaderboard.messages import LANGUAGES, number

# key: (English, Spanish). What stands in braces is given by the page.
TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "skip": ("Skip to content", "Saltar al contenido"),
        "standings": ("Standings", "Clasificación"),
        "your_team": ("Your team", "Tu equipo"),
        "check_file": ("Check a file", "Comprobar un archivo"),
        "host": ("Host", "Organización"),
        "sign_in": ("Sign in", "Entrar"),
        "sign_out": ("Sign out", "Salir"),
        "main_menu": ("Main", "Principal"),
        "api": ("API", "API"),
        # The clock
        "closes": ("Closes", "Cierra"),
        "closed": ("Closed", "Cerrado"),
        "no_deadline": ("No deadline", "Sin fecha límite"),
        "in": ("in {span}", "dentro de {span}"),
        "ago": ("{span} ago", "hace {span}"),
        "days": ("{n} d", "{n} d"),
        "hours": ("{n} h", "{n} h"),
        "minutes": ("{n} min", "{n} min"),
        "host_time": ("where the host is", "hora de la organización"),
        "your_time": ("your time", "tu hora"),
        # Standings
        "rank": ("Rank", "Puesto"),
        "team": ("Team", "Equipo"),
        "interval": ("95 % interval", "Intervalo del 95 %"),
        "accuracy": ("Accuracy", "Exactitud"),
        "attempts": ("Attempts", "Intentos"),
        "disqualified": ("disqualified", "descalificado"),
        "sent": ("Last sent", "Último envío"),
        "private_score": ("Private {metric}", "{metric} privado"),
        "public_score": ("Public {metric}", "{metric} público"),
        "tied": (
            "A bracket joins teams whose difference may be chance.",
            "Un corchete une a los equipos cuya diferencia puede deberse al azar.",
        ),
        "tied_above": ("not told apart from the team above", "no se distingue del equipo anterior"),
        "intervals_over": (
            "Intervals by bootstrap over {n} {unit}, {replicates} replicates.",
            "Intervalos por bootstrap sobre {n} {unit}, {replicates} réplicas.",
        ),
        "unit_speakers": ("speakers", "hablantes"),
        "unit_clips": ("clips", "audios"),
        "first_alone": (
            "{team} is first, and the lead is more than chance.",
            "{team} va primero, y su ventaja es más que azar.",
        ),
        "first_tied_1": (
            "{team} is first, but {others} cannot be told apart from it.",
            "{team} va primero, pero {others} no se distingue.",
        ),
        "first_tied_n": (
            "{team} is first, but {n} more cannot be told apart from it: {others}.",
            "{team} va primero, pero hay {n} más que no se distinguen: {others}.",
        ),
        "first_shared": ("First place is shared by {teams}.", "El primer puesto lo comparten {teams}."),
        "first_plain": ("{team} is first by {metric}.", "{team} va primero por {metric}."),
        "first_only": ("{team} is the only team with an attempt.", "{team} es el único equipo con un intento."),
        "and_more": ("and {n} more", "y {n} más"),
        "and": ("and", "y"),
        "nobody": ("No team has sent an attempt yet.", "Ningún equipo ha enviado todavía un intento."),
        "nobody_how": (
            "The first standing appears here when a file is scored.",
            "La primera clasificación aparece aquí cuando se puntúa un archivo.",
        ),
        "final": ("Final standings, by the private score.", "Clasificación final, por la puntuación privada."),
        "public_only": (
            "Scores are of the public rows; the final rank is made from the private rows.",
            "Las puntuaciones son de las filas públicas; el puesto final sale de las filas privadas.",
        ),
        "show_all": ("Show all {n} teams", "Mostrar los {n} equipos"),
        "show_top": ("Show the top and your neighbours", "Mostrar los primeros y tus vecinos"),
        "gap": ("{n} teams between", "{n} equipos entre medias"),
        "refreshes": ("Refreshes every minute.", "Se actualiza cada minuto."),
        "stop_refresh": ("Stop refreshing", "No actualizar"),
        "start_refresh": ("Refresh every minute", "Actualizar cada minuto"),
        "you": ("you", "tú"),
        "ascending": ("ascending", "ascendente"),
        "descending": ("descending", "descendente"),
        "as_of": ("As of {time} UTC", "A fecha de {time} UTC"),
        # Signing in
        "sign_in_lead": ("Sign in with your team's token.", "Entra con el token de tu equipo."),
        "token": ("Token", "Token"),
        "token_help": (
            "The host gave it to your team. It is a password: do not pass it on.",
            "Lo recibió tu equipo de la organización. Es una contraseña: no lo compartas.",
        ),
        "token_wrong": (
            "This token is not known here. Check that it is complete; the host can give your team a new one.",
            "Este token no se conoce aquí. Comprueba que esté completo; la organización puede darte uno nuevo.",
        ),
        "too_many": (
            "Too many wrong tokens came from your address. Wait {minutes} and try again.",
            "Llegaron demasiados tokens erróneos desde tu dirección. Espera {minutes} e inténtalo de nuevo.",
        ),
        # The team's page
        "team_rank": ("Rank {rank} of {n}", "Puesto {rank} de {n}"),
        "best_score": ("Best {metric} {score}", "Mejor {metric}: {score}"),
        "no_attempt": ("No attempt sent yet", "Todavía no hay ningún intento"),
        "left_0": ("no attempt left", "no quedan intentos"),
        "left_1": ("1 attempt left", "queda 1 intento"),
        "left_n": ("{n} attempts left", "quedan {n} intentos"),
        "shown_as_lead": ("What others see", "Lo que ven los demás"),
        "shown_as_name": ("Others see your team by its name, {name}.", "Los demás ven a tu equipo por su nombre, {name}."),
        "shown_as_pseudonym": (
            "Others see your team as {name}; the host sees its name too.",
            "Los demás ven a tu equipo como {name}; la organización ve también su nombre.",
        ),
        "pseudonym": ("Pseudonym", "Seudónimo"),
        "pseudonym_help": (
            "Shown in place of your team's name in the standings and all that is made from them. Grades use the name. "
            "Pages that were saved or printed before keep what they showed.",
            "Se muestra en lugar del nombre de tu equipo en la clasificación y en todo lo que sale de ella. Las notas usan "
            "el nombre. Las páginas guardadas o impresas antes conservan lo que mostraban.",
        ),
        "pseudonym_button": ("Use this pseudonym", "Usar este seudónimo"),
        "pseudonym_drop": ("Show our name", "Mostrar nuestro nombre"),
        "pseudonym_refused": ("The pseudonym was not changed.", "El seudónimo no se cambió."),
        "send": ("Send an attempt", "Enviar un intento"),
        "send_help": (
            "A CSV file with the columns id,label, up to {megabytes} MB. A file with a mistake costs no attempt; "
            "the same file sent twice counts once.",
            "Un archivo CSV con las columnas id,label, de hasta {megabytes} MB. Un archivo con errores no gasta intentos; "
            "el mismo archivo enviado dos veces cuenta una.",
        ),
        "file": ("File", "Archivo"),
        "drop": ("Choose the CSV file, or drop it here", "Elige el archivo CSV o suéltalo aquí"),
        "send_button": ("Send and score", "Enviar y puntuar"),
        "check_button": ("Check only", "Solo comprobar"),
        "is_closed": ("The contest is closed: nothing more is scored.", "El concurso está cerrado: ya no se puntúa nada."),
        "all_used": ("All attempts are used; the best one counts.", "Todos los intentos están usados; cuenta el mejor."),
        "progress": ("Progress", "Evolución"),
        "attempt_n": ("Attempt {n}", "Intento {n}"),
        "counts": ("counts", "cuenta"),
        "arrived": ("Arrived", "Llegó"),
        "verified": ("verified", "verificado"),
        "model": ("Model", "Modelo"),
        "model_carried": ("model sent", "con modelo"),
        "model_differs": ("model differs", "el modelo difiere"),
        "model_waits": ("not run yet", "sin ejecutar"),
        "model_not": ("differs", "difiere"),
        "model_none": ("add one", "añadir"),
        "model_optional": ("The model behind it (optional)", "El modelo que hay detrás (opcional)"),
        "model_add": ("Choose the ONNX file, or drop it here", "Elige el archivo ONNX o suéltalo aquí"),
        "model_other": ("Send another one in its place", "Enviar otro en su lugar"),
        "model_help": (
            "An ONNX file, up to {megabytes} MB. It costs no attempt and can be added later. "
            "The host runs it on the test recordings and marks the score verified when it gives the same answers.",
            "Un archivo ONNX, de hasta {megabytes} MB. No gasta intentos y se puede añadir después. "
            "La organización lo ejecuta con los audios de prueba y la marca como verificada si da las mismas respuestas.",
        ),
        "model_kept": ("The model of attempt {n} is kept.", "El modelo del intento {n} está guardado."),
        "model_button": ("Send the model", "Enviar el modelo"),
        "model_is_carried": ("The host has not run it yet.", "La organización todavía no lo ha ejecutado."),
        "model_is_verified": (
            "The host ran it, and it gives the same answers: the score is verified.",
            "La organización lo ejecutó y da las mismas respuestas: la puntuación está verificada.",
        ),
        "model_is_different": (
            "The host ran it, and it does not give the same answers.",
            "La organización lo ejecutó y no da las mismas respuestas.",
        ),
        "model_refused": (
            "The model was not kept, and no attempt was used.",
            "El modelo no se guardó y no se gastó ningún intento.",
        ),
        "model_large": (
            "The model is too large; up to {megabytes} MB are read.",
            "El modelo es demasiado grande; se leen hasta {megabytes} MB.",
        ),
        "check_model": ("{file} is an ONNX model.", "{file} es un modelo ONNX."),
        "per_class": ("F1 by class", "F1 por clase"),
        "class": ("Class", "Clase"),
        "f1": ("F1", "F1"),
        "rows": ("Clips", "Audios"),
        "confusion": ("Confusion matrix", "Matriz de confusión"),
        "confusion_help": (
            "Rows are the truth, columns the prediction; public clips only.",
            "Filas: la verdad; columnas: la predicción; solo audios públicos.",
        ),
        "truth": ("truth", "verdad"),
        "prediction": ("prediction", "predicción"),
        "mistakes": ("Most confused", "Lo que más se confunde"),
        "mistake": ("{truth} taken for {predicted}", "{truth} tomado por {predicted}"),
        "mistake_n": ("{n} of {of}", "{n} de {of}"),
        "no_mistakes": ("No public clip was mistaken.", "No se confundió ningún audio público."),
        # What an upload leads to
        "scored": ("Attempt {n} is scored: {metric} {score}.", "El intento {n} tiene puntuación: {metric} {score}."),
        "scored_before": (
            "This file was scored before, as attempt {n}: {metric} {score}. No attempt was used.",
            "Este archivo ya se puntuó como intento {n}: {metric} {score}. No se gastó ningún intento.",
        ),
        "to_team": ("All attempts of your team", "Todos los intentos de tu equipo"),
        "refused": (
            "The file was not scored, and no attempt was used.",
            "El archivo no se puntuó y no se gastó ningún intento.",
        ),
        "check_lead": ("Check the form of a file", "Comprobar la forma de un archivo"),
        "check_help": (
            "As often as you like. It tells whether the file could be sent, never a score, and costs no attempt.",
            "Tantas veces como quieras. Dice si el archivo se podría enviar, nunca una puntuación, y no gasta intentos.",
        ),
        "check_good": ("{file} can be sent: {n} rows, {probabilities}.", "{file} se puede enviar: {n} filas, {probabilities}."),
        "check_bad": ("This file cannot be sent as it is.", "Este archivo no se puede enviar tal como está."),
        "with_probabilities": ("with probabilities", "con probabilidades"),
        "without_probabilities": ("without probabilities", "sin probabilidades"),
        "no_file": (
            "No file was chosen; choose one and send it again.",
            "No se eligió ningún archivo; elige uno y envíalo de nuevo.",
        ),
        # The host's page
        "host_lead": ("What the host sees", "Lo que ve la organización"),
        "host_note": (
            "Read only. Everything that changes the contest is a command with a reason.",
            "Solo lectura. Todo lo que cambia el concurso es una orden con su motivo.",
        ),
        "teams": ("Teams", "Equipos"),
        "public": ("Public", "Público"),
        "private": ("Private", "Privado"),
        "log": ("What was done", "Lo que se hizo"),
        "log_empty": ("No host action so far.", "Ninguna acción de la organización todavía."),
        "when": ("When", "Cuándo"),
        "action": ("Action", "Acción"),
        "change": ("Change", "Cambio"),
        "reason": ("Reason", "Motivo"),
        "gradebook": ("Gradebook (CSV)", "Notas (CSV)"),
        "export": ("Standings as CSV", "Clasificación en CSV"),
        # What goes wrong
        "error_title": ("That did not work", "Eso no funcionó"),
        "not_found": ("There is no such page; use the menu above.", "Esa página no existe; usa el menú de arriba."),
        "need_host": ("This page is for the host's token.", "Esta página es para el token de la organización."),
        "stale_form": (
            "This form is too old or came from another site. Open the page again and repeat.",
            "Este formulario es demasiado antiguo o vino de otro sitio. Abre la página otra vez y repite.",
        ),
        "too_large": (
            "The file is too large; up to {megabytes} MB are read.",
            "El archivo es demasiado grande; se leen hasta {megabytes} MB.",
        ),
        "broken": (
            "Something went wrong here; nothing was stored. Try again, then tell the host.",
            "Algo falló aquí; no se guardó nada. Prueba otra vez y avisa a la organización.",
        ),
        # The API's page
        "api_lead": ("The same, for programs", "Lo mismo, para programas"),
        "api_help": (
            "Send the token in the header Authorization: Bearer. The full description is OpenAPI.",
            "Envía el token en la cabecera Authorization: Bearer. La descripción completa es OpenAPI.",
        ),
        "exported_at": ("Written at {time}", "Escrito el {time}"),
    }
)


class Words:
    """The texts of one language: `words("rank")`."""

    def __init__(self, language: str) -> None:
        assert language in LANGUAGES, language
        self.language = language
        self._at = list(LANGUAGES).index(language)

    def __call__(self, key: str, **values: object) -> str:
        return TEXTS[key][self._at].format(**values)

    def number(self, n: int) -> str:
        """`2,000`, in Spanish with a narrow space."""
        return number(n, self.language)


def chosen_language(asked: str | None, kept: str | None, accepted: str) -> str:
    """The language of a reader: the one asked for now, else the one kept, else by Accept-Language, else English."""
    for one in (asked, kept):
        if one in LANGUAGES:
            return str(one)
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted[:200].split(",")):
        name, _, weight = part.strip().partition(";q=")
        primary = name.strip().casefold().split("-")[0]
        if primary in LANGUAGES:
            ranked.append((-_weight(weight), place, primary))
    return min(ranked)[2] if ranked else "en"


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
