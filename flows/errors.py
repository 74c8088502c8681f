"""The ways in which a run can end badly, each with its exit code. Messages are German: the operator reads them."""

from __future__ import annotations

from collections.abc import Sequence

from flows.findings import Finding


class PipelineError(Exception):
    """A condition that the operator can understand and mend; never a programming error."""

    exit_code = 1


class Refused(PipelineError):
    """Something breaks a rule; nothing is published. Carries every finding, not just the first, and what follows from
    them (German).
    """

    exit_code = 1

    def __init__(self, findings: Sequence[Finding], consequence: str = "es wurde nichts veröffentlicht") -> None:
        self.findings = tuple(findings)
        self.consequence = consequence
        super().__init__("\n".join(str(finding) for finding in self.findings))


class WrongUsage(PipelineError):
    """The command was called with something that does not exist or cannot be read."""

    exit_code = 2


class SourceUnavailable(PipelineError):
    """An input that the profile names cannot be had."""

    exit_code = 3


class WrongClock(PipelineError):
    """This machine's clock shows a day on which no release can be made."""

    exit_code = 1


class StoreBusy(PipelineError):
    """Another run holds the release store."""

    exit_code = 1


class StoreUnusable(PipelineError):
    """The place of the releases cannot be written: no room, no right."""

    exit_code = 1
