"""Owns the documents of competitions: links, and files sent to a presigned address."""

from __future__ import annotations

from chalicelib.competitions import store
from chalicelib.competitions.actions_reads import own_competition, visible_competition
from chalicelib.competitions.models import Document
from chalicelib.competitions.views import DocumentRequest, DocumentView, UploadView
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem
from chalicelib.storage import objects
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

MOST_DOCUMENT_BYTES = 50_000_000


def add_document(call: Call, competition_id: str, request: DocumentRequest) -> DocumentView:
    """Add a link, or a file to be sent to the address in the answer; documents may be added in every phase."""
    competition = own_competition(call, competition_id)
    if (request.url is None) == (request.file_name is None):
        problem = Problem("document.either", "A document is a link or a file.", "url", "url or file_name, not both")
        raise Invalid.of([problem])
    document = _document(call, competition.id, request)
    change = Change(
        thing=f"competition:{competition.id}",
        action="competition.document_added",
        organisation=competition.so,
        after={"document": document.id, "title": document.title},
    )
    commit(call, [store.add_document(competition.id, document)], (), [change], f"{competition.id}/{document.id}")
    return _with_upload(document, request.content_type)


def replay_document(call: Call, made: str) -> DocumentView:
    """The document that an Idempotency-Key made."""
    competition_id, document_id = made.split("/")
    own_competition(call, competition_id)
    document = next(each for each in store.list_documents(competition_id) if each.id == document_id)
    return _with_upload(document, "application/pdf") if document.object_key else _document_view(document)


def list_documents(call: Call, competition_id: str) -> list[DocumentView]:
    competition = visible_competition(call, competition_id)
    return documents_of(competition.id)


def documents_of(competition_id: str) -> list[DocumentView]:
    """The documents of a competition, oldest first, each with an address that opens it."""
    return [_document_view(each) for each in store.list_documents(competition_id)]


def _document(call: Call, competition_id: str, request: DocumentRequest) -> Document:
    document_id = call.new_id("doc")
    key = f"documents/{competition_id}/{document_id}" if request.file_name else None
    return Document(
        id=document_id,
        title=request.title,
        url=request.url,
        file_name=request.file_name,
        object_key=key,
        added_at=call.now,
    )


def _document_view(document: Document) -> DocumentView:
    url = document.url
    if document.object_key is not None:
        url = objects.presign_download(objects.FILES, document.object_key, document.file_name or document.title)
    kept = document.model_dump(include={"id", "title", "file_name", "added_at"})
    return DocumentView(**kept, url=url)


def _with_upload(document: Document, content_type: str) -> DocumentView:
    if document.object_key is None:
        return _document_view(document)
    upload = objects.presign_upload(objects.FILES, document.object_key, content_type, MOST_DOCUMENT_BYTES)
    view = UploadView(url=upload.url, fields=upload.fields, expires_seconds=upload.expires_seconds)
    return _document_view(document).but(upload=view)
