"""Reports of other systems. In: requests of shops, payment providers, affiliate networks and their pages.
Out: `routes`, for the collector's application.
"""

from starlette.routing import Route

from ingestion.collector.webhooks.deliveries import pixel, postback, shopify_order, stripe_event
from ingestion.collector.webhooks.pages import checkout_step, for_pages, survey_answer

routes = [
    Route("/webhooks/shopify/{site}", shopify_order, methods=["POST"]),
    Route("/webhooks/stripe/{site}", stripe_event, methods=["POST"]),
    Route("/postbacks/{network}", postback, methods=["GET", "POST"]),
    Route("/pixel/{network}.gif", pixel, methods=["GET"]),
    Route("/api/events/checkout", for_pages(checkout_step), methods=["POST", "OPTIONS"]),
    Route("/api/survey", for_pages(survey_answer), methods=["POST", "OPTIONS"]),
]
for route in routes:
    if route.methods:
        route.methods.discard("HEAD")  # Starlette adds it to GET, but a HEAD request must not report anything
