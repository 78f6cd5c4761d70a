"""Allows only those of Gradio's routes that the viewer and programs use."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.refusals import refuse

_EXACT = frozenset({
    "/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json",
    # Gradio makes the icon in any size that is asked for: only those of its manifest.
    "/pwa_icon/192", "/pwa_icon/512", "/link_preview.jpg",
    "/healthz", "/readyz", "/login_check", "/gradio_api/user", "/gradio_api/login_check",
    "/gradio_api/token", "/gradio_api/app_id", "/gradio_api/info", "/gradio_api/openapi.json",
    "/gradio_api/queue/join", "/gradio_api/queue/data", "/gradio_api/queue/status",
    "/gradio_api/component_server", "/gradio_api/upload", "/gradio_api/upload_progress",
    "/gradio_api/cancel", "/gradio_api/reset", "/gradio_api/startup-events",
    "/gradio_api/theme.css", "/gradio_api/runs",
    # Tools for agents; these routes exist with `--mcp` only.
    "/gradio_api/mcp", "/gradio_api/mcp/schema",
})  # fmt: skip
_BELOW = (
    "/assets/", "/static/", "/svelte/", "/gradio_api/file=", "/gradio_api/call/",
    "/gradio_api/heartbeat/",
)  # fmt: skip


class Routes:
    """Middleware that refuses routes outside the list."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            path = scope["path"]
            if (path.rstrip("/") or "/") not in _EXACT and not path.startswith(_BELOW):
                return await refuse(send, "route")
        return await self._app(scope, receive, send)
