"""The API: one Chalice app, one line per file of endpoints."""

from __future__ import annotations

from chalice import Chalice

from chalicelib.areas.routes import routes as areas
from chalicelib.assets.routes import routes as assets
from chalicelib.bidding.routes import routes as bidding
from chalicelib.competitions.routes import routes as competitions
from chalicelib.contracts.routes import routes as contracts
from chalicelib.decisions.routes import routes as decisions
from chalicelib.dispatch.routes_open import routes as dispatch_open
from chalicelib.dispatch.routes_openadr import routes as openadr
from chalicelib.dispatch.routes_webhooks import routes as dispatch
from chalicelib.edge import identity
from chalicelib.edge.openapi import routes as openapi
from chalicelib.files.routes import routes as files
from chalicelib.metering.routes import routes as metering
from chalicelib.notifications.routes import routes as notifications
from chalicelib.qualification.routes import routes as qualification
from chalicelib.registry import actions as registry_actions
from chalicelib.registry.routes import routes as registry
from chalicelib.registry.routes_joining import routes as joining
from chalicelib.registry.routes_me import routes as me
from chalicelib.registry.routes_operators import routes as operators
from chalicelib.registry.routes_schemes import routes as schemes
from chalicelib.settlement.routes import routes as settlement
from chalicelib.settlement.routes_disputes import routes as disputes
from chalicelib.settlement.routes_failures import routes as settlement_failures
from chalicelib.settlement.routes_invoices import routes as invoices
from chalicelib.settlement.routes_nominations import routes as nominations
from chalicelib.settlement.routes_reports import routes as reports
from chalicelib.settlement.routes_runs import routes as settlement_runs

app = Chalice(app_name="headroom", debug=False, configure_logs=False)
identity.use_members(registry_actions.member_of)

app.register_blueprint(openapi, url_prefix="/v1")
app.register_blueprint(joining, url_prefix="/v1")
app.register_blueprint(me, url_prefix="/v1")
app.register_blueprint(registry, url_prefix="/v1")
app.register_blueprint(operators, url_prefix="/v1")
app.register_blueprint(schemes, url_prefix="/v1")
app.register_blueprint(files, url_prefix="/v1")
app.register_blueprint(assets, url_prefix="/v1")
app.register_blueprint(areas, url_prefix="/v1")
app.register_blueprint(competitions, url_prefix="/v1")
app.register_blueprint(qualification, url_prefix="/v1")
app.register_blueprint(bidding, url_prefix="/v1")
app.register_blueprint(decisions, url_prefix="/v1")
app.register_blueprint(contracts, url_prefix="/v1")
app.register_blueprint(dispatch, url_prefix="/v1")
app.register_blueprint(dispatch_open, url_prefix="/v1")
app.register_blueprint(openadr, url_prefix="/v1")
app.register_blueprint(metering, url_prefix="/v1")
app.register_blueprint(settlement, url_prefix="/v1")
app.register_blueprint(settlement_failures, url_prefix="/v1")
app.register_blueprint(nominations, url_prefix="/v1")
app.register_blueprint(settlement_runs, url_prefix="/v1")
app.register_blueprint(invoices, url_prefix="/v1")
app.register_blueprint(reports, url_prefix="/v1")
app.register_blueprint(disputes, url_prefix="/v1")
app.register_blueprint(notifications, url_prefix="/v1")
