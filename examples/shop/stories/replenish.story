story: Three orders make a rhythm, and the fourth is reminded of when it is due
start: 2011-03-07
journeys: replenish

Mon 08:00  ada  Consent Given           email
Mon 10:00  ada  Order Completed  wrap/stationery@2.95*12
+30d       ada  Order Completed  wrap/stationery@2.95*12
+30d       ada  Order Completed  wrap/stationery@2.95*12
           ada  in journey replenish at rhythm
+29d       ada  -> nothing
+1d        ada  -> mail replenish  product=wrap  reason="You buy wrap regularly, and by your own rhythm it is time again"
+1d        ada  Order Completed  wrap/stationery@2.95*12   # and it begins anew
           ada  in journey replenish at rhythm
+20d       ada  -> nothing
