story: A journey serves one transition of life, and no other into the same stage
start: 2024-03-04
journeys: slips-away, comes-back

Mon 09:00  ada  Consent Given    email
           bob  Consent Given    email
Mon 10:00  ada  Order Completed  boots@50
           bob  Order Completed  vase@20
+20d       ada  Order Completed  lamp@20
+20d       ada  Order Completed  vase@20
           ada  -> nothing
+39d       ada  -> nothing
+1d        ada  -> mail note
+41d       bob  -> nothing
           # Bob is at risk too, but ordered once: he slips from no second order.
+1d        ada  Order Completed  lamp@20
           ada  -> mail note
           # She had lapsed two days ago, and is back.
