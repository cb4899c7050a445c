story: Who orders early is not reminded, in whichever shop they did
start: 2011-03-07
journeys: replenish

Mon 08:00  ada  Consent Given    email
Mon 10:00  ada  Order Completed  wrap/stationery@2.95*12
+30d       ada  Order Completed  wrap/stationery@2.95*12
+30d       ada  Order Completed  wrap/stationery@2.95*12
+25d       ada  Order Completed  wrap/stationery@2.95*12  channel=till
+10d       ada  -> nothing
