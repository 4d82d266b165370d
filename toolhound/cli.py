"""The command line. Verbs on a workspace take `--workspace`: a folder, or the address of a running server.

Exit codes: 0 done; 1 done, and something was refused or failed; 2 not done, and the message says why; 3 (`alerts`, `scan`, with
`--fail-on`) something as severe as that was found.
"""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from store.errors import NotFoundError, SettingsError, ToolhoundError
from store.records import Severity
from toolhound import learn_verbs, printing, register_verbs, verify_verb
from toolhound.options import Actor, AsJson, Token, Where, opening
from toolhound.settings import FILE_NAME, read_settings
from toolhound.supervisor import Supervisor
from toolhound.workers import Workers
from toolhound.workspace import DEFAULT_FOLDER

PARTLY, FAILED, FOUND = 1, 2, 3
PAGE = 500

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__.split("\n\n")[0] if __doc__ else None)
app.add_typer(register_verbs.grants, name="grant")
app.add_typer(register_verbs.registry, name="registry")
app.command()(learn_verbs.learn)
app.add_typer(learn_verbs.baselines, name="baselines")
app.command()(verify_verb.verify)
shown, said = Console(), Console(stderr=True)

Alert = Annotated[str, typer.Argument(help="an alert's id, or its first characters")]
FailOn = Annotated[str | None, typer.Option("--fail-on", help="exit with 3 where something at least this severe is found")]


def main() -> None:
    """The entry point: errors of ours are one line, and exit code 2."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app()
    except ToolhoundError as error:
        said.print(f"toolhound: {printing.plain(str(error))}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise SystemExit(FAILED) from None
    except BrokenPipeError:
        raise SystemExit(FAILED) from None


def _terminated(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


@app.command()
def serve(
    workspace: Annotated[Path, typer.Option("--workspace", "-w", envvar="TOOLHOUND_WORKSPACE", help="a folder")] = Path(DEFAULT_FOLDER),
    config: Annotated[Path | None, typer.Option(help=f"a settings file; FOLDER/{FILE_NAME} where left out")] = None,
) -> None:
    """Receive traces, look for attacks, serve the API and the pages, until Ctrl-C."""
    if config is not None and not config.is_file():
        raise SettingsError(f"{config} does not exist; give --config a settings file, or leave it out")
    settings = read_settings(config or workspace / FILE_NAME)
    supervisor = Supervisor(workspace, settings, lambda line: said.print(line, markup=False, highlight=False))
    try:
        addresses = supervisor.start()
        shown.print(f"OTLP/gRPC   {addresses.grpc}\nOTLP/HTTP   {addresses.http}  (/v1/traces, /v1/logs; JSON lines: /v1/calls)\n"
                    f"Pages, API  {addresses.link}", markup=False, highlight=False, soft_wrap=True)
        supervisor.watch()
    except KeyboardInterrupt:
        said.print("stopping")
    finally:
        supervisor.stop()


@app.command()
def ingest(files: Annotated[list[str], typer.Argument(help="files; - reads standard input")], workspace: Where = DEFAULT_FOLDER,
           token: Token = None, as_json: AsJson = False) -> None:
    """Take in files of traces, logs or tool-call lines. What cannot be read is named with its line."""
    total = sum(Path(f).stat().st_size for f in files if f != "-" and Path(f).is_file()) or None
    with opening(workspace, token, create=True) as opened, _bar(total) as advance:
        done = opened.ingest(files, advance)
    if as_json:
        print(json.dumps(done))
    else:
        shown.print(f"{done['calls']:,} calls ({done['records']:,} records) taken in, {len(done['refused']):,} refused", highlight=False)
        for reason in done["refused"][:20]:
            said.print(printing.plain(reason), markup=False, highlight=False, soft_wrap=True)
        if len(done["refused"]) > 20:
            said.print(f"... and {len(done['refused']) - 20:,} more", highlight=False)
    raise typer.Exit(PARTLY if done["refused"] else 0)


@app.command()
def detect(workspace: Where = DEFAULT_FOLDER, token: Token = None, as_json: AsJson = False) -> None:
    """Run every detector over all calls."""
    with opening(workspace, token) as opened:
        done = opened.detect()
    if as_json:
        print(json.dumps(done))
    else:
        shown.print(f"{done['findings']:,} findings hold", highlight=False)
        for name, why in done["failures"].items():
            said.print(f"{name} failed: {printing.plain(why)}", markup=False, highlight=False)
    raise typer.Exit(PARTLY if done["failures"] else 0)


@app.command()
def alerts(
    workspace: Where = DEFAULT_FOLDER, token: Token = None, as_json: AsJson = False, fail_on: FailOn = None,
    state: Annotated[list[str] | None, typer.Option(help="new, in_progress, closed; all where left out")] = None,
    severity: Annotated[list[str] | None, typer.Option(help="info, low, medium, high, critical")] = None,
    agent: Annotated[str | None, typer.Option(help="only this agent's")] = None,
    server: Annotated[str | None, typer.Option(help="only this server's")] = None,
    detector: Annotated[str | None, typer.Option(help="only this detector's")] = None,
    text: Annotated[str | None, typer.Option(help="looked for in the alerts' texts")] = None,
    order: Annotated[str, typer.Option(help="risk, newest, oldest, severity")] = "risk",
    limit: Annotated[int | None, typer.Option(min=1, help="how many; all where left out")] = None,
) -> None:
    """List alerts, highest risk first."""
    with opening(workspace, token) as opened:
        rows: list[dict[str, Any]] = []
        while limit is None or len(rows) < limit:
            page = opened.alerts(states=state or None, severities=severity or None, agent=agent, server=server, detector=detector, text=text,
                                 order=order, limit=min(PAGE, (limit or PAGE) - len(rows) if limit else PAGE), offset=len(rows))
            rows += page.rows
            if not page.rows or len(rows) >= page.total:
                break
    if as_json:
        print(json.dumps([printing.alert_json(row) for row in rows], default=str, indent=2))
    else:
        printing.alert_table(shown, rows)
    raise typer.Exit(FOUND if fail_on and any(row["severity"] >= _severity(fail_on) for row in rows) else 0)


@app.command()
def show(alert: Alert, workspace: Where = DEFAULT_FOLDER, token: Token = None, as_json: AsJson = False) -> None:
    """Show one alert: what was seen, the calls that prove it, its history."""
    with opening(workspace, token) as opened:
        whole = opened.alert(alert)
        chains = []
        with suppress(NotFoundError):  # its calls may be gone by now
            chains = [opened.session(s) for s in whole["alert"]["session_ids"][:1]]
    if as_json:
        print(json.dumps({**whole, "alert": printing.alert_json(whole["alert"]), "sessions": chains}, default=str, indent=2))
    else:
        printing.alert_whole(shown, whole, chains)


@app.command()
def close(alert: Alert, verdict: Annotated[str, typer.Option(help="true_positive, benign_positive, false_positive, undetermined, duplicate")],
          comment: Annotated[str, typer.Option(help="why")] = "", actor: Actor = "analyst",
          workspace: Where = DEFAULT_FOLDER, token: Token = None) -> None:
    """Close an alert with a verdict."""
    with opening(workspace, token) as opened:
        row = opened.decide(alert, actor=actor, state="closed", verdict=verdict, comment=comment)
    shown.print(f"{row['alert_id']} is {row['state']}: {row['verdict']}", markup=False, highlight=False)


@app.command()
def risk(
    calls: Annotated[list[str], typer.Argument(help="call files: .jsonl, .jsonl.gz, .parquet")],
    history: Annotated[list[str] | None, typer.Option(help="call files of ordinary work, to learn what is normal from; repeatable")] = None,
    output: Annotated[Path | None, typer.Option(help="where to write; standard output where left out")] = None,
) -> None:
    """Which sessions of an export to look at: session_id,risk for each, best first. Needs no workspace."""
    from toolhound.ranking import rank, write_csv

    with _bar(None) as advance:
        ranked, refused = rank(calls, history or [], advance, Workers())
    write_csv(ranked, output)
    for reason in refused[:20]:
        said.print(printing.plain(reason), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(PARTLY if refused else 0)


@app.command()
def scan(definitions: Annotated[list[str], typer.Argument(help="tool definitions: JSON lines, or a tools/list result")],
         before: Annotated[list[str] | None, typer.Option(help="what they were: rate only what is new or changed since; may be repeated")] = None,
         as_json: AsJson = False, fail_on: FailOn = None) -> None:
    """Rate tool definitions: what in them would steer an agent."""
    from toolhound.scanning import scan as scanned

    rated, refused = scanned(definitions, before or ())
    if as_json:
        print(json.dumps(rated, default=str, indent=2))
    else:
        printing.scan_table(shown, rated, drift=bool(before))
    for reason in refused[:20]:
        said.print(printing.plain(reason), markup=False, highlight=False, soft_wrap=True)
    worst = max((row["severity"] for row in rated), default=-1)
    raise typer.Exit(FOUND if fail_on and worst >= _severity(fail_on) else PARTLY if refused else 0)


@app.command()
def query(sql: Annotated[str, typer.Argument(help="one SELECT")], workspace: Where = DEFAULT_FOLDER, token: Token = None, as_json: AsJson = False,
          limit: Annotated[int, typer.Option(min=1, help="how many rows at most")] = 1000) -> None:
    """Ask one SELECT over calls, messages, tool_definitions, access, findings, alerts, decisions, deliveries."""
    with opening(workspace, token) as opened:
        table = opened.query(sql, limit)
    if as_json:
        print(json.dumps(table.to_pylist(), default=str))
    else:
        printing.any_table(shown, table)


@app.command()
def health(workspace: Where = DEFAULT_FOLDER, token: Token = None) -> None:
    """How collectors, engine, detectors, deliveries and lake are."""
    with opening(workspace, token) as opened:
        told = opened.health()
    print(json.dumps(told, default=str, indent=2))
    raise typer.Exit(0 if told["status"] == "ok" else PARTLY)


def _severity(name: str) -> Severity:
    try:
        return Severity[name.upper()]
    except KeyError:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(s.name.lower() for s in Severity)}") from None


@contextmanager
def _bar(total: int | None) -> Iterator[Any]:
    """A progress bar on a terminal; nothing elsewhere."""
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn(),
                  console=said, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("reading", total=total)
        yield lambda read: progress.advance(task, read)


if __name__ == "__main__":
    main()
