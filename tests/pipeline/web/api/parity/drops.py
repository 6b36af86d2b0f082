"""What is claimed or ignored."""

ROUTES = {
    "drops list": "GET /drops",
    "drops claimed": "PUT /drops/{thing}",
    "drops ignored": "PUT /drops/{thing}",
    "drops wanted": "DELETE /drops/{thing}",
    "drops progress": "GET /drops/progress",
}
