"""Owns the rows of company qualification: schemes, applications under them, submissions and files."""

from __future__ import annotations

from collections.abc import Iterator

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.errors import Refused
from chalicelib.kernel.models import Page
from chalicelib.registry.schemes import Application, ApplicationFile, Scheme, Submission
from chalicelib.registry.store import HEAD, PointerRow, RegistryMeta, found
from chalicelib.storage.tables import BodyAttribute, Row, get, query, query_all, query_index, query_index_all
from chalicelib.storage.writes import Write, create, replace


class _SchemeRow(Row):
    class Meta(RegistryMeta):
        pass

    so = UnicodeAttribute(null=True)
    body = BodyAttribute(Scheme)


class _ApplicationRow(Row):
    class Meta(RegistryMeta):
        pass

    fsp = UnicodeAttribute(null=True)
    body = BodyAttribute(Application)


class _SubmissionRow(Row):
    class Meta(RegistryMeta):
        pass

    body = BodyAttribute(Submission)


class _FileRow(Row):
    class Meta(RegistryMeta):
        pass

    body = BodyAttribute(ApplicationFile)


def find_scheme(scheme_id: str) -> Scheme | None:
    row = get(_SchemeRow, scheme_id, HEAD)
    return row.body if row else None


def load_scheme(scheme_id: str) -> Scheme:
    return found(find_scheme(scheme_id), "scheme")


def find_scheme_by_ref(so_id: str, ref: str) -> Scheme | None:
    row = get(PointerRow, f"schemeref#{so_id}", ref)
    return find_scheme(row.target) if row else None


def list_schemes(so_id: str, limit: int | None = None, cursor: str | None = None) -> Page[Scheme]:
    page = query_index(_SchemeRow, "schemes_by_so", so_id, limit=limit, cursor=cursor)
    return Page(items=[row.body for row in page.items], next=page.next)


def all_schemes(so_id: str) -> Iterator[Scheme]:
    """Every scheme of an SO; one made a moment ago may be missing."""
    return (row.body for row in query_index_all(_SchemeRow, "schemes_by_so", so_id))


def create_scheme(scheme: Scheme) -> list[Write]:
    taken = Refused("scheme.ref_taken", f"The reference {scheme.ref} was used before; references are never used again.")
    pointer = PointerRow(pk=f"schemeref#{scheme.so}", sk=scheme.ref, target=scheme.id)
    return [create(pointer, taken), create(_scheme_row(scheme))]


def save_scheme(scheme: Scheme) -> Write:
    return replace(_scheme_row(scheme))


def _scheme_row(it: Scheme) -> _SchemeRow:
    return _SchemeRow(pk=it.id, sk=HEAD, version=it.version, so=it.so, body=it)


def find_application_of(scheme_id: str, fsp_id: str) -> Application | None:
    row = get(_ApplicationRow, scheme_id, f"app#{fsp_id}")
    return row.body if row else None


def load_application(application_id: str) -> Application:
    pointer = get(PointerRow, application_id, HEAD)
    application = find_application_of(pointer.target, str(pointer.within)) if pointer else None
    return found(application, "application")


def list_applications(scheme_id: str, limit: int | None, cursor: str | None) -> Page[Application]:
    page = query(_ApplicationRow, scheme_id, "app#", limit, cursor)
    return Page(items=[row.body for row in page.items], next=page.next)


def all_applications(scheme_id: str) -> Iterator[Application]:
    return (row.body for row in query_all(_ApplicationRow, scheme_id, "app#"))


def list_applications_of(fsp_id: str, limit: int | None, cursor: str | None) -> Page[Application]:
    page = query_index(_ApplicationRow, "applications_by_fsp", fsp_id, limit=limit, cursor=cursor)
    return Page(items=[row.body for row in page.items], next=page.next)


def create_application(application: Application) -> list[Write]:
    taken = Refused("application.exists", "Your organisation has an application to this scheme: go on with that one.")
    pointer = PointerRow(pk=application.id, sk=HEAD, target=application.scheme, within=application.fsp)
    return [create(_application_row(application), taken), create(pointer)]


def save_application(application: Application) -> Write:
    return replace(_application_row(application))


def _application_row(it: Application) -> _ApplicationRow:
    return _ApplicationRow(pk=it.scheme, sk=f"app#{it.fsp}", version=it.version, fsp=it.fsp, body=it)


def find_submission(scheme_id: str, fsp_id: str, number: int) -> Submission | None:
    row = get(_SubmissionRow, scheme_id, _submission_key(fsp_id, number))
    return row.body if row else None


def list_submissions(scheme_id: str, fsp_id: str | None = None) -> Iterator[Submission]:
    """Submissions of an FSP, or of all, in order of number."""
    prefix = f"version#{fsp_id}#" if fsp_id else "version#"
    return (row.body for row in query_all(_SubmissionRow, scheme_id, prefix))


def create_submission(it: Submission) -> Write:
    return create(_SubmissionRow(pk=it.scheme, sk=_submission_key(it.fsp, it.number), body=it))


def _submission_key(fsp_id: str, number: int) -> str:
    return f"version#{fsp_id}#{number:06d}"


def find_file(application: Application, file_id: str) -> ApplicationFile | None:
    row = get(_FileRow, application.scheme, f"file#{application.fsp}#{file_id}")
    return row.body if row else None


def list_files(application: Application) -> list[ApplicationFile]:
    return [row.body for row in query_all(_FileRow, application.scheme, f"file#{application.fsp}#")]


def create_file(it: ApplicationFile) -> Write:
    return create(_FileRow(pk=it.scheme, sk=f"file#{it.fsp}#{it.id}", body=it))
