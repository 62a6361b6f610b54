"""Words for numbers, units and days in eight languages: en, de, fr, es, it, nl, pt, sv.

Data for `quantities.py`. A word with different meanings in two of them ("sex", "dix") counts as its number: a check
that is too strict costs a repair; one that is too lax lets an invented promise pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def _enumerate_words(*lists: str, start: int = 2) -> dict[str, int]:
    return {word: value for words in lists for value, word in enumerate(words.split(), start) if word != "-"}


_TENS = {
    "twenty thirty forty fifty sixty seventy eighty ninety": 20,
    "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig": 20,
    "vingt trente quarante cinquante soixante": 20,
    "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa": 20,
    "venti trenta quaranta cinquanta sessanta settanta ottanta novanta": 20,
    "twintig dertig veertig vijftig zestig zeventig tachtig negentig": 20,
    "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa": 20,
    "tjugo trettio fyrtio femtio sextio sjuttio åttio nittio": 20,
}

NUMBERS: Mapping[str, int] = MappingProxyType(
    {
        **_enumerate_words(
            "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
            "eighteen nineteen",
            "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn",
            "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
            "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince",
            "due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici",
            "twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien",
            "dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze",
            "två tre fyra fem sex sju åtta nio tio elva tolv tretton fjorton femton",
        ),
        **{word: tens + 10 * at for words, tens in _TENS.items() for at, word in enumerate(words.split())},
        **dict.fromkeys("hundred hundert cent cien ciento cento honderd cem hundra".split(), 100),
        **dict.fromkeys("thousand tausend mille mil duizend tusen".split(), 1000),
        **dict.fromkeys("twice zweimal doppelt double doble doppio dubbel dobro".split(), 2),
        **dict.fromkeys("dozen dutzend douzaine docena dozzina dozijn dúzia dussin".split(), 12),
        "thrice": 3,
        "dreimal": 3,
        "duas": 2,
    }
)
"""A word and its number, without the words for one."""

ONE = frozenset("a an one ein eine einem einen einer un une una uno een één um uma en ett".split())
AMBIGUOUS_NUMBERS = ONE | frozenset("once due sei dos cent double doble tio mil".split())
"""Also an article, or another word in one of these languages: a number only before a unit, as in "within a week"."""

MINUTES = 1
HOURS = 60
DAYS = 24 * HOURS
WEEKS = 7 * DAYS

CALENDAR: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys("minute minutes min mins minuten minuto minutos minuti minuut minuter minut".split(), MINUTES),
        **dict.fromkeys(
            "hour hours hr hrs h stunde stunden heure heures hora horas ora ore uur uren timme timmar timmer".split(),
            HOURS,
        ),
        **dict.fromkeys(
            "day days tag tage tagen tages jour jours día días dia dias giorno giorni dag dagen dagar".split(), DAYS
        ),
        **dict.fromkeys(
            "week weeks woche wochen semaine semaines semana semanas settimana settimane weken vecka veckor".split(),
            WEEKS,
        ),
        **dict.fromkeys("fortnight fortnights".split(), 2 * WEEKS),
    }
)
"""A unit of time in minutes, so that "a week" is "7 days"."""

OTHER_UNITS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            "month months monat monate monaten mois mes meses mese mesi maand maanden mês månad månader".split(),
            "months",
        ),
        **dict.fromkeys(
            "year years yr jahr jahre jahren an ans année años año anno anni jaar ano anos år".split(), "years"
        ),
        **dict.fromkeys(
            "werktag werktage werktagen arbeitstage werkdag werkdagen arbetsdag arbetsdagar vardagar".split(),
            "working days",
        ),
        **dict.fromkeys("% percent prozent pourcent porcento procent pct".split(), "%"),
        **dict.fromkeys("€ eur euro euros".split(), "EUR"),
        **dict.fromkeys("$ usd dollar dollars dólares dollari bucks".split(), "USD"),
        **dict.fromkeys("£ gbp pound pounds quid pfund".split(), "GBP"),
        **dict.fromkeys("¥ jpy yen".split(), "JPY"),
        **dict.fromkeys("chf franken francs".split(), "CHF"),
        **dict.fromkeys("sek kronor krona".split(), "SEK"),
        **dict.fromkeys("cents centimes céntimos centesimi öre".split(), "cents"),
        **dict.fromkeys("points punkte puntos punti punten pontos poäng".split(), "points"),
    }
)

WORKING = frozenset("working business werk ouvrés ouvrables ouvré hábiles laborables lavorativi werkbare úteis".split())
"""Words that mean working days next to a word for days. A working day is never a calendar day."""

DAY_NAMES: Mapping[str, str] = MappingProxyType(
    {
        word: day
        for words in (
            "monday tuesday wednesday thursday friday saturday sunday",
            "montag dienstag mittwoch donnerstag freitag samstag sonntag",
            "lundi mardi mercredi jeudi vendredi samedi dimanche",
            "lunes martes miércoles jueves viernes sábado domingo",
            "lunedì martedì mercoledì giovedì venerdì sabato domenica",
            "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
            "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
            "måndag tisdag onsdag torsdag fredag lördag söndag",
        )
        for word, day in zip(words.split(), "mon tue wed thu fri sat sun".split(), strict=True)
    }
    | {
        **dict.fromkeys("today tonight heute aujourd'hui hoy oggi vandaag hoje idag".split(), "today"),
        **dict.fromkeys("tomorrow morgen demain mañana domani amanhã imorgon overnight".split(), "tomorrow"),
        **dict.fromkeys("yesterday gestern ayer ieri gisteren ontem igår".split(), "yesterday"),
        "saturdays": "sat",
        "sundays": "sun",
        "mondays": "mon",
        "fridays": "fri",
        "christmas": "christmas",
        "weihnachten": "christmas",
        "easter": "easter",
    }
)
"""A word for a day. It counts as a quantity: "arrives tomorrow" is a promise."""

MONTHS: Mapping[str, int] = MappingProxyType(
    {
        word: number
        for words in (
            "january february march april may june july august september october november december",
            "jan feb mar apr may jun jul aug sep oct nov dec",
            "januar februar märz april mai juni juli august september oktober november dezember",
            "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
            "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
            "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
            "januari februari maart april mei juni juli augustus september oktober november december",
            "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
            "januari februari mars april maj juni juli augusti september oktober november december",
        )
        for number, word in enumerate(words.split(), 1)
    }
)
