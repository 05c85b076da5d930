"""For whom a job acts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.core.errors import Malformed

if TYPE_CHECKING:
    from uuid import UUID

    from workers.jobqueue.job import Job


def org_of(job: Job) -> UUID:
    """Name the organization the job acts for; work on somebody's data always has one."""
    if job.org_id is None:
        raise Malformed(f"job {job.id} ({job.kind}) names no organization")
    return job.org_id
