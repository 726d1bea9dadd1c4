"""Files of applications: straight to S3 by a presigned form, counted as answers once they arrived."""

from __future__ import annotations

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Problem, raise_problems
from chalicelib.kernel.models import Page
from chalicelib.registry import rules, store_schemes
from chalicelib.registry.forms import Answers, Form, answered_files, file_question
from chalicelib.registry.scheme_requests import FileRequest, FileUpload, FileView
from chalicelib.registry.schemes import MOST_FILE_BYTES, Application, ApplicationFile
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit
from chalicelib.storage.objects import FILES, head_object, presign_download, presign_upload


def begin_file(call: Call, it: Application, form: Form, body: FileRequest) -> FileUpload:
    """Where to upload a file for one question; `Invalid` for a type or size that is not taken, or no such question."""
    raise_problems([*rules.file_problems(body.name, body.content_type, body.size), *_place_problems(form, body)])
    file_id = call.new_id("fil")
    kept = ApplicationFile(
        id=file_id,
        application=it.id,
        scheme=it.scheme,
        fsp=it.fsp,
        section=body.section,
        question=body.question,
        name=body.name,
        content_type=body.content_type,
        key=f"applications/{it.scheme}/{it.fsp}/{file_id}",
        created_at=call.now,
    )
    after = {"file": file_id, "name": body.name, "size": body.size}
    change = Change(thing=f"application:{it.id}", action="application.file_begun", organisation=it.fsp, after=after)
    commit(call, [store_schemes.create_file(kept)], changes=[change], result=f"{it.id}/{file_id}")
    return _upload(kept)


def begun_file(it: Application, file_id: str) -> FileUpload:
    """The upload of a file begun before, presigned anew."""
    return _upload(_file(it, file_id))


def list_files(it: Application, shown: set[str] | None) -> Page[FileView]:
    """The files that arrived, with links to download them; only those named in `shown` unless it is None."""
    files = [one for one in store_schemes.list_files(it) if shown is None or one.id in shown]
    return Page(items=[_view(one) for one in files if _arrived(one)])


def get_file(it: Application, file_id: str, shown: set[str] | None) -> FileView:
    found = _file(it, file_id)
    if (shown is not None and file_id not in shown) or not _arrived(found):
        raise _no_file()
    return _view(found)


def submitted_files(it: Application) -> set[str]:
    """The ids of all files that were answers in a submission: those the SO may read."""
    return {
        file_id
        for submission in store_schemes.list_submissions(it.scheme, it.fsp)
        for _, file_id in answered_files(submission.form, submission.answers)
    }


def check_files(it: Application, form: Form, answers: Answers) -> list[Problem]:
    """Problems of file answers: of another question, never uploaded, or too large."""
    problems = []
    for place, file_id in answered_files(form, answers):
        found = store_schemes.find_file(it, file_id)
        if found is None or place != f"answers/{found.section}/{found.question}" or not _arrived(found):
            detail = "The file was not uploaded for this question."
            problems.append(Problem("file.missing", detail, place, "a file that was uploaded for this question"))
    return problems


def _place_problems(form: Form, body: FileRequest) -> list[Problem]:
    if file_question(form, body.section, body.question):
        return []
    detail = "The form asks for no file there."
    return [Problem("file.question", detail, "question", "a section and question of kind `file`")]


def _file(it: Application, file_id: str) -> ApplicationFile:
    found = store_schemes.find_file(it, file_id)
    if found is None:
        raise _no_file()
    return found


def _arrived(it: ApplicationFile) -> bool:
    try:
        return 0 < int(head_object(FILES, it.key)["size"]) <= MOST_FILE_BYTES
    except NotFound:
        return False


def _upload(it: ApplicationFile) -> FileUpload:
    made = presign_upload(FILES, it.key, it.content_type, MOST_FILE_BYTES)
    return FileUpload(id=it.id, url=made.url, fields=made.fields, expires_in=made.expires_seconds)


def _view(it: ApplicationFile) -> FileView:
    fields = {name: getattr(it, name) for name in ("id", "section", "question", "name", "content_type")}
    return FileView(**fields, url=presign_download(FILES, it.key, it.name))


def _no_file() -> NotFound:
    return NotFound("file.not_found", "There is no such file.")
