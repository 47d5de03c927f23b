"""The event types that are known without being declared; tributary.yaml adds a user's own.

In: nothing. Out: BUILT_IN, read by the collector, by file imports and by the client.
"""

BUILT_IN = (
    "PAGE_VIEW", "CONVERSION", "CUSTOM", "IDENTIFY", "REFUND",
    # a visit
    "SEARCH", "SIGN_UP", "LOGIN", "PROFILE_UPDATE", "CTA_CLICK",
    # what the browser script captures by itself, each with a confidence
    "OUTBOUND_CLICK", "FILE_DOWNLOAD", "FORM_SUBMIT", "SCROLL_DEPTH", "VIDEO", "RAGE_CLICK",
    # ecommerce
    "PRODUCT_VIEW", "ADD_TO_CART", "REMOVE_FROM_CART", "CHECKOUT_STARTED", "PAYMENT_INFO", "CHECKOUT_COMPLETED",
    # assets, licences, projects, payouts
    "ASSET_UPLOAD", "ASSET_VIEW", "ASSET_DOWNLOAD", "ASSET_APPROVAL", "LICENCE_CREATED", "LICENCE_SIGNED",
    "PROJECT_CREATED", "PROJECT_COMPLETED", "PAYOUT_COMPLETED", "PAYOUT_FAILED",
)  # fmt: skip
