from dataclasses import dataclass

from rich.segment import Segment
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip


@dataclass(frozen=True)
class TranscriptMessage:
    id: str
    role: str
    text: str
    reasoning: str = ""
    author: str = ""
    note: str = ""
    problem: str = ""
    time: float = 0.0


import dataclasses


class Transcript(ScrollView, can_focus=True):
    class StateChanged(Message):
        pass

    def __init__(self, id=None):
        super().__init__(id=id)
        self.m = []
        self.w = ""
        self.following = True
        self.cur = None

    message_count = property(lambda s: len(s.m))

    def _c(self):
        self.refresh()
        self.post_message(self.StateChanged())

    def show(self, messages):
        self.m = list(messages)
        self._c()

    def append(self, m):
        self.m.append(m)
        self._c()

    start_answer = append

    def stream(self, t, r):
        self.m[-1] = dataclasses.replace(self.m[-1], text=self.m[-1].text + t, reasoning=self.m[-1].reasoning + r)
        self._c()

    def set_note(self, id, note):
        self.m = [dataclasses.replace(x, note=note) if x.id == id else x for x in self.m]
        self._c()

    def end_answer(self, m):
        self.m[-1] = m
        self._c()

    def waiting(self, t):
        self.w = t
        self._c()

    def cursor_message(self):
        return self.m[-1] if self.m else None

    def move_cursor(self, s):
        pass

    def toggle_reasoning(self):
        pass

    def code_blocks(self, id):
        return [b.split("\n", 1)[1] for b in self.message_source(id).split("```")[1::2]]

    def message_source(self, id):
        return next(x.text for x in self.m if x.id == id)

    def selected_text(self):
        return ""

    def render_line(self, y):
        lines = []
        for x in self.m:
            lines += [
                f"{x.author or 'you'} {x.note}",
                *("  " + l for l in x.text.split("\n")),
                *(["  ! " + x.problem.replace(chr(10), " ")] if x.problem else []),
                "",
            ]
        lines.append(self.w)
        t = lines[y] if y < len(lines) else ""
        return Strip([Segment(t, self.rich_style)]).adjust_cell_length(self.size.width, self.rich_style)
