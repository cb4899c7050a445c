story: Regulars who have been quiet for two months get one letter, and nothing if they come back
start: 2011-03-07
journeys: win-back

Mon 09:00  ada  Consent Given    email
           ada  Order Completed  mug/kitchen@4.50
+10d       ada  Order Completed  plate/kitchen@9.00
+10d       ada  Order Completed  bowl/kitchen@7.00
+59d       ada  not in at-risk
+1d        ada  in at-risk                     # at the instant, by nobody's computing
           ada  in journey win-back at morning
Tue 09:59  ada  -> nothing
Tue 10:00  ada  -> mail win-back  reason="You have ordered from us three times or more, and not in the last two months"
+5d        ada  Order Completed  mug/kitchen@4.50
           ada  not in at-risk
           ada  not in journey win-back
+61d       ada  in at-risk
+20d       ada  -> nothing                     # once in half a year
