story: Who does not buy is reminded once, an hour after the third look
start: 2011-11-14
journeys: lighting-reminder

Mon 10:00  ada  Consent Given   email
Mon 10:00  ada  Product Viewed  brass-lamp/lighting@49.90
Mon 10:10  ada  Product Viewed  brass-lamp/lighting@49.90
Mon 10:20  ada  Product Viewed  tall-lamp/lighting@89.00
Mon 11:19  ada  -> nothing
Mon 11:20  ada  -> mail lighting-reminder  product=tall-lamp  reason="You looked at tall lamp and at other lamps, and have not bought one"
Tue 10:00  ada  Product Viewed  brass-lamp/lighting@49.90   # once in thirty days is enough
+13d       ada  -> nothing
           ada  in lighting-intent
+12h       ada  not in lighting-intent                      # the looks are older than two weeks: nobody computed that
