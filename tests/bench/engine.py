"""The engine against a bare `llama_decode` loop on the same model, parameters and sampler, in the same process.

The bare loop does what any program must: fill a batch, decode, sample. What the engine adds, scheduling,
mailboxes, stop texts, byte pieces, figures, is what the ratios show.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.bench.models import make_bench_model
from tests.bench.report import Report, in_turn, median, median_ratio
from tui.domain import Constraint, LoadConfig, ModelInfo, SamplingConfig
from tui.engine import Engine, GenerationTask, LoadedModel, LogRing
from tui.engine.constraint import Constraints
from tui.engine.library import load_llama
from tui.engine.loading import Kernels, open_model

PROMPT_TOKENS = 512
GENERATED_TOKENS = 48
SEQUENCES = (1, 4, 8)
CONTEXT_LENGTH = 8192
GREEDY = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=GENERATED_TOKENS, ignore_end_of_generation=True)

LONG_JSON = Constraint(
    "json_schema",
    '{"type": "object", "properties": {"notes": {"type": "array", "items": {"type": "string", "minLength": 40},'
    ' "minItems": 20}}, "required": ["notes"], "additionalProperties": false}',
)


class BareLoop:
    """`llama_decode` in a loop with greedy sampling: the least that generation can cost."""

    def __init__(self, path: Path, kernels: Kernels) -> None:
        self._llama = load_llama()
        self._opened = open_model(path, CONFIG, kernels)
        self._context = self._opened.context
        self._memory = self._llama.llama_get_memory(self._context)
        self._batch = self._llama.llama_batch_init(2048, 0, 1)
        chain = self._llama.llama_sampler_chain_init(self._llama.llama_sampler_chain_default_params())
        self._llama.llama_sampler_chain_add(chain, self._llama.llama_sampler_init_greedy())
        self._sampler = chain

    def prompt(self, tokens: list[int]) -> float:
        """Tokens per second of reading one prompt."""
        self._llama.llama_memory_clear(self._memory, False)
        started = time.perf_counter()
        for start in range(0, len(tokens), 512):
            chunk = tokens[start : start + 512]
            self._decode([(0, start + index, token) for index, token in enumerate(chunk)], outputs={len(chunk) - 1})
        self._llama.llama_sampler_sample(self._sampler, self._context, -1)
        return len(tokens) / (time.perf_counter() - started)

    def generate(self, sequences: int) -> float:
        """Tokens per second of all sequences together, one batch a step."""
        llama = self._llama
        llama.llama_memory_clear(self._memory, False)
        current = []
        for sequence in range(sequences):
            prompt = short_prompt(sequence)
            self._decode(
                [(sequence, position, token) for position, token in enumerate(prompt)], outputs={len(prompt) - 1}
            )
            current.append(llama.llama_sampler_sample(self._sampler, self._context, -1))
        position = len(short_prompt(0))
        started = time.perf_counter()
        for step in range(GENERATED_TOKENS - 1):
            rows = [(sequence, position + step, current[sequence]) for sequence in range(sequences)]
            self._decode(rows, outputs=set(range(sequences)))
            current = [llama.llama_sampler_sample(self._sampler, self._context, row) for row in range(sequences)]
        return sequences * (GENERATED_TOKENS - 1) / (time.perf_counter() - started)

    def _decode(self, rows: list[tuple[int, int, int]], outputs: set[int]) -> None:
        batch: Any = self._batch
        for index, (sequence, position, token) in enumerate(rows):
            batch.token[index] = token
            batch.pos[index] = position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequence
            batch.logits[index] = index in outputs
        batch.n_tokens = len(rows)
        if self._llama.llama_decode(self._context, batch) != 0:
            raise RuntimeError("the bare loop could not decode")

    def close(self) -> None:
        self._llama.llama_batch_free(self._batch)
        self._opened.close()


CONFIG = LoadConfig(context_length=CONTEXT_LENGTH, parallel=max(SEQUENCES))


def short_prompt(number: int) -> list[int]:
    """A prompt of its own for each sequence, so that nothing is shared."""
    return [100 + number] + [(number * 7 + index) % 200 for index in range(15)]


def engine_prompt(model: LoadedModel, tokens: list[int]) -> float:
    task = model.submit(list(tokens), SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=1))
    while (delivery := task.mailbox.take()) is None or delivery.stats is None:
        pass
    if delivery.stats.cached_prompt_tokens:
        raise RuntimeError("the prompt was cached, so its speed says nothing")
    return delivery.stats.prompt_speed


def engine_generate(model: LoadedModel, sequences: int, salt: int) -> float:
    """Tokens per second of all answers together, while all of them run."""
    tasks = [model.submit([300 + salt, *short_prompt(number)], GREEDY) for number in range(sequences)]
    times = [noted_times(task) for task in tasks]
    for task in tasks:
        while (delivery := task.mailbox.take()) is None or delivery.stats is None:
            time.sleep(0.02)  # as the program reads: joined, not token by token
    # Between these moments all of them run; before, some prompts are still being read.
    started = max(moments[0] for moments in times)
    ended = min(moments[-1] for moments in times)
    if ended <= started:
        raise RuntimeError("the answers did not run at the same time")
    return sum(started < moment <= ended for moments in times for moment in moments) / (ended - started)


def engine_constrained(model: LoadedModel, salt: int) -> float:
    """Tokens per second of one answer that is kept to a JSON schema, which the model would never do by itself."""
    task = model.submit([300 + salt, *short_prompt(0)], GREEDY, constraint=LONG_JSON)
    moments = noted_times(task)
    while (delivery := task.mailbox.take()) is None or delivery.stats is None:
        time.sleep(0.02)
    if delivery.error is not None or len(moments) < GENERATED_TOKENS // 2:
        raise RuntimeError("the constrained answer was too short to be measured")
    return (len(moments) - 1) / (moments[-1] - moments[0])


def mask_microseconds(model: LoadedModel) -> float:
    """What finding out and forbidding all impossible tokens costs for each token."""
    import numpy

    state = Constraints(model.vocabulary).start(LONG_JSON)
    chance = numpy.random.default_rng(0)
    times = []
    for _ in range(100):
        row = chance.standard_normal(model.vocabulary.size, dtype=numpy.float32)
        started = time.perf_counter()
        state.apply(row)
        times.append(time.perf_counter() - started)
        if state.complete:
            break
        state.accept(int(row.argmax()))
    return median(times) * 1e6


def noted_times(task: GenerationTask) -> list[float]:
    """A list that fills with the moments at which the task's tokens come."""
    moments: list[float] = []
    count = task.count_token

    def count_and_note(now: float) -> None:
        moments.append(now)
        count(now)

    task.count_token = count_and_note  # type: ignore[method-assign]
    return moments


def in_a_thread(work: Callable[[], float]) -> float:
    """The result of work in a thread that ends then, or its OpenMP helpers would count against the next one's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def measure(rounds: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as folder:
        path = make_bench_model(Path(folder) / "bench.gguf", context_length=CONTEXT_LENGTH)
        engine = Engine(Path(folder) / "verdicts.json", LogRing())
        model = engine.load(ModelInfo(key="bench", path=path, size=path.stat().st_size), CONFIG)
        bare = BareLoop(path, engine.self_test().kernels)
        salts = iter(range(1_000_000))

        def fresh_prompt() -> list[int]:
            salt = next(salts)
            return [1000 + salt, *((salt * 31 + index * 17) % 50_000 + 2000 for index in range(PROMPT_TOKENS - 1))]

        contestants = {
            "bare prompt": lambda: in_a_thread(lambda: bare.prompt(fresh_prompt())),
            "engine prompt": lambda: engine_prompt(model, fresh_prompt()),
        }
        for count in SEQUENCES:
            contestants[f"bare {count}"] = lambda count=count: in_a_thread(lambda: bare.generate(count))
            contestants[f"engine {count}"] = lambda count=count: engine_generate(model, count, next(salts))
        contestants["engine json"] = lambda: engine_constrained(model, next(salts))
        in_turn(1, contestants)  # warm both
        results = in_turn(rounds, contestants)
        mask = mask_microseconds(model)
        bare.close()
        engine.close()
    figures = {
        "prompt_ratio": median_ratio(results["engine prompt"], results["bare prompt"]),
        "one_sequence_ratio": median_ratio(results["engine 1"], results["bare 1"]),
        "four_sequences_ratio": median_ratio(results["engine 4"], results["bare 4"]),
        "eight_sequences_ratio": median_ratio(results["engine 8"], results["bare 8"]),
    }
    figures["json_schema_ratio"] = median_ratio(results["engine json"], results["engine 1"])
    figures["mask_microseconds"] = mask
    figures |= {f"{name.replace(' ', '_')}_tokens_per_second": median(values) for name, values in results.items()}
    return Report("engine", figures, "a bare llama_decode loop (batched for several sequences), greedy, same process")
