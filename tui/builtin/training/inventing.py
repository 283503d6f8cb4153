"""Functions that nobody has offered before, and the requests that lead to a call of them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from tui.builtin.training.dialogue import Call, Function, Parameter
from tui.builtin.training.grammar import spoken
from tui.builtin.training.values import Values

_SYNONYMS = {
    "get": "get|give me|show me|tell me|what is|I need|find out", "find": "find|look for|search for|locate|where is",
    "create": "create|make|add|set up|open", "update": "update|change|refresh", "delete": "delete|remove|erase|drop",
    "send": "send|mail|pass on", "check": "check|look at|verify|test", "list": "list|show|show me|give me|which are",
    "search": "search|search for|look for|find", "book": "book|reserve|get me", "cancel": "cancel|call off|stop",
    "start": "start|begin|run|launch", "stop": "stop|halt|end|finish", "show": "show|show me|display|let me see",
    "fetch": "fetch|get|bring|load", "add": "add|put in|append", "remove": "remove|take away|delete",
    "set": "set|change|put", "calculate": "calculate|compute|work out|how much is", "order": "order|buy|get me",
    "read": "read|show me|what is", "track": "track|follow|where is", "schedule": "schedule|plan|set up",
    "compute": "compute|calculate",
}  # fmt: skip
_DESCRIPTIONS = (
    "{Verb} the {noun}.", "{Verb} a {noun}.", "{Verb}s {noun}s.", "This will {verb} the {noun}.",
    "{Verb} {noun} by its data.",
    "Use this to {verb} a {noun}.", "{Verb} the {noun} of a customer.", "Lets you {verb} the {noun}.",
)  # fmt: skip
_FRAMES = (
    "{verb} [the|a|my|this|] {noun} {clauses}", "please {verb} [the|a|my] {noun} {clauses}",
    "can you {verb} the {noun} {clauses}",
    "I want to {verb} [the|a|my] {noun} {clauses}", "{verb} the {noun} {clauses}, please",
    "could you {verb} [the|a|my] {noun} {clauses}",
    "I would like you to {verb} the {noun} {clauses}", "{clauses} {verb} the {noun}",
    "I need you to {verb} [the|a] {noun} {clauses}",
    "{verb} {noun} {clauses}", "for me, {verb} the {noun} {clauses}", "let us {verb} the {noun} {clauses}",
)  # fmt: skip
_VAGUE_FRAMES = (
    "I [need|want|would like] [the|a|] {noun} {clauses}", "{noun} {clauses}", "[the|my|this] {noun} {clauses}",
    "what about the {noun} {clauses}", "[is there|do we have] a {noun} {clauses}", "{clauses}, the {noun}",
    "[do|handle|arrange|manage|take care of|deal with|see to] [the|a|] {noun} {clauses}", "{noun}: {clauses}",
    "[get|give|bring|do|make|send] [me|] [the|a|] {noun} {clauses}", "[how is|how about] the {noun} {clauses}",
    "[when|where|how|what|who|which] is the {noun} {clauses}",
    "how [late|big|old|far|full|good|long] is the {noun} {clauses}",
    "[could I have|may I have|let me have|I am here for] [the|a] {noun} {clauses}", "{noun} {clauses} please",
    "[take|put|turn|move|let|leave|call|keep|push|pull|drop] [the|my|a] {noun} {clauses}",
    "[I am looking for|I lost|I forgot|we are out of|something about|anything new about] [the|my|a] {noun} {clauses}",
    "[there is a problem with|something is wrong with|nobody did|who has] [the|my] {noun} {clauses}",
    "[is|will|was] the {noun} [ready|on time|late|there|free|good|done] {clauses}", "which {noun} {clauses}",
    "how [many|much|often|far] {noun} {clauses}", "[the|my] {noun} [should|must|has to] [go|be|come] {clauses}",
    "[what does the|what is in the|what about a] {noun} [say|] {clauses}",
)  # fmt: skip
"""Requests that leave the verb to the function."""
_PLURAL, _TURNED = 0.12, 0.15
"""The parts of functions that are of several things, and of requests that say `phase of the moon` for `moon_phase`."""
_TWICE, _SHOUTED, _LED = 0.15, 0.2, 0.3
"""The parts of lists that have something twice, of short names that a request has in capitals, and of parameters and
values with a preposition before them. The check has none of these."""
_OPTIONAL, _IN_ORDER = 0.35, 0.5
"""The parts of the parameters that may be left out, and of those that a request says in their order. To say which of
them a request has, and which of its values belongs to which, is what is hardest; the check has fewer such."""
_OWN = 0.12
"""The part of the functions that are named by their parameter, so that a request may say that with its value alone."""
_OWN_CLAUSES = (
    "{own} {v}", "{own} {v}", "{own} {v}", "{noun} of {v}", "{noun} for {v}", "{noun} of {own} {v}",
    "{noun} of the {own} {v}", "{own} {v} {rest}",
)  # fmt: skip
_WHOSE_FRAMES = (
    "{who} [needs|wants|would like|asked for|is waiting for|has no|ordered] [the|a] {noun} {clauses}",
    "{who} {clauses}, [the|a] {noun}", "{who} [worked|called|is here|wrote] {clauses}, so the {noun} please",
    "[the|a|] {noun} {clauses}, {who} [needs|wants] it", "{who}'s {noun} {clauses}",
)  # fmt: skip
_ANY_CLAUSES = (
    "with {words} {v}", "with the {words} {v}", "{words} {v}", "{words}: {v}", "{words} = {v}",
    "where the {words} is {v}",
    "with {v} as {words}", "the {words} is {v}", "{words} is {v}", "using {words} {v}", "its {words} is {v}",
    "having {words} {v}",
)  # fmt: skip
_KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "city": ("city town location place city_name area region destination venue where",
             ("in {v}", "in {v}", "for {v}", "at {v}", "near {v}", "from {v}", "of {v}", "around {v}")),
    "country": ("country nation land country_name", ("in {v}", "for {v}", "from {v}")),
    "person": ("name person customer user employee recipient guest owner contact author patient member first_name "
               "customer_name user_name full_name who student driver client",
               ("for {v}", "for {v}", "of {v}", "to {v}", "from {v}", "called {v}", "named {v}", "by {v}", "with {v}")),
    "ident": ("{noun}_id id number code {noun}_number reference key {noun}_code ref uid",
              ("{v}", "number {v}", "with number {v}", "with the id {v}", "id {v}", "no. {v}", "#{v}",
              "with code {v}", "{v}")),
    "date": ("date day when due_date start_date deadline on_date", ("on {v}", "for {v}", "by {v}", "from {v}")),
    "clock": ("time start_time at hour start alarm_time", ("at {v}", "for {v}", "from {v}", "starting at {v}")),
    "small": ("count quantity minutes hours days limit copies people seats amount pages times units percent floor",
              ("{v} {words}", "for {v} {words}", "with {v} {words}", "{v} {words}", "after {v} {words}",
              "at {v} {words}")),
    "price": ("max_price price budget price_limit cost max_cost",
              ("under {v}", "below {v}", "for less than {v}", "up to {v}", "under ${v}", "for at most {v} dollars",
              "for {v}")),
    "text": ("text message content note comment body subject description reason",
             ('"{v}"', 'saying "{v}"', 'with the text "{v}"', '{words} "{v}"', 'that says "{v}"', "{words}: {v}")),
    "title": ("title label tag topic query keyword name term", ('"{v}"', "called {v}", 'named "{v}"', "about {v}",
    "titled {v}")),
    "filename": ("file filename path file_name output", ("in {v}", "from {v}", "to {v}", "file {v}", "as {v}",
    "called {v}")),
    "email": ("email address mail recipient to email_address", ("to {v}", "for {v}", "at {v}", "with {v}")),
    "place": ("room place area zone", ("in the {v}", "of the {v}", "for the {v}", "at the {v}")),
    "product": ("product item thing article", ("for the {v}", "of the {v}", "with a {v}", "{v}")),
    "language": ("language lang target_language", ("in {v}", "into {v}", "to {v}")),
    "url": ("url link site page", ("from {v}", "at {v}", "of {v}", "on {v}")),
    "value": ("{param}", ()),
    "number2": ("{param} n x number value a b", ()),
    "x": ("{param} {param} {nonsense}", ()),
}  # fmt: skip
_ALIKE = (("city", "country", "person"), ("text", "title", "x"), ("place", "product"), ("ident", "price"))
"""Kinds whose values could be taken for each other."""
_ENUMS = (
    ("priority", ("low", "medium", "high")), ("unit", ("celsius", "fahrenheit")), ("size", ("small", "medium",
    "large")),
    ("color", ("red", "green", "blue")), ("format", ("pdf", "csv", "json")), ("mode", ("fast", "slow", "auto")),
    ("sort", ("price", "name", "date")), ("status", ("open", "closed", "pending")), ("units", ("metric", "imperial")),
    ("class", ("economy", "business", "first")), ("level", ("beginner", "advanced", "expert")),
    ("direction", ("up", "down", "left", "right")), ("theme", ("dark", "light")), ("speed", ("slow", "normal", "fast")),
)  # fmt: skip
_ENUM_CLAUSES = (
    "with {v} {words}",
    "{v} {words}",
    "{words} {v}",
    "in {v}",
    "as {v}",
    "{v}",
    "with {words} {v}",
    "and {v}",
)
_FLAGS = (
    "urgent",
    "express",
    "gift",
    "private",
    "express_shipping",
    "notify",
    "insured",
    "repeat",
    "recursive",
    "verbose",
)


@dataclass(frozen=True, slots=True)
class Invention:
    """A function, a request for it, and the call that the request asks for."""

    function: Function
    request: str
    call: Call
    copied: tuple[str, ...]
    noun: str
    verb: str


def invent(values: Values, *, most: int = 4, vague: float = 0.0) -> Invention:
    """A function of any name with up to so many parameters.

    `vague` is the part of the requests that leave out the verb; others say the noun in another way then, too.
    """
    random = values.random
    nonsense = random.random() < 0.15
    verb = values.invented(1, 2) if nonsense else values.word("verb")
    noun = values.invented(2, 3) if nonsense and random.random() < 0.7 else values.word("noun")
    if vague and random.random() < _PLURAL:
        noun += "s"
    nouns = [values.word("modifier"), noun] if random.random() < 0.3 else [noun]
    name = "_".join((verb, *nouns))
    if random.random() < 0.08:
        name = name.title().replace("_", "")
        name = name[0].lower() + name[1:]
    spoken_noun = " ".join(nouns)
    description = random.choice(_DESCRIPTIONS).format(verb=verb, Verb=verb.capitalize(), noun=spoken_noun)
    if vague and len(nouns) > 1 and random.random() < _TURNED:
        spoken_noun = f"{nouns[1]} of the {nouns[0]}"
    count = random.choices(range(most + 1), weights=(2 if vague else 1, 5, 5, 3, 2)[: most + 1])[0]
    parameters, arguments, clauses, copied = _parameters(values, noun, count)
    said_noun = spoken_noun
    if vague and not nonsense and random.random() < _OWN:
        said_noun = _with_own(values, nouns, parameters, arguments, copied)
        arguments = {
            parameter.name: arguments[parameter.name] for parameter in parameters if parameter.name in arguments
        }
    said = spoken(f"[{_SYNONYMS.get(verb, verb)}]", random) if random.random() < 0.6 else verb
    request = (
        spoken(random.choice(_FRAMES), random)
        if said not in ("what is", "where is", "how much is")
        else "{verb} the {noun} {clauses}"
    )
    joint = random.choice((" ", " ", ", ", " and ")) if len(clauses) > 1 else " "
    request = request.format(verb=said, noun=said_noun, clauses=joint.join(clauses)).strip()
    if nonsense and random.random() < 0.5:
        request = f"{random.choice(('call', 'run', 'use', 'execute'))} {name} {joint.join(clauses)}".strip()
    elif vague and random.random() < vague:
        request = _vague(said_noun, clauses, joint, random)
    function = Function(name, tuple(parameters), "" if random.random() < 0.1 else description)
    return Invention(function, " ".join(request.split()), Call(name, arguments), tuple(copied), spoken_noun, verb)


def _with_own(
    values: Values, nouns: list[str], parameters: list[Parameter], arguments: dict[str, Any], copied: list[str]
) -> str:
    """Give a function a parameter that has one of its nouns, and say how a request says both."""
    own, *rest = nouns
    key, noun = own.replace(" ", "_"), " ".join(nouns)
    if any(key in parameter.name for parameter in parameters):
        return noun
    value = values.anything()
    parameters.insert(0, Parameter(key, "integer" if isinstance(value, int) else "string"))
    arguments[key] = value
    copied.append(str(value))
    return values.random.choice(_OWN_CLAUSES).format(own=own, noun=noun, v=value, rest=" ".join(rest)).strip()


def _vague(noun: str, clauses: list[str], joint: str, random: Random) -> str:
    """A request without the verb; where something is for somebody, at times as what that one wants."""
    whose = [clause for clause in clauses if clause.startswith("for ") and clause[4].isupper()]
    if not whose or random.random() < 0.4:
        return spoken(random.choice(_VAGUE_FRAMES), random).format(noun=noun, clauses=joint.join(clauses)).strip(" ,:")
    rest = [clause for clause in clauses if clause != whose[0]]
    frame = random.choice(_WHOSE_FRAMES)
    said = spoken(frame, random).format(who=whose[0][4:], noun=noun, clauses=joint.join(rest))
    return said.replace(" ,", ",").strip()


def _parameters(values: Values, noun: str, count: int) -> tuple[list[Parameter], dict[str, Any], list[str], list[str]]:
    random = values.random
    parameters: list[Parameter] = []
    arguments: dict[str, Any] = {}
    clauses: list[tuple[int, str]] = []
    copied: list[str] = []
    used: set[str] = set()
    in_order = 0.7 if values.kept_out else _IN_ORDER
    for _ in range(count):
        parameter, value, clause = _one(values, noun, used, alone=count == 1)
        if any(parameter.name == other.name for other in parameters):
            continue
        parameters.append(parameter)
        if parameter.optional and random.random() < 0.4:
            continue
        arguments[parameter.name] = value
        clauses.append((len(clauses) if random.random() < in_order else random.randrange(9), clause))
        copied.append(str(value))
    if random.random() < 0.1 and count:
        parameters.append(Parameter(values.word("param") + "s", "integer", optional=True))
    return parameters, arguments, [clause for _, clause in sorted(clauses, key=lambda pair: pair[0])], copied


def _one(values: Values, noun: str, used: set[str], *, alone: bool) -> tuple[Parameter, Any, str]:
    """A parameter, its value, and how a request says it.

    What stands before a value is `used` only once, and so is a kind of value without the name of its parameter.
    """
    random = values.random
    optional = random.random() < (0.15 if values.kept_out else _OPTIONAL)
    draw = random.random()
    if draw < 0.08:
        name, choices = random.choice(_ENUMS)
        value: Any = random.choice(choices)
        clause = random.choice(_ENUM_CLAUSES).format(v=value, words=name)
        return Parameter(name, "string", choices, optional), value, clause
    if draw < 0.11:
        name, value = random.choice(_FLAGS), random.random() < 0.6
        clause = (
            spoken("[and|make it|]", random) + " " + name.replace("_", " ")
            if value
            else f"not {name.replace('_', ' ')}"
        )
        return Parameter(name, "boolean", (), optional), value, clause.strip()
    if draw < 0.15:
        items = [values.word("product") for _ in range(random.randint(2, 3))]
        if not values.kept_out and random.random() < _TWICE:
            items[-1] = random.choice(items[:-1])
        name = random.choice(("items", "products", "tags", "names", "list", "things"))
        clause = f"with {', '.join(items[:-1])} and {items[-1]}"
        return Parameter(name, "string[]", (), optional), items, clause
    kind = random.choice(tuple(_KINDS))
    names, natural = _KINDS[kind]
    alike = next((group[0] for group in _ALIKE if kind in group), kind)
    name = random.choice(names.split()).format(noun=noun, param=values.word("param"), nonsense=values.invented(1, 2))
    value = values.of(kind)
    # Of two values that look alike only the first can go without the name of its parameter.
    frames = natural if natural and alike not in used and random.random() < 0.6 else _ANY_CLAUSES
    frame = random.choice(frames)
    lead = frame.partition("{v}")[0]
    if "{words}" not in frame and (lead in used or not (lead or alone)):
        frame = random.choice(_ANY_CLAUSES)
    used |= {lead, alike}
    quoted = random.random() < (0.9 if kind in ("text", "title", "x") else 0.3)
    if quoted and isinstance(value, str) and " " in value and '"' not in frame:
        frame = frame.replace("{v}", '"{v}"')
    if isinstance(value, int | float):
        type_ = ("integer" if random.random() < 0.75 else "number") if isinstance(value, int) else "number"
        said: object = value
        if kind == "ident" and random.random() < 0.35:
            type_, value = "string", str(value)
    else:
        type_, said = "string", value
        if kind == "url" and not value.startswith("http"):
            value = f"https://{value}"
    words = name.replace("_", " ")
    if not values.kept_out:
        words = words.upper() if len(words) < 5 and random.random() < _SHOUTED else words
        leads = frame.startswith("{words} {v}") and random.random() < _LED
        frame = f"{random.choice(('to', 'on', 'at', 'in', 'for', 'from', 'of', 'by'))} {frame}" if leads else frame
    return Parameter(name, type_, (), optional), value, frame.format(v=said, words=words)


def invented_functions(values: Values, count: int, random: Random) -> list[Function]:
    """Functions that are offered besides, and not to be called."""
    return [invent(values, most=random.choice((1, 2, 3))).function for _ in range(count)]
