"""Read multipart/form-data, by the standard library's parser of mail."""

from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP


@dataclass(frozen=True, slots=True)
class File:
    """A file of a form."""

    content: bytes
    mime_type: str


def read_form(raw: bytes, content_type: str) -> tuple[dict[str, str], dict[str, File]]:
    """Return the fields and the files of a form."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + raw)
    fields: dict[str, str] = {}
    files: dict[str, File] = {}
    for part in form.get_payload() if form.is_multipart() else ():
        if not isinstance(part, Message):
            continue
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            continue
        if part.get_filename() is None:
            fields[name] = content.decode(errors="replace")
        else:
            files[name] = File(content, part.get_content_type())
    return fields, files
