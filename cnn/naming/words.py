"""Words for the digits in the languages of public corpora, and words that stand around them. Standard library only."""

# ruff: noqa: E501, RUF001 (letters of many scripts, one language a line)

from __future__ import annotations

import functools
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from cnn.errors import CorpusError
from cnn.settings.data import DIGITS

# Ten words for 0 to 9 in each line, other spellings after a slash.
_LANGUAGES_TEXT = """
zero/oh one two three four five six seven eight nine
cero uno/una dos tres cuatro cinco seis siete ocho nueve
null eins zwei/zwo drei vier fünf/fuenf sechs sieben acht neun
zéro un/une deux trois quatre cinq six sept huit neuf
zero uno due tre quattro cinque sei sette otto nove
zero um/uma dois/duas três quatro cinco seis/meia sete oito nove
nul een/één twee drie vier vijf zes zeven acht negen
zero jeden/jedna dwa/dwie trzy cztery pięć sześć siedem osiem dziewięć
ноль/нуль/nol один/одна/odin два/две/dva три/tri четыре/chetyre пять/pyat шесть/shest семь/sem восемь/vosem девять/devyat
нуль/nul один/одна/odyn два/дві/dva три/try чотири/chotyry п’ять/пять/pyat шість/shist сім/sim вісім/visim дев’ять/девять/devyat
zero un/u dos/dues tres quatre cinc sis set vuit/huit nou
cero/huts/zero bat bi hiru lau bost sei zazpi zortzi bederatzi
cero un/unha dous/dúas tres catro cinco seis sete oito nove
nul en/et to tre fire fem seks syv otte ni
null en/ett to tre fire fem seks sju/syv åtte/aatte ni
noll ett/en två/tva tre fyra fem sex sju åtta/atta nio
nolla yksi kaksi kolme neljä viisi kuusi seitsemän kahdeksan yhdeksän
sıfır/sifir bir iki üç/uc dört/dort beş/bes altı/alti yedi sekiz dokuz
nula jedna/jeden dva/dvě tři čtyři pět šest sedm osm devět
zero unu/una doi/două trei patru cinci șase/sase șapte/sapte opt nouă/noua
nulla/zéró egy kettő/két három négy öt hat hét nyolc kilenc
μηδέν ένα/ένας δύο τρία τέσσερα πέντε έξι επτά/εφτά οκτώ/οχτώ εννέα/εννιά
nol/kosong satu dua tiga empat lima enam tujuh delapan/lapan sembilan
không/khong một/mot hai ba bốn/bon năm/nam sáu/sau bảy/bay tám/tam chín/chin
शून्य/shunya/shoonya एक/ek दो/do तीन/teen चार/char/chaar पांच/पाँच/paanch/panch छह/छः/chhe/chhah सात/saat आठ/aath नौ/nau
শূন্য/shunno এক/ek দুই/dui তিন/tin চার/char পাঁচ/panch/pach ছয়/choy/chhoy সাত/sat/shat আট/aat/at নয়/noy
صفر/sifr/sefr واحد/wahid اثنان/اثنين/ithnan/ithnayn ثلاثة/thalatha أربعة/arbaa/arba خمسة/khamsa ستة/sitta سبعة/sabaa/saba ثمانية/thamaniya تسعة/tisaa/tisa
零/〇/ling/líng 一/yi/yī 二/两/er/èr 三/san/sān 四/si/sì 五/wu/wǔ 六/liu/liù 七/qi/qī 八/ba/bā 九/jiu/jiǔ
ゼロ/れい/zero/rei いち/ichi に/ni さん/san よん/し/yon/shi ご/go ろく/roku なな/しち/nana/shichi はち/hachi きゅう/く/kyu/kyuu/ku
영/공/yeong/gong 일/il 이/i 삼/sam 사/sa 오/o 육/yuk 칠/chil 팔/pal 구/gu
"""
_MIN_CLEAR = 4  # digits that a corpus says in the clear words of a language before its doubtful words count
_MIN_DOUBTFUL = 8  # or in any of its words
_MIN_CLEARLY_GLUED = 2  # digits whose clear words are glued to one name, as in `anaseven`, before that is no chance
_MIN_GLUED = 5  # or any words of a language that the corpus shows
_MIN_GLUED_LETTERS = 2  # fewest of that name: `twos` is a plural
_PLAIN_LETTERS = str.maketrans({"ł": "l", "ı": "i", "ø": "o", "đ": "d", "’": "'"})

# A number after one of these belongs to a name: `man 1`.
_NAMERS_TEXT = """
man men woman women male female boy girl child kid adult hombre mujer nino nina chico chica senor senora mann frau
kind homme femme garcon fille uomo donna homem mulher mies nainen speaker speakers spk spkr sp subject subj suj sub
user usr usuario person persona pers participant participante participants student alumno alumna estudiante volunteer
voluntario voluntaria actor actress talker locutor locutora hablante sprecher sprecherin locuteur parlante orador
falante teilnehmer schuler proband id pid uid sid s p u f m g h w candidate member miembro teacher profe profesor
people human somebody диктор человек мужчина женщина
"""
# After one of these to a take: `recording 3`.
_TAKERS_TEXT = """
take takes toma tomas rec recs recording recordings record recorded grabacion grabaciones aufnahme aufnahmen
enregistrement registrazione gravacao opname nagranie запись аудио голос audio audios sound sounds sonido sonidos ton
son voice voices voz voces voix voce stimme memo memos note nota notes clip clips sample samples muestra muestras file
files archivo fichero datei track tracks pista spur try intento versuch rep reps repetition repeticion trial utt
utterance part parte teil session sessions sesion sesiones sitzung seance sess day dia tag jour mic mics microphone
microfono device phone movil room round ronda set batch lote fold iter iteration new nueva nuevo neue nouvel nouveau
nuova novo nova untitled t r n no nr num_takes mixdown export exported prueba test tests ejemplo example segment chunk
seg whatsapp ptt aud vn wa
"""
# And after one of these it is the digit.
_DIGIT_KEYS_TEXT = """
digit digits digito digitos ziffer ziffern zahl zahlen chiffre chiffres cifra cifras cijfer cijfers number numbers
numero numeros num nummer cyfra liczba label class clase klasse classe word palabra цифра число
"""
# Other words in names of files that name nobody.
_PLAIN_TEXT = """
mono stereo wav wave wavs mp3 mp4 m4a flac ogg opus aac left right channel hz khz bit kbps nohash spoken said says
dice di noisy noise clean quiet loud soft whisper whispered slow fast normal near far ruido ruidoso limpio silencio
silent alto bajo rapido lento lejos cerca final edited edit trimmed trim cut raw processed normalized normalised
denoised resampled augmented aug original orig old good bad ok bis am pm at
"""
_PARTICLES_TEXT = """
of the and by de del da do di la el los las y und der die das von le les du des et
"""
# Words in names of folders that name nobody.
_CONTAINERS_TEXT = """
data dataset datasets datos daten donnees dati dados corpus corpora collection coleccion speech spoken speakers
hablantes recordings all todo todos alle own mine ours mios train training dev val valid validation eval evaluation
testing split splits entrenamiento validacion english spanish german french italian portuguese dutch polish espanol
ingles deutsch francais italiano portugues people persons personas gente men women males females boys girls hombres
mujeres manner frauen male female home desktop downloads descargas escritorio documents documentos folder carpeta
ordner project proyecto projekt phones phone mobile android iphone zip backup copia copy input inputs output out src
source sources public upload uploads audiomnist fsdd mnist free dataset master main tmp temp my mis mi meine mein mes
mon x
"""
# Words that mean something else elsewhere, or that people are called by: digits only in a corpus that shows their language.
_DOUBTFUL_TEXT = """
oh un une una um uma en et to ni set sis nou bat bi hat hét öt sei due tre otto nove sex sim sem bir meia fire opt hai
ba bon nam sau bay tam chin mot ek do char tin sat shat at noy teen nau saba ling yi er san si wu liu qi jiu rei ichi
go shi nana ku yon roku il i sam sa o yuk chil pal gu gong tri try u dues nol odin lima dua unu doi uc bes
alti fem lau een atta huts egy ket 零 〇 一 二 两 三 四 五 六 七 八 九 に し ご く いち さん よん ろく なな しち はち 영 공 일 이 삼 사 오 육 칠 팔 구
"""
NAMERS = frozenset(_NAMERS_TEXT.split())
TAKERS = frozenset(_TAKERS_TEXT.split())
DIGIT_KEYS = frozenset(_DIGIT_KEYS_TEXT.split())
PARTICLES = frozenset(_PARTICLES_TEXT.split())
FILLERS = TAKERS | DIGIT_KEYS | frozenset(_PLAIN_TEXT.split())
CONTAINERS = FILLERS | PARTICLES | frozenset(_CONTAINERS_TEXT.split())


@functools.lru_cache(maxsize=65536)
def fold_word(word: str) -> str:
    """Return the word without case and accents: `Três` becomes `tres`."""
    folded = unicodedata.normalize("NFKD", word.strip().casefold())
    return "".join(letter for letter in folded if not unicodedata.combining(letter)).translate(_PLAIN_LETTERS)


_DOUBTFUL = frozenset(fold_word(word) for word in _DOUBTFUL_TEXT.split())


def read_digit(text: str, table: Mapping[str, str]) -> str:
    """Return 0 to 9 for a number, zeros before it or not, or for a word of the table; any other text as it is."""
    word = text.strip()
    return str(int(word)) if word.isdecimal() and int(word) < len(DIGITS) else table.get(fold_word(word), word)


def label_table(words: str, sighted: Collection[str] = ()) -> dict[str, str]:
    """Map folded words to digits: those of all languages, or ten `words` separated by commas.

    Args:
        sighted: folded words of the whole corpus, which show whether the doubtful words of a language count.

    Raises:
        CorpusError: `words` are not ten different ones.
    """
    if words:
        folded = [fold_word(word) for word in words.split(",")]
        if len(folded) != len(DIGITS) or len(set(folded)) < len(DIGITS) or not all(folded):
            raise CorpusError(f"--words is ten different words for 0 to 9, such as nolla,yksi,.., not {words!r}")
        return {word: label for label, word in zip(DIGITS, folded, strict=True)}
    meanings: dict[str, set[str]] = defaultdict(set)
    for language in _languages():
        n_all = len({label for word, label in language.items() if word in sighted})
        n_clear = len({label for word, label in language.items() if word in sighted and word not in _DOUBTFUL})
        is_sighted = n_clear >= _MIN_CLEAR or n_all >= _MIN_DOUBTFUL
        for word, label in language.items():
            if is_sighted or word not in _DOUBTFUL:
                meanings[word].add(label)
    return {word: labels.pop() for word, labels in meanings.items() if len(labels) == 1}


def doubtful_table(words: str, table: Mapping[str, str]) -> dict[str, str]:
    """Map the doubtful words that do not count to the digits that they would be; none if `words` are given."""
    languages = () if words else _languages()
    return {word: label for language in languages for word, label in language.items() if word not in table}


def find_glued(words: Collection[str], given: str) -> dict[str, tuple[str, str]]:
    """Return the word of a digit, and that digit, by each folded word that ends or begins with one, where others do alike.

    Args:
        given: ten words separated by commas, instead of those of all languages.
    """
    cuts = {cut for word in words for n in range(1, len(word)) for cut in (word[:n], word[n:])}
    every = label_table(given, cuts)
    return _find_alike(words, every, _MIN_GLUED) | _find_alike(words, label_table(given), _MIN_CLEARLY_GLUED)


def _find_alike(words: Iterable[str], table: Mapping[str, str], n_least: int) -> dict[str, tuple[str, str]]:
    alike: dict[tuple[str, int], dict[str, tuple[str, str]]] = defaultdict(dict)
    for word in words:
        for cut in range(_MIN_GLUED_LETTERS, len(word)) if word not in table else ():
            for side, name, part in ((0, word[:cut], word[cut:]), (1, word[-cut:], word[:-cut])):
                if part in table:
                    alike[name, side][word] = (part, table[part])
    several = (group for group in alike.values() if len({label for _, label in group.values()}) >= n_least)
    return {word: pair for group in several for word, pair in group.items()}


@functools.cache
def _languages() -> tuple[dict[str, str], ...]:
    lines = (line.split() for line in _LANGUAGES_TEXT.strip().splitlines())
    return tuple(
        {fold_word(word): label for label, words in zip(DIGITS, line, strict=True) for word in words.split("/")}
        for line in lines
    )
