"""ISO 20022 messages as bytes: written by `xsdata`, checked by `lxml` against the schema. Like objects, like bytes."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lxml import etree
from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.formats.dataclass.serializers.config import SerializerConfig

from services.settlement.domain.refusals import FileNotValid

_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
_WRITER = XmlSerializer(config=SerializerConfig(encoding="UTF-8", xml_declaration=True, indent="  "))


def written(message: str, document: object) -> bytes:
    """The bytes of a document, valid against the schema of `message` (`pain.001.001.09`). Raises FileNotValid."""
    content = _WRITER.render(document, ns_map={None: f"{_NAMESPACE}{message}"}).encode()
    check(message, content)
    return content


def check(message: str, content: bytes) -> None:
    """Raises FileNotValid at the first place that the schema forbids; what stands there is not repeated."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    schema = _schema(message)
    if not schema.validate(etree.fromstring(content, parser)):
        first = schema.error_log[0]  # type: ignore[index]  # its stubs say nothing of the log
        raise FileNotValid(format=message, line=first.line, rule=first.type_name)


@cache
def _schema(message: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_folder() / f"{message}.xsd"))


def _folder() -> Path:
    """The schemas that `sepaxml` ships; the package itself is not imported: it must not write (settlement.md 8)."""
    spec = find_spec("sepaxml")
    if spec is None or spec.origin is None:
        raise LookupError("the package sepaxml, which ships the schemas, is not installed")
    return Path(spec.origin).parent / "schemas"
