"""The label inside a file that says an AI made it, for machines to read.

The labelling measures (art. 5) ask for the property, the provider and a number of the content in the metadata;
GB 45438-2025 gives the names of the fields, and an XMP packet carries them in PDF and PNG alike.
"""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

from bot.documents.imprint import Imprint

NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"

_MADE_BY_AI = "1"


def ai_label(imprint: Imprint) -> str:
    """Return the label's fields as JSON text; nobody but the producer passes the document on."""
    fields = {
        "Label": _MADE_BY_AI,
        "ContentProducer": imprint.producer,
        "ProduceID": imprint.number,
        "ReservedCode1": "",
        "ContentPropagator": imprint.producer,
        "PropagateID": imprint.number,
        "ReservedCode2": "",
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def xmp(imprint: Imprint) -> str:
    """Return the XMP packet's content: the label beside title, producer and creation date."""
    made_at = imprint.made_at.isoformat(timespec="seconds")
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        f' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:TC260="{NAMESPACE}">'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(imprint.title)}</rdf:li></rdf:Alt></dc:title>'
        f"<dc:creator><rdf:Seq><rdf:li>{escape(imprint.producer)}</rdf:li></rdf:Seq></dc:creator>"
        f"<xmp:CreateDate>{made_at}</xmp:CreateDate>"
        f"<TC260:AIGC>{escape(ai_label(imprint))}</TC260:AIGC>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
