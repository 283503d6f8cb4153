"""Values that are copied from a request into a call, invented at random so that only copying gets them right."""

from __future__ import annotations

import string
from collections.abc import Callable
from random import Random
from typing import Any

from tui.builtin.training.seeds import NAMING, any_words, words

_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwxz", "aeiou"
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CURRENCIES = ("EUR", "USD", "GBP", "JPY", "CHF", "SEK", "NOK", "PLN", "CZK", "AUD", "CAD", "INR")
_ENDINGS = ("txt", "md", "py", "json", "csv", "log", "html", "yaml", "toml", "cfg")
_DOMAINS = ("com", "org", "net", "io", "ai", "de", "dev", "eu", "app")
_SMALL = "to is the and of a in for on with it not this my you are we will be at from that so but or now I".split()  # noqa: SIM905
_ANY_WORD = 0.4
"""The part of the words in names of functions that are not of their list: names are found by comparing, whatever they
are, and a list alone would be learned by heart."""
_COMMANDS = ("ls -l", "df -h", "git status", "uptime", "whoami", "ps aux", "make test", "date", "free -m", "git log")


class Values:
    """Draws values of every kind. With `kept_out` only words that are never trained."""

    def __init__(self, random: Random, *, kept_out: bool = False) -> None:
        self.random = random
        self.kept_out = kept_out
        self._kinds: dict[str, Callable[[], Any]] = {
            "city": lambda: self.name_or("city", 0.3),
            "country": lambda: self.word("country"),
            "person": self.person,
            "place": lambda: self.word("place"),
            "ident": self.identifier,
            "url": self.url,
            "path": self.path,
            "filename": self.filename,
            "text": self.sentence,
            "title": lambda: self.phrase(1, 3).title() if random.random() < 0.6 else self.phrase(1, 3),
            "word": lambda: self.name_or("word", 0.3).lower(),
            "letter": lambda: random.choice(string.ascii_lowercase),
            "brand": lambda: self.name_or("brand", 0.4).lower(),
            "product": lambda: self.word("product"),
            "category": lambda: self.word("category"),
            "dish": lambda: self.word("dish"),
            "language": lambda: self.word("language"),
            "email": lambda: f"{self.invented(1, 2)}@{self.invented(1, 2)}.{random.choice(_DOMAINS)}",
            "date": self.date,
            "clock": self.clock,
            "currency": lambda: random.choice(_CURRENCIES),
            "symbol": lambda: "".join(random.choices(string.ascii_uppercase, k=random.randint(2, 4))),
            "command": lambda: random.choice(_COMMANDS) if random.random() < 0.3 else self.command(),
            "expression": self.expression,
            "price": lambda: random.choice((random.randint(1, 30) * 10, random.randint(1, 999))),
            "small": lambda: random.randint(2, 60),
            "number2": lambda: random.choice((random.randint(2, 99), random.randint(100, 99999))),
            "value": lambda: random.choice((random.randint(2, 999), round(random.uniform(1, 99), 1))),
            "number": lambda: random.randint(10 ** random.randint(0, 4), 10 ** random.randint(5, 6)),
            "x": self.anything,
        }

    def of(self, kind: str) -> Any:
        """A value of a kind."""
        return self._kinds[kind]()

    def word(self, name: str) -> str:
        """A word of a list. What functions are named by is at times any word that there is."""
        if name in NAMING and not self.kept_out and self.random.random() < _ANY_WORD:
            return self.random.choice(any_words())
        return self.random.choice(words(name, kept_out=self.kept_out) or words(name))

    def name_or(self, name: str, chance: float) -> str:
        """A word of a list, or with some chance one that does not exist."""
        return self.invented(2, 3).title() if self.random.random() < chance else self.word(name)

    def invented(self, least: int, most: int) -> str:
        """A word of so many syllables that does not exist."""
        random = self.random
        made = ""
        for _ in range(random.randint(least, most)):
            made += random.choice(_CONSONANTS) + random.choice(_VOWELS)
            made += random.choice(_CONSONANTS) if random.random() < 0.4 else ""
        return made

    def person(self) -> str:
        """One to three names."""
        random = self.random
        first = self.name_or("first", 0.25)
        if random.random() < 0.5:
            return first
        if random.random() < 0.08:
            return f"{first} the {self.name_or('last', 0.25)}"
        return f"{first} {self.name_or('last', 0.25)}"

    def identifier(self) -> str | int:
        """A number or a code."""
        random = self.random
        digits = "".join(random.choices(string.digits, k=random.randint(2, 7))).lstrip("0") or "7"
        match random.randrange(10):
            case 0:
                return f"{''.join(random.choices(string.ascii_uppercase, k=random.randint(1, 3)))}-{digits}"
            case 8:
                return f"{self.name_or('word', 0.5).lower()}-{digits[:2]}"
            case 9:
                return f"{''.join(random.choices(string.ascii_uppercase, k=random.randint(2, 4)))} {digits[:4]}"
            case 1:
                return f"{''.join(random.choices(string.ascii_uppercase, k=random.randint(1, 3)))}{digits}"
            case 2:
                return "".join(random.choices(string.ascii_lowercase + string.digits, k=random.randint(4, 8)))
            case _:
                return int(digits)

    def phrase(self, least: int, most: int) -> str:
        """Some words in no order, so that nobody can guess the next."""
        return " ".join(
            self.word(self.random.choice(("word", "noun", "word", "product", "color")))
            if self.random.random() < 0.85
            else self.invented(1, 3)
            for _ in range(self.random.randint(least, most))
        )

    def sentence(self) -> str:
        """What looks like a sentence: words with small ones between them, and a comma at times."""
        random = self.random
        if random.random() < 0.3:
            return self.phrase(2, 7)
        parts = []
        for _ in range(random.randint(2, 6)):
            parts += random.choices(_SMALL, k=random.choice((0, 0, 1, 1, 2)))
            parts.append(self.phrase(1, 1) + ("," if random.random() < 0.08 else ""))
        text = " ".join(parts).rstrip(",")
        return text[0].upper() + text[1:] if random.random() < 0.5 else text

    def url(self) -> str:
        """An address, mostly without a scheme."""
        random = self.random
        host = f"{self.name_or('word', 0.6).lower().replace(' ', '-')}.{random.choice(_DOMAINS)}"
        path = f"/{self.invented(1, 2)}" if random.random() < 0.2 else ""
        return ("https://" if random.random() < 0.3 else "www." if random.random() < 0.15 else "") + host + path

    def path(self) -> str:
        """The path of a folder."""
        random = self.random
        parts = [self.name_or("word", 0.5).lower() for _ in range(random.randint(1, 3))]
        return random.choice(("/", "~/", "./", "", "")) + "/".join(parts)

    def filename(self) -> str:
        """The name of a file."""
        stem = self.name_or("word", 0.5).lower() + (
            f"{self.random.randint(1, 99)}" if self.random.random() < 0.2 else ""
        )
        return f"{stem}.{self.random.choice(_ENDINGS)}"

    def date(self) -> str:
        """A day, in one of the forms that people write."""
        random = self.random
        year, month, day = random.randint(2019, 2035), random.randint(1, 12), random.randint(1, 28)
        match random.randrange(5):
            case 0:
                return random.choice((*_DAYS, "tomorrow", "next week", "today"))
            case 1:
                return f"{_MONTHS[month - 1]} {day}"
            case 2:
                return f"{day} {_MONTHS[month - 1]} {year}"
            case _:
                return f"{year}-{month:02}-{day:02}"

    def clock(self) -> str:
        """A time of day."""
        random = self.random
        hour, minute = random.randint(0, 23), random.choice((0, 15, 30, 45, random.randint(0, 59)))
        return (
            f"{hour}:{minute:02}" if random.random() < 0.7 else f"{random.randint(1, 12)} {random.choice(('am', 'pm'))}"
        )

    def command(self) -> str:
        """A shell command."""
        return f"{self.invented(1, 2)} -{self.random.choice(string.ascii_lowercase)} {self.filename()}"

    def expression(self) -> str:
        """Something to calculate."""
        random = self.random
        text = str(self.of("number2"))
        for _ in range(random.randint(1, 2)):
            text += f" {random.choice('+-*/')} {self.of('number2')}"
        return text if random.random() < 0.75 else text.replace(" ", "")

    def anything(self) -> Any:
        """A value of any kind, for parameters whose names say nothing."""
        return self.of(self.random.choice(("city", "person", "ident", "word", "number2", "title", "filename", "ident")))
