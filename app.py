"""The API: one Chalice app, one line per room."""

from __future__ import annotations

from chalice import Chalice

from chalicelib.assets.routes import routes as assets
from chalicelib.edge import identity
from chalicelib.edge.openapi import routes as openapi
from chalicelib.files.routes import routes as files
from chalicelib.registry import actions as registry_actions
from chalicelib.registry.routes import routes as registry

app = Chalice(app_name="headroom", debug=False)
identity.use_members(registry_actions.member_of)

app.register_blueprint(openapi, url_prefix="/v1")
app.register_blueprint(registry, url_prefix="/v1")
app.register_blueprint(files, url_prefix="/v1")
app.register_blueprint(assets, url_prefix="/v1")
