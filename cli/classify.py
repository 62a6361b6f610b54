"""`frontdesk classify`: add predictions and decisions to the rows of a table.

Whole batches are appended to a partial file with a random name next to the output. After each batch the record
`<output>.part.json` states the name of that file and the rows and bytes in it. A resumed run truncates the partial file
to the last whole batch and continues there; its output is equal byte for byte to that of an uninterrupted run. Neither
file is opened if it is a link or if another user owns it.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from cli import column_options as flags
from frontdesk.errors import FrontdeskError
from frontdesk.private_files import is_trusted_owner, open_own_file, replace_file

if TYPE_CHECKING:
    from cli.resumable_rows import InputRow, RowFile
    from frontdesk.config import Settings
    from frontdesk.messages import IncomingMessage
    from runners.ensemble.ensemble import Ensemble

BATCH_ROWS = 64
HASHED_BYTES = 1 << 20
COLUMNS = (
    "act",
    "intent",
    "confidence",
    "in_scope",
    "out_of_scope_probability",
    "sentiment",
    "sentiment_confidence",
    "priority_level",
    "priority_score",
    "decision",
    "model_version",
)
ERROR = "error"
READ_ONLY_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".parquet", ".pq", ".json", ".gz")
"""Formats that are read but not written."""

Classify = Callable[[Sequence["IncomingMessage"]], list[dict[str, Any] | str]]
"""Maps messages to the values of COLUMNS for each, or to the reason why it cannot be classified."""


@dataclass(slots=True)
class ClassifyProgress:
    """Bytes read and written, rows, errors, and counts of decisions. Field names are keys of the progress record."""

    read: int = 0
    written: int = 0  # vocabulary: key of the progress record
    rows: int = 0
    errors: int = 0
    decisions: dict[str, int] = field(default_factory=dict)


def classify(
    file: Annotated[Path, typer.Argument(help=f"{flags.FILE_HELP} Of any size. - for standard input.")],
    text: flags.TextColumns = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Default: NAME.classified.csv (JSON: .jsonl) next to FILE; standard output for -."),
    ] = None,
    prefix: Annotated[str, typer.Option(help="Prefix for the name of each new column.")] = "",
    subject: Annotated[str | None, typer.Option(help="The column of the subjects of mails.")] = None,
    html: Annotated[
        str | None, typer.Option(help="The column of the HTML of mails; `--text` is then optional.")
    ] = None,
    headers: Annotated[str | None, typer.Option(help="The column of the header fields of mails, as JSON.")] = None,
    transcript: Annotated[
        str | None, typer.Option(help="The column of earlier turns of a chat, as JSON: a list of role and text.")
    ] = None,
) -> None:
    """Add intent, sentiment, priority and decision of each message to a file. The champion runs in this process.

    After Ctrl-C, the same command resumes. The column `error` states why a row cannot be classified.
    """
    from rich.console import Console

    from bentos.wiring.model import open_trusted_bundle
    from cli.message_columns import MessageColumns
    from cli.resumable_rows import open_rows
    from frontdesk.config import load_settings
    from runners.ensemble.ensemble import Ensemble

    settings, console = load_settings(), Console(stderr=True)
    text_columns = () if text is None and (html or transcript) else tuple(flags.text_columns(text))
    columns = MessageColumns(text_columns, subject, html, headers, transcript)
    spool = output.parent if output and output.parent.is_dir() else None
    rows = open_rows(file, columns, [prefix + name for name in (*COLUMNS, ERROR)], spool)
    target = output or _default_output(file, rows.suffix)
    if target is not None:
        _check_output_paths(file, target)
    with console.status("loading the champion"):
        ensemble = Ensemble.load(open_trusted_bundle(settings), settings.model.onnx_threads)
    rows.check_labels(ensemble.taxonomy.labels)
    classifier = _create_classifier(ensemble, settings)
    if target is None:
        progress = ClassifyProgress()
        for _ in write_classified_rows(rows, classifier, prefix, sys.stdout.buffer, progress):
            pass
        _print_summary(progress, "standard output", console)
        return
    options = {"text": list(columns.named), "prefix": prefix, "policy": _policy_identity(settings)}
    run = ClassifyRun(target, rows, identify_run(rows, ensemble.version, options), classifier, prefix)
    progress, note = run.resume()
    if note:
        console.print(note, highlight=False)
    try:
        _run_with_progress(run, progress, console)
    except KeyboardInterrupt:
        console.print(f"Interrupted after {progress.rows} rows; the same command resumes there.", highlight=False)
        raise
    _print_summary(progress, str(target), Console())


def _default_output(file: Path, suffix: str) -> Path | None:
    """Return NAME.classified.SUFFIX next to the file; None for standard input, whose output is standard output."""
    if str(file) == "-":
        return None
    name = Path(file.stem).stem if file.suffix.lower() == ".gz" else file.stem
    return file.with_name(f"{name}.classified{suffix}")


def _check_output_paths(file: Path, target: Path) -> None:
    """Check that the output and its progress record can be written, before any work is done.

    Raises:
        DataError: the output is the input or has a suffix of `READ_ONLY_SUFFIXES`; a folder or special file has one of
            the names; or the target folder is not writable.
    """
    from frontdesk.errors import DataError

    if target.resolve() == file.resolve():
        raise DataError("The output would overwrite the input file.", hint="Give another --output.")
    if target.suffix.lower() in READ_ONLY_SUFFIXES:
        raise DataError(
            f"{target.suffix} files cannot be written.",
            hint="Give an --output that ends with .csv, or .jsonl for JSON.",
        )
    for path in (target, _record_path(target)):
        if path.is_dir() or (path.exists() and not path.is_file() and not path.is_symlink()):
            raise DataError(f"{path} is in the way: it is not a file.", hint="Remove it, or give another --output.")
    if not target.parent.is_dir() or not os.access(target.parent, os.W_OK | os.X_OK):
        raise DataError(f"Nothing can be written to the folder {target.parent}.", hint="Give another --output.")


def _record_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.part.json")


@dataclass(frozen=True, slots=True)
class ClassifyRun:
    """One run of `frontdesk classify`. An interrupted run can be resumed only if `identity` is equal."""

    target: Path
    rows: RowFile
    identity: Mapping[str, Any]
    classify: Classify
    prefix: str = ""

    @property
    def part_path(self) -> Path:
        """Path of the partial file that the progress record of an interrupted run names.

        Raises:
            FileNotFoundError: there is no record.
            KeyError, ValueError: the record names no partial file of this output.
        """
        name = self._read_record()["part"]
        if not (isinstance(name, str) and name.startswith(self._part_prefix) and "/" not in name):
            raise ValueError("not the name of a partial file")
        return self.target.with_name(name)

    @property
    def record_path(self) -> Path:
        return _record_path(self.target)

    def resume(self) -> tuple[ClassifyProgress, str]:
        """Return the progress to start from and a note for the user; the note is '' if there is no earlier run."""
        new_progress = ClassifyProgress()
        try:
            record = self._read_record()
            progress, part_path = ClassifyProgress(**record["reached"]), self.part_path
        except FileNotFoundError:
            return new_progress, ""
        except (FrontdeskError, OSError, ValueError, KeyError, TypeError):
            return new_progress, "An earlier run left no valid progress record: starting from the beginning."
        changed = [name for name, value in self.identity.items() if record.get("identity", {}).get(name) != value]
        if changed:
            return (
                new_progress,
                f"An earlier run was interrupted, but {' and '.join(changed)} changed: starting from the beginning.",
            )
        if not part_path.exists() or part_path.stat().st_size < progress.written:
            return (
                new_progress,
                "The partial file of an earlier run is missing or incomplete: starting from the beginning.",
            )
        return progress, f"Resuming after {progress.rows} rows."

    def classify_in_steps(self, progress: ClassifyProgress) -> Iterator[ClassifyProgress]:
        """Classify batch by batch from `progress` on and update it; then move the partial file to the output path.

        The output and the record of a batch are written before its step is yielded.
        """
        part_path = self.part_path if progress.written else self._new_part_path()
        descriptor = open_own_file(part_path, os.O_RDWR | (0 if progress.written else os.O_CREAT | os.O_EXCL))
        with os.fdopen(descriptor, "r+b") as sink:
            sink.truncate(progress.written)
            sink.seek(progress.written)
            for step in write_classified_rows(self.rows, self.classify, self.prefix, sink, progress):
                self._write_record(step, part_path)
                yield step
        part_path.replace(self.target)
        self.record_path.unlink(missing_ok=True)

    @property
    def _part_prefix(self) -> str:
        return f".{self.target.name}.part-"

    def _new_part_path(self) -> Path:
        """Return an unpredictable path for a new partial file. Deletes partial files of runs without a record."""
        for stale in self.target.parent.glob(f"{glob.escape(self._part_prefix)}*"):
            if is_trusted_owner(stale.lstat().st_uid) and (stale.is_symlink() or not stale.is_dir()):
                stale.unlink()
        return self.target.with_name(f"{self._part_prefix}{secrets.token_hex(8)}")

    def _read_record(self) -> dict[str, Any]:
        with os.fdopen(open_own_file(self.record_path, os.O_RDONLY), "rb") as file:
            record = json.load(file)
        if not isinstance(record, dict):
            raise ValueError("not a progress record")
        return record

    def _write_record(self, progress: ClassifyProgress, part_path: Path) -> None:
        record = {"identity": self.identity, "reached": asdict(progress), "part": part_path.name}
        with replace_file(self.record_path, sync=False) as file:
            file.write(json.dumps(record).encode())


def write_classified_rows(
    rows: RowFile, classify: Classify, prefix: str, sink: IO[bytes], progress: ClassifyProgress
) -> Iterator[ClassifyProgress]:
    """Write the rows after `progress.rows` with their new columns, and yield the updated progress after each batch."""
    if not progress.written:
        progress.written += sink.write(rows.output_header)  # vocabulary: key of the progress record
    remaining = rows.rows(progress.rows)
    while batch := list(islice(remaining, BATCH_ROWS)):
        lines, outcomes = _classify_batch(rows, classify, prefix, batch)
        progress.written += sink.write(lines)  # vocabulary: key of the progress record
        sink.flush()
        progress.read = rows.read_bytes
        progress.rows += len(batch)
        progress.errors += outcomes.pop(ERROR, 0)
        for decision, count in outcomes.items():
            progress.decisions[decision] = progress.decisions.get(decision, 0) + count
        yield progress


def _classify_batch(
    rows: RowFile, classify: Classify, prefix: str, batch: Sequence[InputRow]
) -> tuple[bytes, Counter[str]]:
    messages = [row.message for row in batch if row.message is not None]
    results = iter(classify(messages) if messages else ())
    outcomes: Counter[str] = Counter()
    lines = []
    for row in batch:
        result = row.problem if row.message is None else next(results)
        problem = result if isinstance(result, str) else ""
        values = dict.fromkeys(COLUMNS) if isinstance(result, str) else result
        outcomes[ERROR if problem else str(values["decision"])] += 1
        added = {prefix + name: value for name, value in (*values.items(), (ERROR, problem or None))}
        lines.append(rows.format_row(row, added))
    return b"".join(lines), outcomes


def identify_run(rows: RowFile, version: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the identity of a run: size and hash of the first bytes of the input, the bundle, and the options."""
    head = hashlib.sha256(rows.table.source.head(HASHED_BYTES)).hexdigest()
    return {"the input": [rows.size, head], "the bundle": version, "an option": dict(options)}


def _policy_identity(settings: Settings) -> list[Any]:
    from frontdesk.decision.priority import STARTER_POLICY

    policy = settings.policy.priority or STARTER_POLICY
    return [hashlib.sha256(policy.read_bytes()).hexdigest(), settings.policy.max_plausible_to_clarify]


def _create_classifier(ensemble: Ensemble, settings: Settings) -> Classify:
    from datetime import UTC, datetime

    from frontdesk.decision.acts import select_policy_inputs
    from frontdesk.decision.priority import STARTER_POLICY, PriorityPolicy
    from frontdesk.decision.rules import decide
    from frontdesk.errors import InvalidQuery
    from frontdesk.masking.masked_message import MaskedMessage
    from frontdesk.masking.masker import load_masker
    from frontdesk.messages.limits import parse_message
    from frontdesk.types import Query, Understanding

    mask = load_masker(settings.masking.name_tagger).mask
    priorities = PriorityPolicy.read(settings.policy.priority or STARTER_POLICY)
    now = datetime.now(UTC)

    def compute_output_values(masked: MaskedMessage, output: Understanding) -> dict[str, Any]:
        act, urgency = masked.message.act, ensemble.taxonomy.policy(output.intent.label).urgency
        inputs = select_policy_inputs(act, output, masked.own, urgency)
        understanding = inputs.understanding
        priority = priorities.score(Query(""), inputs.text, understanding, inputs.urgency, now)
        decision = decide(understanding, ensemble.taxonomy, priority, settings.policy.max_plausible_to_clarify, act)
        return {
            "act": act.value,
            "intent": understanding.intent.label,
            "confidence": understanding.intent.confidence,
            "in_scope": understanding.intent.in_scope,
            "out_of_scope_probability": understanding.intent.out_of_scope_probability,
            "sentiment": understanding.sentiment.label,
            "sentiment_confidence": understanding.sentiment.confidence,
            "priority_level": priority.level.value,
            "priority_score": priority.score,
            "decision": decision.action.value,
            "model_version": ensemble.version,
        }

    def mask_or_problem(incoming: IncomingMessage) -> MaskedMessage | str:
        try:
            return mask(parse_message(incoming))
        except InvalidQuery as error:
            ((_, problem),) = error.violations
            return problem

    def classify_messages(messages: Sequence[IncomingMessage]) -> list[dict[str, Any] | str]:
        masked = [mask_or_problem(message) for message in messages]
        valid = [item for item in masked if isinstance(item, MaskedMessage)]
        outputs = iter(ensemble.understand([item.own.text for item in valid]) if valid else ())
        return [item if isinstance(item, str) else compute_output_values(item, next(outputs)) for item in masked]

    return classify_messages


def _run_with_progress(run: ClassifyRun, progress: ClassifyProgress, console: Any) -> None:
    import time

    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} rows, {task.fields[rate]:.0f} a second, left"),
        TimeRemainingColumn(),
    )
    rows_before, started = progress.rows, time.perf_counter()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=run.rows.size, completed=progress.read, rows=rows_before, rate=0.0)
        for step in run.classify_in_steps(progress):
            rate = (step.rows - rows_before) / (time.perf_counter() - started)
            bar.update(task, completed=step.read, rows=step.rows, rate=rate)


def _print_summary(progress: ClassifyProgress, target: str, console: Any) -> None:
    classified = max(1, progress.rows - progress.errors)
    shares = ", ".join(f"{name} {count / classified:.1%}" for name, count in sorted(progress.decisions.items()))
    console.print(f"{progress.rows} rows, {progress.errors} errors. {shares}", highlight=False, soft_wrap=True)
    console.print(f"Output: {target}", highlight=False, soft_wrap=True, markup=False)
