"""Who is served next: tasks in the order they came, people before programs."""

from __future__ import annotations

from collections.abc import Iterator

from tui.engine.task import GenerationTask


class WaitingQueue:
    """Tasks that wait, lowest priority number first and in order of arrival within one. Not thread-safe by itself."""

    def __init__(self) -> None:
        self._tasks: list[GenerationTask] = []

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[GenerationTask]:
        return iter(tuple(self._tasks))

    def add(self, task: GenerationTask, *, first: bool = False) -> None:
        """Queue a task behind those of its priority, or before them if it was served already."""

        def goes_before(other: GenerationTask) -> bool:
            return other.priority >= task.priority if first else other.priority > task.priority

        place = next((index for index, other in enumerate(self._tasks) if goes_before(other)), len(self._tasks))
        self._tasks.insert(place, task)
        self.tell_positions()

    def remove(self, task: GenerationTask) -> None:
        """Take a task out."""
        self._tasks.remove(task)

    def take_cancelled(self) -> list[GenerationTask]:
        """Take out those that nobody wants any more."""
        cancelled = [task for task in self._tasks if task.cancelled]
        if cancelled:
            self._tasks = [task for task in self._tasks if not task.cancelled]
            self.tell_positions()
        return cancelled

    def take_all(self) -> list[GenerationTask]:
        """Take out everybody."""
        tasks, self._tasks = self._tasks, []
        return tasks

    def tell_positions(self) -> None:
        """Tell each task its place, counted from 1. It is told only what is new to it."""
        for position, task in enumerate(self._tasks, start=1):
            if task.position != position:
                task.position = position
                task.mailbox.queued(position)
