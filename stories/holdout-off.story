story: A story holds nobody out, unless it says so
start: 2024-03-04
journeys: held-out

Mon 09:00  ada  Consent Given  email
           ada  Cart Viewed    items=2
           ada  -> mail held-out  reason="You looked into your cart with 2 things"
