"""A client written from LTIAAS' public documentation alone (docs.ltiaas.com): it knows nothing of this package but its base URL."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import requests


class LtiaasClient:
    """One launch, or with a service key one course."""

    def __init__(self, base_url: str, api_key: str, *, ltik: str = "", service_key: str = "") -> None:
        self.base_url = base_url
        scheme, shown = ("LTIK-AUTH-V2", ltik) if ltik else ("SERVICE-AUTH-V1", service_key)
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"{scheme} {api_key}:{shown}"

    def call(self, method: str, path: str, *, body: Any = None, **query: Any) -> Any:
        answer = self.session.request(method, f"{self.base_url}/api/{path}", json=body, params=query, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def id_token(self) -> Any:
        return self.call("GET", "idtoken")

    def line_items(self, **query: Any) -> Any:
        return self.call("GET", "lineitems", **query)

    def create_line_item(self, **fields: Any) -> Any:
        return self.call("POST", "lineitems", body=fields)

    def delete_line_item(self, line_item_id: str) -> None:
        self.call("DELETE", f"lineitems/{quote(line_item_id, safe='')}")

    def submit_score(self, line_item_id: str, **fields: Any) -> None:
        self.call("POST", f"lineitems/{quote(line_item_id, safe='')}/scores", body=fields)

    def scores(self, line_item_id: str, **query: Any) -> Any:
        return self.call("GET", f"lineitems/{quote(line_item_id, safe='')}/scores", **query)
