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
from chalicelib.files.sealed import may_open_files
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
identity.use_members(registry_actions.member_of, registry_actions.standing_of)
may_open_files()

BLUEPRINTS = (
    openapi, joining, me, registry, operators, schemes, files, assets, areas, competitions, qualification,
    bidding, decisions, contracts, dispatch, dispatch_open, openadr, metering, settlement,
    settlement_failures, nominations, settlement_runs, invoices, reports, disputes, notifications,
)  # fmt: skip

for blueprint in BLUEPRINTS:
    app.register_blueprint(blueprint, url_prefix="/v1")
