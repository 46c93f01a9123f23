"""Runs the steps of an action or a job as GitHub's runner does, as far as this project uses it.

Expressions are those of contexts, comparisons and status functions. A `run` step is a file that
bash runs; what it prints is read for workflow commands, and what it writes to the files of the
environment is read back. What an action of another place does is stood in for.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Given = Mapping[str, str]
"""The inputs of an action, evaluated."""


@dataclass(frozen=True)
class Annotation:
    """A workflow command that shows beside the code: error, warning or notice."""

    level: str
    message: str
    properties: Mapping[str, str]


@dataclass
class Ended:
    """How a job or an action ended."""

    code: int = 0
    """Of the step that failed first; 0 where none did."""
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Runner:
    """A runner with its folders, and what a job has left on it."""

    workspace: Path
    temp: Path
    github: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    stands_in: dict[str, Callable[[Given], Ended | None]] = field(default_factory=dict)
    """What is done in place of an action, by its name before the @."""
    log: list[str] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    """Names of workflow commands other than annotations that took effect."""
    summary: str = ""

    def run_job(self, workflow: Path, name: str) -> Ended:
        """Run the steps of a job of a workflow."""
        job = yaml.safe_load(workflow.read_text("utf-8"))["jobs"][name]
        return Ended(self._run_steps(job["steps"], {})[0])

    def run_action(self, folder: Path, given: Given) -> Ended:
        """Run a composite action with its inputs; return its outputs."""
        action = yaml.safe_load((folder / "action.yml").read_text("utf-8"))
        assert action["runs"]["using"] == "composite"
        assert not set(given) - set(action["inputs"])
        inputs = {name: str(entry["default"]) for name, entry in action["inputs"].items()}
        contexts = {"inputs": {**inputs, **given}, "github": {"action_path": str(folder)}}
        code, steps = self._run_steps(action["runs"]["steps"], contexts)
        values = {**contexts, "steps": steps}
        outputs = action["outputs"].items()
        return Ended(code, {name: self._fill(entry["value"], values) for name, entry in outputs})

    def _run_steps(
        self, steps: list[dict[str, Any]], contexts: Mapping[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        """Return the code of the step that failed first, and the steps with their outputs."""
        done: dict[str, Any] = {}
        failed = 0
        for step in steps:
            values = {**contexts, "steps": done, "failed": bool(failed)}
            if self._wanted(step.get("if", "success()"), values):
                code, outputs = self._run_step(step, values)
                failed = failed or code
                if "id" in step:
                    done[step["id"]] = {"outputs": outputs}
        return failed, done

    def _run_step(self, step: dict[str, Any], values: Mapping[str, Any]) -> tuple[int, Given]:
        if "run" in step:
            return self._run_script(step, values)
        given = {k: self._fill(str(v), values) for k, v in step.get("with", {}).items()}
        uses = step["uses"].partition("@")[0]
        ended = self.stands_in[uses](given) or Ended()
        return ended.code, ended.outputs

    def _run_script(self, step: dict[str, Any], values: Mapping[str, Any]) -> tuple[int, Given]:
        assert "${{" not in step["run"]
        names = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
        files = {name: self.temp / f"_{name}" for name in names}
        for file in files.values():
            file.write_text("", "utf-8")
        script = self.temp / "_script.sh"
        script.write_text(step["run"], "utf-8")
        own = {k: self._fill(str(v), values) for k, v in step.get("env", {}).items()}
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
        process = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace / step.get("working-directory", ""),
            env={
                **inherited,
                "GITHUB_ACTIONS": "true",
                "GITHUB_WORKSPACE": str(self.workspace),
                "RUNNER_TEMP": str(self.temp),
                **{name: str(file) for name, file in files.items()},
                **self.environment,
                **own,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        self._read_log(process.stdout.decode("utf-8", "backslashreplace"))
        self.environment |= _read_pairs(files["GITHUB_ENV"])
        assert not files["GITHUB_PATH"].read_text("utf-8")
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
        return process.returncode, _read_pairs(files["GITHUB_OUTPUT"])

    def _read_log(self, text: str) -> None:
        """Take commands as the runner does: `::name::` at a line's start, `##[name]` anywhere."""
        stopped = ""
        for line in text.split("\n"):
            self.log.append(line)
            found = re.match(r"\s*::([\w-]+)(?: +(.*?))?::(.*)", line) or re.search(
                r"##\[([\w-]+)(?: +(.*?))?\](.*)", line
            )
            if not found or (stopped and found[1] != stopped):
                continue
            match found[1]:
                case "stop-commands":
                    stopped = found[3]
                case "error" | "warning" | "notice" as level:
                    pairs = (p.partition("=") for p in (found[2] or "").split(",") if p)
                    properties = {name: _unescape(value) for name, _, value in pairs}
                    self.annotations.append(Annotation(level, _unescape(found[3]), properties))
                case name if name == stopped:
                    stopped = ""
                case name:
                    self.others.append(name)
        assert not stopped, "commands were stopped and not resumed"

    def _wanted(self, condition: str, values: Mapping[str, Any]) -> bool:
        text = condition.strip().removeprefix("${{").removesuffix("}}")
        found = _Expression(text, self._contexts(values)).value()
        asked = re.search(r"\b(success|failure|always|cancelled)\(", condition)
        return bool(found) and bool(asked or not values["failed"])

    def _fill(self, text: str, values: Mapping[str, Any]) -> str:
        def fill(match: re.Match[str]) -> str:
            return _text(_Expression(match[1], self._contexts(values)).value())

        return re.sub(r"\$\{\{(.*?)\}\}", fill, text)

    def _contexts(self, values: Mapping[str, Any]) -> dict[str, Any]:
        github = {**self.github, **values.get("github", {})}
        return {"runner": {"temp": str(self.temp)}, **values, "github": github}


def _read_pairs(file: Path) -> dict[str, str]:
    lines = file.read_text("utf-8").splitlines()
    assert all("=" in line for line in lines), "only name=value is written here"
    pairs = (line.partition("=") for line in lines)
    return {name: value for name, _, value in pairs}


def _unescape(text: str) -> str:
    for escaped, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")):
        text = text.replace(escaped, character)
    return text.replace("%25", "%")


def _text(value: Any) -> str:
    return {None: "", True: "true", False: "false"}.get(value) or str(value or "")


class _Expression:
    """An expression of a workflow: contexts, texts, ==, !=, &&, ||, ! and status functions."""

    def __init__(self, text: str, contexts: Mapping[str, Any]) -> None:
        self.tokens = re.findall(r"'[^']*'|[\w.-]+|\(\)|\(|\)|==|!=|&&|\|\||!|\S", text)
        self.contexts = contexts

    def value(self) -> Any:
        found = self._or()
        assert not self.tokens, self.tokens
        return found

    def _or(self) -> Any:
        found = self._and()
        while self._take("||"):
            other = self._and()
            found = found or other
        return found

    def _and(self) -> Any:
        found = self._equal()
        while self._take("&&"):
            other = self._equal()
            found = found and other
        return found

    def _equal(self) -> Any:
        found = self._one()
        while self.tokens and self.tokens[0] in ("==", "!="):
            wanted = self.tokens.pop(0) == "=="
            found = (_text(found) == _text(self._one())) is wanted
        return found

    def _one(self) -> Any:
        if self._take("!"):
            return not self._one()
        token = self.tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1]
        if self._take("()"):
            failed = self.contexts["failed"]
            known = {"success": not failed, "failure": failed, "always": True, "cancelled": False}
            return known[token]
        return _dig(self.contexts, iter(token.split(".")))

    def _take(self, token: str) -> bool:
        if self.tokens and self.tokens[0] == token:
            self.tokens.pop(0)
            return True
        return False


def _dig(value: Any, names: Iterator[str]) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
