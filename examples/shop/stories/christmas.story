story: Who loves Christmas hears of it a week later, on a weekday morning
start: 2011-09-05
journeys: christmas

Mon 09:00  ada  Consent Given    email
           ada  Order Completed  bauble/christmas@1.25*12  mug/kitchen@4.50
+10d       ada  Order Completed  garland/christmas@8.50
+10d       ada  Order Completed  reindeer/christmas@14.95
           ada  in christmas-fans
+7d 23:00  ada  -> nothing
+1d 09:00  ada  -> mail christmas
+3d        ada  Order Completed  snowman/christmas@6.00
+60d       ada  -> nothing
