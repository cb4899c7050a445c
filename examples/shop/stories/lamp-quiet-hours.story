story: The reminder waits for the morning, and a purchase before breakfast takes it back
start: 2011-11-14
journeys: lighting-reminder

Mon 19:20  ada  Consent Given    email
Mon 19:20  ada  Product Viewed   brass-lamp/lighting@49.90
Mon 19:25  ada  Product Viewed   brass-lamp/lighting@49.90
Mon 19:30  ada  Product Viewed   brass-lamp/lighting@49.90
Mon 20:30  ada  waiting lighting-reminder     # an hour later it is planned: after eight in the evening
Mon 23:59  ada  -> nothing
Tue 07:40  ada  Order Completed  desk-lamp/lighting@29.00  channel=till   # another lamp: nothing to remind of
           ada  waiting nothing
           ada  -> recalled mail lighting-reminder
+7d        ada  -> nothing
