story: Two triggers at one instant are one entry
start: 2024-03-04
journeys: two-triggers

Mon 09:00  ada  Consent Given    email
           ada  Order Completed  mug
           ada  Order Completed  pot
           ada  -> nothing
Mon 10:00  ada  Order Completed  tin  order_id=A3
           ada  in loyal
           ada  -> mail two-triggers  reason="You ordered three times or more, last A3"
+1h        ada  Order Completed  mug       # inside: no second instance
+6h        ada  -> nothing
