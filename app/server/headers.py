"""Security headers: what the page may load and run, and who may frame it."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio writes its settings as an inline script and builds functions from strings; the viewer
# starts its worker from a blob. Nothing is loaded from or sent to another host.
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "blob:",
    "manifest-src": "'self'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
SPACE_FRAMES = "'self' https://huggingface.co https://*.huggingface.co https://*.hf.space"


class SecurityHeaders:
    """Middleware that adds the headers to every answer; `frames` lists who may frame the page."""

    def __init__(self, app: ASGIApp, frames: str = "'self'") -> None:
        self._app = app
        policy = {**_POLICY, "frame-ancestors": frames}
        self._headers = {
            "content-security-policy": "; ".join(f"{name} {who}" for name, who in policy.items()),
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the headers to its answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                # The picture of link previews has its own.
                headers.setdefault("cross-origin-resource-policy", "same-origin")
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
