"""The web server of the page: Gradio mounted behind ASGI middleware, served by uvicorn."""
