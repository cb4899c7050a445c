story: She looks at lamps three times, buys one at the till, and the reminder is taken back
start: 2011-11-14
journeys: lighting-reminder

Mon 10:00  ada  Consent Given    email
Mon 10:00  ada  Product Viewed   brass-lamp/lighting@49.90
+5m        ada  Product Viewed   desk-lamp/lighting@29.00
           ada  not in lighting-intent
           ada  waiting nothing
+5m        ada  Product Viewed   tall-lamp/lighting@89.00   # the third look
           ada  in lighting-intent
           ada  waiting lighting-reminder
+40m       ada  Order Completed  tall-lamp/lighting@89.00  channel=till
           ada  not in lighting-intent
           ada  waiting nothing
           ada  -> recalled mail lighting-reminder
+14d       ada  -> nothing
