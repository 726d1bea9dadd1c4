"""Owns the standard form of company qualification as data: the four sections that ship with the product."""

from __future__ import annotations

from chalicelib.registry.forms import Form, Question, QuestionKind, Section


def _ask(name: str, label: str, kind: QuestionKind = "text", required: bool = True, help: str = "") -> Question:
    return Question(id=name, label=label, kind=kind, required=required, help=help)


def _choose(name: str, label: str, *choices: str) -> Question:
    return Question(id=name, label=label, kind="choice", choices=choices)


def _declare(name: str, label: str) -> Question:
    return Question(id=name, label=label, kind="yes_no", must_be=True)


_PROFILE = Section(
    id="organisation_profile",
    title="Organisation profile",
    questions=(
        _ask("trading_name", "Trading name, if it differs from the registered one", required=False),
        _choose(
            "legal_form",
            "Legal form",
            "Private limited company",
            "Public limited company",
            "Limited liability partnership",
            "Partnership",
            "Community interest or co-operative",
            "Public body",
            "Sole trader",
            "Other",
        ),
        _ask("registered_on", "Date of registration", "date"),
        _ask("parent_company", "Ultimate parent company, if any", required=False),
        _choose("size", "Size of the organisation", "Micro", "Small", "Medium", "Large"),
        _ask("website", "Website", required=False),
        _ask("contact_name", "Name of the person to contact about this application"),
        _ask("contact_email", "E-mail address of that person"),
        _ask("contact_telephone", "Telephone number of that person", required=False),
        _ask("flexibility_experience", "Experience in providing flexibility or similar services", required=False),
    ),
)

_STATUS = Section(
    id="organisation_status",
    title="Organisation status",
    questions=(
        _ask("insolvent", "Is the organisation bankrupt, insolvent, in administration or being wound up?", "yes_no"),
        _ask(
            "convictions",
            "In the last five years, was the organisation or one of its directors convicted of fraud, corruption, "
            "money laundering, modern slavery or participation in a criminal organisation?",
            "yes_no",
        ),
        _ask("unpaid_tax", "Are taxes or social security contributions due and unpaid?", "yes_no"),
        _ask(
            "terminated",
            "In the last three years, was a contract ended early for the organisation's default?",
            "yes_no",
        ),
        _ask("conflict", "Is there a conflict of interest with the system operator?", "yes_no"),
        _ask(
            "status_details",
            "If you answered yes to any of these: what happened, and what was done since",
            required=False,
        ),
    ),
)

_ASSURANCE = Section(
    id="auditing_insurance_legal",
    title="Auditing, insurance and legal",
    questions=(
        _ask("accounts_audited", "Are the annual accounts audited?", "yes_no"),
        _ask("accounts_year_end", "Last day of the latest financial year with accounts", "date"),
        _ask("turnover", "Turnover of that year, in GBP", "number"),
        _ask("latest_accounts", "The latest accounts", "file", required=False),
        _ask(
            "employers_liability",
            "Employer's liability insurance, in GBP",
            "number",
            help="0 where the law asks for none",
        ),
        _ask("public_liability", "Public liability insurance, in GBP", "number"),
        _ask("insurance_until", "The insurance lasts until", "date"),
        _ask("insurance_certificate", "Certificate of insurance", "file", required=False),
        _ask("health_and_safety", "Is there a written health and safety policy?", "yes_no"),
        _ask("data_protection", "Does the organisation process personal data in line with the law?", "yes_no"),
        _ask("cyber_security", "Security certificates held (Cyber Essentials, ISO 27001, other)", required=False),
        _ask("modern_slavery", "Is a modern slavery statement required and published?", "yes_no", required=False),
    ),
)

_DECLARATION = Section(
    id="declaration",
    title="Declaration",
    questions=(
        _declare("answers_true", "I declare that the answers are true and complete"),
        _declare("will_update", "I will tell the system operator when an answer changes"),
        _declare("authorised", "I am authorised to make this application for the organisation"),
        _ask("signed_by", "Name of the person declaring"),
        _ask("position", "Position in the organisation"),
        _ask("signed_on", "Date", "date"),
    ),
)

STANDARD_FORM = Form(sections=(_PROFILE, _STATUS, _ASSURANCE, _DECLARATION))
