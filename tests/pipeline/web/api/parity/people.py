"""People, their keys, plans and credits."""

ROUTES = {
    "people list": "GET /people",
    "people show": "GET /people/{person}",
    "people add": "POST /people",
    "people invite": "POST /people/{person}/invitation",
    "people set": ["PATCH /people/{person}", "POST /people/{person}/disable", "POST /people/{person}/enable"],
    "people remove": ["DELETE /people/{person}", "GET /people/{person}/removal"],
    "keys list": ["GET /keys", "GET /people/{person}/keys"],
    "keys add": ["POST /keys", "POST /people/{person}/keys"],
    "keys rotate": ["POST /keys/{key}/rotate", "POST /people/{person}/keys/{key}/rotate"],
    "keys revoke": ["DELETE /keys/{key}", "DELETE /people/{person}/keys/{key}"],
    "keys history": "GET /keys/history",
    "plans list": ["GET /plans", "GET /plans/{plan}"],
    "plans add": "POST /plans",
    "plans change": "PATCH /plans/{plan}",
    "plans remove": "DELETE /plans/{plan}",
    "credits": "GET /me",
    "credits show": "GET /me",
    "credits grant": "POST /ledger",
    "credits history": "GET /ledger",
}
