"""What the conversion is tried on: 200 texts of many kinds, some of them awkward for a tokenizer."""

from __future__ import annotations

_WRITTEN = """\
How do I download a model?
Which key stops an answer that is still coming?
The context length decides how much of a conversation the model can see at once.
A larger context costs memory even while nothing is in it.
Berlin is the capital of Germany.
The capital of Germany is Berlin, a city of three and a half million people.
My cat sleeps on the warm keyboard.
A cat lay down on the laptop because it was warm there.
Stock markets fell sharply on Tuesday.
Shares lost value at the beginning of the week.
def add(a, b): return a + b
SELECT name, price FROM products WHERE price < 50 ORDER BY name;
for (int i = 0; i < n; ++i) { total += values[i]; }
git commit -m "Fix the parser" && git push origin main
{"name": "say_hello", "arguments": {"name": "Bob the Builder"}}
<html><body><p class="note">Hello, world!</p></body></html>
https://example.org/path/to/page?query=value&other=1#fragment
/usr/local/share/models/publisher/repository/file-00001-of-00003.gguf
Order number 1017 arrives on 3 May 2025 at 14:30.
The total is $1,299.99, or €1.149,50 with tax.
3.14159265358979 is close to π.
E = mc² was published in 1905.
The naïve café owner ordered a crème brûlée.
Ångström, Müller, Çelik and Đorđević met in Zürich.
Über den Wolken muss die Freiheit wohl grenzenlos sein.
El niño comió una manzana en el jardín.
Où est la bibliothèque, s'il vous plaît ?
Ciao! Come stai oggi?
Dzień dobry, jak się masz?
Привет, как дела?
Καλημέρα κόσμε
שלום עולם
今天天气很好。
我喜欢学习语言模型。
東京は日本の首都です。
Tiếng Việt có nhiều dấu.
สวัสดีชาวโลก
I love this! 😀🎉
🚀
✓ done, ✗ failed, → next
Wait... what?! No -- really?
(a) first; (b) second; [c] third; {d} fourth.
"Quoted", 'single', “curly” and «angled» words
don't can't won't it's o'clock
state-of-the-art, well-known, up-to-date
snake_case_name and camelCaseName and CONSTANT_NAME
ALL CAPITALS ARE SHOUTING
MiXeD CaSe TeXt
a
I
42
?
the the the the the the the the
supercalifragilisticexpialidocious
Donaudampfschifffahrtsgesellschaftskapitän
pneumonoultramicroscopicsilicovolcanoconiosis
qwrtzpsdfghjklyxcvbnm
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
[CLS] looks like a marker, and so do [SEP], [MASK] and [unused1].
##ing is how a piece of a word is written.
x^2 + y^2 = r^2
50% of 80 is 40 & 10 @ 4 each
user@example.com wrote to admin@example.org
C++ and C# and F# are not the same.
v1.2.3-beta.4+build.5
192.168.0.1:8080
2024-02-29T23:59:59Z
++--==**//
The quick brown fox jumps over the lazy dog.
Pack my box with five dozen liquor jugs.
She sells sea shells by the sea shore.
To be, or not to be, that is the question.
All happy families are alike; each unhappy family is unhappy in its own way.
It was the best of times, it was the worst of times.
Water boils at one hundred degrees Celsius at sea level.
Photosynthesis turns light, water and carbon dioxide into sugar and oxygen."""

_AWKWARD = (
    "tabs\tand\u00a0other\u2003spaces",
    "one line\nand another\r\nand a third",
    "   spaces   at   both   ends   and   between   ",
    "A*B~C|D\\E`F",
)

_PEOPLE = (
    "The teacher", "A young engineer", "My grandmother", "The captain of the ship", "Nobody in the office",
    "Our neighbour's dog", "The committee", "An old friend from school", "The night nurse", "Every student",
)  # fmt: skip
_DEEDS = (
    "reads the manual before the first start.",
    "never trusts a number without its unit.",
    "has been waiting for the train since a quarter past six.",
    "bought three kilograms of apples at the market.",
    "explains why a smaller model answers faster.",
    "forgot the password again and asked for a new one.",
    "plays the violin when it rains.",
    "found an error on the second page of the report.",
    "would rather walk than take the bus.",
    "wants to know how much memory is left.",
    "writes long letters that nobody answers.",
)

_LONG = 10


def sentences() -> list[str]:
    """The texts, always the same ones in the same order."""
    made = [f"{person} {deed}" for person in _PEOPLE for deed in _DEEDS]
    # Whole paragraphs, up to some three hundred tokens.
    long = [" ".join(made[number::3][: 3 * (number + 1)]) for number in range(_LONG)]
    return [*_WRITTEN.split("\n"), *_AWKWARD, *made, *long]
