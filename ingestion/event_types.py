"""The event types that every installation knows. tributary.yaml declares more.

In: nothing. Out: BUILT_IN, for the collector, for file imports and for the client's tests.
"""

BUILT_IN = (
    "PAGE_VIEW", "CONVERSION", "CUSTOM", "IDENTIFY", "REFUND",
    # web visits
    "SEARCH", "SIGN_UP", "LOGIN", "PROFILE_UPDATE", "CTA_CLICK",
    # captured automatically by the browser script, each with a confidence
    "OUTBOUND_CLICK", "FILE_DOWNLOAD", "FORM_SUBMIT", "SCROLL_DEPTH", "VIDEO", "RAGE_CLICK",
    # ecommerce
    "PRODUCT_VIEW", "ADD_TO_CART", "REMOVE_FROM_CART", "CHECKOUT_STARTED", "PAYMENT_INFO", "CHECKOUT_COMPLETED",
    # assets, licences, projects, payouts
    "ASSET_UPLOAD", "ASSET_VIEW", "ASSET_DOWNLOAD", "ASSET_APPROVAL", "LICENCE_CREATED", "LICENCE_SIGNED",
    "PROJECT_CREATED", "PROJECT_COMPLETED", "PAYOUT_COMPLETED", "PAYOUT_FAILED",
)  # fmt: skip
